package engine

import (
	"fmt"
	"strings"
)

// nested writes a call of one of nestedFunctions: its name, the type of the result, and every
// argument preceded by its type.
func (b *binder) nested(name string, ret Type, args ...bound) bound {
	var text strings.Builder
	text.WriteString("dbx_nested('" + name + "'," + constantText(b.zone) + "," + ret.arg())
	for _, a := range args {
		text.WriteString("," + a.typ.arg() + "," + a.sql)
	}
	text.WriteString(")")
	return bound{sql: text.String(), typ: ret}
}

// fields follows the names of fields into a STRUCT, or an ARRAY of them.
func (b *binder) fields(x bound, names ...string) bound {
	for _, name := range names {
		switch {
		case x.typ.ID == Struct:
			i := x.typ.fieldIndex(name)
			if i < 0 {
				fail(noField(name, x.typ))
			}
			x = b.nested("field", x.typ.Members()[i].Type, x, b.constant(int64(i), typeInt))
		case x.typ.ID == Array && x.typ.element().ID == Struct:
			i := x.typ.element().fieldIndex(name)
			if i < 0 {
				fail(noField(name, x.typ.element()))
			}
			x = b.nested("fields", arrayOf(x.typ.element().Members()[i].Type), x, b.constant(int64(i), typeInt))
		case x.typ.ID == Map && x.typ.element().ID == String:
			x = b.nested("map_value", x.typ.value(), x, b.constant(name, typeString))
		default:
			fail(failure("INVALID_EXTRACT_BASE_FIELD_TYPE", "42000", "Can't extract a value from \"%s\". Need a complex type [STRUCT, ARRAY, MAP] but got \"%s\".", x.name, x.typ))
		}
		x.name = name
	}
	return x
}

func noField(name string, t Type) *Error {
	var have []string
	for _, m := range t.Members() {
		have = append(have, quoteParts(m.Name))
	}
	return failure("FIELD_NOT_FOUND", "42704", "No such struct field %s in %s.", quoteParts(name), strings.Join(have, ", "))
}

// index binds x[i].
func (b *binder) index(x, i bound) bound {
	name := x.name + "[" + i.name + "]"
	text, constant := i.value.(string)
	var r bound
	switch x.typ.ID {
	case Array:
		if i.typ.ID == String || !castable(i.typ, typeBigInt) {
			fail(errMismatch(name, "the index must be an integer."))
		}
		r = b.nested("item", x.typ.element(), x, b.coerce(i, typeBigInt))
	case Map:
		r = b.nested("map_value", x.typ.value(), x, b.coerce(i, x.typ.element()))
	case Struct:
		if !constant {
			fail(failure("INVALID_EXTRACT_FIELD", "42601", "Cannot extract \"%s\" from \"%s\".", i.name, x.name))
		}
		r = b.fields(x, text)
	default:
		fail(failure("INVALID_EXTRACT_BASE_FIELD_TYPE", "42000", "Can't extract a value from \"%s\". Need a complex type [STRUCT, ARRAY, MAP] but got \"%s\".", x.name, x.typ))
	}
	r.name = name
	return r
}

// structValue makes a STRUCT. A field without a name is named after its position.
func (b *binder) structValue(values []bound, names []string) bound {
	members := make([]Member, len(values))
	for i, v := range values {
		members[i] = Member{fmt.Sprintf("col%d", i+1), v.typ}
		if i < len(names) && names[i] != "" {
			members[i].Name = names[i]
		}
	}
	r := b.nested("make", structOf(members...), values...)
	r.name = structName(values)
	return r
}

// structCall binds struct(...), whose fields are named after the columns they come from.
func (b *binder) structCall(s *scope, n *call) bound {
	var values []bound
	var names []string
	if n.star && s != nil {
		for _, v := range b.selectItem(s, selectItem{x: &star{at: n.at}}) {
			values, names = append(values, v), append(names, v.name)
		}
	}
	for _, arg := range n.args {
		v := b.expr(s, arg)
		name := ""
		switch arg.(type) {
		case *nameRef, *field, *aliased:
			name = v.name
		}
		values, names = append(values, v), append(names, name)
	}
	return b.structValue(values, names)
}

func (t functionTable) addNested() {
	t.add("array", 0, -1, func(b *binder, args []bound) bound {
		v, element := b.unify("array", args...)
		return b.nested("make", arrayOf(element), v...)
	})
	t.add("map", 0, -1, func(b *binder, args []bound) bound {
		if len(args)%2 == 1 {
			fail(failure("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The `map` requires 2n (n > 0) parameters but the actual number is %d.", len(args)))
		}
		var keys, values []bound
		for i := 0; i < len(args); i += 2 {
			keys, values = append(keys, args[i]), append(values, args[i+1])
		}
		keys, key := b.unify("map", keys...)
		values, value := b.unify("map", values...)
		var all []bound
		for i := range keys {
			all = append(all, keys[i], values[i])
		}
		return b.nested("map", mapOf(key, value), all...)
	})
	t.add("named_struct", 0, -1, func(b *binder, args []bound) bound {
		var names []string
		var values []bound
		for i := 0; i+1 < len(args); i += 2 {
			name, ok := args[i].value.(string)
			if !ok {
				fail(errMismatch("named_struct", "only foldable STRING expressions are allowed to appear at odd position."))
			}
			names, values = append(names, name), append(values, args[i+1])
		}
		if len(args)%2 == 1 {
			fail(failure("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The `named_struct` requires 2n (n > 0) parameters but the actual number is %d.", len(args)))
		}
		return unnamed(b.structValue(values, names))
	})
	t.addArrays()
	t.addMaps()
	t.addJSON()
}

