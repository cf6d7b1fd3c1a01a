package telemetry

import "time"

// The parts of a statement have registries of their own. All of it is local: what leaves the
// process are the sums in StatementFields. Times count from the statement's start.

// CallFields is everything a Call says. Sinks that list calls do so under "calls".
var CallFields = []Field[Call]{
	{"method", "", "Thrift method: ExecuteStatement, GetOperationStatus or FetchResults.", ScopeLocal, Wire{}, textOf(func(c *Call) *string { return &c.Method })},
	{"start_ms", "ms", "When its first attempt began.", ScopeLocal, Wire{}, durationOf(func(c *Call) *time.Duration { return &c.Start })},
	{"end_ms", "ms", "When its answer was complete, or it failed.", ScopeLocal, Wire{}, maybeDurationOf(func(c *Call) *Maybe[time.Duration] { return &c.End })},
	{"rows", "rows", "Rows in the page that came with it.", ScopeLocal, Wire{}, countOf(func(c *Call) *Maybe[int64] { return &c.Rows })},
	{"files", "files", "CloudFetch files the page handed out.", ScopeLocal, Wire{}, numberOf(func(c *Call) *int64 { return &c.Files })},
}

// FileFields is everything a File says. Sinks that list files do so under "file_list".
var FileFields = []Field[File]{
	{"index", "", "Place in the result, from 0.", ScopeLocal, Wire{}, integerOf(func(f *File) *int64 { return &f.Index })},
	{"state", "", "DOWNLOADED, FAILED or ABANDONED.", ScopeLocal, Wire{}, textOf(func(f *File) *string { return &f.State })},
	{"rows", "rows", "Rows the server announced.", ScopeLocal, Wire{}, integerOf(func(f *File) *int64 { return &f.Rows })},
	{"bytes", "bytes", "Size the server announced.", ScopeLocal, Wire{}, integerOf(func(f *File) *int64 { return &f.Bytes })},
	{"received", "bytes", "Bytes of the latest attempt.", ScopeLocal, Wire{}, integerOf(func(f *File) *int64 { return &f.Received })},
	{"attempts", "", "HTTP requests for it.", ScopeLocal, Wire{}, integerOf(func(f *File) *int64 { return &f.Attempts })},
	{"status", "HTTP status", "Of the latest attempt that failed.", ScopeLocal, Wire{}, numberOf(func(f *File) *int { return &f.Status })},
	{"queued_ms", "ms", "When its link was handed out.", ScopeLocal, Wire{}, maybeDurationOf(func(f *File) *Maybe[time.Duration] { return &f.Queued })},
	{"start_ms", "ms", "When it was first asked for.", ScopeLocal, Wire{}, maybeDurationOf(func(f *File) *Maybe[time.Duration] { return &f.Start })},
	{"first_byte_ms", "ms", "When the latest attempt gave its first byte.", ScopeLocal, Wire{}, maybeDurationOf(func(f *File) *Maybe[time.Duration] { return &f.FirstByte })},
	{"end_ms", "ms", "When the latest attempt ended.", ScopeLocal, Wire{}, maybeDurationOf(func(f *File) *Maybe[time.Duration] { return &f.End })},
}
