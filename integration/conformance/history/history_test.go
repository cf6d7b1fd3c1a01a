// Package history tests the use of the simulated workspace's query history with the real driver.
package history

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/databricks/databricks-sql-go/driverctx"
	"github.com/databricks/databricks-sql-go/logger"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/testenv"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/ndjson"
)

func TestMain(m *testing.M) {
	testenv.Prepare()
	// The native driver logs every error it returns; the tests provoke some.
	logger.SetLogOutput(io.Discard)
	log.SetOutput(io.Discard)
	os.Exit(m.Run())
}

// asked chooses the requests to the query history.
var asked = workspace.Endpoint("/api/2.0/sql/history/queries")

// sink keeps the records it receives, in their order.
type sink struct {
	mu         sync.Mutex
	statements []*telemetry.Statement
	reports    []*telemetry.ServerReport
}

func (s *sink) StatementFinished(r *telemetry.Statement) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.statements = append(s.statements, r)
}

func (s *sink) ServerReported(r *telemetry.ServerReport) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reports = append(s.reports, r)
}

func (s *sink) reported() []*telemetry.ServerReport {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reports
}

// all asks about every statement.
const all = "telemetry_query_history=all"

// patient gives Close the time that a busy machine needs.
const patient = "telemetry_close_timeout=1m"

func open(t *testing.T, ws *workspace.Workspace, sinks []telemetry.Sink, params ...string) *sql.DB {
	t.Helper()
	c, err := driverwrap.Config{Sinks: sinks}.OpenConnector(ws.DSN(params...))
	require.NoError(t, err)
	return sql.OpenDB(c)
}

func run(t *testing.T, db *sql.DB, query string) {
	t.Helper()
	var v any
	require.NoError(t, db.QueryRow(query).Scan(&v))
}

func TestAReportSaysWhereTheServersTimeWent(t *testing.T) {
	const starts, compiles, executes = 50 * time.Millisecond, 20 * time.Millisecond, 30 * time.Millisecond
	settings := telemetry.Settings{QueryHistory: "slow", SlowThreshold: starts, CloseTimeout: time.Minute}
	for entryPoint, open := range map[string]func(*testing.T, *workspace.Workspace, driverwrap.Config) driver.Connector{
		"sql.Open": func(t *testing.T, ws *workspace.Workspace, cfg driverwrap.Config) driver.Connector {
			c, err := cfg.OpenConnector(ws.DSN())
			require.NoError(t, err)
			return c
		},
		"NewConnector": func(t *testing.T, ws *workspace.Workspace, cfg driverwrap.Config) driver.Connector {
			c, err := cfg.NewConnector(dbsql.WithServerHostname(ws.Host()), dbsql.WithPort(ws.Port()), dbsql.WithHTTPPath(ws.HTTPPath()), dbsql.WithAccessToken(ws.Token()), withHTTP)
			require.NoError(t, err)
			return c
		},
	} {
		t.Run(entryPoint, func(t *testing.T) {
			ws := workspace.New(t, workspace.Options{
				Warehouses:      []workspace.Warehouse{{ID: "abcdef0123456789", Stopped: true, StartTime: starts}},
				CompilationTime: func(string) time.Duration { return compiles },
				ExecutionTime:   func(string) time.Duration { return executes },
				History: func(_ workspace.StatementFacts, e *workspace.HistoryEntry) {
					e.Metrics.ReadBytes, e.Metrics.ReadCacheBytes, e.Metrics.SpillToDiskBytes = 40e9, 8e8, 12e9
					e.Metrics.TaskTotalTimeMS, e.Metrics.PhotonTotalTimeMS = 1000, 500
				},
			})
			var lines bytes.Buffer
			got := &sink{}
			db := sql.OpenDB(open(t, ws, driverwrap.Config{Settings: settings, Sinks: []telemetry.Sink{got, ndjson.New(&lines)}}))
			run(t, db, "SELECT 42")
			require.NoError(t, db.Close())

			require.Len(t, got.reported(), 1)
			r, s := got.reports[0], got.statements[0]
			require.Equal(t, s.StatementID, r.StatementID)
			require.Equal(t, s.Started, r.Started)
			require.Equal(t, s.Connector, r.Connector)
			require.Equal(t, s.Server, r.Server)
			require.Equal(t, "FINISHED", r.Status)
			require.True(t, r.Final)
			require.Equal(t, "SELECT", r.StatementType)
			require.Equal(t, "abcdef0123456789", r.WarehouseID)
			f := ws.Statements()[0]
			require.Equal(t, telemetry.Known(time.Duration(f.Compiling.UnixMilli()-f.ComputeQueued.UnixMilli())*time.Millisecond), r.WaitingForCompute)
			require.Equal(t, telemetry.Maybe[time.Duration]{}, r.QueuedAtCapacity)
			require.GreaterOrEqual(t, r.WaitingForCompute.Or(0), starts)
			require.GreaterOrEqual(t, r.Compiling.Or(0), compiles)
			require.GreaterOrEqual(t, r.Executing.Or(0), executes)
			require.GreaterOrEqual(t, r.Total.Or(0), starts+compiles+executes)
			require.Equal(t, telemetry.Known(false), r.FromCache)
			require.Equal(t, telemetry.Known[int64](1), r.RowsProduced)
			require.Equal(t, telemetry.Known[int64](40e9), r.BytesRead)
			require.Equal(t, telemetry.Known[int64](8e8), r.BytesReadCache)
			require.Equal(t, telemetry.Known[int64](12e9), r.BytesSpilled)
			require.Equal(t, telemetry.Known(0.5), r.PhotonShare)
			require.Equal(t, telemetry.Maybe[int64]{}, r.FilesPruned)

			timeline := explain.TimelineWithReport(s, r)
			var phases []string
			for _, l := range timeline.Lanes {
				if l.Within == "server" {
					require.LessOrEqual(t, l.Bars[0].End, s.Total)
					phases = append(phases, l.Name)
				}
			}
			require.Subset(t, phases, []string{"compute", "compile", "execute"}, timeline.PhasesNote)
			require.Contains(t, explain.Of(s).Advice, "telemetry_query_history=slow")
			require.NotContains(t, explain.WithReport(s, r).Advice, "telemetry_query_history")
			require.True(t, explain.WithReport(s, r).Reported)

			require.Equal(t, 1, ws.Count(asked))
			req := ws.Requests(asked)[0]
			require.Equal(t, "Bearer "+ws.Token(), req.Header.Get("Authorization"))
			require.Equal(t, "filter_by.statement_ids="+r.StatementID+"&include_metrics=true&max_results=1", req.Query)

			var events []any
			for record, err := range ndjson.Read(&lines) {
				require.NoError(t, err)
				events = append(events, record)
			}
			require.IsType(t, &telemetry.Statement{}, events[1])
			last := events[len(events)-1].(*telemetry.ServerReport)
			require.Equal(t, r.WaitingForCompute, last.WaitingForCompute)
			require.Equal(t, r.StatementID, last.StatementID)
		})
	}
}

