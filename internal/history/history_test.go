package history_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/history"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestAFinalAnswerIsReportedOnce(t *testing.T) {
	inBubble(t, slow, func(t *testing.T, f *fixture) {
		f.handle.StatementFinished(statement(1))
		rest(time.Hour)
		require.Equal(t, []time.Duration{2 * time.Second}, f.times())
		require.Equal(t, []string{"q-1"}, f.ids())
		r := f.reports[0]
		require.Equal(t, &telemetry.ServerReport{
			Started: r.Started, Reported: r.Reported, Connector: 3, Server: "dbc-1:443", StatementID: "q-1",
			Status: "FINISHED", Final: true, Total: telemetry.Known(12 * time.Millisecond),
		}, r)
		require.Equal(t, bubbleBegan.Add(-time.Second), r.Started.UTC())
		require.Equal(t, bubbleBegan.Add(2*time.Second), r.Reported.UTC())

		req := f.requests[0]
		require.Equal(t, http.MethodGet, req.Method)
		require.Equal(t, "https://dbc-1.cloud.databricks.com/api/2.0/sql/history/queries?filter_by.statement_ids=q-1&include_metrics=true&max_results=1", req.URL.String())
		require.Equal(t, "Bearer t0", req.Header.Get("Authorization"))
	})
}

func TestAStatementIsAskedAboutUntilItIsFinalAndThenTakenAsItIs(t *testing.T) {
	inBubble(t, slow, func(t *testing.T, f *fixture) {
		f.answers(func(ids []string) *http.Response { return page(running(ids[0])) })
		f.handle.StatementFinished(statement(1))
		rest(time.Hour)
		require.Equal(t, []time.Duration{2 * time.Second, 10 * time.Second, 60 * time.Second}, f.times())
		require.Len(t, f.reports, 1)
		require.False(t, f.reports[0].Final)
		require.Equal(t, "RUNNING", f.reports[0].Status)
		require.Equal(t, time.Minute+5*time.Millisecond, f.sink.at[0], "with the delay of the sink's queue")
	})
}

func TestAStatementThatIsInNoAnswerHasNoReport(t *testing.T) {
	inBubble(t, slow, func(t *testing.T, f *fixture) {
		f.answers(func([]string) *http.Response { return response(200, `{}`) })
		f.handle.StatementFinished(statement(1))
		rest(time.Hour)
		require.Len(t, f.times(), 3)
		require.Empty(t, f.ids())
		require.Equal(t, map[string]int64{"not_found": 1}, balanced(t, f.reader).Dropped)
	})
}

func TestOnlyWhatTheSettingChoosesIsAskedAbout(t *testing.T) {
	fast, failedFast := statement(1), failed(2)
	fast.Total, failedFast.Total = time.Second-1, time.Millisecond
	unsent := failed(3)
	unsent.StatementID = ""
	for setting, want := range map[string][]string{"slow": {"q-2", "q-4"}, "all": {"q-1", "q-2", "q-4"}} {
		inBubble(t, telemetry.Settings{QueryHistory: setting, SlowThreshold: time.Second}, func(t *testing.T, f *fixture) {
			for _, s := range []*telemetry.Statement{fast, failedFast, unsent, statement(4)} {
				f.handle.StatementFinished(s)
			}
			rest(time.Hour)
			require.ElementsMatch(t, want, f.ids(), setting)
		})
	}
}

func TestRequestsAreBatchedAndTwoSecondsApart(t *testing.T) {
	inBubble(t, slow, func(t *testing.T, f *fixture) {
		for n := range 120 {
			f.handle.StatementFinished(statement(n))
		}
		rest(2500 * time.Millisecond)
		f.handle.StatementFinished(statement(120))
		rest(time.Hour)
		require.Equal(t, []int{50, 50, 20 + 1}, f.batches())
		require.Equal(t, []time.Duration{2 * time.Second, 4 * time.Second, 6 * time.Second}, f.times())
		require.Len(t, f.ids(), 121)
	})
}

