package telemetry

// Sink receives finished statements, each by a call of StatementFinished, never on the application's
// goroutine. The record is shared with other sinks and must not be changed. A call that fails because no
// connection could be opened is not a statement: see [SessionSink].
//
// Each Attach, and each connector with the sink in its Config, calls the sink from one goroutine at a time. A
// sink that is used more than once needs a lock for its state; the sinks of this module have one. A sink may
// block, panic or call runtime.Goexit, and loses only its own records.
type Sink interface {
	StatementFinished(*Statement)
}

// SessionSink is a Sink that also receives the records of connections.
type SessionSink interface {
	Sink
	SessionOpened(*SessionOpened)
	SessionClosed(*SessionClosed)
}

// Recorder is a Sink that does not always want records. Statements are not measured while Recording
// returns false, no other sink wants records, and nothing is reported to Databricks. Recording is
// called on the application's goroutine for every statement, so it must return at once.
type Recorder interface {
	Sink
	Recording() bool
}

// record is an element of a queue. A full queue drops records that have not Failed first.
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

// takes reports whether a sink receives records of this type. Other records would waste room in its
// queue.
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
