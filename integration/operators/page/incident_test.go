package page

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/databricks/databricks-sql-go/logger"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// incident is a fault between the real driver and the simulated workspace, with the first sentence that
// the page must show.
type incident struct {
	name    string
	happens func(*testing.T, context.Context, *workspace.Workspace)
	says    []string
}

var incidents = []incident{
	{"healthy", func(t *testing.T, _ context.Context, ws *workspace.Workspace) {
		db := open(t, ws, "telemetry_query_text=true")
		for range 30 {
			run(t, db, "SELECT 42 AS answer")
		}
	}, []string{"30 statements finished in the last 5 min, none failed."}},

	{"hang", func(t *testing.T, ctx context.Context, ws *workspace.Workspace) {
		db := openPool(t, ws, 8)
		run(t, db, "SELECT 42 AS answer")
		ws.Inject(workspace.Fault{On: workspace.Method("ExecuteStatement"), Do: workspace.Hang()})
		many(10, func() { exhaust(db.QueryContext(ctx, "SELECT sum(price) FROM orders")) })
	}, []string{"No statement has finished for ", "8 are running, the oldest for ", "without an answer; all 8 connections of orders are in use."}},

	{"leaked-rows", func(t *testing.T, ctx context.Context, ws *workspace.Workspace) {
		db := openPool(t, ws, 4)
		for range 4 {
			rows, err := db.QueryContext(ctx, "SELECT id FROM range(50)")
			require.NoError(t, err)
			require.True(t, rows.Next()) // and never closed
		}
	}, []string{"4 results are held open by the application, the longest for ", "all 4 connections of orders are in use."}},

	{"pool-exhausted", func(t *testing.T, ctx context.Context, ws *workspace.Workspace) {
		db := openPool(t, ws, 4)
		many(24, func() {
			for ctx.Err() == nil {
				exhaust(db.QueryContext(ctx, "SELECT /* 100 ms */ id FROM range(50)"))
			}
		})
	}, []string{"All 4 connections of orders are in use: in the last ", " waited for one; the waits that ended took "}},

	{"retry-storm", func(t *testing.T, ctx context.Context, ws *workspace.Workspace) {
		db := open(t, ws, "telemetry_query_text=true")
		ws.Inject(workspace.Fault{On: workspace.Method("ExecuteStatement"), Do: workspace.StatusRetryAfter(503, 2*time.Second), Share: 0.5})
		many(8, func() { exhaust(db.QueryContext(ctx, "SELECT 'after retries' AS answer")) })
	}, []string{" of statements that ended in the last 5 min failed and were repeated, last HTTP 503"}},

	{"slow-storage", func(t *testing.T, ctx context.Context, ws *workspace.Workspace) {
		db := open(t, ws, "telemetry_query_text=true", "maxDownloadThreads=1")
		// Long enough to be most of the time even if a busy machine takes seconds to decode the rows.
		ws.Inject(workspace.Fault{On: workspace.ResultDownloads(), Do: workspace.Latency(2 * time.Second)})
		many(2, func() {
			exhaust(db.QueryContext(ctx, "SELECT id, 'some text to fill a column with, row by row by row, until it is files' AS text FROM range(9000)"))
		})
	}, []string{"2 statements of the last 5 min spent ", " of the time on CloudFetch files"}},

	{"cancel-storm", func(t *testing.T, ctx context.Context, ws *workspace.Workspace) {
		db := open(t, ws, "telemetry_query_text=true")
		for range 20 {
			run(t, db, "SELECT 42 AS answer")
		}
		hasty, giveUp := context.WithCancel(ctx)
		many(12, func() { exhaust(db.QueryContext(hasty, "SELECT /* forever */ 'given up'")) })
		eventually.True(t, func() bool { return len(ws.Statements()) == 32 })
		giveUp()
	}, []string{"12 of 32 statements of the last 5 min were canceled: the application's contexts ended first."}},

	{"refused-connections", func(t *testing.T, ctx context.Context, ws *workspace.Workspace) {
		db := open(t, ws, "telemetry_query_text=true")
		ws.Inject(workspace.Fault{On: workspace.Method("OpenSession"), Do: workspace.Status(403)})
		for range 5 {
			require.Error(t, db.PingContext(ctx))
		}
	}, []string{"No connection could be opened in the last 5 min: 5 attempts failed with "}},
}

