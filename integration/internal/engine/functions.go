package engine

import (
	"fmt"
	"strings"
)

// function is a scalar function: how many arguments it takes (max < 0: any number) and how a
// call becomes SQLite text.
type function struct {
	min, max int
	bind     func(b *binder, args []bound) bound
}

// functions holds every scalar function by its lower-case name. Functions that begin with
// dbx_ in the SQLite text are Go functions, see scalar.go.
var functions = buildFunctions()

type functionTable map[string]*function

func (t functionTable) add(names string, low, high int, bind func(*binder, []bound) bound) {
	for _, n := range strings.Fields(names) {
		t[n] = &function{low, high, bind}
	}
}

// plain adds functions that convert their arguments to the given types and pass them to one SQLite
// function. The last type applies to all further arguments; VOID leaves an argument as it is.
func (t functionTable) plain(names string, low, high int, ret Type, target string, params ...Type) {
	t.add(names, low, high, func(b *binder, args []bound) bound {
		return bound{sql: target + "(" + b.list(args, params) + ")", typ: ret}
	})
}

// list converts arguments to their types and joins them.
func (b *binder) list(args []bound, params []Type) string {
	texts := make([]string, len(args))
	for i, a := range args {
		if p := params[min(i, len(params)-1)]; p.ID != Void {
			a = b.coerce(b.flat(a, p), p)
		}
		texts[i] = a.sql
	}
	return strings.Join(texts, ",")
}

// flat refuses an ARRAY, MAP or STRUCT as a text parameter: only CAST converts it to text.
func (b *binder) flat(x bound, p Type) bound {
	if p.ID == String && x.typ.isNested() {
		fail(errMismatch(x.name, fmt.Sprintf("the parameter requires the type \"STRING\", however it has the type \"%s\".", x.typ)))
	}
	return x
}

func buildFunctions() functionTable {
	t := functionTable{}
	t.addStrings()
	t.addNumbers()
	t.addConditions()
	t.addDates()
	t.addSession()
	t.addCasts()
	t.addNested()
	t.addMore()
	return t
}

