package soak

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Authenticators and sinks are code of the application's. One that hangs, panics or ends its
// goroutine costs its own connector's events, or the record it was given, and nothing else:
// what its neighbours record arrives, and they close while it still hangs.
//
// What must not happen is waiting. Where a neighbour may wait for what is broken, its patience
// (CloseTimeout) is long and what is broken is mended only after the neighbour has closed; so a
// neighbour that waits loses its events, and no test measures a time.

const patience = time.Minute

// misbehaviors are ways for code to go wrong. Release ends those that last.
var misbehaviors = map[string]func(release <-chan struct{}){
	"hangs":              func(release <-chan struct{}) { <-release },
	"panics":             func(<-chan struct{}) { panic("gone wrong") },
	"ends its goroutine": func(<-chan struct{}) { runtime.Goexit() },
}

// tenant is an authenticator with a token of its own. With a misbehavior it serves the driver,
// and goes wrong in requests of ours.
type tenant struct {
	token string
	ours  func()        // what it does in a request of ours; nil: it authenticates
	asked chan struct{} // receives when it was asked for one, once
}

func (a *tenant) Authenticate(r *http.Request) error {
	// The driver asks for the flag, too, and for the same path.
	if a.ours != nil && bytes.Contains(debug.Stack(), []byte("databricks-telemetry/internal/export.")) {
		select {
		case a.asked <- struct{}{}:
		default:
		}
		a.ours()
	}
	r.Header.Set("Authorization", "Bearer "+a.token)
	return nil
}

func (a *tenant) open(t *testing.T, ws *workspace.Workspace, ledger *books, settings telemetry.Settings) *sql.DB {
	c, err := driverwrap.Config{Settings: settings, Sinks: []telemetry.Sink{ledger}}.NewConnector(append(options(ws), dbsql.WithAuthenticator(a))...)
	require.NoError(t, err)
	return sql.OpenDB(c)
}

func work(t *testing.T, db *sql.DB, statements int) {
	t.Helper()
	for range statements {
		var n int
		require.NoError(t, db.QueryRow("SELECT 1").Scan(&n))
	}
}

// taken counts the events a workspace took, each once, by the credential they came with.
func taken(ws *workspace.Workspace) map[string]int {
	n := map[string]int{}
	for _, e := range ws.Telemetry() {
		n[strings.TrimPrefix(e.Header.Get("Authorization"), "Bearer ")]++
	}
	return n
}

// since is what the exporter counted since before, once it is at rest.
func since(t *testing.T, before export.Stats) (s export.Stats) {
	t.Helper()
	eventually.True(t, func() bool {
		s = (&round{before: before, after: export.Default.Stats()}).delta()
		dropped := int64(0)
		for _, n := range s.Dropped {
			dropped += n
		}
		return s.Pending == 0 && s.Recorded == s.Sent+dropped
	})
	return s
}

func TestATenantWhoseAuthenticatorGoesWrongCostsNoOther(t *testing.T) {
	for how, misbehave := range misbehaviors {
		t.Run(how, func(t *testing.T) {
			const neighbours, rounds, statements = 3, 3, 10
			opts := workspace.Options{TelemetryFlag: workspace.FlagOn, Token: "dapi-rogue"}
			for i := range neighbours {
				opts.Tokens = append(opts.Tokens, fmt.Sprint("dapi-", i))
			}
			ws := workspace.New(t, opts)
			before := export.Default.Stats()
			release := make(chan struct{})
			rogue := &tenant{token: "dapi-rogue", ours: func() { misbehave(release) }, asked: make(chan struct{}, 1)}
			rogues := &books{}
			rogueDB := rogue.open(t, ws, rogues, brisk)
			work(t, rogueDB, statements)
			<-rogue.asked // it is the first who asks for the flag of the host

			settings := brisk
			settings.CloseTimeout = patience
			expected := map[string]int{}
			for n := range rounds { // the neighbours come and go; all use the host's flag
				if n == 1 {
					require.NoError(t, rogueDB.Close()) // and it hangs on
				}
				var wg sync.WaitGroup
				ledgers := make([]books, neighbours)
				for i, token := range opts.Tokens {
					wg.Go(func() {
						db := (&tenant{token: token}).open(t, ws, &ledgers[i], settings)
						work(t, db, statements)
						require.NoError(t, db.Close())
					})
				}
				wg.Wait()
				for i, token := range opts.Tokens {
					expected[token] += ledgers[i].events()
				}
				require.Equal(t, expected, taken(ws), "all that was recorded has arrived when the database is closed, and nothing of the other's")
			}
			close(release)
			settledReports(t, ws)

			s := since(t, before)
			sum := 0
			for _, n := range expected {
				sum += n
			}
			require.EqualValues(t, sum+rogues.events(), s.Recorded)
			require.GreaterOrEqual(t, s.Sent, int64(sum))
			require.Empty(t, ws.TelemetryErrors())
		})
	}
}

