package workspace

import (
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/engine"
	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/wire"
)

// encoding is what the client of a statement can read, limited to what the protocol version
// allows and the workspace offers.
type encoding struct {
	arrow    bool // else columns of Thrift values
	download bool // CloudFetch
	lz4      bool

	// Types that the client wants as native Arrow types; otherwise they are sent as text.
	nativeTimestamp, nativeDecimal, nativeComplex, nativeNull bool

	// location is the session's time zone, in which timestamps are written as text.
	location *time.Location
}

func (w *Workspace) encodingFor(o *operation) encoding {
	req, version := o.req, w.opts.ProtocolVersion
	types := req.UseArrowNativeTypes
	if types == nil {
		types = &wire.ArrowTypes{}
	}
	e := encoding{
		arrow:           deref(req.CanReadArrowResult) && version >= wire.ProtocolSparkV5,
		nativeTimestamp: deref(types.TimestampAsArrow),
		nativeDecimal:   deref(types.DecimalAsArrow),
		nativeComplex:   deref(types.ComplexTypesAsArrow),
		nativeNull:      deref(types.NullTypeAsArrow),
		location:        sessionLocation(o.session.conf),
	}
	e.download = e.arrow && deref(req.CanDownloadResult) && version >= wire.ProtocolSparkV3
	e.lz4 = e.arrow && deref(req.CanDecompressLZ4) && version >= wire.ProtocolSparkV6
	return e
}

func sessionLocation(conf map[string]string) *time.Location {
	for _, key := range []string{"timezone", "TIMEZONE", "spark.sql.session.timeZone"} {
		if name := conf[key]; name != "" {
			if l, err := time.LoadLocation(name); err == nil {
				return l
			}
		}
	}
	return time.UTC
}

// resultBase has the fields that every format shares. It is immutable.
type resultBase struct {
	columns []engine.Column
	count   int64
	bytes   int64 // estimated size before compression
	cache   int32
	staging bool
	schema  *wire.TableSchema
	limits  Options
}

func (b *resultBase) rows() int64 { return b.count }

// newResultSet chooses the format of a result and encodes what must be encoded at once.
func (w *Workspace) newResultSet(o *operation, r *engine.Result, cache int32) (resultSet, error) {
	b := &resultBase{columns: r.Columns, count: int64(r.Rows), cache: cache, limits: w.opts}
	if limit := deref(o.req.ResultRowLimit); limit > 0 {
		b.count = min(b.count, limit)
	}
	return w.encodeResult(o, b)
}

func (w *Workspace) encodeResult(o *operation, b *resultBase) (resultSet, error) {
	e := w.encodingFor(o)
	b.bytes = estimateBytes(b.columns, b.count)
	b.schema = tableSchema(b.columns)
	if !e.arrow {
		return &columnResult{resultBase: b, location: e.location}, nil
	}
	enc, err := newArrowEncoder(b.columns, e)
	if err != nil {
		return nil, err
	}
	threshold := w.opts.CloudFetchThreshold
	if e.download && b.count > 0 && threshold >= 0 && b.bytes > threshold && !b.staging {
		return w.newCloudResult(o, b, enc)
	}
	return &arrowResult{resultBase: b, encoder: enc}, nil
}

// inlineRows returns the largest number of rows for an inline page that starts at start.
func (b *resultBase) inlineRows(start int64, want pageRequest) int64 {
	n := max(b.count-start, 0)
	if want.rows > 0 {
		n = min(n, want.rows)
	}
	if b.limits.PageRows > 0 {
		n = min(n, b.limits.PageRows)
	}
	limit := b.limits.PageBytes
	if want.bytes > 0 {
		limit = min(limit, want.bytes)
	}
	if b.count > 0 {
		perRow := max(b.bytes/b.count, 1)
		n = min(n, max(limit/perRow, 1))
	}
	return n
}

func (b *resultBase) baseMetadata(f wire.ResultFormat) *wire.GetResultSetMetadataResp {
	lz4, staging, cache := false, b.staging, b.cache
	return &wire.GetResultSetMetadataResp{
		Status: success(), Schema: b.schema, ResultFormat: &f, LZ4Compressed: &lz4,
		CacheLookupResult: &cache, IsStagingOperation: &staging,
	}
}

// estimateBytes is the size of a result in memory as Arrow lays it out, close enough to
// choose formats and page sizes.
func estimateBytes(columns []engine.Column, rows int64) int64 {
	var total int64
	for i := range columns {
		c := &columns[i]
		switch c.Type.ID {
		case engine.Boolean:
			total += rows / 8
		case engine.TinyInt:
			total += rows
		case engine.SmallInt:
			total += 2 * rows
		case engine.Int, engine.Float, engine.Date:
			total += 4 * rows
		case engine.String, engine.Decimal:
			total += 4 * rows
			for _, s := range c.Strings {
				total += int64(len(s))
			}
		case engine.Array, engine.Map, engine.Struct:
			for _, v := range c.Nested {
				total += nestedBytes(v)
			}
		case engine.Binary:
			total += 4 * rows
			for _, v := range c.Bytes {
				total += int64(len(v))
			}
		default:
			total += 8 * rows
		}
	}
	return total
}

func tableSchema(columns []engine.Column) *wire.TableSchema {
	s := &wire.TableSchema{Columns: make([]*wire.ColumnDesc, len(columns))}
	for i := range columns {
		c := &columns[i]
		entry := &wire.PrimitiveTypeEntry{Type: int32(c.Type.ID)}
		if c.Type.ID == engine.Decimal {
			precision, scale := c.Type.Precision, c.Type.Scale
			entry.TypeQualifiers = &wire.TypeQualifiers{Qualifiers: map[string]*wire.TypeQualifierValue{
				"precision": {I32Value: &precision},
				"scale":     {I32Value: &scale},
			}}
		}
		s.Columns[i] = &wire.ColumnDesc{
			ColumnName: c.Name,
			TypeDesc:   &wire.TypeDesc{Types: []*wire.TypeEntry{{PrimitiveEntry: entry}}},
			Position:   int32(i + 1),
		}
	}
	return s
}

func isNull(c *engine.Column, row int64) bool {
	return c.Type.ID == engine.Void || c.Nulls != nil && c.Nulls[row]
}

// dateText and timestampText format values for clients without Arrow.
func dateText(days int64) string {
	return time.Unix(days*86400, 0).UTC().Format("2006-01-02")
}

func timestampText(micros int64, loc *time.Location) string {
	return time.UnixMicro(micros).In(loc).Format("2006-01-02 15:04:05.999999")
}
