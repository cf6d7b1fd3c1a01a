package engine

import "strings"

func (p *parser) statement() statement {
	defer p.enter()()
	if p.startsQuery() && !p.is("FROM") {
		return p.query()
	}
	t := p.next()
	switch t.upper() {
	case "FROM":
		p.i--
		fail(errUnsupported("STATEMENT", "FROM before SELECT"))
	case "CREATE":
		return p.create()
	case "REPLACE":
		p.i--
		return p.createTableStatement(&createTable{replace: p.word("REPLACE")})
	case "DROP":
		return p.drop()
	case "ALTER":
		return p.alter()
	case "TRUNCATE":
		p.expect("TABLE")
		return &truncate{p.tableName()}
	case "INSERT":
		return p.insert()
	case "UPDATE":
		n := &update{parts: p.tableName(), alias: p.alias()}
		p.expect("SET")
		n.set = p.assignments()
		if p.word("WHERE") {
			n.where = p.expr()
		}
		return n
	case "DELETE":
		p.expect("FROM")
		n := &deleteFrom{parts: p.tableName(), alias: p.alias()}
		if p.word("WHERE") {
			n.where = p.expr()
		}
		return n
	case "MERGE":
		return p.merge()
	case "COMMENT":
		return p.commentOn()
	case "USE":
		n := &use{kind: p.oneOf("CATALOG", "SCHEMA", "DATABASE")}
		if n.kind == "DATABASE" {
			n.kind = "SCHEMA"
		}
		n.parts = p.name()
		return n
	case "SET":
		return p.set()
	case "RESET":
		n := &reset{}
		if p.peek().kind != tokEnd {
			n.key = p.settingKey()
		}
		return n
	case "SHOW":
		return p.show()
	case "DESCRIBE", "DESC":
		return p.describe()
	case "EXPLAIN":
		p.oneOf("EXTENDED", "FORMATTED", "COST", "CODEGEN")
		return &explain{p.statement()}
	case "OPTIMIZE", "VACUUM":
		return p.noOp()
	case "REFRESH", "ANALYZE", "CACHE":
		p.expect("TABLE")
		return p.noOp()
	case "GRANT", "REVOKE", "COPY", "PUT", "GET", "REMOVE", "CALL", "DECLARE", "BEGIN", "EXECUTE", "RESTORE", "CLONE",
		"COMMIT", "ROLLBACK", "START", "LIST", "UNDROP", "SYNC", "MSCK", "REORG", "FSCK", "CONVERT", "IF", "FOR", "WHILE", "REPEAT", "LOOP", "ADD", "UNCACHE", "CLEAR":
		p.i--
		fail(errUnsupported("STATEMENT", t.upper()))
	}
	p.i--
	p.unexpected("")
	return nil
}

// noOp takes the table and skips the options of a maintenance statement.
func (p *parser) noOp() statement {
	n := &noOp{p.tableName()}
	for p.peek().kind != tokEnd && !p.isSymbol(";") {
		p.i++
	}
	return n
}

func (p *parser) ifNotExists() bool { return p.word("IF", "NOT", "EXISTS") }

func (p *parser) create() statement {
	replace := p.word("OR", "REPLACE")
	temporary := p.word("GLOBAL") // a global temporary view is treated as the session's
	if p.word("TEMP") || p.word("TEMPORARY") {
		temporary = true
	}
	switch {
	case p.is("EXTERNAL", "TABLE"), p.is("TABLE"):
		p.word("EXTERNAL")
		if temporary {
			fail(errUnsupported("TEMPORARY_TABLE", "CREATE TEMPORARY TABLE; use CREATE TEMPORARY VIEW"))
		}
		return p.createTableStatement(&createTable{replace: replace})
	case p.word("VIEW"):
		return p.createView(&createView{replace: replace, temporary: temporary})
	case p.word("SCHEMA"), p.word("DATABASE"):
		n := &createSchema{ifNotExists: p.ifNotExists(), parts: p.name()}
		p.skipOptions()
		return n
	case p.word("CATALOG"):
		n := &createCatalog{ifNotExists: p.ifNotExists(), name: p.identifier()}
		p.skipOptions()
		return n
	case p.is("FUNCTION"), p.is("VOLUME"), p.is("MATERIALIZED"), p.is("STREAMING"), p.is("PROCEDURE"):
		fail(errUnsupported("STATEMENT", "CREATE "+p.peek().upper()))
	}
	p.unexpected("")
	return nil
}

// skipOptions passes COMMENT, LOCATION, MANAGED LOCATION and WITH DBPROPERTIES of a schema
// or catalog.
func (p *parser) skipOptions() {
	for {
		switch {
		case p.word("COMMENT"), p.word("LOCATION"), p.word("MANAGED", "LOCATION"):
			p.stringLiteral()
		case p.word("WITH", "DBPROPERTIES"), p.word("OPTIONS"):
			p.skipParentheses()
		default:
			return
		}
	}
}