// crooked is a sink that goes wrong with every third record.
type crooked struct {
	given    atomic.Int64
	goWrong  func()
	finished atomic.Int64 // records it took without going wrong
}

func (c *crooked) StatementFinished(*telemetry.Statement) {
	if c.given.Add(1)%3 == 0 {
		c.goWrong()
	}
	c.finished.Add(1)
}

func TestASinkThatGoesWrongLosesTheRecordItWasGiven(t *testing.T) {
	for how, misbehave := range misbehaviors {
		if how == "hangs" {
			continue // below
		}
		t.Run(how, func(t *testing.T) {
			ws := workspace.New(t, workspace.Options{TelemetryFlag: workspace.FlagOn})
			before := export.Default.Stats()
			wrong, ledger := &crooked{goWrong: func() { misbehave(nil) }}, &books{}
			settings := brisk
			settings.CloseTimeout = patience
			const rounds, statements = 4, 30
			for n := 1; n <= rounds; n++ {
				c, err := driverwrap.Config{Settings: settings, Sinks: []telemetry.Sink{wrong, ledger}}.NewConnector(options(ws)...)
				require.NoError(t, err)
				db := sql.OpenDB(c)
				work(t, db, statements)
				require.NoError(t, db.Close())
				require.EqualValues(t, n*statements, wrong.given.Load(), "each record was given to it")
				require.EqualValues(t, n*statements/3*2, wrong.finished.Load())
				require.Equal(t, n*statements, ledger.count())
			}
			settledReports(t, ws)
			require.EqualValues(t, ledger.events(), since(t, before).Sent)
		})
	}
}

func TestASinkThatHangsKeepsNothingFromTheOthers(t *testing.T) {
	ws := workspace.New(t, workspace.Options{TelemetryFlag: workspace.FlagOn})
	before := export.Default.Stats()
	release := make(chan struct{})
	ledger := &books{}
	for range 3 {
		c, err := driverwrap.Config{Settings: brisk, Sinks: []telemetry.Sink{blocking{release}, ledger, blocking{release}}}.NewConnector(options(ws)...)
		require.NoError(t, err)
		db := sql.OpenDB(c)
		work(t, db, 30)
		require.NoError(t, db.Close()) // gives up on those that hang, and has served the other
	}
	require.Equal(t, 90, ledger.count())
	settledReports(t, ws)
	require.EqualValues(t, ledger.events(), since(t, before).Sent)
	close(release)
}

// laggard is a sink that is never done while a pool is busy: it is done with a record when the
// next one waits.
type laggard struct {
	busy            *atomic.Bool
	recorded, taken *atomic.Int64
}

func (l laggard) StatementFinished(*telemetry.Statement) {
	n := l.taken.Add(1)
	for l.busy.Load() && l.recorded.Load() <= n {
		runtime.Gosched()
	}
}

// A pool that is always busy keeps the queues of the process's sinks from ever being empty.
// Flush, and closing another pool, wait for what was recorded before the call.
func TestPoolsAreClosedInTurnsWhileOthersAreBusy(t *testing.T) {
	ws := workspace.New(t, workspace.Options{TelemetryFlag: workspace.FlagOn, Token: "dapi-idle", Tokens: []string{"dapi-busy"}})
	before := export.Default.Stats()
	settings := brisk
	settings.CloseTimeout, settings.QueueSize = patience, 1_000_000
	idles, busies := &books{}, &books{}
	var busy atomic.Bool
	var recorded, handled atomic.Int64
	defer telemetry.Attach(laggard{&busy, &recorded, &handled})()
	one := func(db *sql.DB) error {
		var n int
		err := db.QueryRow("SELECT 1").Scan(&n)
		recorded.Add(1)
		return err
	}

	for range 5 {
		many := (&tenant{token: "dapi-busy"}).open(t, ws, busies, settings)
		few := (&tenant{token: "dapi-idle"}).open(t, ws, idles, settings)
		busy.Store(true)
		failed := make([]error, 4)
		var wg sync.WaitGroup
		for i := range failed {
			wg.Go(func() {
				for busy.Load() && failed[i] == nil {
					failed[i] = one(many)
				}
			})
		}
		require.NoError(t, one(few))
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		require.NoError(t, telemetry.Flush(ctx), "while the other pool records")
		cancel()
		require.NoError(t, one(few))
		require.NoError(t, few.Close())
		require.Equal(t, idles.events(), taken(ws)["dapi-idle"])

		few = (&tenant{token: "dapi-idle"}).open(t, ws, idles, settings) // the other way round
		require.NoError(t, one(few))
		busy.Store(false)
		wg.Wait()
		require.NoError(t, errors.Join(failed...))
		require.NoError(t, many.Close())
		require.Equal(t, busies.events(), taken(ws)["dapi-busy"])
		require.NoError(t, few.Close())
	}
	settledReports(t, ws)
	s := since(t, before)
	require.EqualValues(t, idles.events()+busies.events(), s.Sent)
	require.Equal(t, s.Recorded, s.Sent)
}
