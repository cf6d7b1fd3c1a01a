package debugpage

import (
	"cmp"
	"log/slog"
	"reflect"
	"slices"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/sqltext"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

const (
	slowestFor = time.Hour // how long after its end a statement is kept among the slowest
	queryKept  = 16 << 10  // bytes that are kept of a statement's text
)

// boundedRecords holds records, bounded in number and in total size.
type boundedRecords struct {
	maxRecords, maxBytes int

	records []*telemetry.Statement
	bytes   int // the sum of bytesOf(records)

	// The total of the latest record that offer refused. For a second, records that are not slower
	// are refused without looking at the others.
	refused   time.Duration
	refusedAt time.Time
}

// add adds a record and drops the oldest ones that no longer fit.
func (b *boundedRecords) add(s *telemetry.Statement) {
	b.records = append(b.records, s)
	b.bytes += bytesOf(s)
	for len(b.records) > b.maxRecords || b.bytes > b.maxBytes {
		b.bytes -= bytesOf(b.records[0])
		b.records[0] = nil // the array behind the slice stays until append needs a new one
		b.records = b.records[1:]
	}
}

// offer adds a record if there is room, or if dropping stale or faster records makes room. It drops none to no
// purpose.
func (b *boundedRecords) offer(now time.Time, s *telemetry.Statement) {
	if s.Total <= b.refused && now.Sub(b.refusedAt) < time.Second {
		return
	}
	rank := func(s *telemetry.Statement) time.Duration { // the lowest is dropped first
		if now.Sub(s.Started)-s.Total > slowestFor {
			return -1
		}
		return s.Total
	}
	drop, bytes := 0, b.bytes+bytesOf(s)
	full := func() bool { return len(b.records)-drop == b.maxRecords || bytes > b.maxBytes }
	if full() {
		slices.SortStableFunc(b.records, func(x, y *telemetry.Statement) int { return cmp.Compare(rank(x), rank(y)) })
	}
	for full() {
		if drop == len(b.records) || rank(b.records[drop]) >= s.Total {
			if bytes <= b.maxBytes { // otherwise a smaller one may have room
				b.refused, b.refusedAt = s.Total, now
			}
			return
		}
		bytes -= bytesOf(b.records[drop])
		drop++
	}
	b.records, b.bytes = append(slices.Delete(b.records, 0, drop), s), bytes
}

// withShortQuery returns the record or, if its text exceeds queryKept, a copy with only the beginning
// of the text, because sinks share records and must not change them.
func withShortQuery(s *telemetry.Statement) *telemetry.Statement {
	if len(s.Query) <= queryKept {
		return s
	}
	short := *s
	short.Query = sqltext.Bounded(s.Query, queryKept) + " …"
	return &short
}

// bytesOf estimates the memory that a record keeps alive.
func bytesOf(s *telemetry.Statement) int {
	n := sizeOf[telemetry.Statement]() + cap(s.Calls)*sizeOf[telemetry.Call]() + cap(s.RPCs)*sizeOf[telemetry.RPC]() +
		len(s.Server) + len(s.SessionID) + len(s.StatementID) + len(s.WorkspaceID) + len(s.WarehouseID) + len(s.InitialCatalog) +
		len(s.InitialSchema) + len(s.CorrelationID) + len(s.Query) + len(s.Shape)
	for i := range s.Calls {
		n += len(s.Calls[i].RequestID) + bytesOfAttempts(s.Calls[i].Retried)
	}
	for key, tag := range s.QueryTags {
		n += 2*sizeOf[string]() + 16 + len(key) + len(tag) // 16: roughly the overhead of the map
	}
	for _, a := range s.Attributes {
		n += sizeOf[slog.Attr]() + len(a.Key)
		if a.Value.Kind() == slog.KindString {
			n += len(a.Value.String())
		}
	}
	for _, f := range []*telemetry.Failure{s.Failure, s.CloseFailure} {
		if f != nil {
			n += sizeOf[telemetry.Failure]() + len(f.Message)
		}
	}
	if c := s.CloudFetch; c != nil {
		n += sizeOf[telemetry.CloudFetch]() + cap(c.Files)*sizeOf[telemetry.File]()
		for i := range c.Files {
			n += bytesOfAttempts(c.Files[i].Retried)
		}
	}
	return n
}

func bytesOfAttempts(all []telemetry.Attempt) int {
	n := cap(all) * sizeOf[telemetry.Attempt]()
	for i := range all {
		n += len(all[i].RequestID)
	}
	return n
}

// sizeOf returns the memory of a value in bytes, without what it points to.
func sizeOf[T any]() int { return int(reflect.TypeFor[T]().Size()) }
