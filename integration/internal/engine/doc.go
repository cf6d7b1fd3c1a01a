// Package engine runs Databricks SQL on an embedded SQLite, so that a workspace that lives
// inside a test process can answer real statements with real, typed results.
//
// A statement is not passed to SQLite unchanged. It is parsed into a tree, its names are resolved
// against the session's catalog and schema, and every expression gets its Databricks type. Only
// then is SQLite text written, with every conversion that Databricks does implicitly spelled out.
// The types of the result columns are therefore known before the first row exists, and an error
// names the table, the column or the literal that caused it, the way Databricks words it.
//
//	SQL text
//	   │  lex            token.go            literals, comments, backticks, parameters
//	   ▼
//	tokens
//	   │  parse          parse*.go, ast.go   [PARSE_SYNTAX_ERROR] with line and caret
//	   ▼
//	statement ───────────► USE, SET, SHOW, CREATE ...   ddl.go, show.go: the catalog alone
//	   │  bind           bind*.go, functions*.go, coerce.go, lambda.go, generator.go
//	   │                 names → tables, expressions → types, dialect → SQLite text
//	   ▼
//	SQLite text + column types
//	   │  run            store.go, recursion.go, scalar*.go, aggregate*.go, *table.go
//	   ▼
//	SQLite rows
//	   │  collect        cursor.go, collect.go    storage classes → typed columns, checked
//	   ▼
//	Result
//
// # How values are stored
//
// SQLite columns are declared without a type, so that SQLite converts nothing on its own. BOOLEAN
// is 0 or 1; integers are integers; FLOAT and DOUBLE are reals; DATE is days and TIMESTAMP is
// microseconds since 1970-01-01 UTC; BINARY is a blob. DECIMAL is text in plain notation with
// exactly the digits of its scale, compared and sorted with a numeric collation: it never passes
// through a floating-point number, and its arithmetic, sum and average are exact. An ARRAY, MAP or
// STRUCT is also text, which can be read back exactly and has a collation that sorts it by its
// values (nested_value.go). TIMESTAMP text without an offset is read in the session's "timezone"
// setting (UTC when unset). Tables and columns have physical names of their own; the names a user
// sees live in the catalog, which makes renaming cheap and every Databricks name legal.
//
// # How sessions share data
//
// All sessions share one in-memory database. A statement that reads stored tables holds the gate
// shared, one that changes them holds it exclusively, first come first served, and waiting ends
// when the statement's context does. SQLite is thus never asked to lock, and "database is locked"
// cannot reach a caller. A statement that touches no stored table (SELECT 1, range, sleep) runs on
// a connection of its own without the gate. A failed or canceled change is rolled back. Current
// catalog and schema, settings and temporary views belong to one session. A statement that sleeps
// while it reads a stored table keeps writers waiting.
//
// # What one statement can take
//
// Every statement ends with its context, whether it is being analyzed, waiting or running, and with
// the session's STATEMENT_TIMEOUT. The limits are: 100 levels and 1,000,000 rows for a recursive
// CTE, as on Databricks; 64 MiB for text and nested values made by functions; 1,048,576 elements
// for arrays that a function creates; 4,096 grouping sets; and 4 GiB for a result. LIKE with many
// wildcards and regular expressions take time in proportion to their text.
//
// # What differs from Databricks
//
// sleep(seconds) exists in this engine only; it lets a test hold a statement open. NaN is stored as
// NULL, because SQLite has no NaN. A string that contains the NUL character is kept whole in tables
// and results but cut there by string functions. Integer overflow is detected when a value is
// returned or stored, not inside a larger expression. Regular expressions are Go's. VARCHAR(n) and
// CHAR(n) are STRING. CREATE TABLE AS returns no count. The types of a query's columns come from
// its text alone, so a result cannot contain an INTERVAL. ANSI mode cannot be switched off: SET
// ansi_mode = false is refused, and a session that begins with that setting has ANSI mode on.
// Settings of other names are kept and have no effect. Upper and lower case are Go's, character by
// character: ß has no upper case. No file is ever read: LOCATION is accepted, but a table whose
// columns only files there could define must already exist. percentile_approx is exact. Delta time
// travel, volumes, LATERAL subqueries, scripting, pipes, VARIANT and Python are refused rather than
// imitated: with UNSUPPORTED_FEATURE, the name of the feature and its place in the text.
package engine
