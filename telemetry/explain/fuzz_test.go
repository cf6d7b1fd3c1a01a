package explain_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// source makes records out of bytes, including records that make no sense.
type source []byte

func (s *source) int() int64 {
	var b [8]byte
	*s = (*s)[copy(b[:], (*s)[:min(len(*s), 3)]):]
	return int64(binary.LittleEndian.Uint64(b[:])) - 1<<16
}

func (s *source) duration() time.Duration { return time.Duration(s.int()) * time.Microsecond }

func (s *source) of(values ...string) string { return values[int(s.int()&0xff)%len(values)] }

func (s *source) attempts() (all []telemetry.Attempt) {
	for range s.int() & 3 {
		all = append(all, telemetry.Attempt{Start: s.duration(), End: s.duration(), Status: int(s.int() & 0x3ff), RequestID: s.of("", "id")})
	}
	return all
}

func maybe[T any](s *source, read func() T) telemetry.Maybe[T] {
	if s.int()%2 == 0 {
		return telemetry.Maybe[T]{}
	}
	return telemetry.Known(read())
}

var methods = []string{"ExecuteStatement", "GetOperationStatus", "GetResultSetMetadata", "FetchResults", "CancelOperation", "CloseOperation", ""}

func (s *source) statement() *telemetry.Statement {
	r := &telemetry.Statement{
		Total: s.duration(), Execute: s.duration(),
		FirstRow: maybe(s, s.duration), Consume: maybe(s, s.duration), Close: maybe(s, s.duration), RowsRead: maybe(s, s.int),
		Application: telemetry.Application{Before: s.duration(), Between: s.duration(), After: s.duration()},
		Polling:     maybe(s, func() telemetry.Polling { return telemetry.Polling{Calls: s.int(), Unseen: s.duration()} }),
		Result:      telemetry.Result{Pages: maybe(s, s.int), Rows: maybe(s, s.int)},
		State:       s.of("", "RUNNING", "FINISHED", "UNKNOWN"),
		Volume:      s.of("", "PUT", "DELETE"),
		Outcome:     telemetry.Outcome(s.of("running", "completed", "failed", "canceled", "closed_early")),
		ServerTime:  maybe(s, s.duration),
	}
	if s.int()%2 == 0 {
		r.Failure = &telemetry.Failure{}
	}
	for p := range r.Split {
		if s.int()%2 == 0 {
			r.Split[p] = s.duration()
		}
	}
	for range s.int() & 7 {
		method := s.of(methods...)
		r.RPCs = append(r.RPCs, telemetry.RPC{
			Method: method, Calls: s.int(), Retries: s.int(), Backoff: s.duration(),
			FailedStatus: int(s.int() & 0x3ff), LastStatus: int(s.int() & 0x3ff), Slowest: s.duration(), Latency: s.duration(), Connecting: s.duration(),
		})
		r.Calls = append(r.Calls, telemetry.Call{
			Method: method, Start: s.duration(), FirstByte: maybe(s, s.duration), End: maybe(s, s.duration), Status: int(s.int() & 0x3ff),
			Attempts: s.int(), Retried: s.attempts(), RequestID: s.of("", "id"), Failed: s.int()%2 == 0, Latest: s.duration(),
		})
	}
	if s.int()%2 == 0 {
		r.CloudFetch = &telemetry.CloudFetch{
			Present: s.int(), Downloaded: s.int(), Failed: s.int(), Slowest: s.duration(),
			Retries: s.int(), Retried: s.int(), MostAttempts: s.int(), RetryStatus: int(s.int() & 0x3ff), FailedStatus: maybe(s, s.int),
		}
		for range s.int() & 31 {
			r.CloudFetch.Files = append(r.CloudFetch.Files, telemetry.File{
				State: s.of("DOWNLOADED", "FAILED", "ABANDONED", "DOWNLOADING"), Attempts: s.int(), Retried: s.attempts(),
				Start: maybe(s, s.duration), FirstByte: maybe(s, s.duration), End: maybe(s, s.duration), Queued: maybe(s, s.duration),
			})
		}
	}
	return r
}

func (s *source) report() *telemetry.ServerReport {
	if s.int()%2 == 0 {
		return nil
	}
	return &telemetry.ServerReport{
		Total: maybe(s, s.duration), WaitingForCompute: maybe(s, s.duration), QueuedAtCapacity: maybe(s, s.duration), Compiling: maybe(s, s.duration),
		Executing: maybe(s, s.duration), ResultFetch: maybe(s, s.duration), BytesRead: maybe(s, s.int), BytesSpilled: maybe(s, s.int),
	}
}

// FuzzExplain: whatever a record says, its parts add up to its total or to what they say, its
// verdict is the largest part, and the bars of its timeline lie within the total and do not overlap.
func FuzzExplain(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte("\x00\x00\x7f\x00\x00\x40"))
	long := make([]byte, 1500)
	for i := range long {
		long[i] = byte(i * 37)
	}
	f.Add(long)
	f.Fuzz(func(t *testing.T, in []byte) {
		s, r := (*source)(&in).statement(), (*source)(&in).report()

		var sum, largest, told time.Duration
		for _, d := range s.Split {
			told += max(0, d)
		}
		for _, p := range breakdown.PartsOf(s) {
			require.Positive(t, p.Time)
			require.True(t, p.Share > 0 && p.Share <= 1, p.Share)
			sum, largest = sum+p.Time, max(largest, p.Time)
		}
		require.Equal(t, max(0, s.Total, told), sum)
		verdict := explain.WithReport(s, r)
		require.Equal(t, largest, verdict.Time)
		require.Equal(t, largest == 0, verdict.Sentence == "")
		require.Equal(t, largest == 0, verdict.Advice == "")

		timeline := explain.TimelineWithReport(s, r)
		require.Equal(t, len(breakdown.PhasesOf(r)) > 0, timeline.PhasesNote != "")
		for _, lane := range timeline.Lanes {
			var end time.Duration
			for _, b := range lane.Bars {
				require.GreaterOrEqual(t, b.Start, end, "bars of %s overlap", lane.Name)
				require.GreaterOrEqual(t, b.End, b.Start)
				require.True(t, b.Waited() >= 0 && b.Waited() <= b.End-b.Start)
				end = b.End
			}
			require.LessOrEqual(t, end, timeline.Total)
		}
	})
}
