package workspace

import "github.com/seed-01322ee7/databricks-telemetry/integration/internal/wire"

// metadata is the answer to GetResultSetMetadata: the fields of the format and those that the
// service sends with every format.
func (o *operation) metadata(rs resultSet) *wire.GetResultSetMetadataResp {
	m := rs.metadata()
	if m.UncompressedBytes == nil {
		size := rs.held()
		m.UncompressedBytes, m.CompressedBytes = &size, &size
	}
	m.Schema = withComments(m.Schema)
	reason, truncated, latency := o.noCloudFetch(*m.ResultFormat), o.truncated, int64(0)
	m.NoCloudFetchReason, m.CacheLookupLatency, m.Truncated = &reason, &latency, &truncated
	return m
}

// noCloudFetch is the reason why a result is not sent by CloudFetch.
func (o *operation) noCloudFetch(format wire.ResultFormat) int32 {
	switch req := o.req; {
	case format == wire.FormatURL:
		return wire.NoCloudFetchUnknown
	case !deref(req.CanReadArrowResult):
		return wire.NoCloudFetchArrow
	case !deref(req.CanDownloadResult):
		return wire.NoCloudFetchClient
	case format == wire.FormatColumn:
		return wire.NoCloudFetchProtocol
	}
	return wire.NoCloudFetchSmall
}

// withComments gives every column the comment that the service sends for a column without one.
func withComments(s *wire.TableSchema) *wire.TableSchema {
	none := ""
	out := &wire.TableSchema{Columns: make([]*wire.ColumnDesc, len(s.Columns))}
	for i, c := range s.Columns {
		column := *c
		column.Comment = &none
		out.Columns[i] = &column
	}
	return out
}

// held is the memory that an inline result occupies: its size before compression.
func (b *resultBase) held() int64 { return b.bytes }
