package telemetry

// Sink receives finished statements. It is called by one goroutine at a time, never the
// application's. It may block, panic or call runtime.Goexit: that costs its own records only.
// The record is shared with other sinks and must not be changed.
type Sink interface {
	StatementFinished(*Statement)
}

// SessionSink is a Sink that also wants to know about connections.
type SessionSink interface {
	Sink
	SessionOpened(*SessionOpened)
	SessionClosed(*SessionClosed)
}

// Recorder is a Sink that does not always want records. While Recording is false and nobody
// else listens, nothing is measured. It is asked on the application's goroutine, for every
// statement: it must answer at once.
type Recorder interface {
	Sink
	Recording() bool
}

// record is what travels through a queue: it knows how to hand itself to a sink and whether
// it is worth keeping when there is no room for all.
type record interface {
	deliver(Sink)
	Failed() bool
	connector() int64 // ConnectorInfo.ID; 0 when unknown
}

var (
	_ record = (*Statement)(nil)
	_ record = (*SessionOpened)(nil)
	_ record = (*SessionClosed)(nil)
)

func (s *Statement) connector() int64     { return s.Connector }
func (s *SessionOpened) connector() int64 { return s.Connector }
func (s *SessionClosed) connector() int64 { return s.Connector }

func (s *Statement) deliver(to Sink) { to.StatementFinished(s) }

func (s *SessionOpened) deliver(to Sink) {
	if sink, ok := to.(SessionSink); ok {
		sink.SessionOpened(s)
	}
}

func (s *SessionClosed) deliver(to Sink) {
	if sink, ok := to.(SessionSink); ok {
		sink.SessionClosed(s)
	}
}
