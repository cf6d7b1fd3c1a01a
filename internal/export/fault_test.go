package export_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

type answerer = func(*http.Request) (*http.Response, error)

func status(code int, header ...string) answerer {
	return func(r *http.Request) (*http.Response, error) { return response(r, code, "<html>", header...), nil }
}

func fails(err error) answerer {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// first answers the first n requests with a, and leaves the rest to the service.
func first(n int, a answerer) answerer {
	return func(r *http.Request) (*http.Response, error) {
		if n--; n >= 0 {
			return a(r)
		}
		return nil, nil
	}
}

type brokenBody struct{ io.Reader }

func (b brokenBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
func (brokenBody) Close() error { return nil }

func halfBody(r *http.Request) (*http.Response, error) {
	resp := response(r, 200, "")
	resp.Body = brokenBody{strings.NewReader(`{"errors":[],"numSucc`)}
	return resp, nil
}

func hang(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestEveryFaultEndsAsSpecified(t *testing.T) {
	const all = 10
	tests := map[string]struct {
		do       answerer
		sent     int64
		dropped  string
		requests int
		least    time.Duration // from the first upload to the last
		most     time.Duration
	}{
		"503 twice":           {do: first(2, status(503)), sent: all, requests: 3, least: 1650 * time.Millisecond, most: 2 * time.Second},
		"429 with seconds":    {do: first(1, status(429, "Retry-After", "7")), sent: all, requests: 2, least: 7 * time.Second, most: 7 * time.Second * 5 / 4},
		"429 with a date":     {do: first(1, status(429, "Retry-After", "Sat, 01 Jan 2000 00:00:20 GMT")), sent: all, requests: 2, least: 15 * time.Second, most: 20 * time.Second * 5 / 4},
		"429 for a day":       {do: first(1, status(429, "Retry-After", "86400")), sent: all, requests: 2, least: time.Minute, most: time.Minute * 5 / 4},
		"429 without":         {do: first(1, status(429)), sent: all, requests: 2, least: 550 * time.Millisecond, most: 650 * time.Millisecond},
		"hang":                {do: first(1, hang), sent: all, requests: 2, least: 10550 * time.Millisecond, most: 10650 * time.Millisecond},
		"reset":               {do: first(1, fails(syscall.ECONNRESET)), sent: all, requests: 2, least: 550 * time.Millisecond, most: 650 * time.Millisecond},
		"refused":             {do: first(1, fails(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED})), sent: all, requests: 2, most: time.Second},
		"no such host":        {do: first(1, fails(&net.DNSError{Err: "no such host", Name: "secret-host"})), sent: all, requests: 2, most: time.Second},
		"half a body":         {do: first(1, halfBody), sent: all, requests: 2, most: time.Second},
		"303 to a login page": {do: first(1, status(303, "Location", "https://login/")), sent: all, requests: 2, least: 5 * time.Second, most: 5 * time.Second},
		"200 with HTML":       {do: first(1, status(200)), sent: all, requests: 2, least: 5 * time.Second, most: 5 * time.Second},
		"200 without counts":  {do: first(1, func(r *http.Request) (*http.Response, error) { return response(r, 200, `{}`), nil }), sent: all, requests: 2, least: 5 * time.Second, most: 5 * time.Second},
		"413 once":            {do: first(1, status(413)), sent: all, requests: 3},
		"400":                 {do: status(400), dropped: export.DropRefused, requests: 1},
		"401":                 {do: status(401), dropped: export.DropRefused, requests: 1},
		"403":                 {do: status(403), dropped: export.DropRefused, requests: 1},
		"404":                 {do: status(404), dropped: export.DropRefused, requests: 1},
		"partial success": {do: func(r *http.Request) (*http.Response, error) {
			return response(r, 200, `{"errors":["bad",{"message":"worse"}],"numSuccess":8,"numProtoSuccess":7,"numRealtimeSuccess":0}`), nil
		}, sent: 7, dropped: export.DropRejected, requests: 1},
		"more than was sent": {do: func(r *http.Request) (*http.Response, error) {
			return response(r, 200, `{"numProtoSuccess":1000}`), nil
		}, sent: all, requests: 1},
		"success as a panic": {do: first(1, func(*http.Request) (*http.Response, error) { panic("a transport of the user") }), sent: all, requests: 2, least: 5 * time.Second, most: 5 * time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
				h := x.Open(connection(s), telemetry.Settings{ForceEnable: true})
				s.upload = test.do
				h.SessionOpened(opened())
				for range all - 1 {
					h.StatementFinished(statement())
				}
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				s.mu.Lock()
				times := s.times
				s.mu.Unlock()
				{
					require.Len(t, times, test.requests)
					took := times[len(times)-1].Sub(times[0])
					require.GreaterOrEqual(t, took, test.least)
					require.LessOrEqual(t, took, test.most)
				}
				st := balanced(t, x)
				require.Equal(t, test.sent, st.Sent)
				if test.dropped != "" {
					require.Equal(t, all-test.sent, st.Dropped[test.dropped])
				} else {
					require.Empty(t, st.Dropped)
				}
				for id, n := range s.arrivals {
					require.NotEmpty(t, id)
					require.LessOrEqual(t, n, test.requests+100)
				}
				require.LessOrEqual(t, len(s.arrivals), all, "the same ids on every attempt")
				require.NotContains(t, st.Pipelines[0].LastError, "secret")
				_ = h.Close(t.Context())
				require.Zero(t, balanced(t, x).Pending)
			})
		})
	}
}

