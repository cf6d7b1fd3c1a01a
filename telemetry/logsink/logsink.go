package logsink

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/registry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// Sink writes records to a logger. It is safe for concurrent use if the logger's handler is.
type Sink struct {
	logger *slog.Logger
	level  slog.Level
	slow   time.Duration
}

var _ telemetry.SessionSink = (*Sink)(nil)

// New returns a sink that writes messages of at least level that the logger's handler accepts. A
// statement whose total time is at least slow counts as slow; 0 means 10 s. A nil logger means
// slog.Default at the time of each record.
func New(logger *slog.Logger, level slog.Level, slow time.Duration) *Sink {
	if slow <= 0 {
		slow = telemetry.Settings{}.WithDefaults().SlowThreshold
	}
	return &Sink{logger: logger, level: level, slow: slow}
}

// StatementFinished logs a statement.
func (s *Sink) StatementFinished(r *telemetry.Statement) {
	slow := r.Total >= s.slow
	switch {
	case r.Failed():
		write(s, slog.LevelWarn, "databricks statement failed", verdict(r, slow), registry.StatementFields, r)
	case slow:
		write(s, slog.LevelWarn, "databricks statement was slow", verdict(r, slow), registry.StatementFields, r)
	default:
		write(s, slog.LevelDebug, "databricks statement", "", registry.StatementFields, r)
	}
}

// SessionOpened logs a session, or the failure to open one.
func (s *Sink) SessionOpened(r *telemetry.SessionOpened) {
	if r.Failed() {
		write(s, slog.LevelError, "databricks session could not be opened", "", registry.SessionOpenedFields, r)
		return
	}
	write(s, slog.LevelInfo, "databricks session opened", "", registry.SessionOpenedFields, r)
}

// SessionClosed logs the end of a session.
func (s *Sink) SessionClosed(r *telemetry.SessionClosed) {
	write(s, slog.LevelInfo, "databricks session closed", "", registry.SessionClosedFields, r)
}

// verdict returns where the time of a slow statement went, and "" for a fast one unless retries
// took most of its time.
func verdict(r *telemetry.Statement, slow bool) string {
	v := explain.Of(r)
	if slow || v.Part == telemetry.PartRetry {
		return v.Sentence
	}
	return ""
}

// write logs the local fields of a record that have a value.
func write[R any](s *Sink, level slog.Level, message, verdict string, fields []registry.Field[R], r *R) {
	logger := s.logger
	if logger == nil {
		logger = slog.Default()
	}
	ctx := context.Background()
	if level < s.level || !logger.Enabled(ctx, level) {
		return
	}
	attrs := make([]slog.Attr, 0, 1+len(fields))
	if verdict != "" {
		attrs = append(attrs, slog.String("verdict", verdict))
	}
	for _, f := range fields {
		if f.Scope&registry.ScopeLocal == 0 {
			continue
		}
		if v := f.Value(r); !v.Equal(slog.Value{}) {
			attrs = append(attrs, slog.Attr{Key: strings.TrimSuffix(f.Name, "_ms"), Value: v})
		}
	}
	logger.LogAttrs(ctx, level, message, attrs...)
}
