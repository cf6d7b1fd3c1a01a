package engine

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// maxText bounds the SQLite text of one expression. References to earlier columns and to views are
// copied to each place of use, so the text could grow without limit.
const maxText = 8 << 20

// binder turns the tree of one statement into SQLite text. It resolves names, gives every
// expression its type, and writes out every conversion. Errors travel as in the parser.
type binder struct {
	ctx      context.Context
	names    *names
	catalog  string            // current when the statement began, or of the view being read
	schema   string            //
	temp     map[string]*table // temporary views of the session
	loc      *time.Location
	zone     string // name of loc
	user     string
	now      time.Time
	params   []Param
	at       int              // offset in the SQL text of the last thing bound, for errors
	loops    []*loop          // recursive CTEs, to be run before the statement
	open     []*selfReference // recursive CTEs whose terms are being bound
	rows     int64            // limit of the rows of a recursive CTE
	barred   int              // depth of places where a recursive CTE must not read itself
	timeout  time.Duration    // STATEMENT_TIMEOUT of the session; 0: none
	handle   int64            // of the execution, for functions that can wait
	serial   int              // names relations
	nodes    int              // expressions bound so far
	views    int              // depth of views being read
	stored   bool             // a stored table is read or written
	hint     int              // expected number of rows, from range
	volatile bool             // a function was called that answers differently each time
}

// bound is an expression as SQLite text.
type bound struct {
	sql   string
	typ   Type
	name  string // the column header when there is no alias
	konst bool   // a literal or parameter
	value any    // of a constant
	days  bool   // an INTERVAL DAY, which leaves a DATE a date
}

// boundQuery is a query as SQLite text. Its columns are called o0, o1, ...
type boundQuery struct {
	sql     string
	columns []outColumn
}

type outColumn struct {
	name string
	typ  Type
}

func (b *binder) fresh(prefix string) string {
	b.serial++
	return fmt.Sprintf("%s%d", prefix, b.serial)
}

// scope resolves names at one place: to the columns of a FROM clause first, then to those of the
// enclosing queries.
type scope struct {
	parent  *scope
	columns []scopeColumn
	ctes    map[string]*boundCTE
	with    []*boundCTE // those of ctes that are part of the SQLite text, in order
	windows map[string]*window
	lateral map[string]bound // select items to the left, by alias
	groups  *grouping        // of an aggregating query, else nil
}

type scopeColumn struct {
	qualifier qualifiedName // how it may be qualified
	name      string
	typ       Type
	sql       string
	hidden    bool // merged by USING: reachable with its qualifier only
	lambda    bool // a parameter of a lambda, which needs no GROUP BY
}

type boundCTE struct {
	stored  string // name in the SQLite text
	columns []outColumn
	sql     string // its query
	uses    int
	self    *selfReference // set while the terms of a recursive CTE are bound
}

// grouping checks that columns outside aggregate functions are grouped.
type grouping struct {
	exprs     map[string]bool // SQLite text of the GROUP BY expressions
	inside    int             // depth of aggregate functions being bound
	ungrouped []string        // columns seen outside of them and not grouped

	// For GROUPING SETS: the replacement of each grouped expression's text, and its position in the
	// bits of gid.
	replace map[string]string
	bits    map[string]int
	gid     string
}

func (s *scope) cte(name string) *boundCTE {
	for ; s != nil; s = s.parent {
		if c := s.ctes[strings.ToLower(name)]; c != nil {
			return c
		}
	}
	return nil
}

func (c *scopeColumn) matches(parts []string) bool {
	n := len(parts)
	if !strings.EqualFold(c.name, parts[n-1]) {
		return false
	}
	have := []string{c.qualifier.name, c.qualifier.schema, c.qualifier.catalog}
	for i := range n - 1 {
		if i > 2 || !strings.EqualFold(have[i], parts[n-2-i]) {
			return false
		}
	}
	return n > 1 || !c.hidden
}

// column resolves a column, innermost query first. The parts after its name are fields of a STRUCT.
func (b *binder) column(s *scope, ref *nameRef) bound {
	for at := s; at != nil; at = at.parent {
		for n := len(ref.parts); n > 0; n-- {
			if x, ok := at.lookup(ref.parts[:n]); ok {
				return b.fields(x, ref.parts[n:]...)
			}
		}
	}
	var candidates []string
	for at := s; at != nil; at = at.parent {
		for i := range at.columns {
			if len(candidates) < 5 && !at.columns[i].hidden {
				candidates = append(candidates, quoteColumn(&at.columns[i]))
			}
		}
	}
	fail(errUnresolvedColumn(quoteParts(ref.parts...), candidates))
	return bound{}
}