// An endpoint that answers 413 to single records takes nothing. It is left alone like one that fails:
// without the breaker, a batch of 1,000 would be 1,999 requests, one right after another.
func TestAnEndpointForWhichEverythingIsTooLargeIsLeftAlone(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		s.upload = status(413)
		const records = 1000
		h := x.Open(connection(s), telemetry.Settings{ForceEnable: true, BatchSize: records})
		h.SessionOpened(opened())
		for range records - 1 {
			h.StatementFinished(statement())
		}
		time.Sleep(30 * time.Second)
		synctest.Wait()
		require.Equal(t, "open", x.Stats().Pipelines[0].Breaker)
		require.Less(t, s.uploads(), 25)
		st := balanced(t, x)
		require.EqualValues(t, 5, st.Dropped[export.DropTooLarge], "as many as open the breaker")
		require.EqualValues(t, records-5, st.Pending)
		s.set(func() { s.upload = nil })
		time.Sleep(2 * time.Minute)
		require.EqualValues(t, records-5, balanced(t, x).Sent)
	})
}

func TestRetriesAreAsManyAsTheSettingSays(t *testing.T) {
	for setting, want := range map[int]int{0: 4, 1: 2, -1: 1} {
		inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
			s.upload = status(500)
			h := x.Open(connection(s), telemetry.Settings{MaxRetries: setting, RetryDelay: 10 * time.Millisecond, ForceEnable: true})
			h.SessionOpened(opened())
			require.Error(t, h.Flush(t.Context()))
			require.Equal(t, want, s.uploads())
			require.EqualValues(t, want-1, x.Stats().Retries)
			require.Error(t, h.Close(t.Context()))
		})
	}
}

func TestABatchHasADeadlineOverall(t *testing.T) {
	for name, test := range map[string]struct {
		fault       answerer
		least, most int // attempts
	}{
		"all attempts hang":           {hang, 21, 21},
		"the server asks for a pause": {status(429, "Retry-After", "60"), 5, 7}, // of 60 to 75 s
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
				s.upload = test.fault
				h := x.Open(connection(s), telemetry.Settings{MaxRetries: 20, ForceEnable: true})
				h.SessionOpened(opened())
				start := time.Now()
				require.Error(t, h.Flush(t.Context()))
				require.LessOrEqual(t, time.Since(start), 21*10*time.Second+20*11*time.Second)
				require.GreaterOrEqual(t, s.uploads(), test.least)
				require.LessOrEqual(t, s.uploads(), test.most)
				require.Error(t, h.Close(t.Context()))
			})
		})
	}
}

