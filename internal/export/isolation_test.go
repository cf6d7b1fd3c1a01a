package export_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func shortly(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	t.Cleanup(cancel)
	return ctx
}

// Flush and Close wait for the records before them, not for an empty queue: a pool that goes on
// recording on the same pipeline does not delay the close of an idle one.
func TestABusyPoolDoesNotDelayTheCloseOfAnIdleOne(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		shared := &bearer{token: "t"}
		open := func() *export.Handle {
			c := connection(s)
			c.Authenticator = shared
			return x.Open(c, telemetry.Settings{ForceEnable: true})
		}
		idle, busy := open(), open()
		require.Len(t, x.Stats().Pipelines, 1)
		idle.SessionOpened(opened())
		busy.SessionOpened(opened())
		require.NoError(t, x.Flush(t.Context()))

		s.set(func() { s.upload = hang }) // later uploads of the busy pool hang
		for range 500 {
			busy.StatementFinished(statement())
		}
		start := time.Now()
		require.NoError(t, idle.Close(t.Context()), "all of its own has been sent")
		require.Zero(t, time.Since(start))
		require.Error(t, busy.Close(t.Context()))
		balanced(t, x)
	})
}

func TestAFlushThatIsGivenUpEndsNoOther(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		s.upload = func(*http.Request) (*http.Response, error) { time.Sleep(5 * time.Second); return nil, nil }
		h := x.Open(connection(s), telemetry.Settings{ForceEnable: true})
		h.SessionOpened(opened())
		patient := make(chan error)
		go func() { patient <- h.Flush(t.Context()) }()
		require.ErrorIs(t, h.Flush(shortly(t)), context.DeadlineExceeded)
		require.NoError(t, <-patient)
		require.NoError(t, h.Close(t.Context()))
	})
}

func TestAFlushIsNotProlongedByLaterRecords(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		s.upload = func(*http.Request) (*http.Response, error) { time.Sleep(20 * time.Millisecond); return nil, nil }
		h := x.Open(connection(s), telemetry.Settings{ForceEnable: true, BatchSize: 50})
		h.SessionOpened(opened())
		stop := make(chan struct{})
		defer close(stop)
		go func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond):
					h.StatementFinished(statement())
				}
			}
		}()
		for range 5 {
			time.Sleep(10 * time.Millisecond)
			require.NoError(t, h.Flush(shortly(t)), "though records never cease")
		}
		_ = h.Close(t.Context())
	})
}

// Connectors may be dropped without Close. Their pipelines end all the same, and what waits
// is sent or counted.
func TestPipelinesOfDroppedHandlesEnd(t *testing.T) {
	var x export.Exporter
	const many = 2000
	for i := range many {
		c := connection(newService())
		c.Authenticator, c.Credential = &bearer{token: "t"}, export.Fingerprint(fmt.Sprint(i))
		h := x.Open(c, telemetry.Settings{CloseTimeout: time.Millisecond})
		h.SessionOpened(&telemetry.SessionOpened{Failure: &telemetry.Failure{Category: telemetry.CategoryAuth}}) // never logged in
	}
	require.NotEmpty(t, x.Stats().Pipelines)
	for len(x.Stats().Pipelines) > 0 { // ends with the test's own time limit, if ever it fails
		runtime.GC()
	}
	require.EqualValues(t, many, balanced(t, &x).Dropped[export.DropClosed])
}

func TestADroppedHandleSendsWhatWaits(t *testing.T) {
	var x export.Exporter
	s := newService()
	func() {
		h := x.Open(connection(s), telemetry.Settings{ForceEnable: true, FlushInterval: time.Hour})
		h.SessionOpened(opened())
		h.StatementFinished(statement())
	}()
	for len(x.Stats().Pipelines) > 0 {
		runtime.GC()
	}
	require.EqualValues(t, 2, balanced(t, &x).Sent)
}
