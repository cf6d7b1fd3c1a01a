package wrapped

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/databricks/databricks-sql-go/driverctx"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// reporting calls sql.Open with the default settings: the server's flag decides whether to
// report. Only telemetry_close_timeout is longer.
func reporting(t *testing.T, ws *workspace.Workspace, params ...string) *sql.DB {
	if !slices.ContainsFunc(params, func(p string) bool { return strings.HasPrefix(p, "telemetry_close_timeout=") }) {
		params = append(params, "telemetry_close_timeout="+closeTimeout.String())
	}
	db, err := sql.Open(driverwrap.Name, ws.DSN(params...))
	require.NoError(t, err)
	return db
}

// operations counts the events of a workspace by operation type.
func operations(ws *workspace.Workspace) map[string]int {
	n := map[string]int{}
	for _, e := range ws.Telemetry() {
		n[e.Log().SQLOperation.OperationDetail.OperationType]++
	}
	return n
}

func TestEveryStatementIsReportedExactlyOnce(t *testing.T) {
	statements := 512
	if n, err := strconv.Atoi(os.Getenv("EXACTLY_ONCE")); err == nil {
		statements = n // 100000 takes a minute without the race detector
	}
	ws := workspace.New(t, workspace.Options{TelemetryFlag: workspace.FlagOn, ResultCache: true, PageRows: 2}) // two pages: every statement is closed by an RPC
	// Under the race detector the service takes events more slowly than 64 goroutines make them;
	// and how many requests an interval adds depends on how long all this takes.
	db := reporting(t, ws, "telemetry_queue_size=20000", "telemetry_flush_interval=1h")
	db.SetMaxIdleConns(2) // as by default: under load connections come and go

	var mu sync.Mutex
	ran := map[string]bool{}
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for range statements / 64 {
				ctx := driverctx.NewContextWithQueryIdCallback(t.Context(), func(id string) {
					if id != "" {
						mu.Lock()
						ran[id] = true
						mu.Unlock()
					}
				})
				got, err := drain(db.QueryContext(ctx, statement(3)))
				if err != nil || got != 3 {
					t.Error(got, err)
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, db.Close())
	require.Len(t, ran, statements/64*64)

	// If a busy machine answers later than the exporter's timeout of 10 s, the exporter sends the same ids
	// again.
	late := ws.Count(func(r workspace.Request) bool { return r.Thrift == "" && r.Duration > 5*time.Second })
	require.Empty(t, ws.TelemetryErrors())
	reported := map[string]int{}
	for _, e := range ws.Telemetry() {
		require.True(t, e.Valid())
		require.LessOrEqual(t, e.Accepted, 1+late)
		if e.Log().SQLOperation.OperationDetail.OperationType == "EXECUTE_STATEMENT" {
			reported[e.Log().StatementID]++
			require.Equal(t, "INLINE_ARROW", e.Log().SQLOperation.ExecutionResult)
		}
	}
	require.Len(t, reported, len(ran))
	for id := range ran {
		require.Equal(t, 1, reported[id], id)
	}
	sessions := len(ws.Sessions())
	require.Equal(t, map[string]int{"CREATE_SESSION": sessions, "EXECUTE_STATEMENT": len(ran), "CLOSE_STATEMENT": len(ran), "DELETE_SESSION": sessions}, operations(ws))
	require.LessOrEqual(t, ws.FlagRequests(), 1+late)
	uploads := len(ws.Requests(workspace.Endpoint("/telemetry")))
	records := len(ran) + 2*sessions
	t.Logf("%d statements, %d sessions, %d events, %d uploads, %d late answers", len(ran), sessions, len(ran)+records, uploads, late)
	require.LessOrEqual(t, uploads, 12*records/1000+2+late)
}

func TestTheReportSaysWhatTheServerDid(t *testing.T) {
	ws := workspace.New(t, workspace.Options{TelemetryFlag: workspace.FlagOn, CloudFetchThreshold: 1, FileRows: 100, WorkspaceID: 4242, DirectResultWait: 30 * time.Millisecond,
		ExecutionTime: func(q string) time.Duration {
			if strings.Contains(q, "/* slow */") {
				return 100 * time.Millisecond
			}
			return 0
		}})
	db := reporting(t, ws, "userAgentEntry=billing/1.2")
	db.SetMaxOpenConns(1)
	rows, err := drain(db.Query(statement(500)))
	require.NoError(t, err)
	require.EqualValues(t, 500, rows)
	_ = transcript(db.Query("SELECT /* slow */ 1"))
	require.NoError(t, db.Ping())
	_ = execError(db, "CREATE TABLE t (id INT)")
	_ = execError(db, "SELECT secret FROM nowhere")
	require.NoError(t, db.Close())

	require.Empty(t, ws.TelemetryErrors())
	var logs []workspace.SQLDriverLog
	for _, e := range ws.Telemetry() {
		require.EqualValues(t, 4242, e.Document.WorkspaceID)
		require.Equal(t, "4242", e.Header.Get("X-Databricks-Org-Id"))
		require.Contains(t, e.Document.Context.ClientContext.UserAgent, "billing/1.2")
		if l := e.Log(); l.SQLOperation.OperationDetail.OperationType == "EXECUTE_STATEMENT" {
			logs = append(logs, l)
		}
	}
	require.Len(t, logs, 5)
	files, slow, ping, ddl, failed := logs[0], logs[1], logs[2], logs[3], logs[4]
	require.Equal(t, "EXTERNAL_LINKS", files.SQLOperation.ExecutionResult)
	require.EqualValues(t, 5, files.SQLOperation.ChunkDetails.TotalChunksPresent)
	require.EqualValues(t, 5, files.SQLOperation.ChunkDetails.TotalChunksIterated)
	require.EqualValues(t, 1, slow.SQLOperation.OperationDetail.StatusCalls)
	require.True(t, ping.SQLOperation.OperationDetail.IsInternalCall)
	require.Equal(t, "UPDATE", ddl.SQLOperation.StatementType)
	require.Equal(t, "not_found", failed.ErrorInfo.ErrorName)
	require.Equal(t, "PAT", files.ConnectionParams.AuthMech)
	require.Equal(t, "/sql/1.0/warehouses", files.ConnectionParams.HTTPPath)
}

// The application does not notice any fault of the telemetry service.
func TestNothingTheServiceDoesReachesTheApplication(t *testing.T) {
	quick := []string{"telemetry_retry_delay=5ms", "telemetry_flush_interval=100ms"}
	ext, flag := workspace.Endpoint("/telemetry-ext"), workspace.Endpoint("/api/2.0/connector-service")
	for name, test := range map[string]struct {
		fault   workspace.Fault
		arrives bool // whether events arrive in spite of the fault; otherwise closing times out
	}{
		"503, then well":            {workspace.Fault{On: ext, First: 2, Do: workspace.Status(503)}, true},
		"429 with Retry-After":      {workspace.Fault{On: ext, First: 1, Do: workspace.StatusRetryAfter(429, 0)}, true},
		"answer dropped, then well": {workspace.Fault{On: ext, First: 1, Do: workspace.Reset()}, true},
		"half an answer, then well": {workspace.Fault{On: ext, First: 1, Do: workspace.HalfBody()}, true},
		"a login page with 200":     {workspace.Fault{On: ext, Do: workspace.Answer(200, "text/html", "<html>login</html>")}, false},
		"redirect to a login page":  {workspace.Fault{On: ext, Do: workspace.RedirectToLogin()}, false},
		"garbage":                   {workspace.Fault{On: ext, Do: workspace.Garbage()}, false},
		"400":                       {workspace.Fault{On: ext, Do: workspace.Status(400)}, false},
		"403":                       {workspace.Fault{On: ext, Do: workspace.Status(403)}, false},
		"413":                       {workspace.Fault{On: ext, Do: workspace.Status(413)}, false},
		"503 for good":              {workspace.Fault{On: ext, Do: workspace.Status(503)}, false},
		"hang":                      {workspace.Fault{On: ext, Do: workspace.Hang()}, false},
		"flag hangs":                {workspace.Fault{On: flag, Do: workspace.Hang()}, false},
		"flag fails":                {workspace.Fault{On: flag, Do: workspace.Status(500)}, false},
		"flag redirects":            {workspace.Fault{On: flag, Do: workspace.RedirectToLogin()}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ws := workspace.New(t, workspace.Options{TelemetryFlag: workspace.FlagOn})
			ws.Inject(test.fault)
			closing := closeTimeout
			if !test.arrives {
				closing = 500 * time.Millisecond
			}
			db := reporting(t, ws, append(quick, "telemetry_close_timeout="+closing.String())...)
			db.SetMaxOpenConns(1)
			statement := func() {
				var n int
				require.NoError(t, db.QueryRow("SELECT 1").Scan(&n))
				require.Equal(t, 1, n)
			}
			for range 20 {
				statement()
			}
			if strings.HasSuffix(name, "hang") || strings.HasSuffix(name, "hangs") {
				eventually.True(t, func() bool {
					before := unanswered(ws)
					statement()
					after := unanswered(ws)
					return slices.ContainsFunc(before, func(id int) bool { return slices.Contains(after, id) })
				}, "a statement begins and ends while a request of the exporter hangs")
			}
			require.NoError(t, db.Close())
			for _, e := range ws.Telemetry() {
				require.True(t, e.Valid(), e.Problems)
			}
			if test.arrives {
				require.Equal(t, map[string]int{"CREATE_SESSION": 1, "EXECUTE_STATEMENT": 20, "DELETE_SESSION": 1}, operations(ws))
			}
		})
	}
}

