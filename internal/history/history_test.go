package history_test

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
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
				require.Equal(t, bubbleBegan.Add(15*time.Minute+2*time.Second), s.Clients[0].QuietUntil.UTC())
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

func TestUserSuppliedCodeThatMisbehavesCostsOnlyReports(t *testing.T) {
	end := make(chan struct{})
	defer close(end)
	for name, authenticate := range map[string]authenticator{
		"fails":   func(*http.Request) error { return errors.New("no token for alice@example.com") },
		"panics":  func(*http.Request) error { panic("no") },
		"exits":   func(*http.Request) error { runtime.Goexit(); return nil },
		"hangs":   func(*http.Request) error { time.Sleep(time.Hour); return nil },
		"is late": func(r *http.Request) error { time.Sleep(11 * time.Second); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, slow, func(t *testing.T, f *fixture) {
				h := f.reader.Open(connection(f.service, &pointed{authenticate}), slow, []*telemetry.Fanout{f.fanout})
				h.StatementFinished(statement(1))
				f.handle.StatementFinished(statement(2))
				rest(13 * time.Second)
				require.Equal(t, []string{"q-2"}, f.ids(), "the neighbour has its report")
				require.Equal(t, map[string]int64{"refused": 1}, balanced(t, f.reader).Dropped)
				began := time.Now()
				h.StatementFinished(statement(3))
				h.Close(t.Context())
				require.Zero(t, time.Since(began))
				require.NotContains(t, encode(t, f.reader.Stats()), "alice")
				rest(2 * time.Hour)
			})
		})
	}
}

// pointed makes an authenticator comparable.
type pointed struct{ authenticator }

func TestATransportThatHangsIsBounded(t *testing.T) {
	inBubble(t, slow, func(t *testing.T, f *fixture) {
		f.answers(func([]string) *http.Response { time.Sleep(time.Hour); return nil })
		f.handle.StatementFinished(statement(1))
		rest(2*time.Second + 1)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		began := time.Now()
		f.handle.Close(ctx)
		require.LessOrEqual(t, time.Since(began), 2*time.Second+200*time.Millisecond)
		require.Equal(t, map[string]int64{"closed": 1}, balanced(t, f.reader).Dropped)
		rest(2 * time.Hour)
	})
}

func TestClosingAsksOnceMoreAndTakesTheAnswerAsItIs(t *testing.T) {
	inBubble(t, slow, func(t *testing.T, f *fixture) {
		f.answers(func(ids []string) *http.Response { return page(running(ids[0])) })
		f.handle.StatementFinished(statement(1))
		f.handle.StatementFinished(statement(2))
		f.handle.Close(t.Context())
		require.Equal(t, []time.Duration{0}, f.times())
		require.NoError(t, f.fanout.Flush(t.Context()))
		require.Equal(t, []string{"q-1"}, f.ids())
		require.Equal(t, map[string]int64{"not_found": 1}, balanced(t, f.reader).Dropped)
		f.handle.StatementFinished(statement(3))
		f.handle.Close(t.Context())
		require.EqualValues(t, 2, f.reader.Stats().Dropped["closed"]+f.reader.Stats().Dropped["not_found"])
	})
}

func TestClosingDoesNotWaitForAHostThatFails(t *testing.T) {
	inBubble(t, slow, func(t *testing.T, f *fixture) {
		f.answers(func([]string) *http.Response { return response(503, "") })
		f.handle.StatementFinished(statement(1))
		rest(2*time.Second + 1)
		began := time.Now()
		f.handle.Close(t.Context())
		require.Zero(t, time.Since(began))
		require.Len(t, f.times(), 1)
		require.Equal(t, map[string]int64{"closed": 1}, balanced(t, f.reader).Dropped)
	})
}

func TestClosingOneConnectorLeavesItsNeighboursAlone(t *testing.T) {
	inBubble(t, slow, func(t *testing.T, f *fixture) {
		credential := &token{"t1"}
		a := f.reader.Open(connection(f.service, credential), slow, []*telemetry.Fanout{f.fanout})
		b := f.reader.Open(connection(f.service, credential), slow, []*telemetry.Fanout{f.fanout})
		a.StatementFinished(statement(1))
		b.StatementFinished(statement(2))
		a.Close(t.Context())
		require.Equal(t, []int{1}, f.batches())
		rest(time.Minute)
		require.Equal(t, []time.Duration{0, 2 * time.Second}, f.times())
		require.Equal(t, []string{"q-1", "q-2"}, f.ids())
		b.Close(t.Context())
	})
}

func TestACloseWithoutPatienceGivesUpItsOwnStatementsOnly(t *testing.T) {
	inBubble(t, slow, func(t *testing.T, f *fixture) {
		credential := &token{"t1"}
		open := func() *history.Handle {
			return f.reader.Open(connection(f.service, credential), slow, []*telemetry.Fanout{f.fanout})
		}
		busy, patient, impatient := open(), open(), open()
		f.answers(func([]string) *http.Response { time.Sleep(5 * time.Second); return nil })
		busy.StatementFinished(statement(1))
		rest(3 * time.Second) // a request is under way
		patient.StatementFinished(statement(2))
		impatient.StatementFinished(statement(3))
		go patient.Close(t.Context())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		impatient.Close(ctx)
		require.Equal(t, map[string]int64{"closed": 1}, balanced(t, f.reader).Dropped)
		rest(time.Minute)
		require.Equal(t, []string{"q-1", "q-2"}, f.ids())
		busy.Close(t.Context())
	})
}

