package history_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/history"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

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

// What an answer left to another page is asked for by a closing connector, too.
func TestClosingAsksForTheNextPage(t *testing.T) {
	inBubble(t, slow, func(t *testing.T, f *fixture) {
		f.answers(func(ids []string) *http.Response {
			return response(200, `{"next_page_token":"t","has_next_page":true,"res":[`+finished(ids[0])+`]}`)
		})
		for n := range 3 {
			f.handle.StatementFinished(statement(n))
		}
		f.handle.Close(t.Context())
		require.Equal(t, []int{3, 2, 1}, f.batches())
		require.NoError(t, f.fanout.Flush(t.Context()))
		require.Equal(t, []string{"q-0", "q-1", "q-2"}, f.ids())
		require.Empty(t, balanced(t, f.reader).Dropped)
	})
}

// One that is closed without a request is asked about in none that follows.
func TestAClosingThatGaveUpDoesNotAskForTheNextPage(t *testing.T) {
	inBubble(t, slow, func(t *testing.T, f *fixture) {
		f.answers(func(ids []string) *http.Response {
			time.Sleep(5 * time.Second)
			return response(200, `{"has_next_page":true,"res":[`+finished(ids[0])+`]}`)
		})
		credential := &token{"t1"}
		stays := f.reader.Open(connection(f.service, credential), slow, []*telemetry.Fanout{f.fanout})
		goes := f.reader.Open(connection(f.service, credential), slow, []*telemetry.Fanout{f.fanout})
		stays.StatementFinished(statement(1))
		goes.StatementFinished(statement(2))
		rest(3 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		goes.Close(ctx)
		rest(time.Minute)
		require.Equal(t, []int{2}, f.batches())
		require.Equal(t, map[string]int64{"closed": 1}, balanced(t, f.reader).Dropped)
		stays.Close(t.Context())
	})
}

func TestClosingDoesNotAskForSinksThatAreGone(t *testing.T) {
	inBubble(t, slow, func(t *testing.T, f *fixture) {
		var fanout telemetry.Fanout
		detach := fanout.Attach(&sink{})
		h := f.reader.Open(connection(f.service, &token{"t1"}), slow, []*telemetry.Fanout{&fanout})
		h.StatementFinished(statement(1))
		detach()
		h.Close(t.Context())
		require.Empty(t, f.times())
		require.Equal(t, map[string]int64{"closed": 1}, balanced(t, f.reader).Dropped)

		// Neither does it wait for a request that is under way.
		detach = fanout.Attach(&sink{})
		h = f.reader.Open(connection(f.service, &token{"t1"}), slow, []*telemetry.Fanout{&fanout})
		f.answers(func([]string) *http.Response { time.Sleep(5 * time.Second); return nil })
		h.StatementFinished(statement(2))
		rest(3 * time.Second)
		detach()
		began := time.Now()
		h.Close(t.Context())
		require.Less(t, time.Since(began), time.Second)
		rest(time.Minute)
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
