package export_test

import (
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// inBubble runs a test in fake time with a service and an exporter of its own. The bubble
// fails the test when a goroutine is left.
func inBubble(t *testing.T, test func(t *testing.T, s *service, x *export.Exporter)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		test(t, newService(), &export.Exporter{})
	})
}

func TestEventsAreSentInBatchesAfterTheInterval(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		h := x.Open(connection(s), telemetry.Settings{})
		start := time.Now()
		h.SessionOpened(opened())
		for range 9 {
			h.StatementFinished(statement())
		}
		require.EqualValues(t, 10, x.Stats().Pending)
		time.Sleep(6 * time.Second)
		synctest.Wait()
		require.Equal(t, []int{10}, s.sizes())
		first := s.times[1].Sub(start)
		require.GreaterOrEqual(t, first, 500*time.Millisecond, "the first flush is jittered")
		require.LessOrEqual(t, first, 5*time.Second)

		later := time.Now()
		h.StatementFinished(statement())
		time.Sleep(6 * time.Second)
		synctest.Wait()
		require.Equal(t, []int{10, 1}, s.sizes())
		require.Equal(t, 5*time.Second, s.times[2].Sub(later))
		require.Equal(t, 1, s.count(flagPath), "the flag is asked once")
		st := balanced(t, x)
		require.EqualValues(t, 11, st.Sent)
		require.EqualValues(t, 2, st.Requests)
		require.Positive(t, st.Bytes)
		require.Equal(t, "on", st.Pipelines[0].Flag)
		require.Equal(t, "closed", st.Pipelines[0].Breaker)
		require.NoError(t, h.Close(t.Context()))
	})
}

func TestAFullBatchIsSentAtOnceAndIsNeverLarger(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		h := x.Open(connection(s), telemetry.Settings{BatchSize: 10})
		h.SessionOpened(opened())
		for range 22 {
			r := statement()
			r.RPCs = []telemetry.RPC{{Method: "CloseOperation", Calls: 1}} // two events each
			h.StatementFinished(r)
		}
		synctest.Wait()
		for i, n := range s.sizes() {
			require.LessOrEqual(t, n, 20, "10 records, of two events at most")
			require.Zero(t, s.times[i+1].Sub(s.times[0]), "without waiting")
		}
		require.EqualValues(t, 39, x.Stats().Sent, "the rest waits for more")
		require.NoError(t, h.Close(t.Context()))
		require.Equal(t, map[string]int{"CREATE_SESSION": 1, "EXECUTE_STATEMENT": 22, "CLOSE_STATEMENT": 22}, s.operations(t))
	})
}

func TestTheRequestIsWhatTheServiceExpects(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		h := x.Open(connection(s), telemetry.Settings{})
		h.SessionOpened(opened())
		require.NoError(t, h.Flush(t.Context()))
		r := s.requests[1]
		require.Equal(t, http.MethodPost, r.Method)
		require.Equal(t, "https://dbc-1.cloud.databricks.com:443/telemetry-ext", r.URL.String())
		require.Equal(t, "Bearer t0", r.Header.Get("Authorization"))
		require.Equal(t, "1234567890123456", r.Header.Get("x-databricks-org-id"))
		require.Equal(t, "application/json", r.Header.Get("Content-Type"))
		require.Regexp(t, `^\{"uploadTime":946684800000,"items":\[\],"protoLogs":\["\{`, s.bodies[1])
		require.NoError(t, h.Close(t.Context()))
	})
}

func TestTheWorkspaceIDComesFromThePathWhereTheWireHasNone(t *testing.T) {
	for path, want := range map[string]string{
		"/sql/1.0/warehouses/abc?o=42":    "42",
		"sql/protocolv1/o/77/0101-abc":    "77",
		"/sql/protocolv1/o/0/0101-abc":    "",
		"/sql/1.0/warehouses/abc?o=42%0a": "",
		"/sql/1.0/warehouses/abc":         "",
	} {
		inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
			c := connection(s)
			c.HTTPPath = path
			h := x.Open(c, telemetry.Settings{})
			r := opened()
			r.WorkspaceID = ""
			h.SessionOpened(r)
			require.NoError(t, h.Close(t.Context()))
			require.Equal(t, want, s.requests[1].Header.Get("x-databricks-org-id"), path)
		})
	}
}

// A record that waits has the workspace that it had, also where the connector has found another since.
func TestAnEventIsOfTheWorkspaceOfItsRecord(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		h := x.Open(connection(s), telemetry.Settings{})
		for _, id := range []string{"41", "42"} {
			r := opened()
			r.WorkspaceID = id
			h.SessionOpened(r)
		}
		require.NoError(t, h.Close(t.Context()))
		require.Len(t, s.taken, 2)
		for i, id := range s.taken {
			workspace := document(t, s.events[id]).WorkspaceID
			require.EqualValues(t, 41+i, workspace)
			require.Equal(t, strconv.FormatInt(workspace, 10), s.requests[1+i].Header.Get("x-databricks-org-id"))
		}
	})
}

