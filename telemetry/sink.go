package telemetry

// Sink receives finished statements, on a goroutine that is never the application's. The record is shared with
// other sinks and must not be changed. A call for which no connection could be opened is no statement: see
// [SessionSink].
//
// Each Attach, and each connector with the sink in its Config, calls it from one goroutine at a time: a sink
// that has several of them needs a lock for its state, which the sinks of this module have. A sink may block,
// panic or call runtime.Goexit: that costs only its own records.
type Sink interface {
	StatementFinished(*Statement)
}

// SessionSink is a Sink that also receives the records of connections.
type SessionSink interface {
	Sink
	SessionOpened(*SessionOpened)
	SessionClosed(*SessionClosed)
}

// Recorder is a Sink that does not always want records. While Recording is false, no other sink
// wants records and nothing is reported to Databricks, nothing is measured. Recording is called
// on the application's goroutine, for every statement: it must return at once.
type Recorder interface {
	Sink
	Recording() bool
}

// record is what waits in a queue. Failed decides what is dropped first when there is no room.
type record interface {
	deliver(Sink) // a sink that takes the record
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

func (s *Statement) deliver(to Sink)     { to.StatementFinished(s) }
func (s *SessionOpened) deliver(to Sink) { to.(SessionSink).SessionOpened(s) }
func (s *SessionClosed) deliver(to Sink) { to.(SessionSink).SessionClosed(s) }

// takes reports whether a sink receives records of this type. Others would take room in its queue.
func takes(sink Sink, r record) (ok bool) {
	switch r.(type) {
	case *SessionOpened, *SessionClosed:
		_, ok = sink.(SessionSink)
	case *ServerReport:
		_, ok = sink.(ReportSink)
	default:
		ok = true
	}
	return ok
}