func TestAStatementThatIsCanceledBeforeItsWarehouseRanSaysSo(t *testing.T) {
	ws := workspace.New(t, workspace.Options{Warehouses: []workspace.Warehouse{{Stopped: true, StartTime: time.Hour}}, DirectResultWait: -1})
	got := &sink{}
	db := open(t, ws, []telemetry.Sink{got}, all, patient)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := db.ExecContext(driverctx.NewContextWithQueryIdCallback(ctx, func(string) {
		time.AfterFunc(100*time.Millisecond, cancel) // by now the warehouse has the statement
	}), "SELECT 42")
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, db.Close())
	require.Len(t, got.reported(), 1)
	s, r := got.statements[0], got.reports[0]
	require.Equal(t, "CANCELED", r.Status)
	f := ws.Statements()[0]
	require.Equal(t, telemetry.Known(time.Duration(f.Completed.UnixMilli()-f.ComputeQueued.UnixMilli())*time.Millisecond), r.WaitingForCompute)
	require.Contains(t, explain.WithReport(s, r).Sentence, "for the warehouse to start")
}

// withHTTP makes NewConnector use a workspace without TLS: the driver has no public option for that.
var withHTTP = dbsql.WithTransport(plain{http.DefaultTransport})

type plain struct{ http.RoundTripper }

func (p plain) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme = "http"
	return p.RoundTripper.RoundTrip(r)
}

func TestSlowAndFailedStatementsAreAskedAboutTwoSecondsLater(t *testing.T) {
	ws := workspace.New(t, workspace.Options{FailuresByHandle: true, ExecutionTime: func(q string) time.Duration {
		if strings.Contains(q, "slow") {
			return 300 * time.Millisecond
		}
		return 0
	}})
	got := &sink{}
	db := open(t, ws, []telemetry.Sink{got}, "telemetry_query_history=slow", "telemetry_slow_threshold=300ms", "telemetry_close_timeout=1ms")
	run(t, db, "SELECT 'slow'")
	ended := time.Now() // of the first: the second may take longer than the wait
	_, err := db.Exec("SELEC 1")
	require.Error(t, err)
	eventually.True(t, func() bool { return len(got.reported()) == 2 }, "reports")
	require.NoError(t, db.Close())

	require.ElementsMatch(t, []string{"FINISHED", "FAILED"}, []string{got.reports[0].Status, got.reports[1].Status})
	for _, r := range got.reports {
		require.Equal(t, r.Status == "FAILED", r.Failed())
	}
	for _, r := range ws.Requests(asked) {
		require.Greater(t, r.Received.Sub(ended), time.Second)
	}
}