func TestTerminalFailuresAreSentSoonAndTogether(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		h := x.Open(connection(s), telemetry.Settings{})
		h.SessionOpened(opened())
		require.NoError(t, h.Flush(t.Context()))
		start := time.Now()
		h.StatementFinished(failed(telemetry.CategoryAuth))
		time.Sleep(time.Second)
		require.Equal(t, []int{1, 1}, s.sizes())
		require.Equal(t, 200*time.Millisecond, s.times[2].Sub(start))
		for range 40 {
			h.StatementFinished(failed(telemetry.CategoryAuth))
			time.Sleep(100 * time.Millisecond)
		}
		require.Len(t, s.sizes(), 2, "the next one waits for the interval")
		retryable := failed(telemetry.CategoryConnection)
		retryable.Failure.Retryable = true
		h.StatementFinished(retryable)
		time.Sleep(time.Second)
		require.Equal(t, []int{1, 1, 41}, s.sizes())
		h.StatementFinished(statement())
		time.Sleep(5*time.Second - 100*time.Millisecond)
		h.StatementFinished(failed(telemetry.CategoryAuth))
		time.Sleep(101 * time.Millisecond)
		require.Equal(t, []int{1, 1, 41, 2}, s.sizes(), "a failure delays nothing that is due")
		require.NoError(t, h.Close(t.Context()))
	})
}

func TestAFullQueueDropsItsOldestSuccessesFirst(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		h := x.Open(connection(s), telemetry.Settings{QueueSize: 3})
		s.flag = func(*http.Request) (*http.Response, error) { time.Sleep(time.Second); return nil, nil }
		h.SessionOpened(opened())
		ids := []string{"00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002", "00000000-0000-4000-8000-000000000003", "00000000-0000-4000-8000-000000000004"}
		for i, id := range ids {
			r := statement()
			if i == 1 || i == 2 {
				r = failed(telemetry.CategoryOther)
			}
			r.StatementID = id
			h.StatementFinished(r)
		}
		st := balanced(t, x)
		require.Equal(t, map[string]int64{export.DropQueueFull: 2}, st.Dropped)
		require.NoError(t, h.Close(t.Context()))
		var got []string
		for _, id := range s.taken {
			got = append(got, document(t, s.events[id]).log().StatementID)
		}
		require.Equal(t, []string{ids[1], ids[2], ids[3]}, got, "in order of arrival")
	})
}

func TestTheQueueIsBoundedInBytesToo(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		s.flag = hang
		h := x.Open(connection(s), telemetry.Settings{QueueSize: 1000})
		r := statement()
		r.RPCs = make([]telemetry.RPC, 100)
		for range 1000 {
			h.StatementFinished(r)
		}
		st := balanced(t, x)
		require.Positive(t, st.Dropped[export.DropQueueBytes])
		require.LessOrEqual(t, st.PendingBytes, int64(4<<20))
		require.Error(t, h.Close(t.Context()))
	})
}

func TestSamplingKeepsEveryFailure(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		h := x.Open(connection(s), telemetry.Settings{SampleRate: telemetry.Known(0.0), QueueSize: 10_000})
		h.SessionOpened(opened())
		for range 100 {
			h.StatementFinished(statement())
			h.StatementFinished(failed(telemetry.CategorySyntax))
		}
		require.NoError(t, h.Close(t.Context()))
		st := balanced(t, x)
		require.EqualValues(t, 101, st.Sent)
		require.EqualValues(t, 100, st.Dropped[export.DropSampledOut])

		h = x.Open(connection(s), telemetry.Settings{SampleRate: telemetry.Known(0.5), QueueSize: 10_000})
		for range 1000 {
			h.StatementFinished(statement())
		}
		require.NoError(t, h.Close(t.Context()))
		require.InDelta(t, 500, balanced(t, x).Sent-101, 100)
	})
}

func TestOffMakesNoRequest(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		h := x.Open(connection(s), telemetry.Settings{Enabled: telemetry.SwitchOff, ForceEnable: true})
		require.Nil(t, h)
		require.False(t, h.Recording())
		h.SessionOpened(opened())
		h.StatementFinished(statement())
		h.SessionClosed(&telemetry.SessionClosed{})
		require.NoError(t, h.Flush(t.Context()))
		require.NoError(t, h.Close(t.Context()))
		time.Sleep(time.Hour)
		require.Empty(t, s.requests)
		require.Zero(t, x.Stats().Recorded)
	})
}