func TestAConnectorThatComesAndGoesAsksNoMoreOften(t *testing.T) {
	inBubble(t, slow, func(t *testing.T, f *fixture) {
		credential := &token{"t1"}
		for range 5 {
			h := f.reader.Open(connection(f.service, credential), slow, []*telemetry.Fanout{f.fanout})
			h.StatementFinished(statement(1))
			h.Close(t.Context()) // asks at once, as soon as it may
		}
		times := f.times()
		for i := 1; i < len(times); i++ {
			require.GreaterOrEqual(t, times[i]-times[i-1], 2*time.Second)
		}
		require.Len(t, f.times(), 5)
		f.answers(func([]string) *http.Response { return response(403, "") })
		rest(time.Minute)
		for range 5 {
			h := f.reader.Open(connection(f.service, credential), slow, []*telemetry.Fanout{f.fanout})
			h.StatementFinished(statement(1))
			h.Close(t.Context())
		}
		require.Len(t, f.times(), 6, "the refusal outlives the connector")
	})
}

// Where every connector is closed before a request times out, its close is what shows that the host hangs.
func TestAConnectorThatComesAndGoesDoesNotWaitAgainForAHostThatHangs(t *testing.T) {
	inBubble(t, slow, func(t *testing.T, f *fixture) {
		f.answers(func([]string) *http.Response { time.Sleep(time.Minute); return nil })
		credential := &token{"t1"}
		var waits []time.Duration
		for range 4 {
			h := f.reader.Open(connection(f.service, credential), slow, []*telemetry.Fanout{f.fanout})
			h.StatementFinished(statement(1))
			ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
			began := time.Now()
			h.Close(ctx)
			waits = append(waits, time.Since(began).Truncate(500*time.Millisecond))
			cancel()
		}
		rest(2 * time.Hour)
		require.Equal(t, []time.Duration{2500 * time.Millisecond, 0, 0, 0}, waits, "to half a second")
		require.EqualValues(t, 1, f.reader.Stats().Failures)
	})
}

func TestConnectorsOfOneCredentialShareRequestsAndOthersDoNot(t *testing.T) {
	inBubble(t, slow, func(t *testing.T, f *fixture) {
		other := &sink{}
		var its telemetry.Fanout
		defer its.Attach(other)()
		credential, stranger := &token{"t1"}, &token{"t2"}
		a := f.reader.Open(connection(f.service, credential), slow, []*telemetry.Fanout{f.fanout})
		b := f.reader.Open(connection(f.service, credential), slow, []*telemetry.Fanout{&its})
		c := f.reader.Open(connection(f.service, stranger), slow, []*telemetry.Fanout{&its})
		a.StatementFinished(statement(1))
		b.StatementFinished(statement(2))
		c.StatementFinished(statement(3))
		rest(time.Minute)
		require.ElementsMatch(t, []int{2, 1}, f.batches())
		require.Equal(t, []string{"q-1"}, f.ids())
		require.ElementsMatch(t, []string{"q-2", "q-3"}, other.ids())
		for _, r := range f.requests {
			if ids := r.URL.Query()["filter_by.statement_ids"]; len(ids) == 1 {
				require.Equal(t, "Bearer t2", r.Header.Get("Authorization"))
			}
		}
		for _, h := range []*history.Handle{a, b, c} {
			h.Close(t.Context())
		}
	})
}