// TestFirstSentenceOfEachIncident checks that the page first says what is wrong. A page belongs to a
// process, so each incident has its own process.
func TestFirstSentenceOfEachIncident(t *testing.T) {
	browser := newBrowser(t)
	var looks sync.Mutex // one page at a time
	t.Run("incidents", func(t *testing.T) {
		for _, i := range incidents {
			t.Run(i.name, func(t *testing.T) {
				t.Parallel()
				url := startIncident(t, i.name)
				var headline said
				eventually.True(t, func() bool {
					headline = said(headlineOf(t, url))
					for _, part := range i.says {
						if !strings.Contains(string(headline), part) {
							return false
						}
					}
					return true
				}, &headline)
				looks.Lock()
				defer looks.Unlock()
				browser.visit(t, url)
				for _, width := range []int64{390, 1280, 2560} {
					for _, scheme := range []string{"light", "dark"} {
						where := fmt.Sprintf("incident-%s-%d-%s", i.name, width, scheme)
						browser.look(t, width, scheme)
						require.LessOrEqual(t, ask[int64](t, browser, "document.documentElement.scrollWidth"),
							ask[int64](t, browser, "document.documentElement.clientWidth"), "%s scrolls sideways", where)
						require.Empty(t, ask[[]string](t, browser, poorContrast), where)
						require.Empty(t, ask[[]string](t, browser, collisions), where)
						browser.picture(t, where, width, 6000)
					}
				}
				browser.look(t, 1280, "light")
				require.LessOrEqual(t, ask[int64](t, browser, "document.documentElement.scrollHeight"), int64(twoScreens), "the overview is longer than two screens")
			})
		}
	})
	browser.quiet(t)
}

// collisions lists the table cells whose text overflows into the next cell.
const collisions = `[...document.querySelectorAll('td, th')].filter(c => c.scrollWidth > c.clientWidth + 1 && getComputedStyle(c).overflowX === 'visible' && getComputedStyle(c).display === 'table-cell')
	.map(c => c.className + ' ' + c.textContent.trim().slice(0, 40))`

// said is the first sentence of a page, for the message of a test that waits for another one.
type said string

func (s *said) String() string { return "The page says: " + string(*s) }

func headlineOf(t *testing.T, url string) string {
	answer, err := http.Get(url + "?format=json")
	require.NoError(t, err)
	defer func() { _ = answer.Body.Close() }()
	var page struct {
		Headline string `json:"headline"`
	}
	require.NoError(t, json.NewDecoder(answer.Body).Decode(&page))
	return page.Headline
}

const twoScreens = 2 * 800 // of 1280 pixels

const incidentVariable = "PAGE_INCIDENT"

// startIncident starts an incident in its own process, which ends with the test, and returns the
// address of its page.
func startIncident(t *testing.T, name string) string {
	t.Helper()
	process := exec.Command(os.Args[0], "-test.run=^TestIncidentProcess$", "-test.v")
	process.Env = append(os.Environ(), incidentVariable+"="+name)
	process.Stderr = os.Stderr
	stdin, err := process.StdinPipe()
	require.NoError(t, err)
	stdout, err := process.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, process.Start())
	t.Cleanup(func() {
		_ = stdin.Close() // which ends the process
		_, _ = io.Copy(io.Discard, stdout)
		_ = process.Wait()
	})
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if url, ok := strings.CutPrefix(lines.Text(), "page: "); ok {
			return url
		}
	}
	t.Fatal("the process of the incident ended")
	return ""
}

// TestIncidentProcess is the process of an incident.
func TestIncidentProcess(t *testing.T) {
	name := os.Getenv(incidentVariable)
	if name == "" {
		return // not such a process
	}
	_ = logger.SetLogLevel("disabled")
	log.SetOutput(io.Discard) // net/http reports every retry of the native driver
	for _, i := range incidents {
		if i.name != name {
			continue
		}
		ws := workspace.New(t, workspace.Options{
			DirectResultWait: 50 * time.Millisecond, CloudFetchThreshold: 1 << 19, FileRows: 2000, LinksPerPage: 20, TelemetryFlag: workspace.FlagOff,
			ExecutionTime: func(sql string) time.Duration {
				switch {
				case strings.Contains(sql, "/* forever */"):
					return time.Hour
				case strings.Contains(sql, "/* 100 ms */"):
					return 100 * time.Millisecond
				}
				return 0
			},
		})
		ctx, stop := context.WithCancel(t.Context())
		i.happens(t, ctx, ws)
		server := httptest.NewServer(http.DefaultServeMux)
		defer server.Close()
		fmt.Println("page: " + server.URL + "/debug/databricks/")
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
		os.Exit(0) // an incident may not end on its own
	}
}

func openPool(t *testing.T, ws *workspace.Workspace, limit int) *sql.DB {
	t.Helper()
	db := open(t, ws, "telemetry_query_text=true")
	db.SetMaxOpenConns(limit)
	t.Cleanup(telemetry.RegisterPool("orders", db))
	return db
}

// many starts n goroutines that do the same, and does not wait for them.
func many(n int, do func()) {
	for range n {
		go do()
	}
}

// exhaust reads rows to their end and ignores errors.
func exhaust(rows *sql.Rows, err error) {
	if err != nil {
		return
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
	}
}
