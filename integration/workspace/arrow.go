package workspace

import (
	"bytes"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/apache/arrow/go/v12/arrow"
	"github.com/apache/arrow/go/v12/arrow/array"
	"github.com/apache/arrow/go/v12/arrow/decimal128"
	"github.com/apache/arrow/go/v12/arrow/ipc"
	"github.com/apache/arrow/go/v12/arrow/memory"
	"github.com/pierrec/lz4/v4"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/engine"
)

// endOfStream is the length of the marker that ends an IPC stream.
const endOfStream = 8

// arrowEncoder turns rows of a result into Arrow IPC bytes. It is immutable and may be used
// from several goroutines.
type arrowEncoder struct {
	columns  []engine.Column
	schema   *arrow.Schema
	lz4      bool
	location *time.Location

	// schemaMessage is the schema at the start of every stream. The metadata carries it; batches
	// omit it.
	schemaMessage []byte
}

func newArrowEncoder(columns []engine.Column, e encoding) (*arrowEncoder, error) {
	fields := make([]arrow.Field, len(columns))
	for i := range columns {
		c := &columns[i]
		fields[i] = arrow.Field{
			Name: c.Name, Type: arrowType(c.Type, e), Nullable: true,
			Metadata: arrow.NewMetadata(
				[]string{"Spark:DataType:SqlName", "Spark:DataType:JsonType"},
				[]string{c.Type.String(), sparkJSON(c.Type)}),
		}
	}
	a := &arrowEncoder{columns: columns, schema: arrow.NewSchema(fields, nil), lz4: e.lz4, location: e.location}
	empty, err := a.stream(0, 0)
	if err != nil {
		return nil, fmt.Errorf("arrow schema: %w", err)
	}
	a.schemaMessage = empty[:len(empty)-endOfStream]
	return a, nil
}

// batch encodes rows [from, to) without their schema and returns the bytes to send and
// their size before compression.
func (a *arrowEncoder) batch(from, to int64) (body []byte, raw int64) {
	s, err := a.stream(from, to)
	if err != nil {
		// Writing to memory cannot fail for a schema that was written before.
		panic(fmt.Sprintf("workspace: encode arrow batch: %v", err))
	}
	s = s[len(a.schemaMessage):]
	return a.compress(s), int64(len(s))
}

// file encodes rows [from, to) as a complete stream, the content of a CloudFetch file.
func (a *arrowEncoder) file(from, to int64) (body []byte, raw int64, err error) {
	s, err := a.stream(from, to)
	if err != nil {
		return nil, 0, err
	}
	return a.compress(s), int64(len(s)), nil
}