// want fails unless an argument has the type or is NULL.
func (b *binder) want(id TypeID, x bound) bound {
	switch {
	case x.typ.ID == id:
		return x
	case x.typ.ID == Void && id == Array:
		return bound{sql: x.sql, typ: arrayOf(typeVoid), name: x.name}
	case x.typ.ID == Void:
		return bound{sql: x.sql, typ: mapOf(typeVoid, typeVoid), name: x.name}
	}
	fail(errMismatch(x.name, fmt.Sprintf("the parameter requires the \"%s\" type, however \"%s\" has the type \"%s\".", Type{ID: id}.kind(), x.name, x.typ)))
	return x
}

func (t Type) kind() string {
	if t.ID == Array {
		return "ARRAY"
	}
	return "MAP"
}

// sameElements brings an array and a value to one element type, and two arrays likewise.
func (b *binder) sameElements(what string, array, x bound) (bound, bound) {
	v, _ := b.unify(what, array, bound{sql: x.sql, typ: arrayOf(x.typ), name: x.name})
	element := v[0].typ.element()
	return v[0], b.coerce(x, element)
}

func (t functionTable) addArrays() {
	// Functions of one array: the type of their result is that of the array, of its element, or
	// fixed.
	same := func(a Type) Type { return a }
	element := func(a Type) Type { return a.element() }
	fixed := func(t Type) func(Type) Type { return func(Type) Type { return t } }
	one := func(name string, ret func(Type) Type, extra ...Type) {
		t.add(name, 1, 1+len(extra), func(b *binder, args []bound) bound {
			a := b.want(Array, args[0])
			all := []bound{a}
			for i, x := range args[1:] {
				all = append(all, b.coerce(x, extra[i]))
			}
			return b.nested(name, ret(a.typ), all...)
		})
	}
	one("array_distinct", same)
	one("array_compact", same)
	one("array_size", fixed(typeInt))
	one("array_max", element)
	one("array_min", element)
	one("flatten", element)
	one("sort_array", same, typeBoolean)
	one("array_join", fixed(typeString), typeString, typeString)
	t.add("array_sort", 1, 1, func(b *binder, args []bound) bound {
		a := b.want(Array, args[0])
		return b.nested("array_sort", a.typ, a)
	})
	t.add("array_insert", 3, 3, func(b *binder, args []bound) bound {
		a, x := b.sameElements("array_insert", b.want(Array, args[0]), args[2])
		return b.nested("array_insert", a.typ, a, b.coerce(args[1], typeInt), x)
	})
	t.add("slice", 3, 3, func(b *binder, args []bound) bound {
		a := b.want(Array, args[0])
		return b.nested("slice", a.typ, a, b.coerce(args[1], typeInt), b.coerce(args[2], typeInt))
	})
	t.add("get", 2, 2, func(b *binder, args []bound) bound {
		a := b.want(Array, args[0])
		return b.nested("get", a.typ.element(), a, b.coerce(args[1], typeBigInt))
	})
	// Functions of an array and a value.
	with := func(name string, ret func(Type) Type) {
		t.add(name, 2, 2, func(b *binder, args []bound) bound {
			a, x := b.sameElements(name, b.want(Array, args[0]), args[1])
			return b.nested(name, ret(a.typ), a, x)
		})
	}
	with("array_contains", fixed(typeBoolean))
	with("array_position", fixed(typeBigInt))
	with("array_remove", same)
	with("array_append", same)
	with("array_prepend", same)
	// Functions of two arrays.
	two := func(name string, ret func(Type) Type) {
		t.add(name, 2, 2, func(b *binder, args []bound) bound {
			v, typ := b.unify(name, b.want(Array, args[0]), b.want(Array, args[1]))
			return b.nested(name, ret(typ), v...)
		})
	}
	two("array_union", same)
	two("array_intersect", same)
	two("array_except", same)
	two("arrays_overlap", fixed(typeBoolean))
	t.add("array_repeat", 2, 2, func(b *binder, args []bound) bound {
		return b.nested("array_repeat", arrayOf(args[0].typ), args[0], b.coerce(args[1], typeInt))
	})
	t.add("arrays_zip", 1, -1, func(b *binder, args []bound) bound {
		fields := make([]Member, len(args))
		for i, a := range args {
			name := a.name // of a column; anything else is named after its position
			if name == "" || isDigit(name[0]) || lexWord(name, 0) != len(name) {
				name = fmt.Sprint(i)
			}
			fields[i] = Member{name, b.want(Array, a).typ.element()}
		}
		return b.nested("arrays_zip", arrayOf(structOf(fields...)), args...)
	})
	t.add("sequence", 2, 3, bindSequence)
	t.add("split", 2, 3, func(b *binder, args []bound) bound {
		all := []bound{b.coerce(args[0], typeString), b.coerce(args[1], typeString), b.constant(int64(-1), typeInt)}
		if len(args) == 3 {
			all[2] = b.coerce(args[2], typeInt)
		}
		return b.nested("split", arrayOf(typeString), all...)
	})
	t.add("regexp_extract_all", 2, 3, func(b *binder, args []bound) bound {
		all := []bound{b.coerce(args[0], typeString), b.coerce(args[1], typeString), b.constant(int64(1), typeInt)}
		if len(args) == 3 {
			all[2] = b.coerce(args[2], typeInt)
		}
		return b.nested("regexp_extract_all", arrayOf(typeString), all...)
	})
}

