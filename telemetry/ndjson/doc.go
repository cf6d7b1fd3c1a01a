// Package ndjson writes records as lines of JSON ([Sink]) and reads them back ([Read]).
//
// A line is a "statement", "session_opened" or "session_closed" event with the fields of the
// registry, in its order, under its names. A field that is unknown is
// left out. Durations are milliseconds with microsecond precision. A statement's line ends
// with what is longer or derived, where there is any:
//
//	"verdict"    where the time went, as package explain says it; not a fact of its own
//	"calls"      its Thrift calls, with the fields of a call
//	"file_list"  its CloudFetch files, with the fields of a file
//
// What is written can be read: a record that was read is written again as the same line.
//
//	detach := telemetry.Attach(ndjson.New(os.Stderr))
//	defer detach()
package ndjson
