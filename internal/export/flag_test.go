package export_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestTheFlagDecides(t *testing.T) {
	for value, sent := range map[string]int64{"true": 3, "false": 0, "": 0, "yes": 0} {
		t.Run(value, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
				s.enabled = value
				h := x.Open(connection(s), telemetry.Settings{Enabled: telemetry.SwitchOn})
				require.True(t, h.Recording())
				h.SessionOpened(opened())
				h.StatementFinished(statement())
				require.NoError(t, h.Flush(t.Context()))
				require.Equal(t, sent > 0, h.Recording())
				h.StatementFinished(statement())
				time.Sleep(time.Minute)
				st := balanced(t, x)
				require.Equal(t, sent, st.Sent)
				require.Equal(t, 3-sent, st.Dropped[export.DropFlagOff])
				require.EqualValues(t, 1, st.FlagRequests)
				require.Equal(t, sent > 0, s.uploads() > 0)
				require.NoError(t, h.Close(t.Context()))
			})
		})
	}
}

func TestTheFlagIsRequestedWithTheCredentialAndTheWorkspace(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		h := x.Open(connection(s), telemetry.Settings{})
		h.SessionOpened(opened())
		require.NoError(t, h.Close(t.Context()))
		r := s.requests[0]
		require.Equal(t, http.MethodGet, r.Method)
		require.Equal(t, flagPath, r.URL.Path)
		require.Equal(t, "Bearer t0", r.Header.Get("Authorization"))
		require.Equal(t, "1234567890123456", r.Header.Get("x-databricks-org-id"))
	})
}

func TestASlowFlagDelaysEventsAndNothingElse(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		s.flag = func(*http.Request) (*http.Response, error) { time.Sleep(9 * time.Second); return nil, nil }
		h := x.Open(connection(s), telemetry.Settings{BatchSize: 5})
		start := time.Now()
		h.SessionOpened(opened())
		for range 20 {
			h.StatementFinished(statement())
		}
		require.Zero(t, time.Since(start))
		synctest.Wait()
		require.Zero(t, s.uploads())
		time.Sleep(20 * time.Second)
		require.EqualValues(t, 21, balanced(t, x).Sent)
		require.Equal(t, 1, s.count(flagPath))
		require.NoError(t, h.Close(t.Context()))
	})
}

func TestAFlagThatCannotBeReadCountsAsOffForAMinute(t *testing.T) {
	for name, fault := range map[string]answerer{
		"500": status(500), "404": status(404), "401": status(401), "hang": hang, "303": status(303),
		"HTML": status(200), "half a body": halfBody, "reset": fails(http.ErrServerClosed),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
				var broken atomic.Bool
				broken.Store(true)
				s.flag = func(r *http.Request) (*http.Response, error) {
					if broken.Load() {
						return fault(r)
					}
					return nil, nil
				}
				h := x.Open(connection(s), telemetry.Settings{})
				h.SessionOpened(opened())
				for range 50 {
					h.StatementFinished(statement())
					time.Sleep(time.Second)
				}
				require.Zero(t, s.uploads())
				require.Equal(t, 1, s.count(flagPath))
				require.Error(t, h.Flush(t.Context()))
				require.Equal(t, 1, s.count(flagPath), "not even for a flush")
				broken.Store(false)
				time.Sleep(time.Minute)
				require.EqualValues(t, 51, balanced(t, x).Sent, "what was held is sent once the server says so")
				require.NoError(t, h.Close(t.Context()))
			})
		})
	}
}

func TestAFlagThatIsReadLeavesNoEarlierError(t *testing.T) {
	for name, value := range map[string]string{"on": "true", "off": "false"} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
				s.flag, s.enabled = first(1, status(503)), value
				s.upload = func(*http.Request) (*http.Response, error) { time.Sleep(time.Second); return nil, nil }
				h := x.Open(connection(s), telemetry.Settings{FlushInterval: time.Hour})
				h.SessionOpened(opened())
				require.ErrorContains(t, h.Flush(t.Context()), "flag: HTTP 503")
				require.Equal(t, "flag: HTTP 503", x.Stats().Pipelines[0].LastError)
				time.Sleep(time.Minute)
				go func() { _ = h.Flush(t.Context()) }()
				synctest.Wait()
				require.Equal(t, 2, s.count(flagPath))
				require.Empty(t, x.Stats().Pipelines[0].LastError, "the latest request was answered")
				require.NoError(t, h.Close(t.Context()))
			})
		})
	}
}

