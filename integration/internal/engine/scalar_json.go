package engine

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
)

// jsonObject keeps the order of its fields. The other JSON values are nil, bool, json.Number,
// string and []any.
type jsonObject []jsonField

type jsonField struct {
	name  string
	value any
}

func (o jsonObject) get(name string) (any, bool) {
	for _, f := range o {
		if f.name == name {
			return f.value, true
		}
	}
	return nil, false
}

// find is get with a case-insensitive name, which must not match two fields.
func (o jsonObject) find(name string) (v any, ok bool) {
	for _, f := range o {
		if !strings.EqualFold(f.name, name) {
			continue
		}
		if ok {
			fail(failure("AMBIGUOUS_REFERENCE_TO_FIELDS", "42000", "Ambiguous reference to the field `%s`. It appears 2 times in the schema.", name))
		}
		v, ok = f.value, true
	}
	return v, ok
}

func parseJSON(text string) (any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	v, err := readJSON(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one value")
	}
	return v, nil
}

func readJSON(d *json.Decoder, depth int) (any, error) {
	if depth > maxNesting {
		return nil, errors.New("nested too deeply")
	}
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return token, nil
	}
	list, object := []any{}, jsonObject{}
	for d.More() {
		name := ""
		if delim == '{' {
			token, err := d.Token()
			if err != nil {
				return nil, err
			}
			name, _ = token.(string)
		}
		v, err := readJSON(d, depth+1)
		if err != nil {
			return nil, err
		}
		if delim == '{' {
			object = append(object, jsonField{name, v})
		} else {
			list = append(list, v)
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if delim == '{' {
		return object, nil
	}
	return list, nil
}

func writeJSON(out []byte, v any) []byte {
	switch x := v.(type) {
	case jsonObject:
		out = append(out, '{')
		for i, f := range x {
			if i > 0 {
				out = append(out, ',')
			}
			out = writeJSON(append(writeJSON(out, f.name), ':'), f.value)
		}
		return append(out, '}')
	case []any:
		out = append(out, '[')
		for i, p := range x {
			if i > 0 {
				out = append(out, ',')
			}
			out = writeJSON(out, p)
		}
		return append(out, ']')
	case string:
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		_ = e.Encode(x) // a string can always be encoded
		return append(out, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
	case json.Number:
		return append(out, x...)
	case bool:
		return strconv.AppendBool(out, x)
	}
	return append(out, "null"...)
}

// ofJSON converts a JSON value as from_json does: a value that does not fit the type is NULL.
func ofJSON(v any, t Type, loc *time.Location) any {
	switch x := v.(type) {
	case nil:
		return nil
	case jsonObject:
		switch t.ID {
		case Struct:
			out := []any{}
			for _, m := range t.Members() {
				field, _ := x.get(m.Name)
				out = append(out, ofJSON(field, m.Type, loc))
			}
			return out
		case Map:
			entries := []any{}
			for _, f := range x {
				k, err := castValue(f.name, typeString, t.element(), loc)
				if err != nil {
					return nil
				}
				entries = append(entries, []any{k, ofJSON(f.value, t.value(), loc)})
			}
			return entries
		}
	case []any:
		if t.ID == Array {
			out := []any{}
			for _, p := range x {
				out = append(out, ofJSON(p, t.element(), loc))
			}
			return out
		}
	case string:
		if t.ID == String {
			return x
		}
		if t.isNested() || t.isNumeric() {
			return nil
		}
		if c, err := castValue(x, typeString, t, loc); err == nil {
			return c
		}
		return nil
	case bool:
		if t.ID == Boolean {
			return truth(x)
		}
	case json.Number:
		if t.isNumeric() && (!t.isInteger() || !strings.ContainsAny(x.String(), ".eE")) {
			if c, err := castValue(x.String(), typeString, t, loc); err == nil {
				return c
			}
			return nil
		}
	}
	if t.ID == String { // anything else as it is written
		return string(writeJSON(nil, v))
	}
	return nil
}

// asJSON converts a value as to_json does: fields that are NULL are left out.
func asJSON(v any, t Type, loc *time.Location) any {
	if v == nil {
		return nil
	}
	switch t.ID {
	case Boolean:
		return integerArg(v) != 0
	case TinyInt, SmallInt, Int, BigInt, Float, Double, Decimal:
		return json.Number(formatValue(v, t, loc))
	case Timestamp:
		return time.UnixMicro(integerArg(v)).In(loc).Format("2006-01-02T15:04:05.000Z07:00")
	case Binary:
		return base64.StdEncoding.EncodeToString(bytesArg(v))
	case Array:
		out := []any{}
		for _, p := range v.([]any) {
			out = append(out, asJSON(p, t.element(), loc))
		}
		return out
	case Map:
		out := jsonObject{}
		for _, e := range v.([]any) {
			entry := e.([]any)
			out = append(out, jsonField{formatPart(entry[0], t.element(), loc), asJSON(entry[1], t.value(), loc)})
		}
		return out
	case Struct:
		out := jsonObject{}
		for i, m := range t.Members() {
			if p := v.([]any)[i]; p != nil {
				out = append(out, jsonField{m.Name, asJSON(p, m.Type, loc)})
			}
		}
		return out
	}
	return formatValue(v, t, loc)
}

// jsonStep is one step of a JSON path: a field, an element, or all of them.
type jsonStep struct {
	name  string
	index int
	kind  byte // '.', '[' or '*', or '~' for a field whose case does not matter
}

// jsonPath reads $.a['b']["b"][0][*], and [~'a'], which is how the parser writes the identifiers
// of a colon path.
func jsonPath(path string) ([]jsonStep, bool) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(path), "$")
	if !ok {
		return nil, false
	}
	var steps []jsonStep
	for rest != "" {
		var inside string
		switch rest[0] {
		case '.':
			end := strings.IndexAny(rest[1:], ".[")
			if end < 0 {
				end = len(rest) - 1
			}
			name := rest[1 : 1+end]
			rest = rest[1+end:]
			if name == "" {
				return nil, false
			}
			if name == "*" {
				steps = append(steps, jsonStep{kind: '*'})
			} else {
				steps = append(steps, jsonStep{kind: '.', name: name})
			}
			continue
		case '[':
			inside, rest, ok = strings.Cut(rest[1:], "]")
			if !ok {
				return nil, false
			}
		default:
			return nil, false
		}
		kind := byte('.')
		if name, found := strings.CutPrefix(inside, "~"); found {
			inside, kind = name, '~'
		}
		n, err := strconv.Atoi(inside)
		switch {
		case inside == "*":
			steps = append(steps, jsonStep{kind: '*'})
		case len(inside) > 1 && strings.IndexByte(`'"`, inside[0]) >= 0 && inside[len(inside)-1] == inside[0]:
			steps = append(steps, jsonStep{kind: kind, name: inside[1 : len(inside)-1]})
		case err == nil && n >= 0:
			steps = append(steps, jsonStep{kind: '[', index: n})
		default:
			return nil, false
		}
	}
	return steps, true
}

