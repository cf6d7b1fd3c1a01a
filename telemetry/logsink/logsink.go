package logsink

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/internal/registry"
	"github.com/seed-01322ee7/databricks-telemetry/internal/spancontext"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// Sink writes records to a logger. It is safe for concurrent use if the logger's handler is.
type Sink struct {
	logger *slog.Logger
	level  slog.Level
	slow   time.Duration
	storms storms
}

var (
	_ telemetry.SessionSink = (*Sink)(nil)
	_ telemetry.ReportSink  = (*Sink)(nil)
)

// New returns a sink that writes messages of at least level that the logger's handler accepts. With
// slog.LevelDebug or lower, and a handler that accepts debug messages, every message is written, with all
// attributes. A statement is slow if its total time is at least slow; 0 means 10 s. A nil logger means
// slog.Default at the time of each message.
func New(logger *slog.Logger, level slog.Level, slow time.Duration) *Sink {
	if slow <= 0 {
		slow = telemetry.Settings{}.WithDefaults().SlowThreshold
	}
	return &Sink{logger: logger, level: level, slow: slow}
}

// StatementFinished logs a statement.
func (s *Sink) StatementFinished(r *telemetry.Statement) {
	l := line{ctx: spancontext.Of(r), level: slog.LevelInfo, message: "databricks statement", shape: r.Shape, kind: kind{server: r.Server}}
	v, alike := explain.Of(r), cmp.Or(r.Shape, r.Query)
	switch slow := r.Total >= s.slow; {
	case r.Failed():
		l.level, l.message = slog.LevelWarn, "databricks statement failed"
		l.kind.category, l.kind.sqlState = string(r.Failure.Category), r.Failure.SQLState
		l.kind.shape = alike
		if slow || v.Part == telemetry.PartRetry { // the time of a fast failure explains nothing
			l.verdict = v.Sentence
		}
	case slow:
		l.level, l.message, l.verdict = slog.LevelWarn, "databricks statement was slow", v.Sentence
		l.kind.bound, l.kind.shape = v.Bound, alike
	case r.Internal:
		l.level = slog.LevelDebug
	}
	brief := ofStatement
	if r.Query == "" {
		brief = ofStatementWithoutText
	}
	write(s, l, registry.StatementFields, brief, r)
}

// SessionOpened logs a session, or the failure to open one.
func (s *Sink) SessionOpened(r *telemetry.SessionOpened) {
	l := line{ctx: context.Background(), level: slog.LevelInfo, message: "databricks session opened", kind: kind{server: r.Server}}
	if r.Failed() {
		l.level, l.message = slog.LevelError, "databricks session could not be opened"
		l.kind.category, l.kind.sqlState = string(r.Failure.Category), r.Failure.SQLState
	}
	write(s, l, registry.SessionOpenedFields, ofSession, r)
}

// SessionClosed logs the end of a session.
func (s *Sink) SessionClosed(r *telemetry.SessionClosed) {
	l := line{ctx: context.Background(), level: slog.LevelInfo, message: "databricks session closed"}
	write(s, l, registry.SessionClosedFields, ofSession, r)
}

// ServerReported logs what the query history says about a statement: where the server's time went.
func (s *Sink) ServerReported(r *telemetry.ServerReport) {
	l := line{ctx: context.Background(), level: slog.LevelInfo, message: "databricks server report", kind: kind{server: r.Server, status: r.Status}}
	if r.Failed() || r.Total.Or(0) >= s.slow {
		l.level = slog.LevelWarn
	}
	var sentences []string
	for i, c := range explain.CausesOf(nil, r) {
		sentences = append(sentences, c.Sentence)
		if i == 0 {
			l.kind.bound = c.Phase
		}
	}
	l.verdict = strings.Join(sentences, "; ")
	write(s, l, registry.ServerReportFields, ofReport, r)
}

