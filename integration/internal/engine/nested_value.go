package engine

import (
	"database/sql/driver"
	"math"
	"strconv"
	"strings"
	"time"
)

// A nested value is a []any in Go: the elements of an ARRAY, the fields of a STRUCT in order, or
// for a MAP one []any{key, value} per entry. Its items are stored values and nested values. SQLite
// stores it as text: brackets around the parts, numbers and decimals as they are, strings and
// binaries in quotes. Equal values of a type have equal texts, and the collation nestedCollation
// sorts texts in the order of their values.
const nestedCollation = "dbx_nested"

// writeNested appends the text of a value of any type.
func writeNested(out []byte, v any, t Type) []byte {
	switch x := v.(type) {
	case nil:
		return append(out, "null"...)
	case []any:
		out = append(out, '[')
		for i, part := range x {
			if len(out) > maxString { // toSQLite refuses it
				return out
			}
			if i > 0 {
				out = append(out, ',')
			}
			if t.ID == Map {
				entry := part.([]any)
				out = writeNested(append(out, '['), entry[0], t.element())
				out = append(writeNested(append(out, ','), entry[1], t.value()), ']')
				continue
			}
			out = writeNested(out, part, partType(t, i))
		}
		return append(out, ']')
	case int64:
		return strconv.AppendInt(out, x, 10)
	case float64:
		return strconv.AppendFloat(out, x, 'g', -1, 64)
	case string:
		if t.ID == Decimal || t.isNested() {
			return append(out, x...)
		}
		return quoteNested(out, x)
	case []byte:
		return quoteNested(out, string(x))
	}
	return out
}

// partType is the type of the i-th part of an ARRAY or STRUCT, VOID in an empty STRUCT.
func partType(t Type, i int) Type {
	switch {
	case t.ID == Array:
		return t.element()
	case t == structOf():
		return typeVoid
	}
	m := t.nested.Value()
	for ; i > 0 && !m.end; i-- {
		m = m.next.Value()
	}
	return m.typ
}

func quoteNested(out []byte, s string) []byte {
	out = append(out, '"')
	if !strings.ContainsAny(s, "\"\\\x00") {
		return append(append(out, s...), '"')
	}
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\':
			out = append(out, '\\', c)
		case 0:
			out = append(out, '\\', '0')
		default:
			out = append(out, c)
		}
	}
	return append(out, '"')
}

func nestedText(v any, t Type) string { return string(writeNested(nil, v, t)) }

// nestedReader reads what writeNested wrote. For any other text it returns some value or ends
// early, but never fails. Only text of writeNested gets into a column of a nested type.
type nestedReader struct {
	s string
	i int
}

func readNested(text string, t Type) any {
	r := &nestedReader{s: text}
	return r.value(t, 0)
}

// readParts is readNested for a value that is not NULL.
func readParts(text string, t Type) []any {
	parts, _ := readNested(text, t).([]any)
	return parts
}

func (r *nestedReader) peek() byte {
	if r.i < len(r.s) {
		return r.s[r.i]
	}
	return 0
}

func (r *nestedReader) value(t Type, depth int) any {
	switch c := r.peek(); {
	case c == '[' && t.isNested() && depth <= 2*maxNesting:
		return r.parts(t, depth)
	case c == '"':
		s := r.quoted()
		switch t.ID {
		case String:
			return s
		case Binary:
			return []byte(s)
		}
		return nil
	}
	word := r.word()
	switch {
	case word == "null" || word == "" || t.isNested():
		return nil
	case t.ID == Decimal:
		if strings.Trim(word, "-.0123456789") != "" {
			return nil
		}
		return word
	case t.isFloating():
		f, _ := strconv.ParseFloat(word, 64)
		return f
	}
	n, _ := strconv.ParseInt(word, 10, 64)
	return n
}

func (r *nestedReader) word() string {
	start := r.i
	for r.i < len(r.s) && strings.IndexByte(",]", r.s[r.i]) < 0 {
		r.i++
	}
	return r.s[start:r.i]
}

func (r *nestedReader) quoted() string {
	r.i++
	start := r.i
	for r.i < len(r.s) && r.s[r.i] != '"' && r.s[r.i] != '\\' {
		r.i++
	}
	if r.peek() == '"' { // nothing escaped
		r.i++
		return r.s[start : r.i-1]
	}
	b := []byte(r.s[start:r.i])
	for ; r.i < len(r.s); r.i++ {
		switch c := r.s[r.i]; {
		case c == '"':
			r.i++
			return string(b)
		case c == '\\' && r.i+1 < len(r.s):
			r.i++
			if c = r.s[r.i]; c == '0' {
				c = 0
			}
			b = append(b, c)
		default:
			b = append(b, c)
		}
	}
	return string(b)
}

