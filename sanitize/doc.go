// Package sanitize takes out of text what must not be kept or shown: secrets,
// personal data, SQL, and the names of what it is about. What is left still tells a
// person what went wrong.
//
//	Post "https://<host>:443/sql/1.0/warehouses/<id>": dial tcp <ip>:443: connect: connection refused
//	[TABLE_OR_VIEW_NOT_FOUND] The table or view <identifier> cannot be found. ... SQLSTATE: 42P01
//
// # What goes
//
// Tokens and keys of Databricks, AWS, Azure and Google, JWTs, PEM blocks, passwords,
// credentials in headers, URLs and data source names; e-mail and IP addresses,
// hosts, users; paths of files, volumes and buckets; literals, quoted or compared
// with; names of tables, columns and the like; SQL text with all that follows it.
// Each leaves a placeholder that says of which kind it was: <redacted>, <value>,
// <identifier>, <sql>, <host>, <ip>, <email>, <path>, <query>, <url>, <id>.
//
// # What stays
//
// Plain words of English, short numbers and durations, versions, ports; error
// classes, SQLSTATEs, HTTP statuses; exceptions and stack frames of known packages;
// settings of Spark; routes of the Databricks API; the names of known parameters.
//
// # How it decides
//
// One pass of one scanner, which cuts the text into quotations, markup and atoms, an
// atom being a run of anything a token, name, number, path or URL is made of. No kind
// of secret is ever cut in two, and every atom is judged as a whole, so that what is
// not recognised goes as a whole. The rules in their order:
//
//	 text
//	  │ space, control characters ─────────────────▶ one space
//	  │ `a`.`b`  ──────────────────────────────────▶ <identifier>
//	  │ "..." '...' “...” ─ URL? JSON message? ────▶ as URL, as text of its own
//	  │                   └ else ──────────────────▶ '<value>'
//	  │ <Tag> ── code or message? ─────────────────▶ its text goes on
//	  │         └ else ────────────────────────────▶ <redacted>
//	  │ [ERROR_CLASS] where a clause starts ───────▶ stays
//	  │ == SQL ==, -----BEGIN ─────────────────────▶ <sql>, <redacted>
//	  ▼
//	 atom
//	  │ a placeholder ─────────────────────────────▶ stays
//	  │ where a secret must follow ────────────────▶ <redacted>
//	  │ ://   @   \   =   /   :   ─────────────────▶ as URL, DSN, e-mail, path,
//	  │                                              key and value, host and port
//	  │ .   _   digits   - ────────────────────────▶ version, class, constant,
//	  │                                              quantity, compound; or goes
//	  ▼
//	 word
//	  │ starts SQL ────────────────────────────────▶ <sql>, to the end
//	  │ known vocabulary ──────────────────────────▶ stays
//	  │ in a suspicious position ──────────────────▶ <identifier>, <value>
//	  │ no word by its looks ──────────────────────▶ <identifier>
//	  ▼
//	stays
//
// A position is suspicious behind words like "table", "user", "column", "open" or "not
// found:", behind operators, and in lists in brackets: there only vocabulary stays,
// a fixed list of what servers, drivers and networks use to say. What is quoted or
// in backticks, and does not end, takes everything to the end of the text with it.
//
// # What is promised
//
// Time linear in the length of the text; at most [MaxRunes] runes of valid UTF-8 on
// one line; the same result when applied again. The latter two hold by construction:
// a piece that does not fit ends the output at the token before, and scanning is
// repeated on its own output, which is short, until nothing changes. A text that
// does not come to rest is given up for a single placeholder.
//
// # What is not
//
// A name made of plain letters in the middle of a sentence, where nothing announces
// it, looks like any other word and stays: "the deal with contoso failed". So text of
// which nothing may leave the process should not leave it sanitized either. This
// package is for what stays local, or as a second line behind a list of what may go.
// Words outside ASCII are not judged but removed.
package sanitize
