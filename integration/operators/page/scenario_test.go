package page

import (
	"context"
	"database/sql"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/databricks/databricks-sql-go/logger"
	"github.com/stretchr/testify/require"

	_ "github.com/seed-01322ee7/databricks-telemetry/driverwrap" // registers "databricks-telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	_ "github.com/seed-01322ee7/databricks-telemetry/telemetry/debugpage" // mounts the page
)

// busy is a process that an operator would look into: the real driver has run all kinds of statements
// on a workspace with faults, one is still running, and callers wait for a connection.
type busy struct {
	url        string // of the page
	downloaded string // id of a statement with files
	running    string // and of one that is running
	failed     string
	slow       string // without a report of the query history
	reported   string // and with one
}

// wide has enough text to be sent as files.
const wide = "SELECT id, id * 2 AS twice, 'some text to fill a column with, row by row by row' AS text FROM range(24000)"

func newBusy(t *testing.T) *busy {
	t.Helper()
	_ = logger.SetLogLevel("disabled") // the native driver logs every error it returns
	ws := workspace.New(t, workspace.Options{
		ServerTimes:      true,
		DirectResultWait: 150 * time.Millisecond, CloudFetchThreshold: 1 << 19, FileRows: 2000, LinksPerPage: 5, TelemetryFlag: workspace.FlagOn,
		ExecutionTime: func(sql string) time.Duration {
			switch {
			case strings.Contains(sql, "/* forever */"):
				return time.Hour
			case strings.Contains(sql, "/* slow */"):
				return 1200 * time.Millisecond
			case strings.Contains(sql, "/* queue */"):
				return 30 * time.Millisecond
			}
			return 0
		},
	})
	db := open(t, ws, "telemetry_query_text=true", "telemetry_flush_interval=100ms", "maxDownloadThreads=4")
	db.SetMaxOpenConns(4)
	t.Cleanup(telemetry.RegisterPool("orders", db))
	off := open(t, ws, "enableTelemetry=false")

	run(t, db, "SELECT 42 AS answer")
	run(t, db, "SELECT /* slow */ count(*) AS n FROM range(1000)")
	var all sync.WaitGroup
	for range 24 {
		all.Go(func() { run(t, db, "SELECT /* queue */ id FROM range(50)") })
	}
	all.Wait()
	run(t, off, "SELECT id FROM range(2000)")
	run(t, off, "SELECT /* </title></svg><script>alert(1)</script> */ 1 AS hostile")

	slow := ws.Inject(workspace.Fault{On: workspace.ResultDownloads(), Do: workspace.Latency(220 * time.Millisecond), Share: 0.6})
	run(t, db, wide)
	slow.Remove()
	retried := ws.Inject(workspace.Fault{On: workspace.Method("ExecuteStatement"), Do: workspace.StatusRetryAfter(503, time.Second), First: 1})
	run(t, db, "SELECT 'after one retry' AS answer")
	retried.Remove()
	broken := ws.Inject(workspace.Fault{On: workspace.ResultDownloads(), Skip: 3, Do: workspace.Status(403)})
	fail(t, db, wide)
	broken.Remove()
	fail(t, db, "SELECT * FROM no_such_table")
	fail(t, db, "SELEC 1")
	ctx, giveUp := eventually.Expiring(t.Context())
	gaveUp := make(chan error, 1)
	go func() {
		_, err := db.QueryContext(ctx, "SELECT /* forever */ 'given up'")
		gaveUp <- err
	}()
	eventually.True(t, func() bool {
		return slices.ContainsFunc(ws.Statements(), func(s workspace.StatementFacts) bool { return strings.Contains(s.SQL, "given up") })
	})
	giveUp()
	require.Error(t, <-gaveUp)

	reported := reportedStatement(t)

	forever, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var ended sync.WaitGroup
	ended.Go(func() {
		_, err := db.QueryContext(forever, "SELECT /* forever */ sum(price) AS total FROM orders GROUP BY country")
		_ = err
	})
	t.Cleanup(func() { stop(); ended.Wait() })

	b := &busy{reported: reported}
	server := httptest.NewServer(http.DefaultServeMux)
	t.Cleanup(server.Close)
	b.url = server.URL + "/debug/databricks/"
	eventually.True(t, func() bool {
		b.downloaded, b.running, b.failed = b.find(t, "?result=EXTERNAL_LINKS&outcome=completed"), b.find(t, "?outcome=running"), b.find(t, "?category=not_found")
		b.slow = b.find(t, "?q=slow+*/&outcome=completed")
		return b.downloaded != "" && b.running != "" && b.failed != "" && b.slow != "" && b.hasReport(t, b.reported)
	})
	require.NoError(t, telemetry.Flush(t.Context()))
	return b
}

// reportedStatement runs a statement on a warehouse that is stopped, and returns its id. The query
// history reports it seconds later.
func reportedStatement(t *testing.T) string {
	ws := workspace.New(t, workspace.Options{
		TelemetryFlag:   workspace.FlagOn,
		Warehouses:      []workspace.Warehouse{{ID: "abcdef0123456789", Stopped: true, StartTime: 700 * time.Millisecond}},
		CompilationTime: func(string) time.Duration { return 150 * time.Millisecond },
		ExecutionTime:   func(string) time.Duration { return 400 * time.Millisecond },
		History: func(_ workspace.StatementFacts, e *workspace.HistoryEntry) {
			e.Metrics.ReadBytes, e.Metrics.ReadCacheBytes, e.Metrics.SpillToDiskBytes = 40e9, 8e8, 12e9
		},
	})
	db := open(t, ws, "telemetry_query_text=true", "telemetry_query_history=all", "telemetry_flush_interval=100ms")
	run(t, db, "SELECT region, sum(amount) AS total FROM VALUES ('north', 1), ('south', 2) AS sales(region, amount) GROUP BY region")
	return ws.Statements()[0].ID
}

func open(t *testing.T, ws *workspace.Workspace, params ...string) *sql.DB {
	db, err := sql.Open("databricks-telemetry", ws.DSN(params...))
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func run(t *testing.T, db *sql.DB, text string) {
	rows, err := db.QueryContext(t.Context(), text)
	require.NoError(t, err)
	for rows.Next() {
	}
	require.NoError(t, rows.Err())
	require.NoError(t, rows.Close())
}

func fail(t *testing.T, db *sql.DB, text string) {
	rows, err := db.QueryContext(t.Context(), text)
	if err == nil {
		for rows.Next() {
		}
		err = rows.Err()
		_ = rows.Close()
	}
	require.Error(t, err)
}
