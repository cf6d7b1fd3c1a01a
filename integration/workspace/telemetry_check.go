package workspace

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// checkDocument compares a JSON document with the declaration of TelemetryDocument and
// returns everything that is wrong with it: undeclared keys, values of the wrong type,
// enum values that do not exist, a missing or malformed event id.
func checkDocument(raw []byte) (TelemetryDocument, []string) {
	var doc TelemetryDocument
	value, err := decodeNumbers(raw)
	if err != nil {
		return doc, []string{"not JSON: " + err.Error()}
	}
	var problems []string
	checkValue("", value, reflect.TypeFor[TelemetryDocument](), "", &problems)
	// Unmarshal goes on after a value of the wrong type, which is reported already.
	_ = json.Unmarshal(raw, &doc)
	if id, err := uuid.Parse(doc.EventID); err != nil || id.Version() != 4 || len(doc.EventID) != 36 {
		problems = append(problems, fmt.Sprintf("frontend_log_event_id: %q is not a UUID of version 4", doc.EventID))
	}
	if doc.Entry == nil || doc.Entry.SQLDriverLog == nil {
		problems = append(problems, "entry.sql_driver_log: missing")
	}
	return doc, problems
}

func checkValue(path string, v any, t reflect.Type, enum string, problems *[]string) {
	wrong := func(want string) {
		*problems = append(*problems, fmt.Sprintf("%s: want %s, got %s", path, want, describeJSON(v)))
	}
	switch t.Kind() {
	case reflect.Pointer:
		checkValue(path, v, t.Elem(), enum, problems)
	case reflect.Struct:
		object, ok := v.(map[string]any)
		if !ok {
			wrong("an object")
			return
		}
		checkObject(path, object, t, problems)
	case reflect.Slice:
		list, ok := v.([]any)
		if !ok {
			wrong("a list")
			return
		}
		for i, e := range list {
			checkValue(fmt.Sprintf("%s[%d]", path, i), e, t.Elem(), enum, problems)
		}
	case reflect.String:
		s, ok := v.(string)
		if !ok {
			wrong("a string")
		} else if enum != "" && !slices.Contains(strings.Fields(enum), s) {
			wrong("one of " + enum)
		}
	case reflect.Bool:
		if _, ok := v.(bool); !ok {
			wrong("a boolean")
		}
	case reflect.Int32, reflect.Int64:
		n, ok := v.(json.Number)
		if !ok {
			wrong("a whole number")
			return
		}
		i, err := n.Int64()
		if err != nil || t.Kind() == reflect.Int32 && (i > math.MaxInt32 || i < math.MinInt32) {
			wrong("a whole number that fits " + t.Kind().String())
		}
	}
}

func checkObject(path string, object map[string]any, t reflect.Type, problems *[]string) {
	fields := map[string]reflect.StructField{}
	for i := range t.NumField() {
		fields[t.Field(i).Tag.Get("json")] = t.Field(i)
	}
	keys := make([]string, 0, len(object))
	for k := range object {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		at := strings.TrimPrefix(path+"."+k, ".")
		f, ok := fields[k]
		if !ok {
			*problems = append(*problems, at+": unknown field")
			continue
		}
		checkValue(at, object[k], f.Type, f.Tag.Get("enum"), problems)
	}
}

func describeJSON(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return fmt.Sprintf("string %q", v)
	case json.Number:
		return "number " + v.String()
	case bool:
		return fmt.Sprintf("boolean %t", v)
	case []any:
		return "a list"
	}
	return "an object"
}

func decodeNumbers(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, fmt.Errorf("more than one value")
	}
	return v, nil
}
