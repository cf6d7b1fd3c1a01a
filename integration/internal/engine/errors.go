package engine

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

var _ error = (*Error)(nil)

// failure makes every Error of this package, so that message, class and SQLSTATE always agree.
func failure(class, state, format string, args ...any) *Error {
	return &Error{
		Class:    class,
		SQLState: state,
		Message:  fmt.Sprintf("[%s] %s SQLSTATE: %s", class, fmt.Sprintf(format, args...), state),
	}
}

func errTableNotFound(name qualifiedName) *Error {
	return failure("TABLE_OR_VIEW_NOT_FOUND", "42P01",
		"The table or view %s cannot be found. Verify the spelling and correctness of the schema and catalog.\n"+
			"If you did not qualify the name with a schema, verify the current_schema() output, or qualify the name with the correct schema and catalog.\n"+
			"To tolerate the error on drop use DROP VIEW IF EXISTS or DROP TABLE IF EXISTS.", name)
}

func errTableExists(name qualifiedName) *Error {
	return failure("TABLE_OR_VIEW_ALREADY_EXISTS", "42P07",
		"Cannot create table or view %s because it already exists.\n"+
			"Choose a different name, drop or replace the existing object, or add the IF NOT EXISTS clause to tolerate pre-existing objects.", name)
}

func errSchemaNotFound(catalog, schema string) *Error {
	return failure("SCHEMA_NOT_FOUND", "42704",
		"The schema %s cannot be found. Verify the spelling and correctness of the schema and catalog.\n"+
			"If you did not qualify the name with a catalog, verify the current_schema() output, or qualify the name with the correct catalog.\n"+
			"To tolerate the error on drop use DROP SCHEMA IF EXISTS.", quoteParts(catalog, schema))
}

func errSchemaExists(catalog, schema string) *Error {
	return failure("SCHEMA_ALREADY_EXISTS", "42P06",
		"Cannot create schema %s because it already exists.\n"+
			"Choose a different name, drop the existing schema, or add the IF NOT EXISTS clause to tolerate pre-existing schema.", quoteParts(catalog, schema))
}

func errCatalogNotFound(catalog string) *Error {
	return failure("NO_SUCH_CATALOG_EXCEPTION", "42704",
		"Catalog '%s' was not found. Please verify the catalog name and then retry the query or command again.", catalog)
}

func errUnresolvedColumn(name string, candidates []string) *Error {
	if len(candidates) == 0 {
		return failure("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "42703",
			"A column, variable, or function parameter with name %s cannot be resolved.", name)
	}
	return failure("UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703",
		"A column, variable, or function parameter with name %s cannot be resolved. Did you mean one of the following? [%s].",
		name, strings.Join(candidates, ", "))
}

func errCast(value string, from, to Type) *Error {
	return failure("CAST_INVALID_INPUT", "22018",
		"The value '%s' of the type \"%s\" cannot be cast to \"%s\" because it is malformed. "+
			"Correct the value as per the syntax, or change its target type. "+
			"Use `try_cast` to tolerate malformed input and return NULL instead.", value, from, to)
}

func errCastOverflow(value string, from, to Type) *Error {
	return failure("CAST_OVERFLOW", "22003",
		"The value %s of the type \"%s\" cannot be cast to \"%s\" due to an overflow. "+
			"Use `try_cast` to tolerate overflow and return NULL instead.", value, from, to)
}

func errNumericRange(value string, to Type) *Error {
	return failure("NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", "22003",
		"The %s cannot be represented as Decimal(%d, %d). "+
			"If necessary set \"ansi_mode\" to \"false\" to bypass this error, and return NULL instead.", value, to.Precision, to.Scale)
}

func errDivideByZero() *Error {
	return failure("DIVIDE_BY_ZERO", "22012",
		"Division by zero. Use `try_divide` to tolerate divisor being 0 and return NULL instead. "+
			"If necessary set \"ansi_mode\" to \"false\" to bypass this error.")
}

