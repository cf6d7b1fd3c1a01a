package engine

import (
	"fmt"
	"slices"
	"strings"
)

func (t functionTable) addMore() {
	s, n, l, d, bin, ts := typeString, typeInt, typeBigInt, typeDouble, typeBinary, typeTimestamp
	for name, op := range map[string]string{"try_add": "+", "try_subtract": "-", "try_multiply": "*", "try_mod": "%"} {
		t.add(name, 2, 2, func(b *binder, args []bound) bound { return b.tryArithmetic(op, args[0], args[1]) })
	}
	t.plain("regexp_count", 2, 2, n, "dbx_regexp_count", s)
	t.plain("regexp_substr", 2, 2, s, "dbx_regexp_substr", s)
	t.plain("regexp_instr", 2, 2, n, "dbx_regexp_instr", s)
	t.plain("encode", 2, 2, bin, "dbx_encode", s)
	t.plain("substring_index", 3, 3, s, "dbx_substring_index", s, s, n)
	t.plain("levenshtein", 2, 2, n, "dbx_levenshtein", s)
	t.plain("overlay", 3, 4, s, "dbx_overlay", s, s, n)
	t.plain("find_in_set", 2, 2, n, "dbx_find_in_set", s)
	t.plain("soundex", 1, 1, s, "dbx_soundex", s)
	t.plain("bin", 1, 1, s, "dbx_bin", l)
	t.plain("conv", 3, 3, s, "dbx_conv", s, n)
	t.plain("factorial", 1, 1, l, "dbx_factorial", n)
	t.plain("hypot", 2, 2, d, "dbx_hypot", d)
	t.plain("next_day", 2, 2, typeDate, "dbx_next_day", typeDate, s)
	t.add("bit_count", 1, 1, func(b *binder, args []bound) bound {
		if !args[0].typ.isInteger() && args[0].typ.ID != Boolean && args[0].typ.ID != Void {
			fail(errMismatch("bit_count("+args[0].name+")", "the parameter must be an integral type or BOOLEAN."))
		}
		return bound{sql: "dbx_bit_count(" + args[0].sql + ")", typ: n}
	})
	t.add("decode", 2, -1, bindDecode)
	t.add("equal_null", 2, 2, func(b *binder, args []bound) bound { return unnamed(b.compare("<=>", args[0], args[1])) })
	t.add("nullifzero", 1, 1, func(b *binder, args []bound) bound {
		eq := b.compare("=", args[0], b.constant(int64(0), n))
		return bound{sql: "(CASE WHEN " + eq.sql + " THEN NULL ELSE " + args[0].sql + " END)", typ: args[0].typ}
	})
	t.add("zeroifnull", 1, 1, func(b *binder, args []bound) bound {
		v, typ := b.unify("coalesce", args[0], b.constant(int64(0), n))
		return bound{sql: "coalesce(" + v[0].sql + "," + v[1].sql + ")", typ: typ}
	})
	t.add("format_string printf", 1, -1, func(b *binder, args []bound) bound {
		var parts []string
		for _, a := range args {
			parts = append(parts, a.typ.arg(), a.sql)
		}
		return bound{sql: "dbx_format(" + strings.Join(parts, ",") + ")", typ: s}
	})
	t.add("format_number", 2, 2, func(b *binder, args []bound) bound {
		return bound{sql: "dbx_format_number(" + b.numeric("format_number", args[0]).sql + "," + b.coerce(args[1], n).sql + ")", typ: s}
	})
	t.add("make_timestamp", 6, 7, func(b *binder, args []bound) bound {
		zone := constantText(b.zone)
		if len(args) == 7 {
			zone = b.coerce(args[6], s).sql
		}
		return bound{sql: "dbx_make_timestamp(" + b.list(args[:6], []Type{n, n, n, n, n, decimalType(16, 6)}) + "," + zone + ")", typ: ts}
	})
	t.add("months_between", 2, 3, func(b *binder, args []bound) bound {
		round := "1"
		if len(args) == 3 {
			round = b.condition(args[2], "UNEXPECTED_INPUT_TYPE").sql
		}
		return bound{sql: "dbx_months_between(" + b.list(args[:2], []Type{ts}) + "," + round + "," + constantText(b.zone) + ")", typ: d}
	})
	t.add("date_part datepart", 2, 2, func(b *binder, args []bound) bound { return unnamed(t.extract(b, args)) })
	// The parser makes extract(field FROM x) a call of two arguments.
	t.add("extract", 2, 2, func(b *binder, args []bound) bound {
		x := t.extract(b, args)
		x.name = "extract(" + args[0].name + " FROM " + args[1].name + ")"
		return x
	})
	for name, layout := range map[string]string{"dayname": "EEE", "monthname": "MMM"} {
		t.add(name, 1, 1, func(b *binder, args []bound) bound {
			return bound{sql: "dbx_date_format(" + b.coerce(args[0], typeDate).sql + "*86400000000,'" + layout + "','UTC')", typ: s}
		})
	}
	t.add("try_to_timestamp", 1, 2, func(b *binder, args []bound) bound {
		if len(args) == 1 {
			return unnamed(b.convert(args[0], ts, true))
		}
		return bound{sql: "dbx_try_parse_time(" + b.list(args, []Type{s}) + "," + constantText(b.zone) + ")", typ: ts}
	})
	t.add("try_to_date", 1, 2, func(b *binder, args []bound) bound {
		if len(args) == 1 {
			return unnamed(b.convert(args[0], typeDate, true))
		}
		return bound{sql: "dbx_divide('floor',dbx_try_parse_time(" + b.list(args, []Type{s}) + ",'UTC'),86400000000)", typ: typeDate}
	})
}

