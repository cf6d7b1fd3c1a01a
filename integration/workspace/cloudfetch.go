package workspace

import (
	"maps"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/wire"
)

// resultFile is one CloudFetch file. It is immutable.
type resultFile struct {
	startRow, rows int64
	body           []byte
	raw            int64 // size before compression
}

// cloudResult sends links to files on the object storage. Files are written when the
// statement finishes; links are signed when they are issued.
type cloudResult struct {
	*resultBase
	encoder   *arrowEncoder
	files     []*resultFile
	workspace *Workspace
	operation *operation
	raw, size int64
}

var _ resultSet = (*cloudResult)(nil)

func (w *Workspace) newCloudResult(o *operation, b *resultBase, enc *arrowEncoder) (resultSet, error) {
	r := &cloudResult{resultBase: b, encoder: enc, workspace: w, operation: o}
	perFile := w.opts.FileRows
	if perFile <= 0 {
		limit := w.opts.FileBytes
		if want := deref(o.req.MaxBytesPerFile); want > 0 {
			limit = min(limit, want)
		}
		perFile = max(limit/max(b.bytes/b.count, 1), 1)
	}
	for from := int64(0); from < b.count; from += perFile {
		to := min(from+perFile, b.count)
		body, raw, err := enc.file(from, to)
		if err != nil {
			return nil, err
		}
		r.files = append(r.files, &resultFile{startRow: from, rows: to - from, body: body, raw: raw})
		r.raw += raw
		r.size += int64(len(body))
	}
	b.columns = nil // the files hold all values
	return r, nil
}

func (r *cloudResult) closesWhenRead() bool { return false }

func (r *cloudResult) held() int64 { return r.size }

func (r *cloudResult) metadata() *wire.GetResultSetMetadataResp {
	m := r.baseMetadata(wire.FormatURL)
	lz4, raw, size := r.encoder.lz4, r.raw, r.size
	m.LZ4Compressed, m.UncompressedBytes, m.CompressedBytes = &lz4, &raw, &size
	m.ArrowSchema = r.encoder.schemaMessage
	return m
}

// page returns the next links. A page ends at the end of a file, regardless of the number of rows
// that the client asked for.
func (r *cloudResult) page(start int64, _ pageRequest) page {
	w := r.workspace
	p := page{rowSet: &wire.RowSet{
		StartRowOffset: start, Rows: []*wire.Row{}, ResultLinks: []*wire.ResultLink{},
	}}
	for _, f := range r.files {
		if f.startRow < start {
			continue
		}
		if len(p.links) == w.opts.LinksPerPage {
			break
		}
		k, url := w.presignResult(r.operation, f)
		p.links = append(p.links, k)
		p.rows += f.rows
		p.bytes += int64(len(f.body))
		p.rowSet.ResultLinks = append(p.rowSet.ResultLinks, &wire.ResultLink{
			FileLink: url, ExpiryTime: k.expires.UnixMilli(), StartRowOffset: f.startRow,
			RowCount: f.rows, BytesNum: f.raw, HTTPHeaders: linkHeaders(w.opts.LinkHeaders),
		})
	}
	return p
}

// linkHeaders never returns nil: the service sends an empty map if there are no headers.
func linkHeaders(h map[string]string) map[string]string {
	if h == nil {
		return map[string]string{}
	}
	return maps.Clone(h)
}
