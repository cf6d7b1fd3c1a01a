//go:build clocksteps

package soak

import (
	"context"
	"database/sql"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/debugpage"
)

func init() {
	stepWall = time.StepWall
	requirePage = pageChecker()
}

// pageChecker returns a function that compares what the debug page counts of the last hour with what it
// counted before: in a process younger than an hour, all of it still counts.
func pageChecker() func(*testing.T) {
	counted := int64(0)
	return func(t *testing.T) {
		o := readOverview(t)
		for _, path := range []string{"", "statements", "telemetry", "statements?outcome=failed&format=json"} {
			require.Equal(t, http.StatusOK, get(path).Code, path)
		}
		hour := o.Rates[2]
		if time.Since(processStart) < time.Hour {
			require.GreaterOrEqual(t, hour.Statements, counted, "statements of the last hour")
			require.Positive(t, hour.Statements)
		}
		counted = hour.Statements
		inColumns := int64(0)
		for _, c := range o.Chart.Columns {
			inColumns += c.Statements
		}
		require.LessOrEqual(t, len(o.Chart.Columns), 60)
		require.Equal(t, hour.Statements, inColumns, "the chart shows the same statements")
		for _, r := range o.Rates {
			over := time.Duration(r.OverMS * float64(time.Millisecond))
			require.True(t, over > 0 && over <= time.Since(processStart)+time.Second, "%s: %v in %v", r.Window, over, time.Since(processStart))
		}
	}
}

// overview is what is compared of the page's overview.
type overview struct {
	Rates []struct {
		Window     string  `json:"window"`
		OverMS     float64 `json:"over_ms"`
		Statements int64   `json:"statements"`
	} `json:"rates"`
	Chart struct {
		Columns []struct {
			Began      time.Time `json:"began"`
			Statements int64     `json:"statements"`
		} `json:"columns"`
	} `json:"chart"`
}

func readOverview(t *testing.T) (o overview) {
	t.Helper()
	require.NoError(t, json.Unmarshal(get("?format=json").Body.Bytes(), &o))
	return o
}

func get(path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	debugpage.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost/debug/databricks/"+path, nil))
	return w
}

// clockSteps are steps by which a wall clock is corrected: by NTP, by hand, after a machine was
// suspended.
var clockSteps = []time.Duration{
	-24 * time.Hour, 24 * time.Hour, time.Hour, -time.Hour, -3 * time.Second, 3 * time.Second, 48 * time.Hour, -72 * time.Hour, 24 * time.Hour,
}

// TestReportingKeepsItsIntervalsWhileTheClockSteps compares waits with the monotonic clock: batches,
// the breaker, pauses between retries and the flag are neither late nor early. A wait that follows the
// wall clock takes a day after a step back, and this test fails at its deadline.
func TestReportingKeepsItsIntervalsWhileTheClockSteps(t *testing.T) {
	const interval = 300 * time.Millisecond
	counts := &ledger{}
	began := time.Now()
	ws := workspace.New(t, workspace.Options{TelemetryFlag: workspace.FlagOn, FlagTTL: time.Minute, LinkLifetime: 10 * furthest, CaptureBodies: true, Keep: -1})
	c, err := driverwrap.Config{
		Settings: telemetry.Settings{FlushInterval: interval, RetryDelay: 5 * time.Millisecond, CircuitBreakerTimeout: interval, BatchSize: 2000},
		Sinks:    []telemetry.Sink{counts},
	}.OpenConnector(ws.DSN())
	require.NoError(t, err)
	db := sql.OpenDB(c)
	defer func() { _ = db.Close() }()
	reported := func(n int) func() bool {
		return func() bool { return counts.count() >= n && len(ws.Telemetry()) >= counts.events() }
	}
	uploads, flags := workspace.Endpoint("/telemetry"), workspace.Endpoint("/api/2.0/connector-service")
	statements := 0
	run := func() { work(t, db, 1); statements++ }

	for _, by := range clockSteps {
		run()
		wall.step(by)
		eventually.True(t, reported(statements), "a batch that waited when the clock stepped by ", by)
		run()
		eventually.True(t, reported(statements), "the first batch after a step by ", by)

		busy := ws.Inject(workspace.Fault{On: uploads, First: 1, Do: workspace.StatusRetryAfter(429, time.Second)})
		run()
		eventually.True(t, func() bool { return busy.Hits() > 0 })
		wall.step(-by)
		eventually.True(t, reported(statements), "the retry after a step by ", -by)
		busy.Remove()

		garbled := ws.Inject(workspace.Fault{On: uploads, First: 1, Do: workspace.Garbage()})
		run()
		eventually.True(t, func() bool { return !pipelineOf(ws).NotBefore.IsZero() || garbled.Hits() > 0 && reported(statements)() }, "a pause")
		wall.step(by)
		eventually.True(t, reported(statements), "the batch after a pause in which the clock stepped by ", by)
		garbled.Remove()
		wall.step(-by)

		down := ws.Inject(workspace.Fault{On: uploads, Do: workspace.Status(http.StatusInternalServerError)})
		eventually.True(t, func() bool { run(); return pipelineOf(ws).Breaker == "open" }, "the breaker opens")
		wall.step(by)
		down.Remove()
		eventually.True(t, reported(statements), "the breaker closes after a step by ", by)
	}

	t.Run("no storm", func(t *testing.T) {
		before, from := ws.Count(uploads), time.Now()
		for i := 0; time.Since(from) < 10*interval; i++ {
			wall.step([]time.Duration{24 * time.Hour, -24 * time.Hour, -time.Hour, time.Hour}[i%4])
			run()
		}
		eventually.True(t, reported(statements))
		require.LessOrEqual(t, ws.Count(uploads)-before, int(time.Since(from)/interval)+2, "one batch in an interval")
	})

	t.Run("the flag is requested again when it expires, and not before", func(t *testing.T) {
		wall.step(48 * time.Hour)
		run()
		eventually.True(t, reported(statements))
		wall.step(-72 * time.Hour)
		eventually.True(t, func() bool { run(); return ws.Count(flags) >= 2 }, "the flag's second request")
		require.LessOrEqual(t, ws.Count(flags), 1+int(time.Since(began)/time.Minute), "one request a minute")
		eventually.True(t, reported(statements))
	})

	require.Empty(t, counts.wrongTimes())
	requireTrueEvents(t, ws, began)
	requirePage(t)
	wall.step(-wall.offset())
}

