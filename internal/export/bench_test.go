package export_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// withoutFlag is a service whose flag is not answered, so that nothing leaves the queue.
func withoutFlag() *service {
	s := newService()
	s.flag = hang
	return s
}

// accepting takes everything at once and looks at nothing.
type accepting struct{}

func (accepting) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodGet {
		return response(r, 200, `{"flags":[],"ttl_seconds":3600}`), nil
	}
	_ = r.Body.Close()
	return response(r, 200, `{"errors":[],"numSuccess":1,"numProtoSuccess":1000000}`), nil
}

func TestTakingARecordAllocatesNothing(t *testing.T) {
	var x export.Exporter
	h := x.Open(connection(withoutFlag()), telemetry.Settings{CloseTimeout: time.Millisecond})
	defer func() { _ = h.Close(t.Context()) }()
	r := statement()
	r.WorkspaceID = "1234567890123456"
	r.RPCs = []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1}, {Method: "CloseOperation", Calls: 1}}
	for range 3000 { // the queue is full, the ring has its size
		h.StatementFinished(r)
	}
	require.Zero(t, testing.AllocsPerRun(1000, func() { h.StatementFinished(r) }))
	require.Zero(t, testing.AllocsPerRun(1000, func() { h.Recording() }))
}

// heap is what is in use.
func heap() int64 {
	runtime.GC()
	runtime.GC() // empties pools, too
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestAFullPipelineStaysSmall(t *testing.T) {
	before := heap()
	var x export.Exporter
	h := x.Open(connection(withoutFlag()), telemetry.Settings{CloseTimeout: time.Millisecond})
	for range 1000 {
		r := &struct { // as the driver makes them: its calls are part of the record
			telemetry.Statement
			rpc [1]telemetry.RPC
		}{Statement: *fullStatement()}
		r.RPCs = append(r.rpc[:0], r.RPCs[0])
		r.Query = strings.Repeat("SELECT 1 ", 1000) // is not sent, and not kept
		h.StatementFinished(&r.Statement)
	}
	used := heap() - before
	require.EqualValues(t, 1000, x.Stats().Pending)
	t.Logf("%d KiB for a full queue of CloudFetch statements", used>>10)
	require.Less(t, used, int64(2<<20))
	_ = h.Close(t.Context())
}

// docs/SCALE.md: 1,000 events or 4 MiB of records. What is not sent need not wait.
func TestAFullPipelineStaysSmallWhateverIsLocalInItsRecords(t *testing.T) {
	for name, add := range map[string]func(*telemetry.Statement){
		"error text": func(r *telemetry.Statement) { // telemetry_error_text=full
			r.Failure = &telemetry.Failure{Category: telemetry.CategorySyntax, Message: strings.Repeat("x", 64<<10)}
		},
		"tags and attributes": func(r *telemetry.Statement) {
			r.QueryTags = map[string]string{}
			for i := range 32 {
				r.QueryTags[fmt.Sprint(i)] = strings.Repeat("x", 256)
				r.Attributes = append(r.Attributes, slog.String(fmt.Sprint(i), strings.Repeat("x", 256)))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := heap()
			var x export.Exporter
			h := x.Open(connection(withoutFlag()), telemetry.Settings{CloseTimeout: time.Millisecond})
			for range 1000 {
				r := statement()
				add(r)
				h.StatementFinished(r)
			}
			used := heap() - before
			t.Logf("%d KiB, of which Stats says %d KiB", used>>10, x.Stats().PendingBytes>>10)
			require.Less(t, used, int64(6<<20))
			_ = h.Close(t.Context())
		})
	}
}

func BenchmarkStatementFinished(b *testing.B) {
	bench := func(b *testing.B, transport http.RoundTripper, settings telemetry.Settings, run func(*export.Handle, *telemetry.Statement)) {
		var x export.Exporter
		c := connection(nil)
		c.Transport = transport
		h := x.Open(c, settings)
		defer func() { _ = h.Close(b.Context()) }()
		r := statement()
		b.ReportAllocs()
		b.ResetTimer()
		run(h, r)
	}
	b.Run("queue", func(b *testing.B) {
		bench(b, withoutFlag(), telemetry.Settings{CloseTimeout: time.Millisecond}, func(h *export.Handle, r *telemetry.Statement) {
			for b.Loop() {
				h.StatementFinished(r)
			}
		})
	})
	b.Run("parallel", func(b *testing.B) {
		bench(b, withoutFlag(), telemetry.Settings{CloseTimeout: time.Millisecond}, func(h *export.Handle, r *telemetry.Statement) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					h.StatementFinished(r)
				}
			})
		})
	})
	b.Run("sent", func(b *testing.B) {
		bench(b, accepting{}, telemetry.Settings{ForceEnable: true}, func(h *export.Handle, r *telemetry.Statement) {
			n := 0
			for b.Loop() {
				h.StatementFinished(r)
				if n++; n%100 == 0 {
					_ = h.Flush(b.Context())
				}
			}
		})
	})
	b.Run("flag off", func(b *testing.B) {
		bench(b, accepting{}, telemetry.Settings{}, func(h *export.Handle, r *telemetry.Statement) {
			h.SessionOpened(opened())
			require.NoError(b, h.Flush(b.Context())) // requests the flag
			require.False(b, h.Recording())
			for b.Loop() {
				if h.Recording() {
					h.StatementFinished(r)
				}
			}
		})
	})
}

func BenchmarkEncode(b *testing.B) {
	var x export.Exporter
	h := x.Open(connection(newService()), telemetry.Settings{})
	for name, r := range map[string]any{"statement": fullStatement(), "session": opened()} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h.Preview(r)
			}
		})
	}
}