func quoteColumn(c *scopeColumn) string {
	var parts []string
	for _, p := range []string{c.qualifier.catalog, c.qualifier.schema, c.qualifier.name, c.name} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return quoteParts(parts...)
}

// lookup finds a column among those of the scope itself, or an alias of a select item to the
// left.
func (s *scope) lookup(parts []string) (bound, bool) {
	name := parts[len(parts)-1]
	var found *scopeColumn
	for i := range s.columns {
		c := &s.columns[i]
		if !c.matches(parts) {
			continue
		}
		if found != nil {
			fail(failure("AMBIGUOUS_REFERENCE", "42704", "Reference %s is ambiguous, could be: [%s, %s].", quoteParts(parts...),
				quoteColumn(found), quoteColumn(c)))
		}
		found = c
	}
	if found == nil {
		if len(parts) > 1 {
			return bound{}, false
		}
		item, ok := s.lateral[strings.ToLower(name)]
		item.name = name
		return item, ok
	}
	text := found.sql
	if g := s.groups; g != nil && g.inside == 0 && !found.lambda {
		if with, ok := g.replace[text]; ok {
			text = with
		} else {
			g.ungrouped = append(g.ungrouped, found.name)
		}
	}
	return bound{sql: text, typ: found.typ, name: name}, true
}

// table resolves a name in FROM or DML: to a temporary view if it is a bare name, otherwise to a
// table or view of the catalog.
func (b *binder) table(parts []string) *table {
	if len(parts) == 1 && b.views == 0 {
		if t := b.temp[strings.ToLower(parts[0])]; t != nil {
			return t
		}
	}
	name := qualify(parts, b.catalog, b.schema)
	t := b.names.lookup(name)
	if t == nil && strings.EqualFold(name.schema, "information_schema") {
		t = b.names.information(name)
	}
	if t == nil && strings.EqualFold(name.schema, "information_schema") {
		fail(errUnsupported("INFORMATION_SCHEMA", name.String()))
	}
	if t == nil && len(parts) == 2 && strings.ContainsAny(parts[1], "/") {
		fail(errUnsupported("FILES", "the files at "+parts[1]+" as a table"))
	}
	if t == nil {
		fail(errTableNotFound(name))
	}
	return t
}

// parameter finds the value of :name or of the n-th ?.
func (b *binder) parameter(p *param) bound {
	label, position := ":"+p.name, 0
	if p.name == "" {
		label = "?"
	}
	for i := range b.params {
		v := &b.params[i]
		if p.name != "" {
			if !strings.EqualFold(v.Name, p.name) {
				continue
			}
		} else {
			if v.Name != "" {
				continue
			}
			if position++; position-1 != p.index {
				continue
			}
		}
		typ, ok := typeString, true
		if v.Type != "" {
			typ, ok = parseTypeName(v.Type)
		}
		if !ok {
			fail(errUnsupported("PARAMETER_TYPE", "a parameter of the type "+v.Type))
		}
		if v.Value == nil || typ.ID == Void {
			typ.Precision = max(typ.Precision, typ.Scale)
			return b.constant(nil, typ)
		}
		if typ.ID == Decimal && !strings.Contains(v.Type, "(") {
			typ = decimalOfText(*v.Value)
		}
		value, err := castValue(*v.Value, typeString, typ, b.loc)
		if err != nil {
			fail(err)
		}
		return b.constant(value, typ)
	}
	fail(failure("UNBOUND_SQL_PARAMETER", "42P02",
		"Found the unbound parameter: %s. Please, fix `args` and provide a mapping of the parameter to either a SQL literal or collection constructor functions such as `map()`, `array()`, `struct()`.", strings.TrimPrefix(label, ":")))
	return bound{}
}

// decimalOfText is the narrowest decimal type that holds a text.
func decimalOfText(text string) Type {
	d, ok := parseDecimal(text)
	if !ok {
		return decimalType(10, 0)
	}
	if d.scale < 0 {
		d = d.rescale(0)
	}
	size := int32(len(strings.TrimPrefix(d.unscaled.String(), "-")))
	p := min(max(size, d.scale), maxPrecision)
	return decimalType(p, min(d.scale, p))
}