func bindSequence(b *binder, args []bound) bound {
	step := b.constant(nil, typeVoid)
	if args[0].typ.ID == Date || args[0].typ.ID == Timestamp || args[1].typ.ID == Date || args[1].typ.ID == Timestamp {
		if len(args) == 3 {
			step = args[2]
		}
		if step.typ.ID != Void && step.typ.ID != intervalMonth && step.typ.ID != intervalDay {
			fail(errMismatch("sequence", "the step of a sequence of dates must be an INTERVAL."))
		}
		v, t := b.unify("sequence", args[0], args[1])
		return b.nested("time_sequence", arrayOf(t), v[0], v[1], step)
	}
	if len(args) == 3 {
		v, t := b.unify("sequence", args...)
		return b.nested("sequence", arrayOf(t), v[0], v[1], v[2])
	}
	v, t := b.unify("sequence", args...)
	if !t.isInteger() {
		fail(errMismatch("sequence", "the bounds must be integers, dates or timestamps."))
	}
	return b.nested("sequence", arrayOf(t), v[0], v[1], step)
}

func (t functionTable) addMaps() {
	either := func(name string, bind func(b *binder, args []bound) bound) {
		t.add(name, 2, 2, func(b *binder, args []bound) bound {
			if args[0].typ.ID == Map {
				return b.nested("map_value", args[0].typ.value(), args[0], b.coerce(args[1], args[0].typ.element()))
			}
			return bind(b, args)
		})
	}
	for _, name := range []string{"element_at", "try_element_at"} {
		either(name, func(b *binder, args []bound) bound {
			a := b.want(Array, args[0])
			return b.nested(name, a.typ.element(), a, b.coerce(args[1], typeInt))
		})
	}
	t.add("size cardinality", 1, 1, func(b *binder, args []bound) bound {
		if args[0].typ.ID == Map {
			return b.nested("array_size", typeInt, args[0])
		}
		return b.nested("array_size", typeInt, b.want(Array, args[0]))
	})
	one := func(name string, ret func(Type) Type) {
		t.add(name, 1, 1, func(b *binder, args []bound) bound {
			m := b.want(Map, args[0])
			return b.nested(name, ret(m.typ), m)
		})
	}
	one("map_keys", func(m Type) Type { return arrayOf(m.element()) })
	one("map_values", func(m Type) Type { return arrayOf(m.value()) })
	one("map_entries", func(m Type) Type { return arrayOf(structOf(m.Members()...)) })
	t.add("map_contains_key", 2, 2, func(b *binder, args []bound) bound {
		m := b.want(Map, args[0])
		return b.nested("map_contains_key", typeBoolean, m, b.coerce(args[1], m.typ.element()))
	})
	t.add("map_concat", 0, -1, func(b *binder, args []bound) bound {
		v, typ := b.unify("map_concat", args...)
		if typ.ID != Map {
			typ = mapOf(typeString, typeString)
		}
		return b.nested("map_concat", typ, v...)
	})
	t.add("map_from_arrays", 2, 2, func(b *binder, args []bound) bound {
		k, v := b.want(Array, args[0]), b.want(Array, args[1])
		return b.nested("map_from_arrays", mapOf(k.typ.element(), v.typ.element()), k, v)
	})
	t.add("map_from_entries", 1, 1, func(b *binder, args []bound) bound {
		a := b.want(Array, args[0])
		fields := a.typ.element().Members()
		if a.typ.element().ID != Struct || len(fields) != 2 {
			fail(errMismatch("map_from_entries", "the parameter must be an array of pair structs."))
		}
		return b.nested("map_from_entries", mapOf(fields[0].Type, fields[1].Type), a)
	})
	t.add("str_to_map", 1, 3, func(b *binder, args []bound) bound {
		all := []bound{b.coerce(args[0], typeString), b.constant(",", typeString), b.constant(":", typeString)}
		for i, x := range args[1:] {
			all[i+1] = b.coerce(x, typeString)
		}
		return b.nested("str_to_map", mapOf(typeString, typeString), all...)
	})
}
