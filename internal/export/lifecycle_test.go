package export_test

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestAQueueSmallerThanABatchIsEmptiedInTime(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		h := x.Open(connection(s), telemetry.Settings{QueueSize: 10})
		h.SessionOpened(opened())
		for range 100 {
			h.StatementFinished(statement())
			time.Sleep(time.Millisecond)
		}
		require.NoError(t, h.Close(t.Context()))
		require.EqualValues(t, 101, balanced(t, x).Sent)
	})
}

func TestNothingIsSentAfterShutdown(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		h := x.Open(connection(s), telemetry.Settings{})
		h.SessionOpened(opened())
		require.NoError(t, x.Shutdown(t.Context()))
		require.Equal(t, 1, s.uploads())
		require.False(t, h.Recording())
		h.StatementFinished(statement())
		require.Nil(t, x.Open(connection(s), telemetry.Settings{}))
		require.Error(t, x.Flush(t.Context()))
		require.NoError(t, x.Shutdown(t.Context()))
		require.NoError(t, h.Close(t.Context()))
		time.Sleep(time.Hour)
		require.Equal(t, 1, s.uploads())
		st := balanced(t, x)
		require.Equal(t, map[string]int64{export.DropShutDown: 1}, st.Dropped)
	})
}

// Nothing is sent after Shutdown has returned, to whichever of two callers.
func TestASecondShutdownWaitsForTheFirst(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		end := make(chan struct{})
		defer close(end)
		s.upload = func(*http.Request) (*http.Response, error) { <-end; return nil, nil }
		x.Open(connection(s), telemetry.Settings{ForceEnable: true}).SessionOpened(opened())
		go func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_ = x.Shutdown(ctx)
		}()
		time.Sleep(time.Second + time.Millisecond)
		start := time.Now()
		require.NoError(t, x.Shutdown(t.Context()))
		require.Positive(t, time.Since(start), "while the first interrupts the request")
		require.Empty(t, x.Stats().Pipelines)
	})
}

func TestCloseIsBoundedWhenTheEndpointHangs(t *testing.T) {
	for name, hang := range map[string]func(s *service, f func(*http.Request) (*http.Response, error)){
		"upload": func(s *service, f func(*http.Request) (*http.Response, error)) { s.upload = f },
		"flag":   func(s *service, f func(*http.Request) (*http.Response, error)) { s.flag = f },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
				hang(s, func(r *http.Request) (*http.Response, error) {
					<-r.Context().Done()
					return nil, r.Context().Err()
				})
				h := x.Open(connection(s), telemetry.Settings{})
				h.SessionOpened(opened())
				start := time.Now()
				err := h.Close(context.Background())
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.Equal(t, 2*time.Second, time.Since(start))
				st := balanced(t, x)
				require.Zero(t, st.Pending)
				require.Equal(t, map[string]int64{export.DropClosed: 1}, st.Dropped)
				n := len(s.requests)
				time.Sleep(time.Hour)
				require.Len(t, s.requests, n)
			})
		})
	}
}

func TestFlushSendsWhatWasRecordedBeforeIt(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		h := x.Open(connection(s), telemetry.Settings{BatchSize: 7})
		h.SessionOpened(opened())
		for range 50 {
			h.StatementFinished(statement())
		}
		require.NoError(t, x.Flush(t.Context()))
		require.EqualValues(t, 51, x.Stats().Sent)
		require.NoError(t, x.Flush(t.Context()), "nothing waits")
		require.NoError(t, h.Close(t.Context()))
		require.NoError(t, h.Close(t.Context()))
	})
}

