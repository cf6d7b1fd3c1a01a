package workspace

import (
	"sync/atomic"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/wire"
)

// arrowResult sends Arrow batches inside Thrift responses, encoded page by page.
type arrowResult struct {
	*resultBase
	encoder *arrowEncoder

	// Totals of the pages so far.
	uncompressed, compressed atomic.Int64
}

var _ resultSet = (*arrowResult)(nil)

func (r *arrowResult) closesWhenRead() bool { return true }

func (r *arrowResult) metadata() *wire.GetResultSetMetadataResp {
	m := r.baseMetadata(wire.FormatArrow)
	lz4, uncompressed, compressed := r.encoder.lz4, r.uncompressed.Load(), r.compressed.Load()
	m.LZ4Compressed, m.UncompressedBytes, m.CompressedBytes = &lz4, &uncompressed, &compressed
	m.ArrowSchema = r.encoder.schemaMessage
	return m
}

func (r *arrowResult) page(start int64, want pageRequest) page {
	n := r.inlineRows(start, want)
	p := page{rows: n, rowSet: &wire.RowSet{
		StartRowOffset: start, Rows: []*wire.Row{}, ArrowBatches: []*wire.ArrowBatch{},
	}}
	size := n
	if b := r.limits.BatchRows; b > 0 {
		size = b
	}
	for from := start; from < start+n; from += size {
		to := min(from+size, start+n)
		body, raw := r.encoder.batch(from, to)
		r.uncompressed.Add(raw)
		r.compressed.Add(int64(len(body)))
		p.bytes += int64(len(body))
		p.rowSet.ArrowBatches = append(p.rowSet.ArrowBatches, &wire.ArrowBatch{Batch: body, RowCount: to - from})
	}
	return p
}
