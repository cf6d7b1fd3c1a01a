package engine

import "regexp"

var mapFunctions = map[string]nestedFunction{
	"map_value": func(c *nestedCall) (any, *Error) {
		keyType := c.types[0].element()
		want := key(c.args[1], keyType)
		for _, e := range c.parts(0) {
			if entry := e.([]any); key(entry[0], keyType) == want {
				return entry[1], nil
			}
		}
		return nil, nil
	},
	"map_keys":    func(c *nestedCall) (any, *Error) { return entryParts(c.parts(0), 0), nil },
	"map_values":  func(c *nestedCall) (any, *Error) { return entryParts(c.parts(0), 1), nil },
	"map_entries": func(c *nestedCall) (any, *Error) { return c.parts(0), nil },
	"map_contains_key": func(c *nestedCall) (any, *Error) {
		keyType := c.types[0].element()
		return truth(keys(entryParts(c.parts(0), 0), keyType)[key(c.args[1], keyType)]), nil
	},
	"map_concat": func(c *nestedCall) (any, *Error) {
		var all []any
		for i := range c.args {
			all = append(all, c.parts(i)...)
		}
		return checkedMap(all, c.ret)
	},
	"map_from_arrays": func(c *nestedCall) (any, *Error) {
		k, v := c.parts(0), c.parts(1)
		if len(k) != len(v) {
			return nil, failure("UNEXPECTED_MAP_SIZE", "22023", "The key array and value array of map_from_arrays must have the same length.")
		}
		entries := make([]any, len(k))
		for i := range k {
			entries[i] = []any{k[i], v[i]}
		}
		return checkedMap(entries, c.ret)
	},
	"map_from_entries": func(c *nestedCall) (any, *Error) {
		for _, e := range c.parts(0) {
			if e == nil {
				return nil, nil
			}
		}
		return checkedMap(c.parts(0), c.ret)
	},
	"str_to_map": func(c *nestedCall) (any, *Error) {
		pairs, err := pattern(c.text(1))
		if err != nil {
			return nil, err
		}
		sides, err := pattern(c.text(2))
		if err != nil {
			return nil, err
		}
		var entries []any
		for _, pair := range pairs.Split(c.text(0), -1) {
			entry := []any{pair, nil}
			if s := sides.Split(pair, 2); len(s) == 2 {
				entry = []any{s[0], s[1]}
			}
			entries = append(entries, entry)
		}
		return checkedMap(entries, c.ret)
	},
}

func makeMap(c *nestedCall) (any, *Error) {
	entries := []any{}
	for i := 0; i+1 < len(c.args); i += 2 {
		entries = append(entries, []any{c.args[i], c.args[i+1]})
	}
	return checkedMap(entries, c.ret)
}

func entryParts(entries []any, which int) []any {
	out := make([]any, len(entries))
	for i, e := range entries {
		out[i] = e.([]any)[which]
	}
	return out
}

// checkedMap refuses NULL as a key and keys that occur twice.
func checkedMap(entries []any, t Type) (any, *Error) {
	seen := map[string]bool{}
	for _, e := range entries {
		k := e.([]any)[0]
		if k == nil {
			return nil, failure("NULL_MAP_KEY", "2200E", "Cannot use null as map key.")
		}
		text := key(k, t.element())
		if seen[text] {
			return nil, failure("DUPLICATED_MAP_KEY", "23505", "Duplicate map key %s was found, please check the input data.\nIf you want to remove the duplicated keys, you can set \"spark.sql.mapKeyDedupPolicy\" to \"LAST_WIN\" so that the key inserted at last takes precedence.", formatPart(k, t.element(), nil))
		}
		seen[text] = true
	}
	if entries == nil {
		entries = []any{}
	}
	return entries, nil
}

func checkGroup(function string, re *regexp.Regexp, group int64) *Error {
	if group < 0 || group > int64(re.NumSubexp()) {
		return failure("INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX", "22023", "The value of parameter(s) `idx` in `%s` is invalid: Expects group index between 0 and %d, but got %d.", function, re.NumSubexp(), group)
	}
	return nil
}
