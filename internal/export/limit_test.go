package export_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// The bound in bytes is for what is not usual; it must not make queue_size mean less.
func TestAQueueHoldsAsManyOfTheLargestStatementsAsItsSizeSays(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		const size = 20_000
		s.flag = hang
		h := x.Open(connection(s), telemetry.Settings{QueueSize: size, CloseTimeout: time.Millisecond})
		largest := statement()
		for range 8 {
			largest.RPCs = append(largest.RPCs, telemetry.RPC{Method: "FetchResults", Calls: 1})
			largest.Calls = append(largest.Calls, telemetry.Call{})
		}
		largest.CloudFetch = &telemetry.CloudFetch{Files: make([]telemetry.File, 256)}
		for range size + 1 {
			h.StatementFinished(largest)
		}
		st := balanced(t, x)
		require.Equal(t, map[string]int64{export.DropQueueFull: 1}, st.Dropped)
		require.EqualValues(t, size, st.Pending)
		require.Error(t, h.Close(t.Context()))
	})
}

func TestARecordOfMoreEventsThanTheQueueHoldsIsSent(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		h := x.Open(connection(s), telemetry.Settings{QueueSize: 1, ForceEnable: true})
		r := statement()
		r.RPCs = []telemetry.RPC{{Method: "CloseOperation", Calls: 1}}
		h.StatementFinished(r)
		require.NoError(t, h.Close(t.Context()))
		require.Equal(t, map[string]int{"EXECUTE_STATEMENT": 1, "CLOSE_STATEMENT": 1}, s.operations(t))
	})
}

// An interval or an open breaker of an hour is what the user has asked for; the events that
// waited for it are not late.
func TestWhatTheSettingsMakeWaitDoesNotExpire(t *testing.T) {
	for name, settings := range map[string]telemetry.Settings{
		"interval": {FlushInterval: time.Hour, MaxRetries: -1},
		"breaker":  {CircuitBreakerTimeout: time.Hour, CircuitBreakerThreshold: 1, MaxRetries: -1},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
				settings.ForceEnable = true
				s.upload = first(1, func(r *http.Request) (*http.Response, error) {
					time.Sleep(time.Second) // time passes
					return response(r, 503, ""), nil
				})
				h := x.Open(connection(s), settings)
				h.SessionOpened(opened())
				time.Sleep(3 * time.Hour)
				st := balanced(t, x)
				require.Empty(t, st.Dropped)
				require.EqualValues(t, 1, st.Sent)
				require.NoError(t, h.Close(t.Context()))
			})
		})
	}
}

// An answer lists its errors, and a batch may have 10,000 records.
func TestALongAnswerOfTheServiceIsRead(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		s.upload = func(r *http.Request) (*http.Response, error) {
			list := strings.TrimSuffix(strings.Repeat(`{"index":1,"message":"an event was not understood by the service"},`, 1000), ",")
			return response(r, 200, fmt.Sprintf(`{"errors":[%s],"numSuccess":0,"numProtoSuccess":0}`, list)), nil
		}
		h := x.Open(connection(s), telemetry.Settings{BatchSize: 1000, QueueSize: 6000, ForceEnable: true})
		for range 1000 {
			h.StatementFinished(statement())
		}
		time.Sleep(30 * time.Second)
		require.Equal(t, 1, s.uploads(), "the service has taken the request")
		require.NoError(t, h.Close(t.Context()))
	})
}

// The halves of a batch that is too large are delivered one after another, and the second may take long.
func TestTheFirstHalfOfABatchIsCountedWhileTheSecondIsDelivered(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		uploads := 0
		s.upload = func(r *http.Request) (*http.Response, error) {
			switch uploads++; uploads {
			case 1:
				return response(r, 413, ""), nil
			case 2:
				return nil, nil
			}
			return hang(r)
		}
		c := connection(s)
		early := x.Open(c, telemetry.Settings{BatchSize: 10, ForceEnable: true})
		late := x.Open(c, telemetry.Settings{BatchSize: 10, ForceEnable: true})
		for range 5 {
			early.StatementFinished(statement())
		}
		for range 5 {
			late.StatementFinished(statement())
		}
		require.NoError(t, early.Flush(t.Context()), "all of its events are sent")
		st := balanced(t, x)
		require.EqualValues(t, 5, st.Sent)
		require.EqualValues(t, 5, st.Pending)
		require.Error(t, late.Flush(t.Context()))
		require.NoError(t, early.Close(t.Context()))
		require.Error(t, late.Close(t.Context()))
		require.EqualValues(t, 5, balanced(t, x).Dropped[export.DropClosed])
	})
}