func TestAnOutageOfAMinuteDropsNothing(t *testing.T) {
	for name, fault := range map[string]answerer{"503": status(503), "refused": fails(syscall.ECONNREFUSED), "hang": hang} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
				h := x.Open(connection(s), telemetry.Settings{})
				h.SessionOpened(opened())
				require.NoError(t, h.Flush(t.Context()))
				end := time.Now().Add(time.Minute)
				s.set(func() {
					s.upload = func(r *http.Request) (*http.Response, error) {
						if time.Now().Before(end) {
							return fault(r)
						}
						return nil, nil
					}
				})
				var before int
				for i := range 1500 {
					if i == 600 {
						before = s.uploads()
					}
					h.StatementFinished(statement())
					time.Sleep(100 * time.Millisecond)
				}
				require.NoError(t, h.Close(t.Context()))
				st := balanced(t, x)
				require.Empty(t, st.Dropped)
				require.EqualValues(t, 1501, st.Sent)
				require.Len(t, s.events, 1501)
				require.Less(t, before, 25, "an endpoint that is down is left alone")
				if name != "hang" {
					require.EqualValues(t, 1, st.BreakerOpened)
				}
			})
		})
	}
}

func TestTheBreakerProbesOnceAMinuteAndClosesAfterTwoSuccesses(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		h := x.Open(connection(s), telemetry.Settings{CircuitBreakerThreshold: 2, CircuitBreakerTimeout: 30 * time.Second, ForceEnable: true, MaxRetries: 1, RetryDelay: time.Millisecond, BatchSize: 1})
		var broken atomic.Bool
		broken.Store(true)
		s.upload = func(r *http.Request) (*http.Response, error) {
			if broken.Load() {
				return status(503)(r)
			}
			return nil, nil
		}
		state := func() string { return x.Stats().Pipelines[0].Breaker }
		h.SessionOpened(opened())
		h.StatementFinished(statement())
		h.StatementFinished(statement())
		time.Sleep(time.Second)
		require.Equal(t, 4, s.uploads(), "two batches of two attempts")
		require.Equal(t, "open", state())
		require.False(t, x.Stats().Pipelines[0].NotBefore.IsZero())
		require.Equal(t, time.UTC, x.Stats().Pipelines[0].NotBefore.Location(), "as all times of the page's JSON")
		start := time.Now()
		require.ErrorContains(t, h.Flush(t.Context()), "the circuit breaker is open after HTTP 503")
		require.Zero(t, time.Since(start))
		time.Sleep(20 * time.Second)
		require.Equal(t, 4, s.uploads(), "while it is open nothing is sent")
		time.Sleep(15 * time.Second)
		require.Equal(t, 5, s.uploads(), "one probe, not retried")
		require.Equal(t, "open", state())
		broken.Store(false)
		time.Sleep(35 * time.Second)
		require.Equal(t, "closed", state())
		require.EqualValues(t, 3, balanced(t, x).Sent)
		require.NoError(t, h.Close(t.Context()))
	})
}

func TestWithoutTheBreakerAFailingEndpointGetsOneRequestPerInterval(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		s.upload = status(503)
		h := x.Open(connection(s), telemetry.Settings{CircuitBreaker: telemetry.SwitchOff, MaxRetries: -1, ForceEnable: true})
		h.SessionOpened(opened())
		time.Sleep(10*time.Minute + time.Second)
		require.InDelta(t, 120, s.uploads(), 2)
		require.Equal(t, "off", x.Stats().Pipelines[0].Breaker)
		require.Error(t, h.Close(t.Context()))
	})
}

func TestEventsOlderThanAnHourExpire(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		s.upload = status(503)
		h := x.Open(connection(s), telemetry.Settings{ForceEnable: true})
		h.SessionOpened(opened())
		time.Sleep(2 * time.Hour)
		st := balanced(t, x)
		require.Equal(t, map[string]int64{export.DropExpired: 1}, st.Dropped)
		n := s.uploads()
		require.Less(t, n, 90)
		time.Sleep(time.Hour)
		require.Equal(t, n, s.uploads(), "nothing to send, nothing is asked")
		require.NoError(t, h.Close(t.Context()))
	})
}

func TestAFailingAuthenticatorIsNotCalledAgainAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		c := connection(s)
		auth := c.Authenticator.(*bearer)
		auth.set("")
		h := x.Open(c, telemetry.Settings{ForceEnable: true})
		h.SessionOpened(opened())
		require.EqualError(t, h.Flush(t.Context()), "databricks-telemetry: events for "+x.Stats().Pipelines[0].Server+" still wait (1): auth_error")
		require.Equal(t, 1, auth.asked)
		auth.set("good")
		time.Sleep(6 * time.Second)
		require.EqualValues(t, 1, x.Stats().Sent)
		require.NoError(t, h.Close(t.Context()))
	})
}

