package engine

import (
	"context"
	"database/sql/driver"
	"math"
	"slices"
	"time"

	sqlite3 "modernc.org/sqlite/lib"
)

// maxResult bounds the memory of one result, in bytes. It is less for a 32-bit process.
const maxResult = min(4<<30, math.MaxInt/2)

// maxHint bounds how many rows are allocated because of an estimate.
const maxHint = 1 << 20

// collect reads all rows into typed columns. hint is the expected number of rows.
func collect(ctx context.Context, rows *cursor, columns []outColumn, hint int) (*Result, error) {
	hint = min(hint, maxHint)
	res := &Result{Columns: make([]Column, len(columns)), Updated: -1, Query: true}
	for i, c := range columns {
		res.Columns[i] = Column{Name: c.name, Type: c.typ}
		res.Columns[i].grow(hint)
	}
	for {
		ok, err := rows.next()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		if res.Rows&0xff == 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if size := res.Rows*8*len(columns) + rows.size; size > maxResult {
				return nil, failure("INSUFFICIENT_RESOURCES", "53000", "The result of the statement is larger than %d bytes, which is all this workspace holds.", maxResult)
			}
		}
		for i := range res.Columns {
			if bad := res.Columns[i].read(rows, i, res.Rows); bad != nil {
				return nil, bad
			}
		}
		res.Rows++
	}
	for i := range res.Columns {
		if res.Rows < hint/2 {
			res.Columns[i].clip()
		}
	}
	return res, nil
}

// read adds column i of the current row. A value that SQLite already has in the form of the type is
// taken as it is; append converts and checks the others.
func (c *Column) read(rows *cursor, i, row int) error {
	kind := rows.kind(i)
	if kind == sqlite3.SQLITE_NULL || c.Type.ID == Void {
		return c.append(nil, row)
	}
	switch c.Type.ID {
	case Int, BigInt, Date, Timestamp:
		if n := rows.integer(i); kind == sqlite3.SQLITE_INTEGER && (c.Type.ID != Int || n == int64(int32(n))) {
			c.Ints = append(c.Ints, n)
			return c.present()
		}
	case Double:
		if kind == sqlite3.SQLITE_FLOAT {
			c.Floats = append(c.Floats, rows.float(i))
			return c.present()
		}
	case String:
		if kind == sqlite3.SQLITE_TEXT {
			c.Strings = append(c.Strings, rows.str(i))
			return c.present()
		}
	case Decimal:
		if kind == sqlite3.SQLITE_TEXT && plainDecimal(rows.bytes(i), c.Type) {
			c.Strings = append(c.Strings, rows.str(i))
			return c.present()
		}
	}
	return c.append(rows.value(i), row)
}

// present marks a row that is not NULL.
func (c *Column) present() error {
	if c.Nulls != nil {
		c.Nulls = append(c.Nulls, false)
	}
	return nil
}

// plainDecimal reports whether a text is a decimal of the type already: no exponent, no leading
// zeros, as many digits after the point as its scale.
func plainDecimal(text []byte, t Type) bool {
	if len(text) > 0 && text[0] == '-' {
		text = text[1:]
	}
	whole := len(text)
	if t.Scale > 0 {
		if whole -= int(t.Scale) + 1; whole < 1 || text[whole] != '.' {
			return false
		}
	}
	if whole < 1 || whole > int(max(t.Precision-t.Scale, 1)) || text[0] == '0' && (whole > 1 || t.Precision == 0) {
		return false
	}
	for i, c := range text {
		if (c < '0' || c > '9') && i != whole {
			return false
		}
	}
	return true
}

func (c *Column) grow(n int) {
	switch c.Type.ID {
	case Boolean:
		c.Bools = make([]bool, 0, n)
	case TinyInt, SmallInt, Int, BigInt, Date, Timestamp:
		c.Ints = make([]int64, 0, n)
	case Float, Double:
		c.Floats = make([]float64, 0, n)
	case String, Decimal:
		c.Strings = make([]string, 0, n)
	case Binary:
		c.Bytes = make([][]byte, 0, n)
	case Array, Map, Struct:
		c.Nested = make([][]any, 0, n)
	}
}