func (t functionTable) addStrings() {
	s, n, bin := typeString, typeInt, typeBinary
	t.plain("upper ucase", 1, 1, s, "dbx_upper", s)
	t.plain("lower lcase", 1, 1, s, "dbx_lower", s)
	t.plain("btrim", 1, 2, s, "dbx_trim", s)
	for _, name := range []string{"trim", "ltrim", "rtrim"} { // the characters to trim come first
		t.add(name, 1, 2, func(b *binder, args []bound) bound {
			if len(args) == 2 {
				args = []bound{args[1], args[0]}
			}
			return bound{sql: "dbx_" + name + "(" + b.list(args, []Type{s}) + ")", typ: s}
		})
	}
	t.plain("replace", 2, 3, s, "dbx_replace", s)
	t.add("reverse", 1, 1, func(b *binder, args []bound) bound {
		if args[0].typ.ID == Array {
			return b.nested("reverse", args[0].typ, args[0])
		}
		return bound{sql: "dbx_reverse(" + b.coerce(args[0], s).sql + ")", typ: s}
	})
	t.plain("repeat", 2, 2, s, "dbx_repeat", s, n)
	t.plain("space", 1, 1, s, "dbx_space", n)
	t.plain("lpad", 2, 3, s, "dbx_lpad", s, n, s)
	t.plain("rpad", 2, 3, s, "dbx_rpad", s, n, s)
	t.plain("substring substr mid", 2, 3, s, "dbx_substring", s, n)
	t.plain("left", 2, 2, s, "dbx_left", s, n)
	t.plain("right", 2, 2, s, "dbx_right", s, n)
	t.plain("instr", 2, 2, n, "dbx_instr", s)
	t.plain("locate position charindex", 2, 3, n, "dbx_locate", s, s, n)
	t.plain("split_part", 3, 3, s, "dbx_split_part", s, s, n)
	t.plain("translate", 3, 3, s, "dbx_translate", s)
	t.plain("initcap", 1, 1, s, "dbx_initcap", s)
	t.add("concat_ws", 1, -1, t.concatWS)
	t.plain("startswith", 2, 2, typeBoolean, "dbx_startswith", s)
	t.plain("endswith", 2, 2, typeBoolean, "dbx_endswith", s)
	t.plain("contains", 2, 2, typeBoolean, "dbx_contains", s)
	t.plain("regexp regexp_like rlike", 2, 2, typeBoolean, "dbx_rlike", s)
	t.plain("regexp_replace", 3, 3, s, "dbx_regexp_replace", s)
	t.plain("regexp_extract", 2, 3, s, "dbx_regexp_extract", s, s, n)
	t.plain("ascii", 1, 1, n, "dbx_ascii", s)
	t.plain("chr char", 1, 1, s, "dbx_chr", typeBigInt)
	t.plain("md5", 1, 1, s, "dbx_md5", bin)
	t.plain("sha sha1", 1, 1, s, "dbx_sha1", bin)
	t.plain("sha2", 2, 2, s, "dbx_sha2", bin, n)
	t.plain("crc32", 1, 1, typeBigInt, "dbx_crc32", bin)
	t.plain("unhex", 1, 1, bin, "dbx_unhex", s)
	t.plain("base64", 1, 1, s, "dbx_base64", bin)
	t.plain("unbase64", 1, 1, bin, "dbx_unbase64", s)
	t.plain("bit_length", 1, 1, n, "8*octet_length", bin)
	t.plain("octet_length", 1, 1, n, "octet_length", bin)
	t.add("concat", 0, -1, func(b *binder, args []bound) bound {
		if len(args) == 0 {
			return bound{sql: "''", typ: typeString}
		}
		if args[0].typ.ID == Array {
			v, typ := b.unify("concat", args...)
			return b.nested("concat", typ, v...)
		}
		return b.concat(args)
	})
	t.add("length len char_length character_length", 1, 1, func(b *binder, args []bound) bound {
		if args[0].typ.ID == Binary {
			return bound{sql: "length(" + args[0].sql + ")", typ: typeInt}
		}
		return bound{sql: "length(" + b.coerce(b.flat(args[0], typeString), typeString).sql + ")", typ: typeInt}
	})
	t.add("hex", 1, 1, func(b *binder, args []bound) bound {
		x := args[0]
		if !x.typ.isInteger() {
			x = b.coerce(b.coerce(x, typeString), typeBinary)
			if args[0].typ.ID == Binary {
				x = args[0]
			}
		}
		return bound{sql: "dbx_hex(" + x.sql + ")", typ: typeString}
	})
}

// concatWS joins texts and the elements of arrays of texts.
func (t functionTable) concatWS(b *binder, args []bound) bound {
	parts := []bound{b.coerce(args[0], typeString)}
	for _, a := range args[1:] {
		if a.typ.ID == Array {
			full := t["array_compact"].bind(b, []bound{a})
			size := t["size"].bind(b, []bound{full})
			joined := t["array_join"].bind(b, []bound{full, parts[0]})
			// An array without texts adds none, not an empty one.
			a = bound{sql: "(CASE WHEN " + size.sql + ">0 THEN " + joined.sql + " END)", typ: typeString, name: a.name}
		}
		parts = append(parts, a)
	}
	return bound{sql: "dbx_concat_ws(" + b.list(parts, []Type{typeString}) + ")", typ: typeString}
}

