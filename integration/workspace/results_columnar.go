package workspace

import (
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/engine"
	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/wire"
)

// columnResult sends columns of Thrift values, for clients that cannot read Arrow.
type columnResult struct {
	*resultBase
	location *time.Location
}

var _ resultSet = (*columnResult)(nil)

func (r *columnResult) closesWhenRead() bool { return true }

func (r *columnResult) metadata() *wire.GetResultSetMetadataResp {
	return r.baseMetadata(wire.FormatColumn)
}

func (r *columnResult) page(start int64, want pageRequest) page {
	n := r.inlineRows(start, want)
	columns := make([]*wire.Column, len(r.columns))
	for i := range r.columns {
		columns[i] = thriftColumn(&r.columns[i], start, start+n, r.location)
	}
	p := page{rows: n, rowSet: &wire.RowSet{StartRowOffset: start, Rows: []*wire.Row{}, Columns: columns}}
	if r.count > 0 {
		p.bytes = r.bytes * n / r.count
	}
	return p
}

// thriftColumn copies rows [from, to) into the union member that carries the type.
func thriftColumn(c *engine.Column, from, to int64, loc *time.Location) *wire.Column {
	nulls := nullBitmap(c, from, to)
	switch c.Type.ID {
	case engine.Boolean:
		return &wire.Column{Bool: &wire.BoolColumn{Values: c.Bools[from:to], Nulls: nulls}}
	case engine.TinyInt:
		return &wire.Column{Byte: &wire.ByteColumn{Values: convert[int8](c.Ints[from:to]), Nulls: nulls}}
	case engine.SmallInt:
		return &wire.Column{I16: &wire.I16Column{Values: convert[int16](c.Ints[from:to]), Nulls: nulls}}
	case engine.Int:
		return &wire.Column{I32: &wire.I32Column{Values: convert[int32](c.Ints[from:to]), Nulls: nulls}}
	case engine.BigInt:
		return &wire.Column{I64: &wire.I64Column{Values: notNil(c.Ints[from:to]), Nulls: nulls}}
	case engine.Float, engine.Double:
		return &wire.Column{Double: &wire.DoubleColumn{Values: notNil(c.Floats[from:to]), Nulls: nulls}}
	case engine.Binary:
		return &wire.Column{Binary: &wire.BinaryColumn{Values: binaryValues(c.Bytes[from:to]), Nulls: nulls}}
	}
	return &wire.Column{String: &wire.StringColumn{Values: textValues(c, from, to, loc), Nulls: nulls}}
}

func textValues(c *engine.Column, from, to int64, loc *time.Location) []string {
	if c.Strings != nil {
		return c.Strings[from:to]
	}
	values := make([]string, to-from)
	for i := range values {
		row := from + int64(i)
		if isNull(c, row) {
			continue
		}
		switch c.Type.ID {
		case engine.Date:
			values[i] = dateText(c.Ints[row])
		case engine.Timestamp:
			values[i] = timestampText(c.Ints[row], loc)
		case engine.Array, engine.Map, engine.Struct:
			values[i] = nestedJSON(c.Nested[row], c.Type, loc)
		}
	}
	return values
}

// nullBitmap sets the bit of every NULL, least significant first.
func nullBitmap(c *engine.Column, from, to int64) []byte {
	bits := make([]byte, (to-from+7)/8)
	for row := from; row < to; row++ {
		if isNull(c, row) {
			bits[(row-from)/8] |= 1 << ((row - from) % 8)
		}
	}
	return bits
}

func convert[T int8 | int16 | int32](in []int64) []T {
	out := make([]T, len(in))
	for i, v := range in {
		out[i] = T(v)
	}
	return out
}

// notNil turns a nil slice into an empty one, because an absent list and an empty list differ on
// the wire.
func notNil[T any](in []T) []T {
	if in == nil {
		return []T{}
	}
	return in
}

func binaryValues(in [][]byte) [][]byte {
	out := make([][]byte, len(in))
	for i, v := range in {
		out[i] = notNil(v)
	}
	return out
}