func TestAFlagThatChangesIsFollowedWithinItsTTL(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		s.ttl = 120
		h := x.Open(connection(s), telemetry.Settings{})
		h.SessionOpened(opened())
		second := func() { h.StatementFinished(statement()); time.Sleep(time.Second) }
		for range 60 {
			second()
		}
		s.set(func() { s.enabled = "false" })
		for range 120 {
			second()
		}
		require.False(t, h.Recording())
		n := s.uploads()
		for range 60 {
			second()
		}
		require.Equal(t, n, s.uploads())
		s.set(func() { s.enabled = "true" })
		for range 150 {
			second()
		}
		require.Greater(t, s.uploads(), n)
		require.LessOrEqual(t, s.count(flagPath), 5)
		require.NoError(t, h.Close(t.Context()))
		st := balanced(t, x)
		require.Positive(t, st.Dropped[export.DropFlagOff])
	})
}

func TestTheFlagsTTLIsClamped(t *testing.T) {
	for ttl, want := range map[int]time.Duration{1: time.Minute, 600: 10 * time.Minute, 1_000_000: time.Hour, -5: time.Minute} {
		inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
			s.ttl = ttl
			h := x.Open(connection(s), telemetry.Settings{})
			h.SessionOpened(opened())
			require.NoError(t, h.Flush(t.Context()))
			time.Sleep(want - time.Second)
			h.StatementFinished(statement())
			require.NoError(t, h.Flush(t.Context()))
			require.Equal(t, 1, s.count(flagPath))
			time.Sleep(2 * time.Second)
			h.StatementFinished(statement())
			require.NoError(t, h.Flush(t.Context()))
			require.Equal(t, 2, s.count(flagPath))
			require.NoError(t, h.Close(t.Context()))
		})
	}
}

func TestForceEnableSkipsTheFlag(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		s.enabled = "false"
		h := x.Open(connection(s), telemetry.Settings{ForceEnable: true})
		h.SessionOpened(opened())
		require.NoError(t, h.Close(t.Context()))
		require.Zero(t, s.count(flagPath))
		require.Equal(t, 1, s.uploads())
	})
}

func TestTwoTenantsOfOneHostAreIndependent(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		refuse := func(r *http.Request) (*http.Response, error) {
			if r.Header.Get("Authorization") == "Bearer bad" {
				return response(r, 401, ""), nil
			}
			return nil, nil
		}
		s.flag, s.upload = refuse, refuse
		tenant := func(token string, settings telemetry.Settings) *export.Handle {
			c := connection(s)
			c.Authenticator = &bearer{token: token}
			return x.Open(c, settings)
		}
		bad, good := tenant("bad", telemetry.Settings{}), tenant("good", telemetry.Settings{})
		bad.SessionOpened(opened())
		require.Error(t, bad.Flush(t.Context()))
		for range 10 {
			bad.StatementFinished(statement())
			good.StatementFinished(statement())
			require.NoError(t, good.Flush(t.Context()))
		}
		require.Error(t, bad.Close(t.Context()))
		require.NoError(t, good.Close(t.Context()))
		st := balanced(t, x)
		require.EqualValues(t, 10, st.Sent)
		require.EqualValues(t, 11, st.Dropped[export.DropClosed])
	})
}

func TestPipelinesOfOneHostRequestTheFlagOnce(t *testing.T) {
	for name, test := range map[string]struct {
		transport func(*service) http.RoundTripper
		takes     time.Duration // to answer
	}{
		"through one transport":     {func(s *service) http.RoundTripper { return s }, time.Second},
		"through one each, quickly": {func(s *service) http.RoundTripper { return roundTripper(s.RoundTrip) }, 400 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
				s.flag = func(*http.Request) (*http.Response, error) { time.Sleep(test.takes); return nil, nil }
				var handles []*export.Handle
				for range 10 {
					c := connection(s)
					c.Authenticator, c.Transport = &bearer{token: "t"}, test.transport(s)
					h := x.Open(c, telemetry.Settings{})
					h.SessionOpened(opened())
					handles = append(handles, h)
				}
				require.Len(t, x.Stats().Pipelines, 10)
				require.NoError(t, x.Flush(t.Context()))
				require.Equal(t, 1, s.count(flagPath))
				require.EqualValues(t, 10, x.Stats().Sent)
				for _, h := range handles {
					require.NoError(t, h.Close(t.Context()))
				}
			})
		})
	}
}

// An application that opens a sql.DB per request must not ask for the flag each time.
func TestAFlagThatCannotBeReadIsNotAskedForAgainByTheNextConnector(t *testing.T) {
	for name, fault := range map[string]answerer{"500": status(500), "404": status(404), "403": status(403)} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
				s.flag = fault
				for range 20 {
					c := connection(s)
					c.Credential = "one"
					h := x.Open(c, telemetry.Settings{})
					h.SessionOpened(opened())
					h.StatementFinished(statement())
					_ = h.Close(t.Context())
					time.Sleep(time.Second)
				}
				require.Equal(t, 1, s.count(flagPath))

				other := connection(s)
				other.Credential = "another"
				h := x.Open(other, telemetry.Settings{})
				h.SessionOpened(opened())
				_ = h.Close(t.Context())
				require.Equal(t, name == "403", s.count(flagPath) == 2, "a refusal is one of the credential")
			})
		})
	}
}