func errOverflow(t Type) *Error {
	return failure("ARITHMETIC_OVERFLOW", "22003",
		"%s overflow. If necessary set \"ansi_mode\" to \"false\" to bypass this error.", strings.ToLower(t.String()))
}

// errNoSchema refuses a table whose columns files at its LOCATION would define.
func errNoSchema(format string) *Error {
	return failure("UNABLE_TO_INFER_SCHEMA", "42KD9", "Unable to infer schema for %s. It must be specified manually.", cmp.Or(format, "DELTA"))
}

func errUnsupported(feature, detail string) *Error {
	return failure("UNSUPPORTED_FEATURE."+feature, "0A000", "The feature is not supported: %s.", detail)
}

// placed adds the position in the SQL text to the error for an unsupported feature. Other errors,
// and those that already have a position, stay as they are.
func (e *Error) placed(sql string, offset int) *Error {
	if !strings.HasPrefix(e.Class, "UNSUPPORTED_FEATURE") || strings.Contains(e.Message, "\n== SQL ==\n") {
		return e
	}
	text := strings.TrimSuffix(strings.TrimPrefix(e.Message, "["+e.Class+"] "), " SQLSTATE: "+e.SQLState)
	return atOffset(e.Class, e.SQLState, text, sql, offset)
}

func errMismatch(expr, detail string) *Error {
	return failure("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "42K09", "Cannot resolve \"%s\" due to data type mismatch: %s", expr, detail)
}

// syntaxError places a parse error in its SQL text, as Databricks prints it: line, position,
// the text itself and a caret below the offending token.
func syntaxError(sql string, offset int, near, hint string) *Error {
	return atOffset("PARSE_SYNTAX_ERROR", "42601", "Syntax error at or near "+near+hint+".", sql, offset)
}

func atOffset(class, state, text, sql string, offset int) *Error {
	offset = min(max(offset, 0), len(sql))
	line := 1 + strings.Count(sql[:offset], "\n")
	start := strings.LastIndexByte(sql[:offset], '\n') + 1
	pos := len([]rune(sql[start:offset]))
	end := len(sql)
	if i := strings.IndexByte(sql[offset:], '\n'); i >= 0 {
		end = offset + i
	}
	var b strings.Builder
	fmt.Fprintf(&b, "[%s] %s SQLSTATE: %s (line %d, pos %d)\n\n== SQL ==\n", class, text, state, line, pos)
	b.WriteString(sql[:end])
	b.WriteString("\n" + strings.Repeat("-", pos) + "^^^")
	b.WriteString(sql[end:])
	return &Error{Class: class, SQLState: state, Message: b.String()}
}

// Errors raised inside a SQLite function can only leave it as text, so class, state and message are
// packed into that text and unpacked on the way out. The message is quoted: it may contain any
// character, and SQLite adds its own words.
const packMark = "\x01engine\x01"

func (e *Error) pack() error {
	return packed(packMark + e.Class + " " + e.SQLState + " " + strconv.Quote(e.Message))
}

type packed string

func (p packed) Error() string { return string(p) }

func unpack(text string) (*Error, bool) {
	_, rest, _ := strings.Cut(text, packMark)
	class, rest, _ := strings.Cut(rest, " ")
	state, rest, _ := strings.Cut(rest, " ")
	quoted, err := strconv.QuotedPrefix(rest)
	if err != nil {
		return nil, false
	}
	message, err := strconv.Unquote(quoted)
	return &Error{Class: class, SQLState: state, Message: message}, err == nil
}

// quoteParts renders a multi-part name with backticks.
func quoteParts(parts ...string) string {
	var b strings.Builder
	for i, p := range parts {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteByte('`')
		b.WriteString(strings.ReplaceAll(p, "`", "``"))
		b.WriteByte('`')
	}
	return b.String()
}