func TestConnectorsShareAPipelineOnlyWithTheSameCredential(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		open := func(token string) *export.Handle {
			c := connection(s)
			c.Authenticator, c.Credential = &bearer{token: token}, export.Fingerprint(token)
			return x.Open(c, telemetry.Settings{})
		}
		a1, a2, b := open("a"), open("a"), open("b")
		require.Len(t, x.Stats().Pipelines, 2)
		for _, h := range []*export.Handle{a1, a2, b} {
			h.SessionOpened(opened())
		}
		require.NoError(t, x.Flush(t.Context()))
		byToken := map[string]int{}
		for i, r := range s.requests {
			if r.Method == http.MethodPost {
				byToken[r.Header.Get("Authorization")] += s.sizes()[i-1]
			}
		}
		require.Equal(t, map[string]int{"Bearer a": 2, "Bearer b": 1}, byToken)
		require.Equal(t, 1, s.count(flagPath), "the flag is the host's")
		require.NoError(t, a1.Close(t.Context()))
		require.Len(t, x.Stats().Pipelines, 2)
		a2.StatementFinished(statement())
		require.NoError(t, a2.Close(t.Context()))
		require.NoError(t, b.Close(t.Context()))
		require.Empty(t, x.Stats().Pipelines)
		require.EqualValues(t, 4, balanced(t, x).Sent)
	})
}

func TestSettingsThatDoNotConcernAPipelineNeedNoneOfTheirOwn(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		c := connection(s)
		for _, settings := range []telemetry.Settings{
			{}, {Enabled: telemetry.SwitchOn}, {CloseTimeout: time.Second}, {SampleRate: telemetry.Known(0.5)},
			{LogLevel: "warn"}, {SlowThreshold: time.Second}, {QueryText: true}, {ErrorText: "full"}, {TraceTags: true}, {QueryHistory: "all"},
		} {
			h := x.Open(c, settings)
			require.Len(t, x.Stats().Pipelines, 1, "%+v", settings)
			defer func() { require.NoError(t, h.Close(t.Context())) }()
		}
	})
}

func TestARotatedCredentialIsUsedFromTheNextRequestOn(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		c := connection(s)
		auth := c.Authenticator.(*bearer)
		h := x.Open(c, telemetry.Settings{})
		for _, token := range []string{"one", "two"} {
			auth.set(token)
			h.SessionOpened(opened())
			require.NoError(t, h.Flush(t.Context()))
			require.Equal(t, "Bearer "+token, s.requests[len(s.requests)-1].Header.Get("Authorization"))
		}
		require.NoError(t, h.Close(t.Context()))
	})
}

func TestTheAuthenticatorIsNotCalledBeforeTheDriverHasLoggedIn(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		c := connection(s)
		auth := c.Authenticator.(*bearer)
		h := x.Open(c, telemetry.Settings{})
		for range 3 {
			r := opened()
			r.Failure = &telemetry.Failure{Category: telemetry.CategoryAuth}
			h.SessionOpened(r)
		}
		time.Sleep(time.Minute)
		require.Empty(t, s.requests)
		require.Zero(t, auth.asked)
		require.ErrorContains(t, h.Flush(t.Context()), "still wait (3): the driver has not logged in yet")
		h.SessionOpened(opened())
		synctest.Wait()
		require.Equal(t, []int{4}, s.sizes(), "what was held goes with it")
		require.NoError(t, h.Close(t.Context()))
	})
}

func TestFailuresToLogInAreReportedWithoutAuthenticationWhenForced(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		h := x.Open(connection(s), telemetry.Settings{ForceEnable: true})
		r := opened()
		r.Failure = &telemetry.Failure{Category: telemetry.CategoryAuth}
		h.SessionOpened(r)
		time.Sleep(time.Second)
		require.Equal(t, 1, s.count("/telemetry-unauth"))
		req := s.requests[0]
		require.Empty(t, req.Header.Get("Authorization"))
		require.Empty(t, req.Header.Get("x-databricks-org-id"))
		require.NotContains(t, s.all(), "billing")
		require.JSONEq(t, `{"frontend_log_event_id":"`+s.taken[0]+`","context":{"client_context":{"timestamp_millis":946684800000,
			"user_agent":"godatabrickssqlconnector/1.13.1 databricks-telemetry/`+telemetry.Version+`"}},
			"entry":{"sql_driver_log":{"operation_latency_ms":80,"error_info":{"error_name":"auth_error"},
			"sql_operation":{"operation_detail":{"operation_type":"CREATE_SESSION"}}}}}`, string(s.events[s.taken[0]]))
		require.NoError(t, h.Close(t.Context()))
	})
}