// extractFields are the fields of extract and date_part, with the function that reads each.
var extractFields = map[string]string{
	"YEAR Y YEARS YR YRS": "year", "QUARTER QTR": "quarter", "MONTH MON MONS MONTHS": "month", "WEEK W WEEKS": "week",
	"DAY D DAYS": "day", "DAYOFWEEK DOW": "dayofweek", "DOY": "dayofyear",
	"HOUR H HOURS HR HRS": "hour", "MINUTE M MIN MINS MINUTES": "minute",
}

// extract reads a field of a date or timestamp. Seconds include their fraction.
func (t functionTable) extract(b *binder, args []bound) bound {
	field, _ := args[0].value.(string)
	for names, function := range extractFields {
		if slices.Contains(strings.Fields(names), strings.ToUpper(field)) {
			return t[function].bind(b, args[1:])
		}
	}
	day := func() string { return b.coerce(args[1], typeDate).sql + "*86400000000,'UTC')" }
	switch strings.ToUpper(field) {
	case "SECOND", "S", "SEC", "SECONDS", "SECS":
		return bound{sql: "dbx_part('second with fraction'," + b.coerce(args[1], typeTimestamp).sql + "," + constantText(b.zone) + ")", typ: decimalType(8, 6)}
	case "DAYOFWEEK_ISO", "DOW_ISO":
		return bound{sql: "(dbx_part('weekday'," + day() + "+1)", typ: typeInt}
	case "YEAROFWEEK":
		return bound{sql: "dbx_part('isoyear'," + day(), typ: typeInt}
	}
	fail(failure("INVALID_EXTRACT_FIELD", "42601", "Cannot extract \"%s\" from \"%s\".", field, args[1].name))
	return bound{}
}

// tryArithmetic is NULL where the operation would overflow or divide by zero.
func (b *binder) tryArithmetic(op string, l, r bound) bound {
	plain := b.arithmetic(op, l, r)
	t := plain.typ
	switch {
	case t.ID == Decimal:
		plain.sql = strings.Replace(plain.sql, "dbx_arith(", "dbx_try_arith(", 1)
	case t.isInteger():
		plain.sql = fmt.Sprintf("dbx_try_arith('%s',%s,%s,%d)", op, b.coerce(l, typeBigInt).sql, b.coerce(r, typeBigInt).sql, t.code())
	}
	plain.name = ""
	return plain
}

// bindDecode is decode(binary, charset), or the CASE that compares with <=> when there are more
// arguments.
func bindDecode(b *binder, args []bound) bound {
	if len(args) == 2 {
		return bound{sql: "dbx_decode(" + b.list(args, []Type{typeBinary, typeString}) + ")", typ: typeString}
	}
	var results []bound
	var conds []string
	i := 1
	for ; i+1 < len(args); i += 2 {
		conds = append(conds, b.compare("<=>", args[0], args[i]).sql)
		results = append(results, args[i+1])
	}
	if i < len(args) {
		results = append(results, args[i])
	}
	v, t := b.unify("decode", results...)
	text := "(CASE"
	for i, cond := range conds {
		text += " WHEN " + cond + " THEN " + v[i].sql
	}
	if len(v) > len(conds) {
		text += " ELSE " + v[len(conds)].sql
	}
	return bound{sql: text + " END)", typ: t}
}