func (p *parser) skipParentheses() {
	p.expectSymbol("(")
	for depth := 1; depth > 0; {
		switch {
		case p.peek().kind == tokEnd:
			p.unexpected("")
		case p.isSymbol("("):
			depth++
		case p.isSymbol(")"):
			depth--
		}
		p.i++
	}
}

func (p *parser) createTableStatement(n *createTable) statement {
	p.expect("TABLE")
	n.ifNotExists = p.ifNotExists()
	n.parts = p.tableName()
	if p.is("LIKE") || p.is("SHALLOW") || p.is("DEEP") || p.is("CLONE") {
		fail(errUnsupported("STATEMENT", "CREATE TABLE "+p.peek().upper()))
	}
	if p.isSymbol("(") && !p.startsQuery() {
		n.columns = p.columnDefs()
	}
	for {
		switch {
		case p.word("USING"):
			n.format = strings.ToUpper(p.anyIdentifier())
		case p.word("COMMENT"):
			n.comment = p.stringLiteral()
		case p.word("LOCATION"):
			p.stringLiteral()
			n.located = true
		case p.word("TBLPROPERTIES"), p.word("OPTIONS"), p.word("PARTITIONED", "BY"):
			p.skipParentheses()
		case p.word("CLUSTER", "BY"):
			if !p.word("AUTO") && !p.word("NONE") {
				p.skipParentheses()
			}
		case p.word("AS"), p.startsQuery():
			n.as = p.query()
			return n
		default:
			if len(n.columns) == 0 && !n.located {
				p.unexpected("")
			}
			return n
		}
	}
}

func (p *parser) columnDefs() []columnDef {
	p.expectSymbol("(")
	var defs []columnDef
	for {
		if p.is("CONSTRAINT") || p.is("PRIMARY", "KEY") || p.is("FOREIGN", "KEY") {
			p.skipConstraint() // informational on Databricks too
		} else {
			defs = append(defs, p.columnDef())
		}
		if !p.symbol(",") {
			break
		}
	}
	p.expectSymbol(")")
	return defs
}

func (p *parser) skipConstraint() {
	for p.peek().kind != tokEnd && !p.isSymbol(",") && !p.isSymbol(")") {
		if p.isSymbol("(") {
			p.skipParentheses()
		} else {
			p.i++
		}
	}
}

func (p *parser) columnDef() columnDef {
	d := columnDef{name: p.anyIdentifier()}
	d.typ = p.typeName()
	for {
		switch {
		case p.word("NOT", "NULL"):
			d.notNull = true
		case p.word("COMMENT"):
			d.comment = p.stringLiteral()
		case p.word("DEFAULT"):
			d.fallback = p.sum()
		case p.is("PRIMARY", "KEY"), p.is("CONSTRAINT"), p.is("REFERENCES"):
			p.skipConstraint()
		case p.is("GENERATED"), p.is("COLLATE"), p.is("MASK"):
			fail(errUnsupported("COLUMN_OPTION", p.peek().upper()))
		default:
			return d
		}
	}
}

func (p *parser) createView(n *createView) statement {
	n.ifNotExists = p.ifNotExists()
	n.parts = p.name()
	if p.symbol("(") {
		for {
			n.columns = append(n.columns, p.anyIdentifier())
			if p.word("COMMENT") {
				p.stringLiteral()
			}
			if !p.symbol(",") {
				break
			}
		}
		p.expectSymbol(")")
	}
	for {
		switch {
		case p.word("COMMENT"):
			n.comment = p.stringLiteral()
		case p.word("TBLPROPERTIES"):
			p.skipParentheses()
		default:
			p.expect("AS")
			start := p.peek().at
			n.q = p.query()
			n.text = strings.TrimSpace(p.sql[start:p.tokens[p.i-1].end])
			return n
		}
	}
}

func (p *parser) drop() statement {
	n := &drop{kind: p.oneOf("TABLE", "VIEW", "SCHEMA", "DATABASE", "CATALOG")}
	switch n.kind {
	case "":
		if p.is("FUNCTION") || p.is("VOLUME") {
			fail(errUnsupported("STATEMENT", "DROP "+p.peek().upper()))
		}
		p.unexpected("")
	case "DATABASE":
		n.kind = "SCHEMA"
	}
	n.ifExists = p.word("IF", "EXISTS")
	n.parts = p.tableName()
	n.cascade = p.oneOf("CASCADE", "RESTRICT", "PURGE") == "CASCADE"
	return n
}

