// Package sanitize reduces the text of an error to what is safe to keep.
//
//	Post "https://adb-1.azuredatabricks.net:443/sql": dial tcp 10.0.0.1:443: connect: connection refused
//	Post <url>: dial tcp <host>: connect: connection refused
//
//	[TABLE_OR_VIEW_NOT_FOUND] The table or view `hr`.`pay` cannot be found. SQLSTATE: 42P01
//	[TABLE_OR_VIEW_NOT_FOUND] The table or view <name> cannot be found. SQLSTATE: 42P01
//
// The package does not search for private text: only text on a list passes, and everything else is
// replaced.
//
//	text ── scanner ── token ─┬─ on a list, or a code in its place ── result
//	                          └─ anything else ── placeholder ─────── result
//
// What passes:
//
//   - Words of a fixed vocabulary (vocabulary.txt): the words of the message templates of the
//     server, the driver and the network.
//   - Error classes of a fixed list (classes.txt).
//   - A SQLSTATE after the word SQLSTATE, in a known form.
//   - An HTTP status, 100 to 599, after the word status or HTTP, or before its own
//     reason phrase.
//   - Punctuation, one mark at a time.
//
// A placeholder names the kind of text that it replaces, if that is evident: <name>, <number>,
// <host>, <path>, <url>, <email>, <id>, <value>, <class>, <sql>. A word is a complete run of
// characters between spaces, brackets, quotes, commas and equals signs, so no part of a name made of
// words (select_from_table, table-index, table.column) passes. Nothing passes between quotes or
// backticks, with one exception: in a JSON document, as in HTTP errors, the strings of known keys
// (message, error_description and the like) are read as texts.
//
// The vocabulary is public, so a text that happens to consist of its words is kept: a table
// named "table", a passphrase of "open error first". Nothing else is.
package sanitize
