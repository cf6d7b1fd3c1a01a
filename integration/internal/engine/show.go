package engine

import (
	"path"
	"strings"
)

func (r *run) show(n *show) (*Result, error) {
	switch n.kind {
	case "CATALOGS":
		var rows [][]any
		for _, k := range sortedKeys(r.b.names.catalogs) {
			if name := r.b.names.catalogs[k].name; glob(n.pattern, name) {
				rows = append(rows, []any{name})
			}
		}
		return tableResult([]string{"catalog"}, rows...), nil
	case "SCHEMAS":
		catalog := r.b.catalog
		if n.parts != nil {
			catalog = n.parts[0]
		}
		c, err := r.b.names.catalog(catalog)
		if err != nil {
			return nil, err
		}
		var rows [][]any
		for _, k := range sortedKeys(c.schemas) {
			if name := c.schemas[k].name; glob(n.pattern, name) {
				rows = append(rows, []any{name})
			}
		}
		return tableResult([]string{"databaseName"}, rows...), nil
	case "TABLES", "VIEWS":
		return r.showTables(n)
	case "COLUMNS":
		var rows [][]any
		for _, c := range r.b.table(n.parts).columns {
			rows = append(rows, []any{c.name})
		}
		return tableResult([]string{"col_name"}, rows...), nil
	case "FUNCTIONS":
		var rows [][]any
		for _, name := range sortedKeys(functions) {
			if glob(n.pattern, name) {
				rows = append(rows, []any{name})
			}
		}
		return tableResult([]string{"function"}, rows...), nil
	}
	t := r.b.table(n.parts)
	return tableResult([]string{"createtab_stmt"}, []any{createText(t)}), nil
}

func (r *run) showTables(n *show) (*Result, error) {
	catalog, name := r.b.catalog, r.b.schema
	if n.parts != nil {
		catalog, name = r.schemaName(n.parts)
	}
	s, err := r.b.names.schema(catalog, name)
	if err != nil {
		return nil, err
	}
	var rows [][]any
	add := func(schema string, t *table, temporary bool) {
		if (n.kind == "TABLES" || t.view != nil) && glob(n.pattern, t.name.name) {
			rows = append(rows, []any{schema, t.name.name, temporary})
		}
	}
	for _, k := range sortedKeys(s.tables) {
		add(s.name, s.tables[k], false)
	}
	for _, k := range sortedKeys(r.b.temp) {
		add("", r.b.temp[k], true)
	}
	names := []string{"database", "tableName", "isTemporary"}
	if n.kind == "VIEWS" {
		names = []string{"namespace", "viewName", "isTemporary"}
	}
	res := tableResult(names, rows...)
	res.Columns[2].Type = typeBoolean
	return res, nil
}

// glob matches the patterns of SHOW: * matches anything and | separates alternatives.
func glob(pattern, name string) bool {
	if pattern == "" {
		return true
	}
	for _, p := range strings.Split(strings.ToLower(pattern), "|") {
		if ok, err := path.Match(strings.ReplaceAll(p, "%", "*"), strings.ToLower(name)); err == nil && ok {
			return true
		}
	}
	return false
}

func createText(t *table) string {
	if t.view != nil {
		return "CREATE VIEW " + t.name.String() + " AS " + t.view.text
	}
	var b strings.Builder
	b.WriteString("CREATE TABLE " + t.name.String() + " (")
	for i, c := range t.columns {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n  " + quoteParts(c.name) + " " + c.typ.String())
		if c.notNull {
			b.WriteString(" NOT NULL")
		}
		if c.comment != "" {
			b.WriteString(" COMMENT '" + strings.ReplaceAll(c.comment, "'", "\\'") + "'")
		}
	}
	b.WriteString(")\nUSING delta")
	if t.comment != "" {
		b.WriteString("\nCOMMENT '" + strings.ReplaceAll(t.comment, "'", "\\'") + "'")
	}
	return b.String()
}

