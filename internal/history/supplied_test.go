package history_test

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/history"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

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
