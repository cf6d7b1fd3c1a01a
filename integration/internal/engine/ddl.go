package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
)

// transaction runs SQLite statements on the writing connection, all or none. The counts are
// those of affected rows.
func (r *run) transaction(texts ...string) ([]int64, error) {
	w := r.db.store.writer
	if _, err := w.exec(r.ctx, "BEGIN"); err != nil {
		return nil, err
	}
	counts := make([]int64, len(texts))
	err := looped(r.ctx, w, r.b.loops, func() (err error) {
		for i, text := range texts {
			if counts[i], err = w.exec(r.ctx, text); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		_, err = w.exec(r.ctx, "COMMIT")
	}
	if err == nil {
		return counts, nil
	}
	// The rollback must happen even though the statement's context may have ended. If SQLite has
	// rolled back already, that is not a second failure.
	_, rollback := w.exec(context.WithoutCancel(r.ctx), "ROLLBACK")
	var own *Error
	if w.broken && rollback != nil && !errors.As(err, &own) {
		err = errors.Join(err, rollback)
	}
	return nil, err
}

func (r *run) ddl(stmt statement) (*Result, error) {
	var err error
	switch n := stmt.(type) {
	case *createTable:
		err = r.createTable(n)
	case *createView:
		err = r.createView(n)
	case *createSchema:
		err = r.createSchema(n)
	case *createCatalog:
		key := strings.ToLower(n.name)
		if r.b.names.catalogs[key] == nil {
			r.b.names.catalogs[key] = newCatalog(n.name)
		} else if !n.ifNotExists {
			err = failure("CATALOG_ALREADY_EXISTS", "42P04", "Cannot create catalog %s because it already exists.", quoteParts(n.name))
		}
	case *drop:
		err = r.drop(n)
	case *alterTable:
		err = r.alter(n)
	case *commentOn:
		err = r.comment(n)
	}
	if err != nil {
		return nil, err
	}
	return done(), nil
}

func (r *run) createTable(n *createTable) error {
	name := qualify(n.parts, r.b.catalog, r.b.schema)
	home, missing := r.b.names.schema(name.catalog, name.schema)
	if missing != nil {
		return missing
	}
	old := home.tables[strings.ToLower(name.name)]
	switch {
	case old == nil, n.replace && old.view == nil:
	case n.ifNotExists:
		return nil
	default:
		return errTableExists(name)
	}
	t := &table{name: name, comment: n.comment, stored: r.b.names.newStored()}
	defs := n.columns
	if len(defs) == 0 && n.as == nil {
		return errNoSchema(n.format)
	}
	var source boundQuery
	if n.as != nil {
		source = r.b.query(nil, n.as)
		noIntervals(source.columns)
		if len(defs) == 0 {
			for _, c := range source.columns {
				defs = append(defs, columnDef{name: c.name, typ: c.typ})
			}
		} else if len(defs) != len(source.columns) {
			return errArity(name, len(defs), len(source.columns))
		}
	}
	for _, d := range defs {
		if err := r.addColumn(t, d); err != nil {
			return err
		}
	}
	var stored []string
	for _, c := range t.columns {
		stored = append(stored, c.stored)
	}
	texts := []string{fmt.Sprintf("CREATE TABLE %s(%s)", t.stored, strings.Join(stored, ","))}
	if n.as != nil {
		texts = append(texts, r.insertText(t, allColumns(t), source))
	}
	if old != nil {
		texts = append(texts, "DROP TABLE "+old.stored)
	}
	if _, err := r.transaction(texts...); err != nil {
		return err
	}
	home.tables[strings.ToLower(name.name)] = t
	return nil
}

// addColumn checks and adds a column to a table that is not visible yet.
func (r *run) addColumn(t *table, d columnDef) error {
	if t.columnIndex(d.name) >= 0 {
		return failure("COLUMN_ALREADY_EXISTS", "42711", "The column %s already exists. Choose another name or rename the existing column.", quoteParts(d.name))
	}
	if d.fallback != nil {
		if _, isNull := d.fallback.(*literal); !isNull {
			walk(d.fallback, func(x expr) bool {
				switch x.(type) {
				case *subquery, *exists, *inQuery, *param:
					fail(failure("INVALID_DEFAULT_VALUE.SUBQUERY_EXPRESSION", "42623", "The DEFAULT value of column %s must be an expression without subqueries and parameters.", quoteParts(d.name)))
				}
				return true
			})
		}
		r.b.coerce(r.b.expr(nil, d.fallback), d.typ)
	}
	t.addColumn(d)
	return nil
}

func (r *run) createView(n *createView) error {
	r.b.params = nil // the query outlives them
	if n.temporary {
		if len(n.parts) != 1 {
			return failure("TEMP_VIEW_NAME_TOO_MANY_NAME_PARTS", "428EK", "CREATE TEMPORARY VIEW or the corresponding Dataset APIs only accept single-part view names, but got: %s.", quoteParts(n.parts...))
		}
		name := qualifiedName{name: n.parts[0]}
		key := strings.ToLower(name.name)
		if r.b.temp[key] != nil && !n.replace {
			if n.ifNotExists {
				return nil
			}
			return failure("TEMP_TABLE_OR_VIEW_ALREADY_EXISTS", "42P07", "Cannot create the temporary view %s because it already exists.\nChoose a different name, drop or replace the existing view, or add the IF NOT EXISTS clause to tolerate pre-existing views.", name)
		}
		t := r.viewTable(name, n)
		r.session.setTemp(key, t)
		return nil
	}
	name := qualify(n.parts, r.b.catalog, r.b.schema)
	home, missing := r.b.names.schema(name.catalog, name.schema)
	if missing != nil {
		return missing
	}
	old := home.tables[strings.ToLower(name.name)]
	switch {
	case old == nil, n.replace && old.view != nil:
	case n.ifNotExists && old.view != nil:
		return nil
	default:
		return errTableExists(name)
	}
	r.b.views++ // a permanent view cannot see temporary ones
	home.tables[strings.ToLower(name.name)] = r.viewTable(name, n)
	return nil
}

// viewTable binds the query of a view once, to learn its columns and to find its errors.
func (r *run) viewTable(name qualifiedName, n *createView) *table {
	q := r.b.query(nil, n.q)
	t := &table{name: name, comment: n.comment, view: &view{q: n.q, text: n.text, columns: n.columns, catalog: r.b.catalog, schema: r.b.schema}}
	if len(n.columns) > 0 && len(n.columns) != len(q.columns) {
		fail(failure("CREATE_VIEW_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS", "21S01", "Cannot create view %s, the reason is that the number of columns does not match: %d and %d.", name, len(n.columns), len(q.columns)))
	}
	for i, c := range q.columns {
		if len(n.columns) > 0 {
			c.name = n.columns[i]
		}
		if t.columnIndex(c.name) >= 0 {
			fail(failure("COLUMN_ALREADY_EXISTS", "42711", "The column %s already exists. Choose another name or rename the existing column.", quoteParts(c.name)))
		}
		t.addColumn(columnDef{name: c.name, typ: c.typ})
	}
	return t
}

// setTemp adds or, with nil, removes a temporary view. The map is replaced, because running
// statements hold the old one.
func (s *Session) setTemp(key string, t *table) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.temp = maps.Clone(s.temp)
	if t == nil {
		delete(s.temp, key)
	} else {
		s.temp[key] = t
	}
}

func (r *run) createSchema(n *createSchema) error {
	catalog, name := r.schemaName(n.parts)
	c, err := r.b.names.catalog(catalog)
	if err != nil {
		return err
	}
	key := strings.ToLower(name)
	if c.schemas[key] != nil {
		if n.ifNotExists {
			return nil
		}
		return errSchemaExists(catalog, name)
	}
	c.schemas[key] = newSchema(name)
	return nil
}

// schemaName completes the name of a schema.
func (r *run) schemaName(parts []string) (catalog, name string) {
	if len(parts) == 1 {
		return r.b.catalog, parts[0]
	}
	return parts[0], parts[len(parts)-1]
}

func (r *run) drop(n *drop) error {
	switch n.kind {
	case "SCHEMA":
		return r.dropSchema(n)
	case "CATALOG":
		c, err := r.b.names.catalog(n.parts[0])
		if err != nil {
			return unless(n.ifExists, err)
		}
		var texts []string
		for _, s := range c.schemas {
			if len(s.tables) > 0 && !n.cascade {
				return failure("CATALOG_NOT_EMPTY", "2BP01", "Cannot drop catalog %s because it contains schemas that are not empty. Use CASCADE to drop them.", quoteParts(c.name))
			}
			texts = append(texts, dropTexts(s)...)
		}
		if _, err := r.transaction(texts...); err != nil {
			return err
		}
		delete(r.b.names.catalogs, strings.ToLower(c.name))
		return nil
	}
	if key := strings.ToLower(n.parts[0]); len(n.parts) == 1 && r.b.temp[key] != nil {
		r.session.setTemp(key, nil)
		return nil
	}
	name := qualify(n.parts, r.b.catalog, r.b.schema)
	t := r.b.names.lookup(name)
	switch {
	case t == nil:
		return unless(n.ifExists, errTableNotFound(name))
	case n.kind == "TABLE" && t.view != nil:
		return failure("EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE", "42809", "'DROP TABLE' expects a table but %s is a view. Use DROP VIEW instead.", name)
	case n.kind == "VIEW" && t.view == nil:
		return failure("EXPECT_VIEW_NOT_TABLE.NO_ALTERNATIVE", "42809", "The table %s does not support DROP VIEW. Use DROP TABLE instead.", name)
	case t.view == nil:
		if _, err := r.transaction("DROP TABLE " + t.stored); err != nil {
			return err
		}
	}
	s, _ := r.b.names.schema(name.catalog, name.schema)
	delete(s.tables, strings.ToLower(name.name))
	return nil
}

// comment sets the comment of a name. Comments of schemas and catalogs are not shown anywhere yet,
// so this only checks that the name exists.
func (r *run) comment(n *commentOn) error {
	switch last := len(n.parts) - 1; n.kind {
	case "CATALOG":
		if _, err := r.b.names.catalog(n.parts[0]); err != nil {
			return err
		}
	case "SCHEMA":
		catalog, name := r.schemaName(n.parts)
		if _, err := r.b.names.schema(catalog, name); err != nil {
			return err
		}
	case "COLUMN":
		if last == 0 {
			return errUnresolvedColumn(quoteParts(n.parts...), nil)
		}
		t := r.b.table(n.parts[:last])
		i := t.columnIndex(n.parts[last])
		if i < 0 {
			return errUnresolvedColumn(quoteParts(n.parts[last]), t.columnNames())
		}
		t.columns[i].comment = n.text
	default:
		r.b.table(n.parts).comment = n.text
	}
	return nil
}

// unless drops an error that IF EXISTS tolerates.
func unless(tolerated bool, err *Error) error {
	if tolerated {
		return nil
	}
	return err
}

func (r *run) dropSchema(n *drop) error {
	catalog, name := r.schemaName(n.parts)
	s, err := r.b.names.schema(catalog, name)
	if err != nil {
		return unless(n.ifExists, err)
	}
	if len(s.tables) > 0 && !n.cascade {
		return failure("SCHEMA_NOT_EMPTY", "2BP01", "Cannot drop a schema %s because it contains objects.\nUse DROP SCHEMA ... CASCADE to drop the schema and all its objects.", quoteParts(catalog, name))
	}
	if _, err := r.transaction(dropTexts(s)...); err != nil {
		return err
	}
	c, _ := r.b.names.catalog(catalog)
	delete(c.schemas, strings.ToLower(name))
	return nil
}

func dropTexts(s *schema) []string {
	var texts []string
	for _, t := range s.tables {
		if t.view == nil {
			texts = append(texts, "DROP TABLE "+t.stored)
		}
	}
	return texts
}

func (r *run) alter(n *alterTable) error {
	t := r.b.table(n.parts)
	if t.view != nil && n.action != "RENAME" && n.action != "NONE" || t.stored == "" && t.view == nil {
		return failure("EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE", "42809", "'ALTER TABLE' expects a table but %s is a view.", t.name)
	}
	next := *t
	next.columns = append([]tableColumn{}, t.columns...)
	var texts []string
	switch n.action {
	case "ADD":
		for _, d := range n.add {
			if err := r.addColumn(&next, d); err != nil {
				return err
			}
			texts = append(texts, fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s", t.stored, next.columns[len(next.columns)-1].stored))
		}
	case "DROP":
		for _, name := range n.to {
			i := next.columnIndex(name)
			if i < 0 {
				return errUnresolvedColumn(quoteParts(name), t.columnNames())
			}
			if len(next.columns) == 1 {
				return errUnsupported("DROP_COLUMN", "dropping the only column of a table")
			}
			texts = append(texts, fmt.Sprintf("ALTER TABLE %s DROP COLUMN %s", t.stored, next.columns[i].stored))
			next.columns = append(next.columns[:i], next.columns[i+1:]...)
		}
	case "RENAME COLUMN":
		i := next.columnIndex(n.from)
		if i < 0 {
			return errUnresolvedColumn(quoteParts(n.from), t.columnNames())
		}
		if j := next.columnIndex(n.to[0]); j >= 0 && j != i {
			return failure("COLUMN_ALREADY_EXISTS", "42711", "The column %s already exists. Choose another name or rename the existing column.", quoteParts(n.to[0]))
		}
		next.columns[i].name = n.to[0]
	case "RENAME":
		return r.rename(t, n.to)
	}
	if _, err := r.transaction(texts...); err != nil {
		return err
	}
	*t = next
	return nil
}

func (r *run) rename(t *table, parts []string) error {
	to := qualify(parts, t.name.catalog, t.name.schema)
	home, err := r.b.names.schema(to.catalog, to.schema)
	if err != nil {
		return err
	}
	if home.tables[strings.ToLower(to.name)] != nil {
		return errTableExists(to)
	}
	from, err := r.b.names.schema(t.name.catalog, t.name.schema)
	if err != nil {
		return err // a temporary view
	}
	delete(from.tables, strings.ToLower(t.name.name))
	t.name = to
	home.tables[strings.ToLower(to.name)] = t
	return nil
}