func (t functionTable) addNumbers() {
	d, n, l := typeDouble, typeInt, typeBigInt
	for _, name := range strings.Fields("sqrt exp ln log2 log10 sin cos tan asin acos atan sinh cosh tanh cbrt degrees radians signum") {
		t.add(name, 1, 1, func(b *binder, args []bound) bound {
			return bound{sql: "dbx_math('" + name + "'," + b.coerce(args[0], typeDouble).sql + ")", typ: typeDouble}
		})
	}
	t["sign"] = t["signum"]
	t.plain("pow power", 2, 2, d, "dbx_power", d)
	t.plain("atan2", 2, 2, d, "dbx_atan2", d)
	t.plain("log", 1, 2, d, "dbx_log", d)
	t.add("isnan", 1, 1, func(*binder, []bound) bound { return bound{sql: "(0)", typ: typeBoolean} }) // NaN is stored as NULL
	t.plain("pi", 0, 0, d, "dbx_pi", d)
	t.plain("e", 0, 0, d, "dbx_e", d)
	t.plain("rand random", 0, 1, d, "dbx_rand", l)
	for _, name := range []string{"shiftleft", "shiftright"} {
		t.add(name, 2, 2, func(b *binder, args []bound) bound {
			typ := l
			if args[0].typ.ID != BigInt {
				typ = n
			}
			return bound{sql: "dbx_" + name + "(" + b.list(args, []Type{typ, n}) + "," + typ.arg() + ")", typ: typ}
		})
	}
	operator := func(op string) func(*binder, []bound) bound {
		return func(b *binder, args []bound) bound { return b.arithmetic(op, args[0], args[1]) }
	}
	t.add("mod", 2, 2, operator("%"))
	t.add("pmod", 2, 2, operator("pmod"))
	t.add("div", 2, 2, operator("DIV"))
	t.add("try_divide", 2, 2, func(b *binder, args []bound) bound {
		r := args[1]
		zero := bound{sql: "nullif(" + sortable(r) + ",0)", typ: r.typ, name: r.name}
		if r.typ.ID == Decimal {
			zero.sql = "nullif(" + sortable(r) + ",'0')"
		}
		x := b.arithmetic("/", args[0], zero)
		x.name = ""
		return x
	})
	t.add("abs", 1, 1, func(b *binder, args []bound) bound {
		x := b.numeric("abs", args[0])
		if x.typ.ID == Decimal {
			return bound{sql: "ltrim(" + x.sql + ",'-')", typ: x.typ}
		}
		return bound{sql: "abs(" + x.sql + ")", typ: x.typ}
	})
	t.add("negative", 1, 1, func(b *binder, args []bound) bound {
		return b.arithmetic("-", b.constant(int64(0), typeInt), args[0])
	})
	t.add("ceil ceiling", 1, 1, func(b *binder, args []bound) bound { return b.wholeNumber("ceil", args[0]) })
	t.add("floor", 1, 1, func(b *binder, args []bound) bound { return b.wholeNumber("floor", args[0]) })
	t.add("round", 1, 2, bindRound("round"))
	t.add("bround", 1, 2, bindRound("bround"))
	t.add("greatest", 2, -1, bindBest("greatest"))
	t.add("least", 2, -1, bindBest("least"))
}

// wholeNumber is ceil or floor: BIGINT, or a decimal without fraction.
func (b *binder) wholeNumber(fn string, x bound) bound {
	x = b.numeric(fn, x)
	switch {
	case x.typ.isInteger():
		return bound{sql: x.sql, typ: typeBigInt}
	case x.typ.ID == Decimal:
		t := decimalType(min(x.typ.Precision-x.typ.Scale+1, maxPrecision), 0)
		return bound{sql: fmt.Sprintf("dbx_%s(%s,%d)", fn, x.sql, t.code()), typ: t}
	}
	return bound{sql: fmt.Sprintf("dbx_%s(%s,%d)", fn, x.sql, typeBigInt.code()), typ: typeBigInt}
}

func bindRound(name string) func(*binder, []bound) bound {
	return func(b *binder, args []bound) bound {
		x := b.numeric(name, args[0])
		places := int64(0)
		if len(args) == 2 {
			n, ok := b.coerce(args[1], typeInt).value.(int64)
			if !ok {
				fail(failure("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "42K09", "The scale of %s must be a constant, not \"%s\".", name, args[1].name))
			}
			places = n
		}
		t := x.typ
		if t.ID == Decimal {
			s := int32(min(max(places, 0), int64(t.Scale)))
			t = boundedDecimal(min(t.Precision-t.Scale+s+1, maxPrecision), s)
		}
		return bound{sql: fmt.Sprintf("dbx_%s(%s,%d,%d)", name, x.sql, places, t.code()), typ: t}
	}
}

// bindBest is greatest or least, which skip NULLs.
func bindBest(name string) func(*binder, []bound) bound {
	return func(b *binder, args []bound) bound {
		v, t := b.unify(name, args...)
		return bound{sql: fmt.Sprintf("dbx_%s(%s,%s)", name, t.arg(), b.list(v, []Type{typeVoid})), typ: t}
	}
}