// Also where nothing is sent that could find them to be late.
func TestEventsThatWaitForTheFlagOrALoginExpire(t *testing.T) {
	failure := &telemetry.Failure{Category: telemetry.CategoryConnection}
	for name, test := range map[string]struct {
		flag    answerer
		failure *telemetry.Failure
	}{
		"flag that cannot be read": {flag: status(500)},
		"flag that is never heard": {flag: hang},
		"no login":                 {failure: failure},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
				s.flag = test.flag
				h := x.Open(connection(s), telemetry.Settings{})
				r := opened()
				r.Failure = test.failure
				h.SessionOpened(r)
				time.Sleep(59 * time.Minute)
				require.EqualValues(t, 1, balanced(t, x).Pending)
				time.Sleep(3 * time.Minute)
				require.Equal(t, map[string]int64{export.DropExpired: 1}, balanced(t, x).Dropped)
				asked := len(s.requests)
				time.Sleep(time.Hour)
				require.Len(t, s.requests, asked, "nothing to send, nothing is asked")
				require.NoError(t, h.Close(t.Context()))
			})
		})
	}
}

// The text of an error may have 64 KiB, and none of it is sent.
func TestErrorTextsOfSessionsDoNotWaitWithTheirRecords(t *testing.T) {
	failure := func() *telemetry.Failure {
		return &telemetry.Failure{Category: telemetry.CategoryConnection, Message: strings.Repeat("x", 64<<10)}
	}
	for name, record := range map[string]func(*export.Handle){
		"opened": func(h *export.Handle) { h.SessionOpened(&telemetry.SessionOpened{Failure: failure()}) },
		"closed": func(h *export.Handle) { h.SessionClosed(&telemetry.SessionClosed{Failure: failure()}) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
				s.flag = hang
				h := x.Open(connection(s), telemetry.Settings{CloseTimeout: time.Millisecond})
				before := heap()
				for range 1000 {
					record(h)
				}
				require.Less(t, heap()-before, int64(8<<20))
				require.EqualValues(t, 1000, balanced(t, x).Pending)
				require.Error(t, h.Close(t.Context()))
			})
		})
	}
}

// An upload that is not authenticated is not made.
func TestAnUploadWithoutAuthenticationIsNotCounted(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		c := connection(s)
		c.Authenticator = &bearer{}
		h := x.Open(c, telemetry.Settings{ForceEnable: true})
		h.StatementFinished(statement())
		require.Error(t, h.Flush(t.Context()))
		require.Zero(t, s.uploads())
		st := balanced(t, x)
		require.Zero(t, st.Requests)
		require.Zero(t, st.Bytes)
		require.EqualValues(t, 1, st.Failures)
		require.Error(t, h.Close(t.Context()))
	})
}

func TestARecordThatIsTooLargeIsAnUploadThatFailed(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		s.upload = status(413)
		h := x.Open(connection(s), telemetry.Settings{ForceEnable: true})
		h.StatementFinished(statement())
		require.NoError(t, h.Close(t.Context()))
		require.EqualValues(t, 1, balanced(t, x).Failures)
	})
}

func TestDocumentsOfABatchThatWasNotAcceptedAreNotJustSent(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		s.upload = func(r *http.Request) (*http.Response, error) {
			return response(r, 200, `{"errors":[],"numSuccess":0,"numProtoSuccess":0}`), nil
		}
		x.KeepRecent(10)
		h := x.Open(connection(s), telemetry.Settings{ForceEnable: true})
		h.StatementFinished(statement())
		require.NoError(t, h.Close(t.Context()))
		require.Equal(t, "sent; the service accepted fewer events than its batch has", x.Recent()[0].Outcome)
	})
}

func TestAHostIsOneInAnyCase(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		c := connection(s)
		lower := x.Open(c, telemetry.Settings{})
		c.Host = "DBC-1.Cloud.Databricks.com"
		upper := x.Open(c, telemetry.Settings{})
		lower.SessionOpened(opened())
		upper.SessionOpened(opened())
		time.Sleep(6 * time.Second)
		require.Equal(t, 1, s.count(flagPath))
		require.Equal(t, []int{2}, s.sizes())
		require.NoError(t, lower.Close(t.Context()))
		require.NoError(t, upper.Close(t.Context()))
	})
}