func TestRecordingFromManyGoroutinesReportsEachOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		c := connection(s)
		c.Credential = "x"
		h := x.Open(c, telemetry.Settings{QueueSize: 1_000_000})
		h.SessionOpened(opened())
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() {
				churn := x.Open(c, telemetry.Settings{QueueSize: 1_000_000})
				for range 50 {
					churn.StatementFinished(statement())
				}
				if err := churn.Close(context.Background()); err != nil {
					panic(err)
				}
			})
		}
		wg.Wait()
		require.NoError(t, h.Close(t.Context()))
		require.Len(t, s.events, 64*50+1)
		require.Len(t, s.taken, 64*50+1)
		for _, n := range s.arrivals {
			require.Equal(t, 1, n)
		}
		require.EqualValues(t, 64*50+1, balanced(t, x).Sent)
		require.Less(t, s.uploads(), 64*50/100+64+2)
	})
}

func TestRecentDocumentsCanBeRead(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		x.KeepRecent(2)
		h := x.Open(connection(s), telemetry.Settings{})
		h.SessionOpened(opened())
		h.StatementFinished(statement())
		h.StatementFinished(statement())
		require.NoError(t, h.Flush(t.Context()))
		recent := x.Recent()
		require.Len(t, recent, 2)
		for i, d := range recent {
			require.Equal(t, string(s.events[s.taken[i+1]]), d.JSON)
			require.Equal(t, "sent", d.Outcome)
			require.Equal(t, "/telemetry-ext", d.Endpoint)
		}
		x.KeepRecent(0)
		require.Empty(t, x.Recent())
		require.NoError(t, h.Close(t.Context()))
	})
}

// A pipeline has contexts and timers, which the runtime lets no goroutine use outside of their bubble.
func TestAConnectorInABubbleSharesNothingWithOnesOutside(t *testing.T) {
	var x export.Exporter
	c := connection(withoutFlag())
	outside := x.Open(c, telemetry.Settings{CloseTimeout: time.Millisecond})
	synctest.Test(t, func(t *testing.T) {
		inside := x.Open(c, telemetry.Settings{CloseTimeout: time.Millisecond})
		require.Len(t, x.Stats().Pipelines, 2)
		_ = inside.Close(t.Context())
	})
	require.Len(t, x.Stats().Pipelines, 1)
	_ = outside.Close(t.Context())
}

// A connection of the exporter's own would otherwise stay open until it has been idle for a while.
func TestClosingTheLastConnectorClosesTheConnection(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		var connections atomic.Int32
		c := connection(s)
		c.Scheme = "http"
		c.Transport = &http.Transport{MaxConnsPerHost: 1, DialContext: func(context.Context, string, string) (net.Conn, error) {
			here, there := net.Pipe()
			connections.Add(1)
			go func() {
				defer connections.Add(-1)
				requests := bufio.NewReader(there)
				for {
					r, err := http.ReadRequest(requests)
					if err != nil {
						return
					}
					resp, _ := s.RoundTrip(r)
					resp.TransferEncoding = []string{"chunked"} // otherwise it ends with the connection
					if resp.Write(there) != nil {
						return
					}
				}
			}()
			return here, nil
		}}
		h := x.Open(c, telemetry.Settings{ForceEnable: true})
		h.SessionOpened(opened())
		require.NoError(t, h.Flush(t.Context()))
		synctest.Wait()
		require.EqualValues(t, 1, connections.Load())
		require.NoError(t, h.Close(t.Context()))
		synctest.Wait()
		require.Zero(t, connections.Load())
	})
}

// A test in a bubble may leave a connector behind, or run beside one that flushes the process.
func TestAFlushOutsideLeavesThePipelinesOfABubbleAlone(t *testing.T) {
	for name, end := range map[string]func(*export.Exporter, context.Context) error{"flush": (*export.Exporter).Flush, "shutdown": (*export.Exporter).Shutdown} {
		t.Run(name, func(t *testing.T) {
			s, x := newService(), &export.Exporter{}
			synctest.Test(t, func(*testing.T) {
				x.Open(connection(s), telemetry.Settings{ForceEnable: true}).SessionOpened(opened())
			})
			require.NoError(t, end(x, t.Context()))
			require.Zero(t, s.uploads())
		})
	}
}