func (a *arrowEncoder) compress(b []byte) []byte {
	if !a.lz4 {
		return b
	}
	var out bytes.Buffer
	w := lz4.NewWriter(&out)
	_, _ = w.Write(b) // a bytes.Buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

// stream returns a complete IPC stream with one record batch, or with none if there are no rows.
func (a *arrowEncoder) stream(from, to int64) ([]byte, error) {
	var out bytes.Buffer
	w := ipc.NewWriter(&out, ipc.WithSchema(a.schema))
	if to > from {
		arrays := make([]arrow.Array, len(a.columns))
		for i := range a.columns {
			arrays[i] = a.array(i, from, to)
		}
		record := array.NewRecord(a.schema, arrays, to-from)
		if err := w.Write(record); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func (a *arrowEncoder) array(i int, from, to int64) arrow.Array {
	c := &a.columns[i]
	b := array.NewBuilder(memory.DefaultAllocator, a.schema.Field(i).Type)
	b.Reserve(int(to - from))
	var valid []bool // nil: all values are valid
	if c.Nulls != nil {
		valid = make([]bool, to-from)
		for k := range valid {
			valid[k] = !c.Nulls[from+int64(k)]
		}
	}
	switch b := b.(type) {
	case *array.BooleanBuilder:
		b.AppendValues(c.Bools[from:to], valid)
	case *array.Int8Builder:
		b.AppendValues(convert[int8](c.Ints[from:to]), valid)
	case *array.Int16Builder:
		b.AppendValues(convert[int16](c.Ints[from:to]), valid)
	case *array.Int32Builder:
		b.AppendValues(convert[int32](c.Ints[from:to]), valid)
	case *array.Int64Builder:
		b.AppendValues(c.Ints[from:to], valid)
	case *array.Float32Builder:
		for k, v := range c.Floats[from:to] {
			if valid != nil && !valid[k] {
				b.AppendNull()
			} else {
				b.Append(float32(v))
			}
		}
	case *array.Float64Builder:
		b.AppendValues(c.Floats[from:to], valid)
	case *array.Date32Builder:
		for k, v := range c.Ints[from:to] {
			if valid != nil && !valid[k] {
				b.AppendNull()
			} else {
				b.Append(arrow.Date32(v))
			}
		}
	case *array.TimestampBuilder:
		for k, v := range c.Ints[from:to] {
			if valid != nil && !valid[k] {
				b.AppendNull()
			} else {
				b.Append(arrow.Timestamp(v))
			}
		}
	case *array.Decimal128Builder:
		for k, s := range c.Strings[from:to] {
			if valid != nil && !valid[k] {
				b.AppendNull()
			} else {
				b.Append(decimalNumber(s))
			}
		}
	case *array.BinaryBuilder:
		b.AppendValues(c.Bytes[from:to], valid)
	case *array.StringBuilder:
		if c.Type.ID == engine.Void {
			b.AppendValues(make([]string, to-from), make([]bool, to-from))
		} else {
			b.AppendValues(textValues(c, from, to, a.location), valid)
		}
	case *array.NullBuilder:
		for range to - from {
			b.AppendNull()
		}
	default:
		for k, parts := range c.Nested[from:to] {
			if valid != nil && !valid[k] {
				b.AppendNull()
			} else {
				a.appendParts(b, parts, c.Type)
			}
		}
	}
	return b.NewArray()
}

func arrowType(t engine.Type, e encoding) arrow.DataType {
	switch t.ID {
	case engine.Boolean:
		return arrow.FixedWidthTypes.Boolean
	case engine.TinyInt:
		return arrow.PrimitiveTypes.Int8
	case engine.SmallInt:
		return arrow.PrimitiveTypes.Int16
	case engine.Int:
		return arrow.PrimitiveTypes.Int32
	case engine.BigInt:
		return arrow.PrimitiveTypes.Int64
	case engine.Float:
		return arrow.PrimitiveTypes.Float32
	case engine.Double:
		return arrow.PrimitiveTypes.Float64
	case engine.Binary:
		return arrow.BinaryTypes.Binary
	case engine.Date:
		return arrow.FixedWidthTypes.Date32
	case engine.Timestamp:
		if e.nativeTimestamp {
			return &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: zoneName(e.location)}
		}
	case engine.Decimal:
		if e.nativeDecimal {
			return &arrow.Decimal128Type{Precision: t.Precision, Scale: t.Scale}
		}
	case engine.Array, engine.Map, engine.Struct:
		if e.nativeComplex {
			return arrowNestedType(t, e)
		}
	case engine.Void:
		if e.nativeNull {
			return arrow.Null
		}
	}
	return arrow.BinaryTypes.String
}

// zoneName names UTC the way Databricks does.
func zoneName(l *time.Location) string {
	if l == time.UTC {
		return "Etc/UTC"
	}
	return l.String()
}

// decimalNumber reads plain notation: its digits without the point are the unscaled value.
func decimalNumber(s string) decimal128.Num {
	n, ok := new(big.Int).SetString(strings.Replace(s, ".", "", 1), 10)
	if !ok {
		return decimal128.Num{}
	}
	return decimal128.FromBigInt(n)
}