func TestAStatementThatIsNotFinalIsAskedAboutAgain(t *testing.T) {
	ws := workspace.New(t, workspace.Options{HistoryDelay: 5 * time.Second})
	got := &sink{}
	db := open(t, ws, []telemetry.Sink{got}, all, "telemetry_close_timeout=1ms")
	run(t, db, "SELECT 1")
	eventually.True(t, func() bool { return len(got.reported()) == 1 }, "a report")
	require.NoError(t, db.Close())
	require.True(t, got.reports[0].Final)
	require.Equal(t, 2, ws.Count(asked))
}

// secrets are placed in the fields of an answer that must not be kept.
var secrets = []string{"letmein", "salaries", "jane.doe@corp.example", "hunter2"}

func TestNoTextOfAnAnswerIsKeptAndNothingOfItIsReported(t *testing.T) {
	const planted int64 = 40_123_456_789
	ws := workspace.New(t, workspace.Options{
		TelemetryFlag: workspace.FlagOn, CaptureBodies: true, FailuresByHandle: true,
		History: func(_ workspace.StatementFacts, e *workspace.HistoryEntry) {
			e.QueryText, e.UserName, e.ErrorMessage = secrets[0]+" "+secrets[1], secrets[2], secrets[3]
			e.Metrics.ReadBytes = planted
		},
	})
	var lines bytes.Buffer
	got := &sink{}
	db := open(t, ws, []telemetry.Sink{got, ndjson.New(&lines)}, all, patient)
	run(t, db, "SELECT 1")
	_, err := db.Exec("SELEC 1")
	require.Error(t, err)
	require.NoError(t, db.Close())

	require.Len(t, got.reports, 2)
	stats, err := json.Marshal(telemetry.ReadStats())
	require.NoError(t, err)
	out := lines.String() + string(stats) + fmt.Sprintf("%+v %+v", *got.reports[0], *got.reports[1])
	require.Contains(t, out, `"event":"server_report"`)
	require.Contains(t, out, fmt.Sprint(planted))
	for _, s := range secrets {
		require.NotContains(t, out, s)
	}
	var sent strings.Builder
	for _, r := range ws.Requests(workspace.Endpoint("/telemetry")) {
		sent.Write(r.Body)
	}
	require.Contains(t, sent.String(), got.reports[0].StatementID)
	for _, s := range append([]string{fmt.Sprint(planted), got.reports[0].WarehouseID, "compil", "warehouse_id"}, secrets...) {
		require.NotContains(t, sent.String(), s)
	}
}

func TestNothingIsAskedUnlessAskedFor(t *testing.T) {
	for _, params := range [][]string{
		{},
		{"telemetry_query_history=off", "telemetry_slow_threshold=1ms"},
		{all, "enableTelemetry=false"},
	} {
		ws := workspace.New(t, workspace.Options{FailuresByHandle: true})
		got := &sink{}
		db := open(t, ws, []telemetry.Sink{got}, append(params, patient)...)
		before := telemetry.ReadStats().History
		run(t, db, "SELECT 1")
		_, err := db.Exec("SELEC 1")
		require.Error(t, err)
		require.NoError(t, db.Close())
		require.Len(t, got.statements, 2)
		require.Empty(t, got.reports)
		require.Zero(t, ws.Count(asked))
		require.Equal(t, before, telemetry.ReadStats().History)
	}
}

func TestNothingIsAskedBehindWrapWhichIsCounted(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	native, err := sql.Open("databricks", ws.DSN("enableTelemetry=false"))
	require.NoError(t, err)
	connector, err := native.Driver().(driver.DriverContext).OpenConnector(ws.DSN("enableTelemetry=false"))
	require.NoError(t, err)
	before := telemetry.ReadStats().History.Unavailable
	got := &sink{}
	db := sql.OpenDB(driverwrap.Config{Settings: telemetry.Settings{QueryHistory: "all"}, Sinks: []telemetry.Sink{got}}.Wrap(connector))
	run(t, db, "SELECT 1")
	require.NoError(t, db.Close())
	require.NoError(t, native.Close())
	require.Len(t, got.statements, 1)
	require.Zero(t, ws.Count(asked))
	require.Equal(t, before+1, telemetry.ReadStats().History.Unavailable)
}

