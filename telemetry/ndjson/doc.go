// Package ndjson writes records as lines of JSON ([Sink]) and reads them back ([Read]).
//
// A line is a "statement", "session_opened", "session_closed" or "server_report" event with the
// fields of docs/TELEMETRY.md, in that order, under those names. An unknown field is left out.
// Durations are milliseconds with microsecond precision. A statement's line ends with these keys,
// where they are known:
//
//	"verdict"    why it took its time, as package explain says it; Read passes over it
//	"calls"      its Thrift calls, with the fields of a call
//	"file_list"  its CloudFetch files, with the fields of a file
//
// A record that was read is written again as the same line:
//
//	*Statement ──▶ Sink ──▶ {"event":"statement",…} ──▶ Read ──▶ *Statement
//
//	detach := telemetry.Attach(ndjson.New(os.Stderr))
//	defer detach()
package ndjson
