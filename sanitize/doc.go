// Package sanitize reduces the text of an error to what may be kept of it.
//
//	Post "https://adb-1.azuredatabricks.net:443/sql": dial tcp 10.0.0.1:443: connect: connection refused
//	Post <url>: dial tcp <host>: connect: connection refused
//
//	[TABLE_OR_VIEW_NOT_FOUND] The table or view `hr`.`pay` cannot be found. SQLSTATE: 42P01
//	[TABLE_OR_VIEW_NOT_FOUND] The table or view <name> cannot be found. SQLSTATE: 42P01
//
// A text is private by construction: nothing is looked for and taken out, but what is known
// passes, and nothing else does.
//
//   - Words of a fixed vocabulary (vocabulary.txt): those that the templates of the server, the
//     driver and the network are made of.
//   - Error classes of a fixed list (classes.txt).
//   - A SQLSTATE behind the word SQLSTATE, in a known form.
//   - An HTTP status, 100 to 599, behind the word status or HTTP, or in front of its own
//     reason phrase.
//   - Marks of punctuation, one at a time.
//
// All else becomes a placeholder that says of which kind it was as far as that is plain:
// <name>, <number>, <host>, <path>, <url>, <email>, <id>, <value>, <class>, <sql>. A word is a
// whole run of characters between spaces, brackets, quotes, commas and equals signs, so a name
// made of words (select_from_table, table-index, table.column) does not pass in parts. Between
// quotes or backticks nothing passes.
//
// The vocabulary is public, so a text that happens to consist of its words shows: a table
// named "table", a passphrase of "open error first". Nothing else can.
package sanitize