func TestAHostThatRefusesCostsOneRequestAndNothingElse(t *testing.T) {
	for name, action := range map[string]workspace.Action{
		"403": workspace.Status(http.StatusForbidden), "404": workspace.Status(http.StatusNotFound),
		"a login page": workspace.RedirectToLogin(), "garbage": workspace.Garbage(),
		"another JSON": workspace.Answer(http.StatusOK, "application/json", `{"message":"hello"}`),
	} {
		t.Run(name, func(t *testing.T) {
			ws := workspace.New(t, workspace.Options{})
			ws.Inject(workspace.Fault{On: asked, Do: action})
			got := &sink{}
			for range 3 { // connectors with the same credential
				db := open(t, ws, []telemetry.Sink{got}, all, patient)
				for range 3 {
					run(t, db, "SELECT 1")
				}
				require.NoError(t, db.Close())
			}
			require.Len(t, got.statements, 9)
			require.Empty(t, got.reports)
			require.Equal(t, 1, ws.Count(asked))
		})
	}
}

func TestAHostThatDoesNotAnswerDelaysNothing(t *testing.T) {
	for name, action := range map[string]workspace.Action{
		"hang": workspace.Hang(), "reset": workspace.Reset(), "half a body": workspace.HalfBody(), "503": workspace.Status(http.StatusServiceUnavailable),
	} {
		t.Run(name, func(t *testing.T) {
			ws := workspace.New(t, workspace.Options{})
			fault := ws.Inject(workspace.Fault{On: asked, Do: action})
			got := &sink{}
			db := open(t, ws, []telemetry.Sink{got}, all, "telemetry_close_timeout=200ms")
			for range 3 {
				run(t, db, "SELECT 1")
			}
			require.NoError(t, telemetry.Flush(eventually.Context(t)), "flushing waits for no report")
			before := telemetry.ReadStats().History.Dropped["closed"]
			require.NoError(t, db.Close())
			require.Len(t, got.statements, 3)
			require.Equal(t, before+3, telemetry.ReadStats().History.Dropped["closed"])
			fault.Remove()
		})
	}
}

// An authenticator that hangs does not keep the driver, or closing, waiting.
func TestAnAuthenticatorThatHangsForTheHistoryIsBounded(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	end := make(chan struct{})
	defer close(end)
	a := &hangingAuthenticator{token: ws.Token(), end: end}
	got := &sink{}
	c, err := driverwrap.Config{Settings: telemetry.Settings{QueryHistory: "all", CloseTimeout: 200 * time.Millisecond}, Sinks: []telemetry.Sink{got}}.NewConnector(
		dbsql.WithServerHostname(ws.Host()), dbsql.WithPort(ws.Port()), dbsql.WithHTTPPath(ws.HTTPPath()), dbsql.WithAuthenticator(a), withHTTP)
	require.NoError(t, err)
	db := sql.OpenDB(c)
	run(t, db, "SELECT 1")
	require.NoError(t, db.Close())
	require.Len(t, got.statements, 1)
	require.Zero(t, ws.Count(asked))
}

type hangingAuthenticator struct {
	token string
	end   <-chan struct{}
}

func (a *hangingAuthenticator) Authenticate(r *http.Request) error {
	if strings.HasPrefix(r.URL.Path, "/api/2.0/sql/history") {
		<-a.end
		return context.Canceled
	}
	r.Header.Set("Authorization", "Bearer "+a.token)
	return nil
}

func TestRowsThatOutliveTheirDatabaseAreAskedAboutWhenTheyEnd(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	got := &sink{}
	db := open(t, ws, []telemetry.Sink{got}, all, patient)
	rows, err := db.Query("SELECT id FROM range(3)")
	require.NoError(t, err)
	require.True(t, rows.Next())
	require.NoError(t, db.Close())
	require.Empty(t, got.statements)
	for rows.Next() {
	}
	require.NoError(t, rows.Err())
	require.NoError(t, rows.Close())
	eventually.True(t, func() bool { return len(got.reported()) == 1 }, "a report")
}

// The clocks of the service that queues and of the warehouse differ by 2 s.
func TestAReportThatContradictsTheStatementIsNoCause(t *testing.T) {
	ws := workspace.New(t, workspace.Options{
		ExecutionTime: func(string) time.Duration { return 300 * time.Millisecond },
		History: func(f workspace.StatementFacts, e *workspace.HistoryEntry) {
			e.Metrics.ProvisioningQueueStart = f.Received.UnixMilli() - 2000
			e.Metrics.QueryCompilationStart = f.Received.UnixMilli()
		},
	})
	got := &sink{}
	db := open(t, ws, []telemetry.Sink{got}, all, patient)
	run(t, db, "SELECT 1")
	require.NoError(t, db.Close())
	require.Len(t, got.reported(), 1)
	s, r := got.statements[0], got.reports[0]
	v := explain.WithReport(s, r)
	require.NotContains(t, v.Sentence, "waited 2.0 s")
}
