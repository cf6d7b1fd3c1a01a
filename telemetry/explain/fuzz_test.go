package explain_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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

func maybe[T any](s *source, read func() T) telemetry.Maybe[T] {
	if s.int()%2 == 0 {
		return telemetry.Maybe[T]{}
	}
	return telemetry.Known(read())
}

func (s *source) statement() *telemetry.Statement {
	r := &telemetry.Statement{
		Total: s.duration(), Execute: s.duration(),
		FirstRow: maybe(s, s.duration), Consume: maybe(s, s.duration), Close: maybe(s, s.duration), RowsRead: maybe(s, s.int),
		Split: telemetry.Split{
			Server: maybe(s, s.duration), PollWait: maybe(s, s.duration), Retries: maybe(s, s.duration),
			Pages: maybe(s, s.duration), Files: maybe(s, s.duration), Reading: maybe(s, s.duration),
		},
		Polling: maybe(s, func() telemetry.Polling { return telemetry.Polling{Calls: s.int()} }),
		Result:  telemetry.Result{Pages: maybe(s, s.int)},
	}
	if s.int()%3 == 0 {
		r.Outcome = telemetry.OutcomeRunning
	}
	for range s.int() & 7 {
		method := [...]string{"ExecuteStatement", "GetOperationStatus", "FetchResults", "CloseOperation"}[s.int()&3]
		r.RPCs = append(r.RPCs, telemetry.RPC{Method: method, Calls: s.int(), Retries: s.int(), Backoff: s.duration()})
		r.Calls = append(r.Calls, telemetry.Call{Method: method, Start: s.duration(), End: maybe(s, s.duration)})
	}
	if s.int()%2 == 0 {
		r.CloudFetch = &telemetry.CloudFetch{Present: s.int(), Slowest: s.duration()}
		for range s.int() & 31 {
			r.CloudFetch.Files = append(r.CloudFetch.Files, telemetry.File{Start: maybe(s, s.duration), End: maybe(s, s.duration), Queued: maybe(s, s.duration)})
		}
	}
	return r
}

// FuzzExplain: whatever a record says, its parts fit into its total, its verdict is the largest
// part, and the bars of its timeline lie within the total and do not overlap.
func FuzzExplain(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte("\x00\x00\x7f\x00\x00\x40"))
	long := make([]byte, 600)
	for i := range long {
		long[i] = byte(i * 37)
	}
	f.Add(long)
	f.Fuzz(func(t *testing.T, in []byte) {
		s := (*source)(&in).statement()

		var sum, largest time.Duration
		for _, p := range explain.PartsOf(s) {
			require.Positive(t, p.Time)
			require.True(t, p.Share > 0 && p.Share <= 1, p.Share)
			sum, largest = sum+p.Time, max(largest, p.Time)
		}
		require.LessOrEqual(t, sum, max(0, s.Total))
		require.Equal(t, largest, explain.Of(s).Time)

		timeline := explain.TimelineOf(s)
		for _, lane := range timeline.Lanes {
			var end time.Duration
			for _, b := range lane.Bars {
				require.GreaterOrEqual(t, b.Start, end, "bars of %s overlap", lane.Name)
				require.GreaterOrEqual(t, b.End, b.Start)
				end = b.End
			}
			require.LessOrEqual(t, end, timeline.Total)
		}
	})
}
