package debugpage

import (
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

// offer adds a record if there is room, or if dropping stale or faster records makes room.
func (b *boundedRecords) offer(now time.Time, s *telemetry.Statement) {
	if s.Total <= b.refused && now.Sub(b.refusedAt) < time.Second {
		return
	}
	added := bytesOf(s)
	if added > b.maxBytes {
		return
	}
	if b.bytes+added > b.maxBytes && !b.canFree(now, b.bytes+added-b.maxBytes, s.Total) {
		return // before any record is dropped to no purpose
	}
	for len(b.records) == b.maxRecords || b.bytes+added > b.maxBytes {
		candidate := 0
		for i, other := range b.records {
			if stale(now, other) {
				candidate = i
				break
			}
			if other.Total < b.records[candidate].Total {
				candidate = i
			}
		}
		if other := b.records[candidate]; !stale(now, other) && other.Total >= s.Total {
			b.refused, b.refusedAt = s.Total, now
			return
		}
		b.bytes -= bytesOf(b.records[candidate])
		b.records = slices.Delete(b.records, candidate, candidate+1)
	}
	b.records = append(b.records, s)
	b.bytes += added
}

// canFree reports whether stale records and records faster than total take up at least that many
// bytes.
func (b *boundedRecords) canFree(now time.Time, bytes int, total time.Duration) bool {
	for _, other := range b.records {
		if stale(now, other) || other.Total < total {
			bytes -= bytesOf(other)
		}
	}
	return bytes <= 0
}

// stale reports whether a statement ended too long ago to be kept among the slowest.
func stale(now time.Time, s *telemetry.Statement) bool {
	return now.Sub(s.Started.Add(s.Total)) > slowestFor
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