func TestNothingIsAskedAfterShutdown(t *testing.T) {
	inBubble(t, slow, func(t *testing.T, f *fixture) {
		f.handle.StatementFinished(statement(1))
		require.NoError(t, f.reader.Shutdown(t.Context()))
		f.handle.StatementFinished(statement(2))
		require.Nil(t, f.open(slow))
		rest(time.Hour)
		require.Empty(t, f.times())
		require.Equal(t, map[string]int64{"shut_down": 2}, balanced(t, f.reader).Dropped)
	})
}

func TestShutdownInterruptsARequest(t *testing.T) {
	inBubble(t, slow, func(t *testing.T, f *fixture) {
		f.answers(func([]string) *http.Response { time.Sleep(time.Minute); return nil })
		f.handle.StatementFinished(statement(1))
		rest(3 * time.Second)
		began := time.Now()
		require.NoError(t, f.reader.Shutdown(t.Context()))
		require.Less(t, time.Since(began), time.Second)
		rest(time.Hour)
		require.Equal(t, map[string]int64{"shut_down": 1}, balanced(t, f.reader).Dropped)
	})
}

// A test in a bubble may leave a connector behind.
func TestAShutdownOutsideLeavesTheWorkersOfABubbleAlone(t *testing.T) {
	f := &fixture{service: &service{}, sink: &sink{}, reader: &history.Reader{}, fanout: &telemetry.Fanout{}}
	synctest.Test(t, func(t *testing.T) {
		defer f.fanout.Attach(f.sink)()
		f.open(slow).StatementFinished(statement(1))
	})
	require.NoError(t, f.reader.Shutdown(t.Context()))
	require.Empty(t, f.times())
}

func TestNothingIsAskedUnlessAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fixture{service: &service{}, sink: &sink{}, reader: &history.Reader{}, fanout: &telemetry.Fanout{}}
		defer f.fanout.Attach(f.sink)()
		require.Nil(t, f.open(telemetry.Settings{}))
		require.Nil(t, f.open(telemetry.Settings{QueryHistory: "off"}))
		require.Nil(t, f.open(telemetry.Settings{QueryHistory: "all", Enabled: telemetry.SwitchOff}), "off is off")
		require.Zero(t, f.reader.Stats().Unavailable)
		require.Nil(t, f.reader.Open(connection(f.service, nil), slow, nil), "without a credential")
		require.EqualValues(t, 1, f.reader.Stats().Unavailable)

		var off *history.Handle
		require.Zero(t, testing.AllocsPerRun(100, func() { off.StatementFinished(failed(1)) })-testing.AllocsPerRun(100, func() { _ = failed(1) }))
		off.Close(t.Context())
		rest(time.Hour)
		require.Empty(t, f.times())
	})
}

func TestNothingIsAskedWhileNoSinkWantsReports(t *testing.T) {
	inBubble(t, slow, func(t *testing.T, f *fixture) {
		var plain telemetry.Fanout
		defer plain.Attach(statementsOnly{})()
		h := f.reader.Open(connection(f.service, &token{"t1"}), slow, []*telemetry.Fanout{&plain})
		h.StatementFinished(statement(1))
		rest(time.Hour)
		require.Empty(t, f.times())
		h.Close(t.Context())
	})
}

type statementsOnly struct{}

func (statementsOnly) StatementFinished(*telemetry.Statement) {}

func TestASinkThatPanicsWhenAskedIsContained(t *testing.T) {
	inBubble(t, slow, func(t *testing.T, f *fixture) {
		defer f.fanout.Attach(recorder{f.sink, func() bool { panic("no") }})()
		f.handle.StatementFinished(statement(1))
		rest(time.Hour)
		require.Equal(t, []string{"q-1"}, f.ids())
	})
}

// A sink that exits when it is asked whether it records ends the worker's goroutine: that costs the
// reports of one request, which are counted, and the next are made.
func TestASinkThatExitsWhenAskedCostsOneRequest(t *testing.T) {
	inBubble(t, slow, func(t *testing.T, f *fixture) {
		var exits atomic.Bool
		detach := f.fanout.Attach(recorder{&sink{}, func() bool {
			if exits.Load() {
				runtime.Goexit()
			}
			return true
		}})
		f.handle.StatementFinished(statement(1))
		exits.Store(true)
		rest(time.Minute)
		detach()
		f.handle.StatementFinished(statement(2))
		rest(time.Minute)
		require.Contains(t, f.ids(), "q-2")
		require.EqualValues(t, 2, balanced(t, f.reader).Reported)
	})
}

type recorder struct {
	*sink
	recording func() bool
}

func (r recorder) Recording() bool { return r.recording() }

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