// line is a message without the fields of its record.
type line struct {
	ctx              context.Context
	level            slog.Level
	message, verdict string
	kind             kind   // decides which lines say the same; only warnings and errors are limited
	shape            string // of the statement; empty for other records
}

// The fields of a record that a line has unless debug messages are written: together with the
// verdict, at most twelve attributes.
var (
	ofStatement = []string{
		"server", "statement_id", "query_profile", "query_text", "outcome", "error_category", "sqlstate", "error_message",
		"total_ms", "rows_read", "rows_affected",
	}
	ofStatementWithoutText = append([]string{"query_shape"}, slices.DeleteFunc(slices.Clone(ofStatement), func(name string) bool { return name == "query_text" })...)
	ofReport               = []string{
		"server", "statement_id", "status", "warehouse_id", "server_total_ms", "waiting_for_compute_ms", "queued_at_capacity_ms", "compiling_ms",
		"executing_ms", "bytes_read", "bytes_spilled",
	}
	ofSession = []string{
		"server", "session_id", "request_id", "failed_status", "error_category", "sqlstate", "error_message", "open_ms", "close_ms", "lifetime_ms", "statements", "abandoned",
	}
)

// log returns the logger to use now.
func (s *Sink) log() *slog.Logger { return cmp.Or(s.logger, slog.Default()) }

// write logs a line with the local fields of its record that have a value: all of them, or only the brief ones.
func write[R any](s *Sink, l line, fields []registry.Field[R], brief []string, r *R) {
	logger, all := s.admits(l)
	if logger == nil {
		return
	}
	attrs := make([]slog.Attr, 0, 12)
	if l.verdict != "" {
		attrs = append(attrs, slog.String("verdict", l.verdict))
	}
	for i := range fields {
		f := &fields[i]
		if f.Scope&registry.ScopeLocal == 0 || !all && !slices.Contains(brief, f.Name) {
			continue
		}
		if v := f.Value(r); registry.Known(v) {
			attrs = append(attrs, slog.Attr{Key: f.Name, Value: inUnit(v)})
		}
	}
	logger.LogAttrs(l.ctx, l.level, l.message, attrs...)
}

// admits returns the logger for a line and whether all fields are logged, or nil if the line is not to be written.
func (s *Sink) admits(l line) (logger *slog.Logger, all bool) {
	logger = s.log()
	if l.level < s.level || !logger.Enabled(l.ctx, l.level) {
		return nil, false
	}
	all = s.level <= slog.LevelDebug && logger.Enabled(l.ctx, slog.LevelDebug)
	if !all && l.level >= slog.LevelWarn {
		l.kind.message = l.message
		if !s.storms.admits(l.kind, func(lines int, within time.Duration) { s.repeated(l, lines, within) }) {
			return nil, false
		}
	}
	return logger, all
}

// inUnit returns a value in the unit that the name of its field ends with, because each handler would
// write a duration in its own way.
func inUnit(v slog.Value) slog.Value {
	if v.Kind() == slog.KindDuration {
		return slog.Float64Value(float64(v.Duration().Microseconds()) / 1000)
	}
	return v
}

// repeated logs how many lines like l were left out, and within what time, rounded to the second because
// timers are late.
func (s *Sink) repeated(l line, lines int, within time.Duration) {
	defer contain.Process.Recover(contain.Sink) // the handler is the application's
	attrs := []slog.Attr{slog.Int("repeated", lines), {Key: "within_ms", Value: inUnit(slog.DurationValue(within.Round(time.Second)))}}
	for _, a := range []slog.Attr{
		slog.String("server", l.kind.server),
		slog.String("error_category", l.kind.category), slog.String("sqlstate", l.kind.sqlState),
		slog.String("status", l.kind.status), slog.String("bound", l.kind.bound), slog.String("query_shape", l.shape),
	} {
		if a.Value.String() != "" {
			attrs = append(attrs, a)
		}
	}
	s.log().LogAttrs(context.Background(), l.level, l.message, attrs...)
}
