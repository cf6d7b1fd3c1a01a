package registry

import (
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// The parts of a statement have registries of their own. All of it is local: what leaves the
// process are the sums in StatementFields. Times count from the statement's start.

// CallFields is everything a Call says. Sinks that list calls do so under "calls".
var CallFields = []Field[telemetry.Call]{
	{"method", "", "Thrift method: ExecuteStatement, GetOperationStatus or FetchResults.", ScopeLocal, Wire{}, textOf(func(c *telemetry.Call) *string { return &c.Method })},
	{"start_ms", "ms", "When its first attempt began.", ScopeLocal, Wire{}, durationOf(func(c *telemetry.Call) *time.Duration { return &c.Start })},
	{"end_ms", "ms", "When its answer was complete, or it failed.", ScopeLocal, Wire{}, maybeDurationOf(func(c *telemetry.Call) *telemetry.Maybe[time.Duration] { return &c.End })},
	{"rows", "rows", "Rows in the page that came with it.", ScopeLocal, Wire{}, countOf(func(c *telemetry.Call) *telemetry.Maybe[int64] { return &c.Rows })},
	{"files", "files", "CloudFetch files the page handed out.", ScopeLocal, Wire{}, numberOf(func(c *telemetry.Call) *int64 { return &c.Files })},
}

// FileFields is everything a File says. Sinks that list files do so under "file_list".
var FileFields = []Field[telemetry.File]{
	{"index", "", "Place in the result, from 0.", ScopeLocal, Wire{}, integerOf(func(f *telemetry.File) *int64 { return &f.Index })},
	{"state", "", "DOWNLOADED, FAILED or ABANDONED.", ScopeLocal, Wire{}, textOf(func(f *telemetry.File) *string { return &f.State })},
	{"rows", "rows", "Rows the server announced.", ScopeLocal, Wire{}, integerOf(func(f *telemetry.File) *int64 { return &f.Rows })},
	{"bytes", "bytes", "Size the server announced.", ScopeLocal, Wire{}, integerOf(func(f *telemetry.File) *int64 { return &f.Bytes })},
	{"received", "bytes", "Bytes of the latest attempt.", ScopeLocal, Wire{}, integerOf(func(f *telemetry.File) *int64 { return &f.Received })},
	{"attempts", "", "HTTP requests for it.", ScopeLocal, Wire{}, integerOf(func(f *telemetry.File) *int64 { return &f.Attempts })},
	{"status", "HTTP status", "Of the latest attempt that failed.", ScopeLocal, Wire{}, numberOf(func(f *telemetry.File) *int { return &f.Status })},
	{"queued_ms", "ms", "When its link was handed out.", ScopeLocal, Wire{}, maybeDurationOf(func(f *telemetry.File) *telemetry.Maybe[time.Duration] { return &f.Queued })},
	{"start_ms", "ms", "When it was first asked for.", ScopeLocal, Wire{}, maybeDurationOf(func(f *telemetry.File) *telemetry.Maybe[time.Duration] { return &f.Start })},
	{"first_byte_ms", "ms", "When the latest attempt gave its first byte.", ScopeLocal, Wire{}, maybeDurationOf(func(f *telemetry.File) *telemetry.Maybe[time.Duration] { return &f.FirstByte })},
	{"end_ms", "ms", "When the latest attempt ended.", ScopeLocal, Wire{}, maybeDurationOf(func(f *telemetry.File) *telemetry.Maybe[time.Duration] { return &f.End })},
}