func TestAHostThatRefusesIsLeftAloneForAQuarterOfAnHour(t *testing.T) {
	for name, refusal := range map[string]*http.Response{
		"HTTP 401":                               response(401, ""),
		"HTTP 403":                               response(403, `{"error_code":"PERMISSION_DENIED"}`),
		"HTTP 404":                               response(404, ""),
		"HTTP 302":                               response(302, "", "Location", "https://login.example/"),
		"HTTP 200, not an answer of the service": response(200, "<html>log in</html>"),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, slow, func(t *testing.T, f *fixture) {
				f.answers(func([]string) *http.Response { return refusal })
				for n := range 60 {
					f.handle.StatementFinished(statement(n))
				}
				rest(3 * time.Second)
				f.answers(nil)
				s := balanced(t, f.reader)
				require.Equal(t, map[string]int64{"refused": 60}, s.Dropped, "those that were not asked yet, too")
				require.EqualValues(t, 1, s.Failures)
				require.Equal(t, name, s.Clients[0].LastError)
				require.Equal(t, bubbleBegan.Add(15*time.Minute+2*time.Second), s.Clients[0].QuietUntil)
				rest(15*time.Minute - 1001*time.Millisecond)
				f.handle.StatementFinished(statement(100))
				rest(10 * time.Minute)
				require.Len(t, f.times(), 1)
				f.handle.StatementFinished(statement(101))
				rest(time.Minute)
				require.Equal(t, []string{"q-101"}, f.ids())
				s = f.reader.Stats()
				require.Empty(t, s.Clients[0].LastError)
				require.Zero(t, s.Clients[0].QuietUntil)
			})
		})
	}
}

func TestAHostThatIsNotAvailableIsAskedAgainAfterAPause(t *testing.T) {
	inBubble(t, slow, func(t *testing.T, f *fixture) {
		f.answers(func([]string) *http.Response {
			switch len(f.times()) {
			case 1:
				return response(503, "")
			case 2:
				return response(429, "", "Retry-After", "30")
			}
			return nil
		})
		f.handle.StatementFinished(statement(1))
		f.handle.StatementFinished(statement(2))
		rest(time.Minute)
		times := f.times()
		require.Len(t, times, 3)
		require.Equal(t, 6*time.Second, times[1], "four seconds after the first")
		require.GreaterOrEqual(t, times[2]-times[1], 30*time.Second)
		require.Less(t, times[2]-times[1], 38*time.Second)
		require.Equal(t, []string{"q-1", "q-2"}, f.ids())
	})
}

func TestAnOutageEndsForEveryStatementAfterFiveMinutes(t *testing.T) {
	inBubble(t, slow, func(t *testing.T, f *fixture) {
		f.answers(func([]string) *http.Response { return response(500, "") })
		f.handle.StatementFinished(statement(1))
		rest(time.Hour)
		require.Equal(t, map[string]int64{"expired": 1}, balanced(t, f.reader).Dropped)
		require.Less(t, len(f.times()), 12)
	})
}

func TestTheNextPageIsAskedForByTheIdsThatAreMissing(t *testing.T) {
	inBubble(t, slow, func(t *testing.T, f *fixture) {
		f.answers(func(ids []string) *http.Response {
			return response(200, `{"next_page_token":"t","has_next_page":true,"res":[`+finished(ids[0])+`]}`)
		})
		for n := range 3 {
			f.handle.StatementFinished(statement(n))
		}
		rest(time.Minute)
		require.Equal(t, []int{3, 2, 1}, f.batches())
		require.Equal(t, []string{"q-0", "q-1", "q-2"}, f.ids())
	})
}

// An answer has the texts of its statements: those of bulk loads have megabytes.
func TestOfAnAnswerBeyondTheBoundTheRestIsAskedForAgain(t *testing.T) {
	inBubble(t, slow, func(t *testing.T, f *fixture) {
		f.answers(func(ids []string) *http.Response {
			text := strings.Repeat("(1,2),", 1<<18)
			entries := make([]string, len(ids))
			for i, id := range ids {
				entries[i] = `{"query_text":"` + text + `",` + strings.TrimPrefix(finished(id), "{")
			}
			return page(entries...)
		})
		for n := range 30 {
			f.handle.StatementFinished(statement(n))
		}
		rest(time.Minute)
		require.Equal(t, []int{30, 9}, f.batches())
		require.Len(t, f.ids(), 30)
		require.Empty(t, balanced(t, f.reader).Dropped)
	})
}