// TestThePageCountsTheLastHourWhileTheClockSteps compares the page with the statements that ran.
func TestThePageCountsTheLastHourWhileTheClockSteps(t *testing.T) {
	ws := workspace.New(t, workspace.Options{LinkLifetime: 10 * furthest})
	c, err := driverwrap.Config{}.OpenConnector(ws.DSN())
	require.NoError(t, err)
	db := sql.OpenDB(c)
	work(t, db, 1)
	require.NoError(t, telemetry.Flush(t.Context()))
	before := readOverview(t)
	for _, by := range clockSteps {
		wall.step(by)
		work(t, db, 1)
	}
	require.NoError(t, db.Close())
	require.NoError(t, telemetry.Flush(t.Context()))
	o := readOverview(t)
	for i, r := range o.Rates {
		if time.Since(processStart) < 50*time.Second { // within every window
			require.Equal(t, before.Rates[i].Statements+int64(len(clockSteps)), r.Statements, r.Window)
		}
	}
	require.Equal(t, before.Rates[2].Statements+int64(len(clockSteps)), o.Rates[2].Statements)
	latest := o.Chart.Columns[len(o.Chart.Columns)-1].Began
	require.True(t, !latest.After(time.Now()) && latest.Add(time.Minute+time.Second).After(time.Now().Round(0)), "the chart's times are those of the clock as it is now: %v", latest)
	wall.step(-wall.offset())
}

// TestRowsAreReadWhileTheClockSteps steps the clock within statements and sessions.
func TestRowsAreReadWhileTheClockSteps(t *testing.T) {
	counts := &ledger{}
	ws := workspace.New(t, workspace.Options{TelemetryFlag: workspace.FlagOn, CloudFetchThreshold: 1, FileRows: 50, ServerTimes: true, LinkLifetime: 10 * furthest})
	c, err := driverwrap.Config{Settings: brisk, Sinks: []telemetry.Sink{counts}}.OpenConnector(ws.DSN())
	require.NoError(t, err)
	db := sql.OpenDB(c)
	ctx, stop := context.WithCancel(t.Context())
	var stepping sync.WaitGroup
	stepping.Go(func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for i := 0; ctx.Err() == nil; i++ {
			<-tick.C
			wall.step(clockSteps[i%len(clockSteps)])
		}
	})
	for range 30 {
		rows, err := db.Query(numbered(400))
		require.NoError(t, err)
		n := 0
		for rows.Next() {
			n++
		}
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
		require.Equal(t, 400, n)
	}
	stop()
	stepping.Wait()
	require.NoError(t, db.Close())
	require.NoError(t, telemetry.Flush(t.Context()))
	require.Equal(t, 30, counts.count())
	require.Empty(t, counts.wrongTimes())
	wall.step(-wall.offset())
}

// pipelineOf is the state of the pipeline to a workspace.
func pipelineOf(ws *workspace.Workspace) telemetry.PipelineStats {
	for _, p := range telemetry.ReadStats().Export.Pipelines {
		if p.Server == ws.URL() {
			return p
		}
	}
	return telemetry.PipelineStats{}
}
