package engine

import (
	"fmt"
	"sort"
	"strings"
)

// The names a workspace has. The catalog is guarded by Database.gate: statements that change
// it hold the gate exclusively, everything else shared.

const (
	defaultCatalog = "main"
	defaultSchema  = "default"
	hiveCatalog    = "hive_metastore"
)

// qualifiedName is a fully qualified name; catalog and schema are empty for the temporary
// views of a session.
type qualifiedName struct{ catalog, schema, name string }

func (n qualifiedName) String() string {
	switch {
	case n.catalog != "":
		return quoteParts(n.catalog, n.schema, n.name)
	case n.schema != "":
		return quoteParts(n.schema, n.name)
	}
	return quoteParts(n.name)
}

type catalog struct {
	name    string
	schemas map[string]*schema // by lower-case name, as everywhere below
}

type schema struct {
	name   string
	tables map[string]*table
}

// table is a stored table or, when view is set, a view.
type table struct {
	name    qualifiedName
	columns []tableColumn
	comment string
	view    *view
	stored  string // SQLite's name of the table
	serial  int    // names the next column
}

type tableColumn struct {
	name     string
	typ      Type
	notNull  bool
	comment  string
	stored   string // SQLite's name of the column
	fallback expr   // DEFAULT, or nil
}

// view keeps the tree of its query and the names that were current when it was made.
type view struct {
	q               *query
	text            string
	columns         []string
	catalog, schema string
}

func (t *table) columnIndex(name string) int {
	for i := range t.columns {
		if strings.EqualFold(t.columns[i].name, name) {
			return i
		}
	}
	return -1
}

func (t *table) columnNames() []string {
	names := make([]string, len(t.columns))
	for i := range t.columns {
		names[i] = quoteParts(t.columns[i].name)
	}
	return names
}

// addColumn gives a column its name in SQLite. Stored names are never used twice.
func (t *table) addColumn(d columnDef) *tableColumn {
	t.columns = append(t.columns, tableColumn{
		name: d.name, typ: d.typ, notNull: d.notNull, comment: d.comment, fallback: d.fallback,
		stored: fmt.Sprintf("c%d", t.serial),
	})
	t.serial++
	return &t.columns[len(t.columns)-1]
}

// names is everything the metastore knows.
type names struct {
	catalogs map[string]*catalog
	serial   int // names the next stored table
}

func newNames() *names {
	n := &names{catalogs: map[string]*catalog{}}
	for _, c := range []string{defaultCatalog, hiveCatalog} {
		n.catalogs[c] = newCatalog(c)
	}
	return n
}

func newCatalog(name string) *catalog {
	return &catalog{name: name, schemas: map[string]*schema{defaultSchema: newSchema(defaultSchema)}}
}

func newSchema(name string) *schema { return &schema{name: name, tables: map[string]*table{}} }

func (n *names) catalog(name string) (*catalog, *Error) {
	if c := n.catalogs[strings.ToLower(name)]; c != nil {
		return c, nil
	}
	return nil, errCatalogNotFound(name)
}

func (n *names) schema(catalog, name string) (*schema, *Error) {
	c, err := n.catalog(catalog)
	if err != nil {
		return nil, err
	}
	if s := c.schemas[strings.ToLower(name)]; s != nil {
		return s, nil
	}
	return nil, errSchemaNotFound(catalog, name)
}

// lookup finds a table or view. It returns nil if any part of the name does not exist.
func (n *names) lookup(name qualifiedName) *table {
	s, err := n.schema(name.catalog, name.schema)
	if err != nil {
		return nil
	}
	return s.tables[strings.ToLower(name.name)]
}

func (n *names) newStored() string {
	n.serial++
	return fmt.Sprintf("t%d", n.serial)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// qualify completes a name with the current catalog and schema.
func qualify(parts []string, currentCatalog, currentSchema string) qualifiedName {
	switch len(parts) {
	case 1:
		return qualifiedName{currentCatalog, currentSchema, parts[0]}
	case 2:
		return qualifiedName{currentCatalog, parts[0], parts[1]}
	}
	return qualifiedName{parts[0], parts[1], parts[2]}
}