func (c *Column) clip() {
	c.Bools = slices.Clone(c.Bools)
	c.Ints = slices.Clone(c.Ints)
	c.Floats = slices.Clone(c.Floats)
	c.Strings = slices.Clone(c.Strings)
	c.Bytes = slices.Clone(c.Bytes)
	c.Nested = slices.Clone(c.Nested)
}

// append adds the value of one row. SQLite turns an integer result that overflows into a REAL, and
// a value that does not fit its type must fail rather than be truncated.
func (c *Column) append(v driver.Value, row int) error {
	if v == nil || c.Type.ID == Void {
		if c.Nulls == nil {
			c.Nulls = make([]bool, row, max(cap(c.Ints), row+1))
		}
		c.Nulls = append(c.Nulls, true)
		c.appendZero()
		return nil
	}
	if c.Nulls != nil {
		c.Nulls = append(c.Nulls, false)
	}
	switch c.Type.ID {
	case Boolean:
		if n, ok := v.(int64); ok {
			c.Bools = append(c.Bools, n != 0)
			return nil
		}
	case TinyInt, SmallInt, Int, BigInt:
		if n, ok := v.(int64); ok {
			if lo, hi := c.Type.integerRange(); n >= lo && n <= hi {
				c.Ints = append(c.Ints, n)
				return nil
			}
		}
		return errOverflow(c.Type)
	case Date, Timestamp:
		if n, ok := v.(int64); ok {
			c.Ints = append(c.Ints, n)
			return nil
		}
		return errOverflow(c.Type)
	case Float, Double:
		switch x := v.(type) {
		case float64:
			c.Floats = append(c.Floats, x)
			return nil
		case int64:
			c.Floats = append(c.Floats, float64(x))
			return nil
		}
	case String:
		if s, ok := v.(string); ok {
			c.Strings = append(c.Strings, s)
			return nil
		}
		c.Strings = append(c.Strings, formatValue(v, Type{}, time.UTC))
		return nil
	case Decimal:
		if d, ok := decimalOf(v); ok {
			if d, ok = d.fit(c.Type); ok {
				c.Strings = append(c.Strings, d.String())
				return nil
			}
		}
		return errNumericRange(formatValue(v, typeString, time.UTC), c.Type)
	case Array, Map, Struct:
		if text, ok := v.(string); ok {
			c.Nested = append(c.Nested, readParts(text, c.Type))
			return nil
		}
	case Binary:
		switch x := v.(type) {
		case []byte:
			if x == nil {
				x = []byte{}
			}
			c.Bytes = append(c.Bytes, x)
			return nil
		case string:
			c.Bytes = append(c.Bytes, []byte(x))
			return nil
		}
	}
	return failure("INTERNAL_ERROR", "XX000", "A value of column %s does not have its type %s: %v.", quoteParts(c.Name), c.Type, v)
}

func (c *Column) appendZero() {
	switch c.Type.ID {
	case Boolean:
		c.Bools = append(c.Bools, false)
	case TinyInt, SmallInt, Int, BigInt, Date, Timestamp:
		c.Ints = append(c.Ints, 0)
	case Float, Double:
		c.Floats = append(c.Floats, 0)
	case String, Decimal:
		c.Strings = append(c.Strings, "")
	case Binary:
		c.Bytes = append(c.Bytes, nil)
	case Array, Map, Struct:
		c.Nested = append(c.Nested, nil)
	}
}

// tableResult makes a Result of rows that the engine itself provides. Every column is STRING or
// BIGINT.
func tableResult(names []string, rows ...[]any) *Result {
	res := &Result{Rows: len(rows), Updated: -1, Query: true, Columns: make([]Column, len(names))}
	for i, n := range names {
		c := &res.Columns[i]
		c.Name, c.Type = n, typeString
		for r, row := range rows {
			switch v := row[i].(type) {
			case int64:
				c.Type = typeBigInt
				c.Ints = append(c.Ints, v)
			case bool:
				c.Type = typeBoolean
				c.Bools = append(c.Bools, v)
			case string:
				c.Strings = append(c.Strings, v)
			case nil:
				if c.Nulls == nil {
					c.Nulls = make([]bool, len(rows))
				}
				c.Nulls[r] = true
				c.Strings = append(c.Strings, "")
			}
		}
	}
	return res
}