type panicking struct{}

func (panicking) Authenticate(*http.Request) error { panic(errors.New("secret")) }

func TestAPanicInTheAuthenticatorIsContained(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		c := connection(s)
		c.Authenticator = panicking{}
		h := x.Open(c, telemetry.Settings{ForceEnable: true})
		h.SessionOpened(opened())
		require.Error(t, h.Close(t.Context()))
		balanced(t, x)
	})
}

// An application that opens and closes a pool for each job has no pipeline that lives long enough for five
// batches to fail.
func TestWhatIsLearnedOfAnEndpointOutlivesItsPools(t *testing.T) {
	for name, fault := range map[string]func(s *service){
		"upload refused": func(s *service) { s.upload = status(503) },
		"upload reset":   func(s *service) { s.upload = fails(&net.OpError{Op: "read", Err: syscall.ECONNRESET}) },
		"upload hangs":   func(s *service) { s.upload = hang },
		"flag hangs":     func(s *service) { s.flag = hang },
		"flag refused":   func(s *service) { s.flag = status(503) },
		"page instead":   func(s *service) { s.upload = status(200) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
				fault(s)
				c := connection(s)
				job := func() (closing time.Duration) {
					h := x.Open(c, telemetry.Settings{})
					h.SessionOpened(opened())
					start := time.Now()
					_ = h.Close(t.Context())
					return time.Since(start)
				}
				var closing time.Duration
				for range 20 {
					closing += job()
				}
				require.LessOrEqual(t, closing, 5*2*time.Second, "five failures open the breaker, one makes the flag unreadable")
				require.Zero(t, job())
				for range 9 {
					time.Sleep(70 * time.Second)
					require.LessOrEqual(t, job(), 2*time.Second, "a probe")
					require.Zero(t, job())
				}
				s.upload, s.flag = nil, nil
				time.Sleep(70 * time.Second)
				job()
				job()
				require.Zero(t, job())
				require.NotEmpty(t, s.events, "it is reported again")
				balanced(t, x)
			})
		})
	}
}

func TestAnEndpointIsGivenTimeByAClose(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		s.upload = hang
		c := connection(s)
		for range 20 {
			h := x.Open(c, telemetry.Settings{CloseTimeout: 100 * time.Millisecond})
			h.SessionOpened(opened())
			_ = h.Close(t.Context())
		}
		require.Zero(t, x.Stats().BreakerOpened, "a request that was cut off at once says nothing")
	})
}

// A close that is in a hurry says nothing of an endpoint that is healthy.
func TestARequestThatIsCutOffAtOnceCostsTheNextPoolNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		s.upload = func(r *http.Request) (*http.Response, error) {
			select {
			case <-time.After(150 * time.Millisecond):
				return nil, nil
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		}
		c := connection(s)
		for _, closing := range []time.Duration{100 * time.Millisecond, 5 * time.Second} {
			h := x.Open(c, telemetry.Settings{CloseTimeout: closing})
			h.SessionOpened(opened())
			err := h.Close(t.Context())
			require.Equal(t, closing < time.Second, err != nil)
		}
		require.Len(t, s.events, 1)
		require.Equal(t, map[string]int64{export.DropClosed: 1}, balanced(t, x).Dropped)
	})
}

func TestAnAuthenticatorThatHangsIsLeftAloneByLaterPools(t *testing.T) {
	for _, force := range []bool{false, true} {
		inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
			end := make(chan struct{})
			var hanging atomic.Int64
			c := connection(s)
			c.Credential = export.Fingerprint("t")
			c.Authenticator = authenticatorFunc(func(*http.Request) error {
				hanging.Add(1)
				<-end
				return errors.New("over")
			})
			start := time.Now()
			for range 100 {
				h := x.Open(c, telemetry.Settings{ForceEnable: force})
				h.SessionOpened(opened())
				_ = h.Close(t.Context())
			}
			require.Less(t, time.Since(start), 15*time.Second, "of fake time")
			require.LessOrEqual(t, hanging.Load(), int64(5))
			close(end)
		})
	}
}
