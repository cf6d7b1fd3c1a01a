// Package ndjson writes records as lines of JSON ([Sink]) and reads them back ([Read]).
//
// A line is a "statement", "session_opened", "session_closed", "server_report" or "pool" event with
// the fields of docs/TELEMETRY.md, in that order, under those names. An unknown field is left out, and
// so is a zero or false one if docs/TELEMETRY.md says so. Durations are milliseconds with microsecond
// precision. A statement's line ends with these keys, where they are known:
//
//	"verdict"         why it took its time, as package explain says it; Read passes over it
//	"rpcs_by_method"  the sums of its Thrift calls by method, with the fields of an RPC
//	"calls"           its Thrift calls, with the fields of a call, and the attempts that were repeated
//	"file_list"       its CloudFetch files, with the fields of a file, and the attempts that were repeated
//
// So a record that was read has the same verdict as in the process that wrote it, and is written again as
// the same line, except for fractions of a microsecond: for statements of about a millisecond, the last
// digit of a number in the verdict may differ.
//
//	*Statement ──▶ Sink ──▶ {"event":"statement",…} ──▶ Read ──▶ *Statement
//
//	defer telemetry.Attach(ndjson.New(os.Stderr))() // before sql.Open, and so after db.Close
package ndjson