// follow returns all values at a path.
func follow(v any, steps []jsonStep) []any {
	if len(steps) == 0 {
		return []any{v}
	}
	step, rest := steps[0], steps[1:]
	var out []any
	switch x := v.(type) {
	case jsonObject:
		if f, ok := x.get(step.name); ok && step.kind == '.' {
			return follow(f, rest)
		}
		if f, ok := x.find(step.name); ok && step.kind == '~' {
			return follow(f, rest)
		}
	case []any:
		for i, p := range x {
			if step.kind == '*' || step.kind == '[' && step.index == i {
				out = append(out, follow(p, rest)...)
			} else if step.kind == '.' || step.kind == '~' { // a field of each element
				out = append(out, follow(p, steps)...)
			}
		}
	}
	return out
}

var jsonFunctions = map[string]nestedFunction{
	"get_json_object": func(c *nestedCall) (_ any, bad *Error) {
		defer catch(&bad)
		steps, ok := jsonPath(c.text(1))
		v, err := parseJSON(c.text(0))
		if !ok || err != nil {
			return nil, nil
		}
		found := follow(v, steps)
		switch {
		case len(found) == 0 || len(found) == 1 && found[0] == nil:
			return nil, nil
		case len(found) > 1:
			return string(writeJSON(nil, found)), nil
		}
		if s, ok := found[0].(string); ok {
			return s, nil
		}
		return string(writeJSON(nil, found[0])), nil
	},
	"from_json": func(c *nestedCall) (any, *Error) {
		v, err := parseJSON(c.text(0))
		if err != nil {
			v = nil
		}
		if _, object := v.(jsonObject); !object && c.ret.ID == Struct {
			if _, list := v.([]any); !list {
				v = jsonObject{} // all fields NULL, as for any malformed record
			}
		}
		return ofJSON(v, c.ret, c.loc), nil
	},
	"to_json": func(c *nestedCall) (any, *Error) {
		return string(writeJSON(nil, asJSON(c.args[0], c.types[0], c.loc))), nil
	},
	"json_array_length": func(c *nestedCall) (any, *Error) {
		v, _ := parseJSON(c.text(0))
		if list, ok := v.([]any); ok {
			return int64(len(list)), nil
		}
		return nil, nil
	},
	"json_object_keys": func(c *nestedCall) (any, *Error) {
		v, _ := parseJSON(c.text(0))
		object, ok := v.(jsonObject)
		if !ok {
			return nil, nil
		}
		out := []any{}
		for _, f := range object {
			out = append(out, f.name)
		}
		return out, nil
	},
}

func (t functionTable) addJSON() {
	plain := func(name string, n int, ret Type) {
		t.add(name, n, n, func(b *binder, args []bound) bound {
			all := make([]bound, len(args))
			for i, a := range args {
				all[i] = b.coerce(a, typeString)
			}
			return b.nested(name, ret, all...)
		})
	}
	plain("get_json_object", 2, typeString)
	plain("json_array_length", 1, typeInt)
	plain("json_object_keys", 1, arrayOf(typeString))
	t.add("from_json", 2, 3, func(b *binder, args []bound) bound {
		text, ok := args[1].value.(string)
		if !ok {
			fail(failure("INVALID_SCHEMA.NON_STRING_LITERAL", "42K07", "The input schema \"%s\" is not a valid schema string. The input expression must be string literal and not null.", args[1].name))
		}
		schema, err := parseSchema(text)
		if err != nil {
			fail(failure("INVALID_SCHEMA.PARSE_ERROR", "42K07", "The input schema \"%s\" is not a valid schema string. Cannot parse the schema.", text))
		}
		r := b.nested("from_json", schema, b.coerce(args[0], typeString))
		r.name = "from_json(" + args[0].name + ")"
		return r
	})
	t.add("to_json", 1, 2, func(b *binder, args []bound) bound {
		if !args[0].typ.isNested() && args[0].typ.ID != Void {
			fail(errMismatch("to_json("+args[0].name+")", "the parameter must be a STRUCT, an ARRAY or a MAP."))
		}
		r := b.nested("to_json", typeString, args[0])
		r.name = "to_json(" + args[0].name + ")"
		return r
	})
}