func TestAFullQueueDropsTheOldestSuccesses(t *testing.T) {
	inBubble(t, slow, func(t *testing.T, f *fixture) {
		for n := range 10 {
			f.handle.StatementFinished(failed(n))
		}
		for n := 10; n < 600; n++ {
			f.handle.StatementFinished(statement(n))
		}
		s := balanced(t, f.reader)
		require.Equal(t, map[string]int64{"queue_full": 100}, s.Dropped)
		require.EqualValues(t, 500, s.Waiting)
		rest(time.Hour)
		ids := f.ids()
		require.Len(t, ids, 500)
		require.Contains(t, ids, "q-0")
		require.NotContains(t, ids, "q-10")
		require.NotContains(t, ids, "q-109")
		require.Contains(t, ids, "q-110")
	})
}

func TestAnEvictedStatementIsReportedAsFarAsItIsKnown(t *testing.T) {
	inBubble(t, slow, func(t *testing.T, f *fixture) {
		f.answers(func(ids []string) *http.Response { return page(running(ids[0])) })
		f.handle.StatementFinished(statement(1))
		rest(3 * time.Second)
		for n := range 500 {
			f.handle.StatementFinished(failed(1000 + n))
		}
		require.NoError(t, f.fanout.Flush(t.Context()))
		require.Equal(t, []string{"q-1"}, f.ids())
	})
}

// pointed makes an authenticator comparable.
type pointed struct{ authenticator }

func TestTheWorkspaceIsNamedWhereManyShareAHost(t *testing.T) {
	inBubble(t, slow, func(t *testing.T, f *fixture) {
		c := connection(f.service, &token{"t1"})
		c.HTTPPath += "?o=1234567890123456"
		h := f.reader.Open(c, slow, []*telemetry.Fanout{f.fanout})
		h.StatementFinished(statement(1))
		rest(time.Minute)
		require.Equal(t, "1234567890123456", f.requests[0].Header.Get("x-databricks-org-id"))
		h.Close(t.Context())
	})
}

// A service that gives one entry per page answers all the time, and yet not in time.
func TestWhatWaitsForItsPageExpires(t *testing.T) {
	inBubble(t, slow, func(t *testing.T, f *fixture) {
		f.answers(func(ids []string) *http.Response {
			return response(200, `{"has_next_page":true,"res":[`+finished(ids[0])+`]}`)
		})
		for n := range 200 {
			f.handle.StatementFinished(statement(n))
		}
		rest(time.Hour)
		s := balanced(t, f.reader)
		require.Zero(t, s.Failures, "each request was answered")
		require.Equal(t, map[string]int64{"expired": 200 - s.Reported}, s.Dropped)
		require.InDelta(t, 150, s.Reported, 5, "one every two seconds, for five minutes")
	})
}

// A step of the wall clock changes nothing: records may have times without a monotonic reading, and
// what decides is when a statement was put in.
func TestTheScheduleDoesNotDependOnTheRecordsTimes(t *testing.T) {
	inBubble(t, slow, func(t *testing.T, f *fixture) {
		s := statement(1)
		s.Started = s.Started.Add(-100 * time.Hour).Round(0)
		f.handle.StatementFinished(s)
		rest(time.Minute)
		require.Equal(t, []time.Duration{2 * time.Second}, f.times())
	})
}

func TestPuttingAStatementInCostsTheSameHoweverManyWait(t *testing.T) {
	inBubble(t, slow, func(t *testing.T, f *fixture) {
		s := statement(1)
		f.handle.StatementFinished(s)
		empty := testing.AllocsPerRun(400, func() { f.handle.StatementFinished(s) })
		full := testing.AllocsPerRun(400, func() { f.handle.StatementFinished(s) })
		require.LessOrEqual(t, empty, 1.0)
		require.LessOrEqual(t, full, 1.0)
		require.Empty(t, f.times(), "nothing is asked on the caller's goroutine")
		require.True(t, strings.HasPrefix(s.StatementID, "q-"))
	})
}
