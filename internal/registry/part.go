package registry

import (
	"log/slog"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// The parts of a statement have registries of their own. All of it is local: what leaves the
// process are the sums in StatementFields. Times count from the statement's start.

// CallFields is everything a Call says. Sinks that list calls do so under "calls".
var CallFields = []Field[telemetry.Call]{
	{"method", "", "Thrift method: ExecuteStatement, GetOperationStatus or FetchResults.", ScopeLocal, Wire{}, func(c *telemetry.Call) slog.Value { return text(c.Method) }},
	{"start_ms", "ms", "When its first attempt began.", ScopeLocal, Wire{}, func(c *telemetry.Call) slog.Value { return slog.DurationValue(c.Start) }},
	{"end_ms", "ms", "When its answer was complete, or it failed.", ScopeLocal, Wire{}, func(c *telemetry.Call) slog.Value { return duration(c.End) }},
	{"rows", "rows", "Rows in the page that came with it.", ScopeLocal, Wire{}, func(c *telemetry.Call) slog.Value { return count(c.Rows) }},
	{"files", "files", "CloudFetch files the page handed out.", ScopeLocal, Wire{}, func(c *telemetry.Call) slog.Value { return number(c.Files) }},
}

// FileFields is everything a File says. Sinks that list files do so under "file_list".
var FileFields = []Field[telemetry.File]{
	{"index", "", "Place in the result, from 0.", ScopeLocal, Wire{}, func(f *telemetry.File) slog.Value { return slog.Int64Value(f.Index) }},
	{"state", "", "DOWNLOADED, FAILED or ABANDONED.", ScopeLocal, Wire{}, func(f *telemetry.File) slog.Value { return text(f.State) }},
	{"rows", "rows", "Rows the server announced.", ScopeLocal, Wire{}, func(f *telemetry.File) slog.Value { return slog.Int64Value(f.Rows) }},
	{"bytes", "bytes", "Size the server announced.", ScopeLocal, Wire{}, func(f *telemetry.File) slog.Value { return slog.Int64Value(f.Bytes) }},
	{"received", "bytes", "Bytes of the latest attempt.", ScopeLocal, Wire{}, func(f *telemetry.File) slog.Value { return slog.Int64Value(f.Received) }},
	{"attempts", "", "HTTP requests for it.", ScopeLocal, Wire{}, func(f *telemetry.File) slog.Value { return slog.Int64Value(f.Attempts) }},
	{"status", "HTTP status", "Of the latest attempt that failed.", ScopeLocal, Wire{}, func(f *telemetry.File) slog.Value { return number(int64(f.Status)) }},
	{"queued_ms", "ms", "When its link was handed out.", ScopeLocal, Wire{}, func(f *telemetry.File) slog.Value { return duration(f.Queued) }},
	{"start_ms", "ms", "When it was first asked for.", ScopeLocal, Wire{}, func(f *telemetry.File) slog.Value { return duration(f.Start) }},
	{"first_byte_ms", "ms", "When the latest attempt gave its first byte.", ScopeLocal, Wire{}, func(f *telemetry.File) slog.Value { return duration(f.FirstByte) }},
	{"end_ms", "ms", "When the latest attempt ended.", ScopeLocal, Wire{}, func(f *telemetry.File) slog.Value { return duration(f.End) }},
}
