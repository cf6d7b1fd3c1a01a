package engine

import (
	"fmt"
	"strings"
	"unique"
)

// TypeID names a Databricks SQL type. The numbers are Thrift's TTypeId, so that the
// server can put them on the wire as they are.
type TypeID int32

// The types this engine knows.
const (
	Boolean   TypeID = 0
	TinyInt   TypeID = 1
	SmallInt  TypeID = 2
	Int       TypeID = 3
	BigInt    TypeID = 4
	Float     TypeID = 5
	Double    TypeID = 6
	String    TypeID = 7
	Timestamp TypeID = 8
	Binary    TypeID = 9
	Array     TypeID = 10
	Map       TypeID = 11
	Struct    TypeID = 12
	Decimal   TypeID = 15
	Void      TypeID = 16
	Date      TypeID = 17
)

// Type is a column's type. Precision and Scale apply only to Decimal; Members returns the parts of
// a nested type. Types are comparable.
type Type struct {
	ID               TypeID
	Precision, Scale int32

	nested unique.Handle[member]
}

// Column is one column of a result, all of its rows at once. Exactly one of the value
// slices is filled, chosen by the type:
//
//	Boolean                                  Bools
//	TinyInt SmallInt Int BigInt              Ints
//	Date (days since 1970-01-01)             Ints
//	Timestamp (microseconds since the epoch) Ints
//	Float Double                             Floats
//	String                                   Strings
//	Decimal (plain notation, exact scale)    Strings
//	Binary                                   Bytes
//	Array Map Struct                         Nested
//	Void                                     none: every row is NULL
type Column struct {
	Name    string
	Type    Type
	Nulls   []bool // nil when no row is NULL
	Bools   []bool
	Ints    []int64
	Floats  []float64
	Strings []string
	Bytes   [][]byte

	// Nested holds the values of a nested type as []any: the elements of an ARRAY, the fields of a
	// STRUCT in order, and for a MAP one []any{key, value} per entry. An item is nil for NULL,
	// int64 0 or 1 for BOOLEAN, and otherwise what the value slices above hold for the type.
	Nested [][]any
}

// Result is the result of one statement. The server splits it into pages and encodes it.
type Result struct {
	Columns []Column
	Rows    int   // number of rows in every column
	Updated int64 // rows changed by DML; -1 for everything else
	Query   bool  // the statement returns rows (SELECT, SHOW, VALUES, ...)
	// Volatile is set for a query whose answer may differ although nothing has changed, such as one
	// with uuid() or now().
	Volatile bool
}

// Param is a bound parameter as it arrives on the wire: the value as text, the type as
// the Databricks type name the client chose ("BIGINT", "STRING", ...). A nil Value is NULL.
// Name is empty for a positional parameter.
type Param struct {
	Name  string
	Type  string
	Value *string
}

// Error is an error as Databricks words it: an error class, a SQLSTATE, and a message that
// names tables, columns and SQL text.
type Error struct {
	Class    string // e.g. TABLE_OR_VIEW_NOT_FOUND
	SQLState string // five characters
	Message  string // the whole text, beginning with "[CLASS] "
}

// Error is the message with its SQLSTATE, which Databricks' messages already contain.
func (e *Error) Error() string {
	if strings.Contains(e.Message, "SQLSTATE: "+e.SQLState) {
		return e.Message
	}
	return fmt.Sprintf("%s SQLSTATE: %s", e.Message, e.SQLState)
}
