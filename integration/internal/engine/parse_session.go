package engine

func (p *parser) settingKey() string {
	key := p.anyIdentifier()
	for p.symbol(".") {
		key += "." + p.anyIdentifier()
	}
	return key
}

// set reads SET, SET key, SET key = value and SET TIME ZONE. A value may be written bare.
func (p *parser) set() statement {
	if p.peek().kind == tokEnd || p.isSymbol(";") {
		return &set{}
	}
	n := &set{}
	if p.word("TIME", "ZONE") {
		n.key = "timezone"
	} else {
		if p.is("VARIABLE") || p.is("VAR") {
			fail(errUnsupported("STATEMENT", "SET VARIABLE"))
		}
		n.key = p.settingKey()
		if !p.symbol("=") {
			return n
		}
	}
	n.has = true
	if t := p.peek(); t.kind == tokString {
		p.i++
		n.value = t.text
		return n
	}
	start, end := p.peek().at, p.peek().at
	for p.peek().kind != tokEnd && !p.isSymbol(";") {
		end = p.next().end
	}
	n.value = p.sql[start:end]
	return n
}

func (p *parser) show() statement {
	n := &show{}
	switch {
	case p.word("TABLES"), p.word("VIEWS"):
		n.kind = p.tokens[p.i-1].upper()
	case p.word("SCHEMAS"), p.word("DATABASES"):
		n.kind = "SCHEMAS"
	case p.word("CATALOGS"), p.word("COLUMNS"), p.word("FUNCTIONS"):
		n.kind = p.tokens[p.i-1].upper()
	case p.word("CREATE", "TABLE"):
		n.kind, n.parts = "CREATE", p.tableName()
		return n
	case p.is("GRANTS"), p.is("TBLPROPERTIES"), p.is("PARTITIONS"), p.is("VOLUMES"), p.is("TABLE"), p.is("USERS"), p.is("GROUPS"), p.is("GRANT"),
		p.is("CONNECTIONS"), p.is("CREDENTIALS"), p.is("SHARES"), p.is("RECIPIENTS"), p.is("PROVIDERS"), p.is("PROCEDURES"), p.is("ALL"), p.is("VARIABLES"),
		p.is("EXTERNAL"), p.is("POLICIES"), p.is("SYSTEM"), p.is("USER"):
		fail(errUnsupported("STATEMENT", "SHOW "+p.peek().upper()))
	default:
		p.unexpected("")
	}
	if p.word("FROM") || p.word("IN") {
		n.parts = p.name()
		if n.kind == "COLUMNS" && (p.word("FROM") || p.word("IN")) {
			n.parts = append(p.name(), n.parts...)
		}
	}
	if n.kind == "COLUMNS" && n.parts == nil {
		p.unexpected("")
	}
	if p.word("LIKE") || p.peek().kind == tokString {
		n.pattern = p.stringLiteral()
	}
	return n
}

func (p *parser) describe() statement {
	n := &describe{}
	if p.word("QUERY") || p.startsQuery() && !p.is("TABLE") {
		n.q = p.query()
		return n
	}
	if p.is("SCHEMA") || p.is("DATABASE") || p.is("CATALOG") || p.is("FUNCTION") || p.is("HISTORY") || p.is("DETAIL") && p.peekAt(1).kind == tokWord ||
		p.is("VOLUME") || p.is("CONNECTION") || p.is("SHARE") || p.is("RECIPIENT") || p.is("PROVIDER") || p.is("CREDENTIAL") {
		fail(errUnsupported("STATEMENT", "DESCRIBE "+p.peek().upper()))
	}
	p.word("TABLE")
	n.extended = p.word("EXTENDED")
	n.parts = p.tableName()
	return n
}
