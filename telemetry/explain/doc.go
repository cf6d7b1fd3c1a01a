// Package explain says why a statement took as long as it did. Every answer is computed from the
// record alone and claims nothing that the record does not show. Times that a record cannot tell
// apart stay together under one name.
//
//	Statement ──────┬─ Of ─────────▶ Verdict: the largest part of the time, in a sentence, and advice
//	                └─ TimelineOf ─▶ Timeline: bars over time, to be drawn
//	both ───────────┬─ WithReport ─────────▶ Verdict: the same, and why the server took its time
//	                └─ TimelineWithReport ─▶ Timeline: the same, and the phases of the server
//	ServerReport ───── CausesOf ─▶ []ServerCause: why the server took its time, and advice
//	sql.DBStats ────── OfPool ───▶ Verdict: waiting for a connection, which is in no statement
//
// The debug page draws timelines as pictures, dbtel draws them with characters, and the sinks write
// the sentence. All functions are pure: they keep nothing, change nothing and may be called from any
// number of goroutines.
package explain
