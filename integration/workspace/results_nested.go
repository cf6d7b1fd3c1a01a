package workspace

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"time"

	"github.com/apache/arrow/go/v12/arrow"
	"github.com/apache/arrow/go/v12/arrow/array"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/engine"
)

// Arrays, maps and structs are sent as Arrow lists, maps and structs if the client can read them
// (ComplexTypesAsArrow), otherwise as JSON text. The client shows JSON text in either case.

func isNested(t engine.Type) bool {
	return t.ID == engine.Array || t.ID == engine.Map || t.ID == engine.Struct
}

func arrowNestedType(t engine.Type, e encoding) arrow.DataType {
	members := t.Members()
	switch t.ID {
	case engine.Array:
		return arrow.ListOf(arrowType(members[0].Type, e))
	case engine.Map:
		return arrow.MapOf(arrowType(members[0].Type, e), arrowType(members[1].Type, e))
	}
	fields := make([]arrow.Field, len(members))
	for i, m := range members {
		fields[i] = arrow.Field{Name: m.Name, Type: arrowType(m.Type, e), Nullable: true}
	}
	return arrow.StructOf(fields...)
}

// appendValue adds a value inside a nested one.
func (a *arrowEncoder) appendValue(b array.Builder, v any, t engine.Type) {
	if v == nil {
		b.AppendNull()
		return
	}
	n, _ := v.(int64)
	f, _ := v.(float64)
	switch b := b.(type) {
	case *array.BooleanBuilder:
		b.Append(n != 0)
	case *array.Int8Builder:
		b.Append(int8(n))
	case *array.Int16Builder:
		b.Append(int16(n))
	case *array.Int32Builder:
		b.Append(int32(n))
	case *array.Int64Builder:
		b.Append(n)
	case *array.Float32Builder:
		b.Append(float32(f))
	case *array.Float64Builder:
		b.Append(f)
	case *array.Date32Builder:
		b.Append(arrow.Date32(n))
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(n))
	case *array.Decimal128Builder:
		b.Append(decimalNumber(v.(string)))
	case *array.BinaryBuilder:
		b.Append(v.([]byte))
	case *array.StringBuilder:
		if isNested(t) {
			b.Append(nestedJSON(v, t, a.location))
		} else {
			b.Append(valueText(v, t, a.location))
		}
	default:
		a.appendParts(b, v.([]any), t)
	}
}

// appendParts adds a nested value other than NULL.
func (a *arrowEncoder) appendParts(b array.Builder, parts []any, t engine.Type) {
	members := t.Members()
	switch b := b.(type) {
	case *array.ListBuilder:
		b.Append(true)
		for _, p := range parts {
			a.appendValue(b.ValueBuilder(), p, members[0].Type)
		}
	case *array.MapBuilder:
		b.Append(true)
		for _, p := range parts {
			entry := p.([]any)
			a.appendValue(b.KeyBuilder(), entry[0], members[0].Type)
			a.appendValue(b.ItemBuilder(), entry[1], members[1].Type)
		}
	case *array.StructBuilder:
		b.Append(true)
		for i, m := range members {
			a.appendValue(b.FieldBuilder(i), parts[i], m.Type)
		}
	}
}

// nestedJSON writes a value as JSON, without spaces.
func nestedJSON(v any, t engine.Type, loc *time.Location) string {
	return string(writeJSON(nil, v, t, loc))
}

func writeJSON(out []byte, v any, t engine.Type, loc *time.Location) []byte {
	if v == nil {
		return append(out, "null"...)
	}
	parts, _ := v.([]any)
	members := t.Members()
	switch t.ID {
	case engine.Array:
		out = append(out, '[')
		for i, p := range parts {
			out = writeJSON(comma(out, i), p, members[0].Type, loc)
		}
		return append(out, ']')
	case engine.Map:
		out = append(out, '{')
		for i, p := range parts {
			entry := p.([]any)
			out = append(writeText(comma(out, i), valueText(entry[0], members[0].Type, loc)), ':')
			out = writeJSON(out, entry[1], members[1].Type, loc)
		}
		return append(out, '}')
	case engine.Struct:
		out = append(out, '{')
		for i, m := range members {
			out = append(writeText(comma(out, i), m.Name), ':')
			out = writeJSON(out, parts[i], m.Type, loc)
		}
		return append(out, '}')
	case engine.Boolean, engine.TinyInt, engine.SmallInt, engine.Int, engine.BigInt, engine.Float, engine.Double, engine.Decimal:
		return append(out, valueText(v, t, loc)...)
	}
	return writeText(out, valueText(v, t, loc))
}

func comma(out []byte, i int) []byte {
	if i > 0 {
		return append(out, ',')
	}
	return out
}

func writeText(out []byte, s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string can always be encoded
	return append(out, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}

// valueText writes a value that is not nested as text.
func valueText(v any, t engine.Type, loc *time.Location) string {
	switch x := v.(type) {
	case string:
		return x
	case []byte:
		return base64.StdEncoding.EncodeToString(x)
	case float64:
		if t.ID == engine.Float {
			return strconv.FormatFloat(x, 'g', -1, 32)
		}
		return strconv.FormatFloat(x, 'g', -1, 64)
	case int64:
		switch t.ID {
		case engine.Boolean:
			return strconv.FormatBool(x != 0)
		case engine.Date:
			return dateText(x)
		case engine.Timestamp:
			return timestampText(x, loc)
		}
		return strconv.FormatInt(x, 10)
	case []any:
		return nestedJSON(x, t, loc)
	}
	return "null"
}

// sparkType is a type as Spark writes it in JSON, which Arrow fields carry as metadata.
func sparkType(t engine.Type) any {
	members := t.Members()
	switch t.ID {
	case engine.Array:
		return map[string]any{"type": "array", "elementType": sparkType(members[0].Type), "containsNull": true}
	case engine.Map:
		return map[string]any{"type": "map", "keyType": sparkType(members[0].Type), "valueType": sparkType(members[1].Type), "valueContainsNull": true}
	case engine.Struct:
		fields := make([]any, len(members))
		for i, m := range members {
			fields[i] = map[string]any{"name": m.Name, "type": sparkType(m.Type), "nullable": true, "metadata": map[string]any{}}
		}
		return map[string]any{"type": "struct", "fields": fields}
	case engine.Decimal:
		return "decimal(" + strconv.Itoa(int(t.Precision)) + "," + strconv.Itoa(int(t.Scale)) + ")"
	}
	return sparkNames[t.ID]
}

var sparkNames = map[engine.TypeID]string{
	engine.Boolean: "boolean", engine.TinyInt: "byte", engine.SmallInt: "short", engine.Int: "integer", engine.BigInt: "long",
	engine.Float: "float", engine.Double: "double", engine.String: "string", engine.Timestamp: "timestamp", engine.Binary: "binary",
	engine.Date: "date", engine.Void: "void",
}

func sparkJSON(t engine.Type) string {
	b, _ := json.Marshal(sparkType(t)) // maps and strings can always be encoded
	return string(b)
}

// nestedBytes is the size of a nested value in memory, roughly.
func nestedBytes(v any) int64 {
	switch x := v.(type) {
	case []any:
		n := int64(4)
		for _, p := range x {
			n += nestedBytes(p)
		}
		return n
	case string:
		return 4 + int64(len(x))
	case []byte:
		return 4 + int64(len(x))
	}
	return 8
}