// unanswered are the telemetry requests a workspace has not answered yet.
func unanswered(ws *workspace.Workspace) (ids []int) {
	for _, r := range ws.Requests() {
		if r.Thrift == "" && !r.Done {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

func TestTheFlagDecides(t *testing.T) {
	for name, test := range map[string]struct {
		flag   workspace.Flag
		params string
		sent   bool
		asked  int
	}{
		"on":                {workspace.FlagOn, "", true, 1},
		"off":               {workspace.FlagOff, "", false, 1},
		"absent":            {workspace.FlagAbsent, "", false, 1},
		"on, text off":      {workspace.FlagOn, "enableTelemetry=false", false, 0},
		"off, text on":      {workspace.FlagOff, "enableTelemetry=true", false, 1},
		"off, but forced":   {workspace.FlagOff, "telemetry_force_enable=true", true, 0},
		"forced, text off":  {workspace.FlagOn, "telemetry_force_enable=true enableTelemetry=false", false, 0},
		"on, nothing keeps": {workspace.FlagOn, "telemetry_sample_rate=0", true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			ws := workspace.New(t, workspace.Options{TelemetryFlag: test.flag})
			db := reporting(t, ws, strings.Fields(test.params)...)
			for range 5 {
				_ = transcript(db.Query("SELECT 1"))
			}
			require.NoError(t, db.Close())
			require.Equal(t, test.sent, len(ws.Telemetry()) > 0)
			require.Equal(t, test.asked, ws.FlagRequests())
			if test.params == "telemetry_sample_rate=0" {
				require.Zero(t, operations(ws)["EXECUTE_STATEMENT"])
			}
		})
	}
}

func TestTenantsOfOneHostNeverShareACredential(t *testing.T) {
	ws := workspace.New(t, workspace.Options{TelemetryFlag: workspace.FlagOn, Token: "dapi-one", Tokens: []string{"dapi-two"}})
	one := reporting(t, ws)
	two, err := sql.Open(driverwrap.Name, strings.Replace(ws.DSN("telemetry_close_timeout="+closeTimeout.String()), "dapi-one", "dapi-two", 1))
	require.NoError(t, err)
	for range 5 {
		_, _ = transcript(one.Query("SELECT 1")), transcript(two.Query("SELECT 1"))
	}
	require.NoError(t, one.Close())
	require.NoError(t, two.Close())

	owner := map[string]string{} // session → Authorization
	for _, r := range ws.Requests() {
		if r.Thrift == "ExecuteStatement" {
			owner[r.SessionID] = r.Header.Get("Authorization")
		}
	}
	seen := map[string]int{}
	for _, e := range ws.Telemetry() {
		require.Equal(t, owner[e.Log().SessionID], e.Header.Get("Authorization"))
		seen[e.Header.Get("Authorization")]++
	}
	require.Len(t, seen, 2)
}

// With Wrap the native driver reports; the wrapper does not.
func TestBehindWrapOnlyTheNativeDriverReports(t *testing.T) {
	ws := workspace.New(t, workspace.Options{TelemetryFlag: workspace.FlagOn})
	db := sql.OpenDB(driverwrap.Config{Sinks: []telemetry.Sink{&memory{}}}.Wrap(nativeConnector(t, ws.DSN())))
	_ = transcript(db.Query("SELECT 1"))
	require.NoError(t, db.Close())
	for _, e := range ws.Telemetry() {
		require.False(t, e.Valid(), "an event of the wrapper: %s", e.Raw)
	}
}

// secrets are placed wherever an application could put one.
var secrets = []string{
	"dapi0123456789abcdef0123456789abcdef", "s3cr3t-cust0mer", "alice.private@example.com", "SELECT_hidden_column",
	"zanzibar_table", "quagga_catalog", "4929-1234-5678-9012", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJzZWNyZXQifQ.c2lnbmF0dXJlc2VjcmV0",
}

func TestNothingPrivateLeavesTheProcess(t *testing.T) {
	ws := workspace.New(t, workspace.Options{TelemetryFlag: workspace.FlagOn, CaptureBodies: true, Token: secrets[0], CloudFetchThreshold: 1, FileRows: 50})
	require.NoError(t, ws.Exec(t.Context(), "CREATE CATALOG quagga_catalog", "CREATE SCHEMA quagga_catalog.zanzibar_table"))
	dir := t.TempDir()
	for name, db := range map[string]*sql.DB{
		"Open": reporting(t, ws, "catalog=quagga_catalog", "schema=zanzibar_table", "userAgentEntry=s3cr3t-cust0mer", "QUERY_TAGS=owner:alice.private@example.com"),
		"NewConnector": func() *sql.DB {
			c, err := reportingTo(&memory{}).NewConnector(append(options(ws), dbsql.WithUserAgentEntry(secrets[7]), dbsql.WithInitialNamespace("quagga_catalog", "zanzibar_table"),
				dbsql.WithQueryTags(map[string]string{"user": secrets[2]}))...)
			require.NoError(t, err)
			return sql.OpenDB(c)
		}(),
	} {
		ctx := driverctx.NewContextWithStagingInfo(t.Context(), []string{dir})
		ctx = driverctx.NewContextWithCorrelationId(ctx, secrets[2])
		ctx = driverctx.NewContextWithQueryTags(ctx, map[string]string{"card": secrets[6]})
		ctx = telemetry.WithAttributes(ctx, slog.String("customer", secrets[1]))
		for _, s := range secrets {
			_ = transcript(db.QueryContext(ctx, "SELECT '"+s+"' AS `"+s+"`"))
			_ = transcript(db.QueryContext(ctx, "SELECT ? AS p", s))
			_ = describe(execErrorContext(ctx, db, "SELECT `"+s+"` FROM `"+s+"`.`zanzibar_table`"))
			_ = describe(execErrorContext(ctx, db, "SELEC "+s))
			_ = describe(execErrorContext(ctx, db, "PUT '"+dir+"/"+s+"' INTO '/Volumes/quagga_catalog/zanzibar_table/v/"+s+"'"))
		}
		_, err := drain(db.QueryContext(ctx, statement(200)))
		require.NoError(t, err, name)
		require.NoError(t, db.Close())
	}
	wrong, err := sql.Open(driverwrap.Name, strings.Replace(ws.DSN("telemetry_force_enable=true", "telemetry_close_timeout="+closeTimeout.String()), secrets[0], secrets[1], 1))
	require.NoError(t, err)
	require.Error(t, wrong.Ping())
	require.NoError(t, wrong.Close())

	storage := strings.TrimPrefix(ws.StorageURL(), "http://")
	uploads := ws.Requests(workspace.Endpoint("/telemetry"))
	require.NotEmpty(t, uploads)
	for _, r := range uploads {
		header := r.Header.Clone()
		if r.Path == "/telemetry-ext" {
			header.Del("Authorization") // the connection's own, to its own workspace
		}
		text := append(r.Body, fmt.Sprint(header, r.Query)...)
		for _, s := range append(secrets, dir, storage, "SELECT", ws.HTTPPath()) {
			require.False(t, bytes.Contains(text, []byte(s)), "%s is in %s", s, text)
		}
	}
	require.Empty(t, ws.TelemetryErrors())
}

func execErrorContext(ctx context.Context, db *sql.DB, query string) error {
	_, err := db.ExecContext(ctx, query)
	return err
}

func TestReportingLeavesNothingBehind(t *testing.T) {
	churn := func(open func(*workspace.Workspace) *sql.DB) (left func() int) {
		before := currentGoroutines()
		ws, err := workspace.Start(workspace.Options{TelemetryFlag: workspace.FlagOn})
		require.NoError(t, err)
		for range 3 {
			db := open(ws)
			_ = transcript(db.Query("SELECT 1"))
			require.NoError(t, db.Close())
		}
		require.NoError(t, ws.Close())
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		return func() int { return leaked(before) }
	}
	nativeLeaks := churn(func(ws *workspace.Workspace) *sql.DB { return native.open(t, ws) })()
	left := churn(func(ws *workspace.Workspace) *sql.DB { return reporting(t, ws) })
	eventually.True(t, func() bool { return left() <= nativeLeaks }, "more is left than ", nativeLeaks)
}

func TestReportsUseTheUsersTransport(t *testing.T) {
	ws := workspace.New(t, workspace.Options{TelemetryFlag: workspace.FlagOn, TLS: true}) // only the user's transport trusts it
	c, err := reportingTo(&memory{}).NewConnector(append(options(ws), dbsql.WithTransport(ws.Transport()))...)
	require.NoError(t, err)
	db := sql.OpenDB(c)
	_ = transcript(db.Query("SELECT 1"))
	require.NoError(t, db.Close())
	require.Equal(t, map[string]int{"CREATE_SESSION": 1, "EXECUTE_STATEMENT": 1, "DELETE_SESSION": 1}, operations(ws))
}