func (r *run) describe(n *describe) (*Result, error) {
	var rows [][]any
	if n.q != nil {
		for _, c := range r.b.query(nil, n.q).columns {
			rows = append(rows, []any{c.name, c.typ.simple(), nil})
		}
		return tableResult([]string{"col_name", "data_type", "comment"}, rows...), nil
	}
	t := r.b.table(n.parts)
	for _, c := range t.columns {
		row := []any{c.name, c.typ.simple(), nil}
		if c.comment != "" {
			row[2] = c.comment
		}
		rows = append(rows, row)
	}
	if n.extended {
		kind := "MANAGED"
		if t.view != nil {
			kind = "VIEW"
		}
		rows = append(rows, []any{"", "", ""}, []any{"# Detailed Table Information", "", ""},
			[]any{"Catalog", t.name.catalog, ""}, []any{"Database", t.name.schema, ""}, []any{"Table", t.name.name, ""},
			[]any{"Type", kind, ""}, []any{"Comment", t.comment, ""})
	}
	return tableResult([]string{"col_name", "data_type", "comment"}, rows...), nil
}

// explain checks the statement and shows what would run.
func (r *run) explain(n *explain) (*Result, error) {
	plan := "== Physical Plan ==\n"
	switch stmt := n.stmt.(type) {
	case *query:
		plan += r.b.query(nil, stmt).sql
	default:
		plan += "Execute command"
	}
	return tableResult([]string{"plan"}, []any{plan}), nil
}

// information makes the tables of information_schema, as views over constants.
func (n *names) information(name qualifiedName) *table {
	c, err := n.catalog(name.catalog)
	if err != nil {
		return nil
	}
	var columns []string
	var rows [][]expr
	text := func(s string) expr { return &literal{typeString, s, s} }
	orNull := func(s string) expr {
		if s == "" {
			return &cast{x: &literal{typeVoid, nil, "NULL"}, to: typeString}
		}
		return text(s)
	}
	for _, sk := range sortedKeys(c.schemas) {
		s := c.schemas[sk]
		if strings.EqualFold(name.name, "schemata") {
			rows = append(rows, []expr{text(c.name), text(s.name)})
		}
		for _, tk := range sortedKeys(s.tables) {
			t := s.tables[tk]
			switch strings.ToLower(name.name) {
			case "tables":
				kind := "MANAGED"
				if t.view != nil {
					kind = "VIEW"
				}
				rows = append(rows, []expr{text(c.name), text(s.name), text(t.name.name), text(kind), orNull(t.comment)})
			case "columns":
				for i, col := range t.columns {
					nullable := "YES"
					if col.notNull {
						nullable = "NO"
					}
					name, _, _ := strings.Cut(col.typ.String(), "<")
					name, _, _ = strings.Cut(name, "(")
					rows = append(rows, []expr{text(c.name), text(s.name), text(t.name.name), text(col.name),
						&literal{typeInt, int64(i) + 1, ""}, text(nullable), text(col.typ.simple()), text(name), orNull(col.comment)})
				}
			}
		}
	}
	switch strings.ToLower(name.name) {
	case "schemata":
		columns = []string{"catalog_name", "schema_name"}
	case "tables":
		columns = []string{"table_catalog", "table_schema", "table_name", "table_type", "comment"}
	case "columns":
		columns = []string{"table_catalog", "table_schema", "table_name", "column_name", "ordinal_position", "is_nullable", "full_data_type", "data_type", "comment"}
	default:
		return nil
	}
	q := &query{body: &valuesList{rows: rows}}
	if len(rows) == 0 {
		core := &selectCore{where: &literal{typeBoolean, false, "false"}}
		for range columns {
			core.items = append(core.items, selectItem{x: text("")})
		}
		q = &query{body: core}
	}
	t := &table{name: name, view: &view{q: q, catalog: defaultCatalog, schema: defaultSchema}}
	for _, column := range columns {
		t.addColumn(columnDef{name: column, typ: typeString})
	}
	return t
}
