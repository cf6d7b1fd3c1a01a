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
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Authenticators and sinks are code of the application. One that hangs, panics or ends its
// goroutine affects the events of its own connector, or the record it was given, and no others:
// the records of other tenants arrive, and their databases close while the faulty one still
// hangs.
//
// No tenant may wait for another's fault. A tenant that could wait has a long CloseTimeout, and the
// fault ends only after that tenant has closed: one that does wait drops its events, so no test
// measures a time.

const longTimeout = time.Minute

// misbehaviors are ways for user-supplied code to fail. Release ends those that block.
var misbehaviors = map[string]func(release <-chan struct{}){
	"hangs":              func(release <-chan struct{}) { <-release },
	"panics":             func(<-chan struct{}) { panic("faulty") },
	"ends its goroutine": func(<-chan struct{}) { runtime.Goexit() },
}

// tenant is an authenticator with a token of its own. With a misbehavior it authenticates
// requests of the driver, and fails those of the exporter.
type tenant struct {
	token     string
	misbehave func()        // runs in a request of the exporter; nil: the request is authenticated
	asked     chan struct{} // receives when the exporter first asks
}

func (a *tenant) Authenticate(r *http.Request) error {
	// The path does not distinguish them: the driver requests the flag, too.
	if a.misbehave != nil && bytes.Contains(debug.Stack(), []byte("databricks-telemetry/internal/export.")) {
		select {
		case a.asked <- struct{}{}:
		default:
		}
		a.misbehave()
	}
	r.Header.Set("Authorization", "Bearer "+a.token)
	return nil
}

