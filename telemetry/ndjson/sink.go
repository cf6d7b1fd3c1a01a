package ndjson

import (
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/registry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// Sink writes records to an io.Writer, with one line and one Write per record, and samples of
// registered pools (telemetry.RegisterPool) between them. It is safe for concurrent use.
type Sink struct {
	pools sampler

	err atomic.Pointer[error] // of the latest write that failed

	mu     sync.Mutex // guards all below, because a sink may be attached to two fan-outs
	w      io.Writer
	buf    []byte
	broken bool // the latest line may have been written in part
}

var (
	_ telemetry.SessionSink = (*Sink)(nil)
	_ telemetry.ReportSink  = (*Sink)(nil)
)

// New returns a sink that writes to w. A record whose write fails is lost, and the next one begins on a
// new line; Err returns the latest error.
func New(w io.Writer) *Sink {
	return &Sink{w: w, pools: sampler{registered: telemetry.Default.Pools}}
}

// Err returns the error of the latest write that failed, nil when none did. It does not wait for a
// write.
func (s *Sink) Err() error {
	if err := s.err.Load(); err != nil {
		return *err
	}
	return nil
}

// StatementFinished writes a "statement" line, preceded by a "pool" line for each pool if samples are
// due, which is at most every 10 s.
func (s *Sink) StatementFinished(r *telemetry.Statement) {
	for _, p := range s.pools.samples(time.Now()) {
		s.line(poolEvent, func(b []byte) []byte { return appendFields(b, registry.PoolSampleFields, &p) })
	}
	s.line(statementEvent, func(b []byte) []byte {
		b = appendFields(b, registry.StatementFields, r)
		if v := explain.Of(r).Sentence; v != "" {
			b = registry.AppendJSONString(appendKey(b, "verdict"), v)
		}
		b = appendList(b, rpcsKey, r.RPCs, registry.RPCFields, nil)
		b = appendList(b, callsKey, r.Calls, registry.CallFields, func(c *telemetry.Call) []telemetry.Attempt { return c.Retried })
		if r.CloudFetch != nil {
			b = appendList(b, filesKey, r.CloudFetch.Files, registry.FileFields, func(f *telemetry.File) []telemetry.Attempt { return f.Retried })
		}
		return b
	})
}

// SessionOpened writes a "session_opened" line.
func (s *Sink) SessionOpened(r *telemetry.SessionOpened) {
	s.line(openedEvent, func(b []byte) []byte { return appendFields(b, registry.SessionOpenedFields, r) })
}

// SessionClosed writes a "session_closed" line.
func (s *Sink) SessionClosed(r *telemetry.SessionClosed) {
	s.line(closedEvent, func(b []byte) []byte { return appendFields(b, registry.SessionClosedFields, r) })
}

// ServerReported writes a "server_report" line.
func (s *Sink) ServerReported(r *telemetry.ServerReport) {
	s.line(reportEvent, func(b []byte) []byte { return appendFields(b, registry.ServerReportFields, r) })
}

// The values of the key "event".
const (
	statementEvent = "statement"
	openedEvent    = "session_opened"
	closedEvent    = "session_closed"
	reportEvent    = "server_report"
	poolEvent      = "pool"
)

func (s *Sink) line(event string, fields func([]byte) []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buf[:0]
	if s.broken { // if nothing of the latest line was written, this is a blank line
		b = append(b, '\n')
	}
	b = registry.AppendJSONString(append(b, `{"event":`...), event)
	s.buf = append(fields(b), "}\n"...)
	s.broken = true // until the writer returns, because it may panic
	n, err := s.w.Write(s.buf)
	if err == nil && n < len(s.buf) {
		err = io.ErrShortWrite
	}
	if err != nil {
		s.err.Store(&err)
	}
	s.broken = err != nil
	if cap(s.buf) > maxKept {
		s.buf = nil
	}
}

// maxKept is the largest buffer that is kept for the next line, so that one long statement does not
// take memory forever.
const maxKept = 64 << 10

func appendFields[R any](b []byte, fields []registry.Field[R], r *R) []byte {
	for _, f := range fields {
		if f.Scope&registry.ScopeLocal == 0 {
			continue
		}
		if v := f.Value(r); registry.Known(v) {
			b = registry.AppendJSON(appendKey(b, f.Name), v)
		}
	}
	return b
}

// appendList appends an array of objects, unless it is empty. If retried is not nil, each object ends with the
// attempts that failed and were repeated.
func appendList[E any](b []byte, key string, list []E, fields []registry.Field[E], retried func(*E) []telemetry.Attempt) []byte {
	if len(list) == 0 {
		return b
	}
	b = append(appendKey(b, key), '[')
	for i := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendFields(append(b, '{'), fields, &list[i])
		if retried != nil {
			b = appendList(b, retriedKey, retried(&list[i]), registry.AttemptFields, nil)
		}
		b = append(b, '}')
	}
	return append(b, ']')
}

// appendKey appends a key, after a comma unless it is the first.
func appendKey(b []byte, key string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	return append(registry.AppendJSONString(b, key), ':')
}