func (t functionTable) addConditions() {
	t.add("if iff", 3, 3, func(b *binder, args []bound) bound {
		v, typ := b.unify("if", args[1], args[2])
		return bound{sql: "(CASE WHEN " + b.condition(args[0], "UNEXPECTED_INPUT_TYPE").sql + " THEN " + v[0].sql + " ELSE " + v[1].sql + " END)", typ: typ,
			name: "(IF(" + args[0].name + ", " + args[1].name + ", " + args[2].name + "))"}
	})
	t.add("nvl2", 3, 3, func(b *binder, args []bound) bound {
		v, typ := b.unify("nvl2", args[1], args[2])
		return bound{sql: "(CASE WHEN " + args[0].sql + " IS NOT NULL THEN " + v[0].sql + " ELSE " + v[1].sql + " END)", typ: typ}
	})
	t.add("coalesce nvl ifnull", 1, -1, func(b *binder, args []bound) bound {
		v, typ := b.unify("coalesce", args...)
		if len(v) == 1 {
			return bound{sql: v[0].sql, typ: typ}
		}
		return bound{sql: "coalesce(" + b.list(v, []Type{typeVoid}) + ")", typ: typ}
	})
	t.add("nullif", 2, 2, func(b *binder, args []bound) bound {
		eq := b.compare("=", args[0], args[1])
		return bound{sql: "(CASE WHEN " + eq.sql + " THEN NULL ELSE " + args[0].sql + " END)", typ: args[0].typ}
	})
	t.add("isnull", 1, 1, func(_ *binder, args []bound) bound {
		return bound{sql: "(" + args[0].sql + " IS NULL)", typ: typeBoolean, name: "(" + args[0].name + " IS NULL)"}
	})
	t.add("isnotnull", 1, 1, func(_ *binder, args []bound) bound {
		return bound{sql: "(" + args[0].sql + " IS NOT NULL)", typ: typeBoolean, name: "(" + args[0].name + " IS NOT NULL)"}
	})
}

func (t functionTable) addSession() {
	s := typeString
	t.add("current_catalog", 0, 0, func(b *binder, _ []bound) bound { return unnamed(b.constant(b.catalog, s)) })
	t.add("current_schema current_database", 0, 0, func(b *binder, _ []bound) bound { return unnamed(b.constant(b.schema, s)) })
	t.add("current_user user session_user", 0, 0, func(b *binder, _ []bound) bound { return unnamed(b.constant(b.user, s)) })
	t.add("current_timezone", 0, 0, func(b *binder, _ []bound) bound { return unnamed(b.constant(b.zone, s)) })
	t.add("version", 0, 0, func(b *binder, _ []bound) bound {
		return unnamed(b.constant("4.0.0 0000000000000000000000000000000000000000", s))
	})
	t.plain("uuid", 0, 0, s, "dbx_uuid", s)
	t.add("typeof", 1, 1, func(b *binder, args []bound) bound {
		return unnamed(b.constant(args[0].typ.simple(), s))
	})
	// sleep(seconds) exists only in this engine: it waits, ends early with the statement's context,
	// and returns 0.
	t.add("sleep", 1, 1, func(b *binder, args []bound) bound {
		return bound{sql: fmt.Sprintf("dbx_sleep(%d,%s)", b.handle, b.coerce(args[0], typeDouble).sql), typ: typeInt}
	})
}

// unnamed removes a constant's column header, so that it gets that of its call.
func unnamed(x bound) bound {
	x.name = ""
	return x
}

// addCasts adds the functions that are named after the type they convert to.
func (t functionTable) addCasts() {
	for _, name := range strings.Fields("boolean tinyint smallint int bigint float double string binary date timestamp decimal") {
		to := Type{ID: typeNames[strings.ToUpper(name)]}
		if to.ID == Decimal {
			to.Precision = 10
		}
		t.add(name, 1, 1, func(b *binder, args []bound) bound {
			r := b.coerce(args[0], to)
			r.name = ""
			return r
		})
	}
	t.add("to_binary", 1, 1, func(b *binder, args []bound) bound {
		return bound{sql: "dbx_unhex(" + b.coerce(args[0], typeString).sql + ")", typ: typeBinary}
	})
}