func (p *parser) alter() statement {
	if !p.word("TABLE") && !p.word("VIEW") {
		if p.is("SCHEMA") || p.is("DATABASE") || p.is("CATALOG") {
			fail(errUnsupported("STATEMENT", "ALTER "+p.peek().upper()))
		}
		p.unexpected("")
	}
	n := &alterTable{parts: p.tableName()}
	switch {
	case p.word("ADD", "COLUMN"), p.word("ADD", "COLUMNS"):
		n.action = "ADD"
		if p.isSymbol("(") {
			n.add = p.columnDefs()
		} else {
			n.add = []columnDef{p.columnDef()}
		}
	case p.word("DROP", "COLUMN"), p.word("DROP", "COLUMNS"):
		n.action = "DROP"
		p.word("IF", "EXISTS")
		if p.isSymbol("(") {
			n.to = p.nameList()
		} else {
			n.to = []string{p.anyIdentifier()}
		}
	case p.word("RENAME", "COLUMN"):
		n.action = "RENAME COLUMN"
		n.from = p.anyIdentifier()
		p.expect("TO")
		n.to = []string{p.anyIdentifier()}
	case p.word("RENAME", "TO"):
		n.action = "RENAME"
		n.to = p.name()
	case p.word("SET", "TBLPROPERTIES"), p.word("UNSET", "TBLPROPERTIES"):
		n.action = "NONE"
		p.word("IF", "EXISTS")
		p.skipParentheses()
	default:
		fail(errUnsupported("STATEMENT", "ALTER TABLE "+p.peek().upper()))
	}
	return n
}

func (p *parser) insert() statement {
	n := &insert{}
	switch {
	case p.word("OVERWRITE"):
		n.overwrite = true
	case p.word("INTO"):
	default:
		p.unexpected("")
	}
	p.word("TABLE")
	n.parts = p.tableName()
	if p.isSymbol("(") && !p.startsQuery() {
		n.columns = p.nameList()
	}
	n.byName = n.columns == nil && p.word("BY", "NAME")
	if p.is("REPLACE") || p.is("PARTITION") {
		fail(errUnsupported("STATEMENT", "INSERT "+p.peek().upper()))
	}
	if !p.startsQuery() {
		p.unexpected("")
	}
	n.q = p.query()
	return n
}

// commentOn reads COMMENT ON kind name IS text.
func (p *parser) commentOn() statement {
	p.expect("ON")
	n := &commentOn{kind: p.oneOf("TABLE", "VIEW", "COLUMN", "SCHEMA", "DATABASE", "CATALOG")}
	switch n.kind {
	case "VIEW":
		n.kind = "TABLE"
	case "DATABASE":
		n.kind = "SCHEMA"
	case "":
		fail(errUnsupported("STATEMENT", "COMMENT ON "+p.peek().upper()))
	}
	n.parts = []string{p.identifier()}
	for p.symbol(".") {
		n.parts = append(n.parts, p.anyIdentifier())
	}
	p.expect("IS")
	if !p.word("NULL") {
		n.text = p.stringLiteral()
	}
	return n
}

func (p *parser) assignments() []assignment {
	var list []assignment
	for {
		a := assignment{at: p.peek().at, column: p.name()}
		if !p.symbol("=") && !p.symbol("==") {
			p.unexpected("")
		}
		a.value = p.expr()
		list = append(list, a)
		if !p.symbol(",") {
			return list
		}
	}
}

func (p *parser) merge() statement {
	if p.is("WITH", "SCHEMA", "EVOLUTION") {
		fail(errUnsupported("STATEMENT", "MERGE WITH SCHEMA EVOLUTION"))
	}
	p.expect("INTO")
	n := &merge{parts: p.tableName(), alias: p.alias()}
	p.expect("USING")
	n.source = p.relationPrimary()
	p.expect("ON")
	n.on = p.expr()
	for p.word("WHEN") {
		c := mergeClause{kind: "MATCHED"}
		if p.word("NOT") {
			c.kind = "NOT MATCHED"
		}
		p.expect("MATCHED")
		if p.word("BY") && !p.word("TARGET") {
			p.expect("SOURCE")
			c.kind = "NOT MATCHED BY SOURCE"
		}
		if p.word("AND") {
			c.cond = p.expr()
		}
		p.expect("THEN")
		p.mergeAction(&c)
		n.clauses = append(n.clauses, c)
	}
	if len(n.clauses) == 0 {
		p.unexpected("")
	}
	return n
}

func (p *parser) mergeAction(c *mergeClause) {
	switch {
	case c.kind != "NOT MATCHED" && p.word("DELETE"):
		c.action = "DELETE"
	case c.kind != "NOT MATCHED" && p.word("UPDATE", "SET"):
		c.action = "UPDATE"
		if c.all = c.kind == "MATCHED" && p.symbol("*"); !c.all {
			c.set = p.assignments()
		}
	case c.kind == "NOT MATCHED" && p.word("INSERT"):
		c.action = "INSERT"
		if c.all = p.symbol("*"); c.all {
			return
		}
		if p.isSymbol("(") {
			c.columns = p.nameList()
		}
		p.expect("VALUES")
		p.expectSymbol("(")
		c.values = p.exprList()
		p.expectSymbol(")")
	default:
		p.unexpected("")
	}
}
