// Package ndjson is a sink that writes one JSON object per line: a "statement",
// "session_opened" or "session_closed" event with the fields of the registry of package
// telemetry, in its order, under its names. A field that is unknown is left out. Durations
// are milliseconds with microsecond precision.
//
//	detach := telemetry.Attach(ndjson.New(os.Stderr))
//	defer detach()
package ndjson

import (
	"encoding/json"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Sink writes records to an io.Writer, one line and one Write per record.
type Sink struct {
	mu  sync.Mutex // Attach may have put the same sink in two fan-outs
	w   io.Writer
	buf []byte
	err error
}

var _ telemetry.SessionSink = (*Sink)(nil)

// New returns a sink that writes to w. A failing writer is asked again for the next record;
// Err tells the latest failure.
func New(w io.Writer) *Sink { return &Sink{w: w} }

// Err returns the error of the latest write that failed, nil when none did.
func (s *Sink) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// StatementFinished writes a "statement" line.
func (s *Sink) StatementFinished(r *telemetry.Statement) {
	write(s, "statement", telemetry.StatementFields, r)
}

// SessionOpened writes a "session_opened" line.
func (s *Sink) SessionOpened(r *telemetry.SessionOpened) {
	write(s, "session_opened", telemetry.SessionOpenedFields, r)
}

// SessionClosed writes a "session_closed" line.
func (s *Sink) SessionClosed(r *telemetry.SessionClosed) {
	write(s, "session_closed", telemetry.SessionClosedFields, r)
}

func write[R any](s *Sink, event string, fields []telemetry.Field[R], r *R) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := append(s.buf[:0], `{"event":`...)
	b = appendString(b, event)
	for _, f := range fields {
		if f.Scope&telemetry.ScopeLocal == 0 {
			continue
		}
		v := f.Value(r)
		if v.Equal(slog.Value{}) {
			continue
		}
		b = append(b, ',')
		b = appendString(b, f.Name)
		b = append(b, ':')
		b = appendValue(b, v)
	}
	s.buf = append(b, "}\n"...)
	if _, err := s.w.Write(s.buf); err != nil {
		s.err = err
	}
}

func appendValue(b []byte, v slog.Value) []byte {
	switch v.Kind() {
	case slog.KindInt64:
		return strconv.AppendInt(b, v.Int64(), 10)
	case slog.KindBool:
		return strconv.AppendBool(b, v.Bool())
	case slog.KindDuration:
		return strconv.AppendFloat(b, float64(v.Duration().Microseconds())/1000, 'f', -1, 64)
	case slog.KindTime:
		b = append(b, '"')
		b = v.Time().UTC().AppendFormat(b, time.RFC3339Nano)
		return append(b, '"')
	case slog.KindGroup:
		b = append(b, '{')
		for i, a := range v.Group() {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(append(appendString(b, a.Key), ':'), a.Value)
		}
		return append(b, '}')
	default:
		return appendString(b, v.String())
	}
}

func appendString(b []byte, s string) []byte {
	quoted, _ := json.Marshal(s) // a string always marshals
	return append(b, quoted...)
}
