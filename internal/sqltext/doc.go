// Package sqltext splits SQL into tokens, by the lexical rules of Databricks SQL. It does not
// parse: the caller decides what a token means.
//
//	text ── Scanner.Next ── Token ─┬─ summary of a query (otelsink)
//	                               ├─ first words of a statement (driverwrap)
//	                               └─ WithoutLiterals: what equal statements have in common (telemetry, debugpage, dbtel)
//
// Any text is accepted. A string, a quoted name or a comment that is never closed extends to the end
// of the text.
package sqltext
