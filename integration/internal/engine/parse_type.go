package engine

import "strconv"

// typeName takes a data type.
func (p *parser) typeName() Type {
	defer p.enter()()
	t := p.peek()
	name := t.upper()
	switch name {
	case "ARRAY", "MAP", "STRUCT":
		p.i++
		return p.nestedType(name)
	case "INTERVAL", "VARIANT", "OBJECT", "GEOGRAPHY", "GEOMETRY":
		fail(errUnsupported("DATA_TYPE", "data type "+name))
	}
	id, ok := typeNames[name]
	if !ok {
		if t.kind != tokWord && t.kind != tokQuoted {
			p.unexpected("")
		}
		fail(atOffset("UNSUPPORTED_DATATYPE", "0A000", "Unsupported data type "+strconv.Quote(p.sql[t.at:t.end])+".", p.sql, t.at))
	}
	p.i++
	typ := Type{ID: id}
	if id == Decimal {
		typ.Precision = 10
	}
	if id != Decimal && name != "VARCHAR" && name != "CHAR" && name != "CHARACTER" || !p.symbol("(") {
		return typ
	}
	n := p.integer()
	s := int64(0)
	if id == Decimal && p.symbol(",") {
		s = p.integer()
	}
	p.expectSymbol(")")
	if id == Decimal {
		if n < 1 || n > maxPrecision || s > n {
			fail(failure("DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", "22003",
				"Decimal precision %d exceeds max precision %d.", max(n, s), maxPrecision))
		}
		typ.Precision, typ.Scale = int32(n), int32(s)
	}
	return typ
}

// nestedType reads from the opening angle bracket on.
func (p *parser) nestedType(name string) Type {
	if name == "STRUCT" && p.symbol("<>") {
		return structOf()
	}
	p.expectSymbol("<")
	var t Type
	switch name {
	case "ARRAY":
		t = arrayOf(p.typeName())
	case "MAP":
		key := p.typeName()
		p.expectSymbol(",")
		t = mapOf(key, p.typeName())
	default:
		t = structOf(p.fields()...)
	}
	if p.peek().text == ">>" { // of ARRAY<ARRAY<INT>>: two brackets
		closing := &p.tokens[p.i]
		closing.text, closing.at = ">", closing.at+1
		return t
	}
	p.expectSymbol(">")
	return t
}

// fields reads the fields of a STRUCT, or of a schema as from_json takes it.
func (p *parser) fields() []Member {
	var fields []Member
	for {
		f := Member{Name: p.anyIdentifier()}
		if t := &p.tokens[p.i]; t.kind == tokNamed { // a:INT without a space, not a parameter
			t.kind, t.at = tokWord, t.at+1
		} else {
			p.symbol(":")
		}
		f.Type = p.typeName()
		p.word("NOT", "NULL")
		if p.word("COMMENT") {
			p.stringLiteral()
		}
		fields = append(fields, f)
		if !p.symbol(",") {
			return fields
		}
	}
}

// parseSchema reads a type, or the list of fields of a STRUCT.
func parseSchema(text string) (t Type, err *Error) {
	defer catch(&err)
	for _, read := range []func(*parser) Type{
		(*parser).typeName,
		func(p *parser) Type { return structOf(p.fields()...) },
	} {
		tokens, bad := lex(text)
		if bad != nil {
			return t, bad
		}
		p := &parser{sql: text, tokens: tokens}
		if t, err = p.whole(read); err == nil {
			return t, nil
		}
	}
	return t, err
}

// whole reads a type that must be all of the text.
func (p *parser) whole(read func(*parser) Type) (t Type, err *Error) {
	defer catch(&err)
	t = read(p)
	if p.peek().kind != tokEnd {
		p.unexpected("")
	}
	return t, nil
}