// comma skips the separator of two parts. done reports the end of a list, or of a malformed text.
func (r *nestedReader) comma() {
	if r.peek() == ',' {
		r.i++
	}
}

func (r *nestedReader) done() bool { return r.i >= len(r.s) || r.s[r.i] == ']' }

func (r *nestedReader) parts(t Type, depth int) []any {
	parts := []any{}
	for r.i++; !r.done(); r.comma() {
		switch t.ID {
		case Map:
			r.i++
			key := r.value(t.element(), depth+1)
			r.comma()
			parts = append(parts, []any{key, r.value(t.value(), depth+1)})
			r.i++
		default:
			parts = append(parts, r.value(partType(t, len(parts)), depth+1))
		}
	}
	r.i++
	return parts
}

// compareNested sorts two texts: NULL first, numbers by value, strings byte by byte, lists part
// by part.
func compareNested(a, b string) int {
	if a == b {
		return 0
	}
	l, r := &nestedReader{s: a}, &nestedReader{s: b}
	return l.compare(r)
}

func (r *nestedReader) compare(o *nestedReader) int {
	switch {
	case r.peek() == '[' && o.peek() == '[':
		r.i, o.i = r.i+1, o.i+1
		for ; !r.done() && !o.done(); r.comma() {
			if c := r.compare(o); c != 0 {
				return c
			}
			o.comma()
		}
		longer := truth(!r.done()) - truth(!o.done())
		r.i, o.i = r.i+1, o.i+1
		return int(longer)
	case r.peek() == '"' && o.peek() == '"':
		return strings.Compare(r.quoted(), o.quoted())
	}
	a, b := r.word(), o.word()
	switch {
	case a == b:
		return 0
	case a == "null":
		return -1
	case b == "null":
		return 1
	}
	x, okX := parseDecimal(a)
	y, okY := parseDecimal(b)
	if okX && okY {
		return compareDecimals(x, y)
	}
	f, _ := strconv.ParseFloat(a, 64)
	g, _ := strconv.ParseFloat(b, 64)
	switch {
	case f < g || math.IsNaN(g) && !math.IsNaN(f):
		return -1
	case f > g || math.IsNaN(f) && !math.IsNaN(g):
		return 1
	}
	return 0
}

// formatNested writes a value as CAST(... AS STRING) does.
func formatNested(parts []any, t Type, loc *time.Location) string {
	texts := make([]string, len(parts))
	for i, part := range parts {
		if t.ID == Map {
			entry := part.([]any)
			texts[i] = formatPart(entry[0], t.element(), loc) + " -> " + formatPart(entry[1], t.value(), loc)
			continue
		}
		texts[i] = formatPart(part, partType(t, i), loc)
	}
	text := strings.Join(texts, ", ")
	if t.ID == Array {
		return "[" + text + "]"
	}
	return "{" + text + "}"
}

func formatPart(v any, t Type, loc *time.Location) string {
	if v == nil {
		return "null"
	}
	return formatValue(v, t, loc)
}

// fromSQLite converts an argument from SQLite to a Go value, and toSQLite the reverse.
func fromSQLite(v driver.Value, t Type) any {
	if text, ok := v.(string); ok && t.isNested() {
		return readNested(text, t)
	}
	if n, ok := v.(int64); ok && t.isFloating() {
		return float64(n)
	}
	return v
}

func toSQLite(v any, t Type) (driver.Value, *Error) {
	parts, ok := v.([]any)
	if !ok {
		return v, nil
	}
	text := nestedText(parts, t)
	if len(text) > maxString {
		return nil, errTooLong()
	}
	return text, nil
}

// castNested converts part by part. A STRUCT is converted by position.
func castNested(parts []any, from, to Type, loc *time.Location) (any, *Error) {
	out := make([]any, len(parts))
	one := func(v any, from, to Type) (any, *Error) { return castValue(v, from, to, loc) }
	for i, part := range parts {
		var err *Error
		if from.ID == Map {
			entry := part.([]any)
			var pair [2]any
			if pair[0], err = one(entry[0], from.element(), to.element()); err == nil {
				pair[1], err = one(entry[1], from.value(), to.value())
			}
			out[i] = pair[:]
		} else {
			out[i], err = one(part, partType(from, i), partType(to, i))
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// castableNested reports whether every part can be cast.
func castableNested(from, to Type) bool {
	l, r := from.Members(), to.Members()
	if from.ID != to.ID || len(l) != len(r) {
		return false
	}
	for i := range l {
		if !castable(l[i].Type, r[i].Type) {
			return false
		}
	}
	return true
}
