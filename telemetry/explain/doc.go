// Package explain says why a statement took as long as it did. All of it is computed from the
// record alone, and says nothing that is not in it: what a record does not tell apart stays
// together under one name.
//
//	                 ┌ PartsOf ────▶ what time went into, cut into parts
//	Statement ───────┼ Of ─────────▶ the largest of them, in a sentence, and what to try
//	                 └ TimelineOf ─▶ bars over time, for a picture
//	sql.DBStats ────── OfPool ─────▶ the wait for a connection, which no statement shows
//
// The debug page draws them as pictures, dbtel as characters, the sinks write the sentence.
// Duration, Bytes, Count and Percent are how all of them write numbers for people.
package explain