func (a *tenant) open(t *testing.T, ws *workspace.Workspace, counts *ledger, settings telemetry.Settings) *sql.DB {
	c, err := driverwrap.Config{Settings: settings, Sinks: []telemetry.Sink{counts}}.NewConnector(append(options(ws), dbsql.WithAuthenticator(a))...)
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

// taken counts the events a workspace accepted, each once, by their credential.
func taken(ws *workspace.Workspace) map[string]int {
	n := map[string]int{}
	for _, e := range ws.Telemetry() {
		n[strings.TrimPrefix(e.Header.Get("Authorization"), "Bearer ")]++
	}
	return n
}

// since is what the exporter counted since before, once nothing is pending.
func since(t *testing.T, before telemetry.ExportStats) (s telemetry.ExportStats) {
	t.Helper()
	eventually.True(t, func() bool {
		s = (&round{before: before, after: telemetry.ReadStats().Export}).delta()
		dropped := int64(0)
		for _, n := range s.Dropped {
			dropped += n
		}
		return s.Pending == 0 && s.Recorded == s.Sent+dropped
	})
	return s
}

func TestAFailingAuthenticatorAffectsNoOtherTenant(t *testing.T) {
	for how, misbehave := range misbehaviors {
		t.Run(how, func(t *testing.T) {
			const others, rounds, statements = 3, 3, 10
			opts := workspace.Options{TelemetryFlag: workspace.FlagOn, Token: "dapi-faulty"}
			for i := range others {
				opts.Tokens = append(opts.Tokens, fmt.Sprint("dapi-", i))
			}
			ws := workspace.New(t, opts)
			before := telemetry.ReadStats().Export
			release := make(chan struct{})
			faulty := &tenant{token: "dapi-faulty", misbehave: func() { misbehave(release) }, asked: make(chan struct{}, 1)}
			faultyLedger := &ledger{}
			faultyDB := faulty.open(t, ws, faultyLedger, brisk)
			work(t, faultyDB, statements)
			<-faulty.asked // this tenant is the first to request the flag of the host

			settings := brisk
			settings.CloseTimeout = longTimeout
			expected := map[string]int{}
			for n := range rounds { // the other tenants come and go; all use the host's flag
				if n == 1 {
					require.NoError(t, faultyDB.Close()) // its authenticator still hangs
				}
				var wg sync.WaitGroup
				ledgers := make([]ledger, others)
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
				require.Equal(t, expected, taken(ws), "every recorded event has arrived when the database is closed, and none of the faulty tenant")
			}
			close(release)
			settledReports(t, ws)

			s := since(t, before)
			sum := 0
			for _, n := range expected {
				sum += n
			}
			require.EqualValues(t, sum+faultyLedger.events(), s.Recorded)
			require.GreaterOrEqual(t, s.Sent, int64(sum))
			require.Empty(t, ws.TelemetryErrors())
		})
	}
}

// faultySink is a sink that fails on every third record.
type faultySink struct {
	given     atomic.Int64
	misbehave func()
	finished  atomic.Int64 // records it handled without failing
}

func (s *faultySink) StatementFinished(*telemetry.Statement) {
	if s.given.Add(1)%3 == 0 {
		s.misbehave()
	}
	s.finished.Add(1)
}

func TestAFailingSinkMissesOnlyTheRecordItWasGiven(t *testing.T) {
	for how, misbehave := range misbehaviors {
		if how == "hangs" {
			continue // below
		}
		t.Run(how, func(t *testing.T) {
			ws := workspace.New(t, workspace.Options{TelemetryFlag: workspace.FlagOn})
			before := telemetry.ReadStats().Export
			faulty, counts := &faultySink{misbehave: func() { misbehave(nil) }}, &ledger{}
			settings := brisk
			settings.CloseTimeout = longTimeout
			const rounds, statements = 4, 30
			for n := 1; n <= rounds; n++ {
				c, err := driverwrap.Config{Settings: settings, Sinks: []telemetry.Sink{faulty, counts}}.NewConnector(options(ws)...)
				require.NoError(t, err)
				db := sql.OpenDB(c)
				work(t, db, statements)
				require.NoError(t, db.Close())
				require.EqualValues(t, n*statements, faulty.given.Load(), "the faulty sink was given each record")
				require.EqualValues(t, n*statements/3*2, faulty.finished.Load())
				require.Equal(t, n*statements, counts.count())
			}
			settledReports(t, ws)
			require.EqualValues(t, counts.events(), since(t, before).Sent)
		})
	}
}

func TestASinkThatHangsDoesNotDelayOtherSinks(t *testing.T) {
	ws := workspace.New(t, workspace.Options{TelemetryFlag: workspace.FlagOn})
	before := telemetry.ReadStats().Export
	release := make(chan struct{})
	counts := &ledger{}
	for range 3 {
		c, err := driverwrap.Config{Settings: brisk, Sinks: []telemetry.Sink{blocking{release}, counts, blocking{release}}}.NewConnector(options(ws)...)
		require.NoError(t, err)
		db := sql.OpenDB(c)
		work(t, db, 30)
		require.NoError(t, db.Close()) // does not wait for the sinks that hang, and has delivered to the other
	}
	require.Equal(t, 90, counts.count())
	settledReports(t, ws)
	require.EqualValues(t, counts.events(), since(t, before).Sent)
	close(release)
}

// slowSink is a sink that is never idle while a pool is busy: it finishes a record only when the next
// one waits.
type slowSink struct {
	busy            *atomic.Bool
	recorded, taken *atomic.Int64
}

func (l slowSink) StatementFinished(*telemetry.Statement) {
	n := l.taken.Add(1)
	for l.busy.Load() && l.recorded.Load() <= n {
		runtime.Gosched()
	}
}

// A pool that is always busy keeps the queues of the process's sinks from ever being empty.
// Flush, and closing another pool, wait for what was recorded before the call.
func TestPoolsAreClosedInTurnsWhileOthersAreBusy(t *testing.T) {
	ws := workspace.New(t, workspace.Options{TelemetryFlag: workspace.FlagOn, Token: "dapi-idle", Tokens: []string{"dapi-busy"}})
	before := telemetry.ReadStats().Export
	settings := brisk
	settings.CloseTimeout, settings.QueueSize = longTimeout, 1_000_000
	idleLedger, busyLedger := &ledger{}, &ledger{}
	var busy atomic.Bool
	var recorded, handled atomic.Int64
	defer telemetry.Attach(slowSink{&busy, &recorded, &handled})()
	one := func(db *sql.DB) error {
		var n int
		err := db.QueryRow("SELECT 1").Scan(&n)
		recorded.Add(1)
		return err
	}

	for range 5 {
		many := (&tenant{token: "dapi-busy"}).open(t, ws, busyLedger, settings)
		few := (&tenant{token: "dapi-idle"}).open(t, ws, idleLedger, settings)
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
		ctx, cancel := context.WithTimeout(t.Context(), longTimeout)
		require.NoError(t, telemetry.Flush(ctx), "while the other pool records")
		cancel()
		require.NoError(t, one(few))
		require.NoError(t, few.Close())
		require.Equal(t, idleLedger.events(), taken(ws)["dapi-idle"])

		few = (&tenant{token: "dapi-idle"}).open(t, ws, idleLedger, settings) // with the roles reversed
		require.NoError(t, one(few))
		busy.Store(false)
		wg.Wait()
		require.NoError(t, errors.Join(failed...))
		require.NoError(t, many.Close())
		require.Equal(t, busyLedger.events(), taken(ws)["dapi-busy"])
		require.NoError(t, few.Close())
	}
	settledReports(t, ws)
	s := since(t, before)
	require.EqualValues(t, idleLedger.events()+busyLedger.events(), s.Sent)
	require.Equal(t, s.Recorded, s.Sent)
}
