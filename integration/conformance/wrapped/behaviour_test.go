package wrapped

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/databricks/databricks-sql-go/driverctx"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// closeTimeout is how long closing waits for undelivered records: longer than a busy machine needs.
const closeTimeout = 5 * time.Minute

// listening has a sink and does not report.
func listening(sink telemetry.Sink) driverwrap.Config {
	return driverwrap.Config{Sinks: []telemetry.Sink{sink}, Settings: telemetry.Settings{Enabled: telemetry.SwitchOff, CloseTimeout: closeTimeout}}
}

// reportingTo has a sink and reports if the flag is on.
func reportingTo(sink telemetry.Sink) driverwrap.Config {
	return driverwrap.Config{Sinks: []telemetry.Sink{sink}, Settings: telemetry.Settings{CloseTimeout: closeTimeout}}
}

// requestID matches the id of a refused request in the error text.
var requestID = regexp.MustCompile(`ReqId: [0-9a-f-]{36}`)

func TestBadInputGivesTheNativeErrorUntouched(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	dsn := func(token, host string, port int) string {
		return "http://token:" + token + "@" + net.JoinHostPort(host, strconv.Itoa(port)) + ws.HTTPPath() + "?enableTelemetry=false"
	}
	for name, dsn := range map[string]string{
		"wrong token":     dsn("dapiwrong", ws.Host(), ws.Port()),
		"unknown catalog": ws.DSN("catalog=nowhere", "enableTelemetry=false"),
		"kernel backend":  ws.DSN("useKernel=true", "enableTelemetry=false"),
		"token cache":     ws.DSN("tokenCache=true", "enableTelemetry=false"),
	} {
		t.Run(name, func(t *testing.T) {
			native, err := sql.Open("databricks", dsn)
			require.NoError(t, err)
			defer native.Close()
			sink := &memory{}
			c, err := listening(sink).OpenConnector(dsn)
			require.NoError(t, err)
			wrapped := sql.OpenDB(c)
			want, got := native.Ping(), wrapped.Ping()
			require.Equal(t, requestID.ReplaceAllString(describe(want), ""), requestID.ReplaceAllString(describe(got), ""))
			require.NoError(t, wrapped.Close())
			if want != nil {
				require.NotEmpty(t, sink.opened)
				require.NotNil(t, sink.opened[0].Failure)
			}
			if name == "wrong token" {
				require.Equal(t, telemetry.CategoryAuth, sink.opened[0].Failure.Category)
			}
		})
	}
}

func TestAnUnreachableHostGivesTheNativeErrorUntouched(t *testing.T) {
	gone, err := workspace.Start(workspace.Options{WarehouseID: "w", Token: "dapi0"})
	require.NoError(t, err)
	require.NoError(t, gone.Close())
	opts := append(options(gone), dbsql.WithRetries(1, time.Millisecond, time.Millisecond))
	native, err := dbsql.NewConnector(opts...)
	require.NoError(t, err)
	_, want := native.Connect(t.Context())
	sink := &memory{}
	wrapped, err := listening(sink).NewConnector(opts...)
	require.NoError(t, err)
	_, got := wrapped.Connect(t.Context())
	require.Equal(t, describe(want), describe(got))
	require.NoError(t, sql.OpenDB(wrapped).Close())
	require.Len(t, sink.opened, 1)
	require.Equal(t, telemetry.CategoryConnection, sink.opened[0].Failure.Category)
	require.Equal(t, telemetry.Known[int64](1), sink.opened[0].Retries)
}

// The pool must discard, keep and replace connections exactly as with the native driver.
func TestThePoolTreatsExpiredSessionsAsWithTheNativeDriver(t *testing.T) {
	program := func(entry entryPoint) []string {
		ws := workspace.New(t, workspace.Options{WarehouseID: "w", Token: "dapi0"})
		db := entry.open(t, ws)
		defer db.Close()
		db.SetMaxOpenConns(2)
		var out []string
		add := func(what string, v any) {
			out = append(out, fmt.Sprint(what, ": ", strings.ReplaceAll(fmt.Sprint(v), ":"+strconv.Itoa(ws.Port()), ":PORT"), ", sessions ", len(ws.Sessions())))
		}
		add("first", transcript(db.Query("SELECT 1")))
		for _, s := range ws.Sessions() {
			ws.ExpireSession(s.ID)
		}
		add("after the session expired", transcript(db.Query("SELECT 1")))
		add("once more", transcript(db.Query("SELECT 1")))
		ws.Inject(workspace.Fault{On: workspace.Method("ExecuteStatement"), First: 1, Do: workspace.HalfBody()})
		add("the connection drops in the middle", transcript(db.Query("SELECT 1")))
		add("ping", describe(db.Ping()))
		s := db.Stats()
		add("pool", fmt.Sprint(s.OpenConnections, s.Idle, s.MaxIdleClosed, s.MaxLifetimeClosed))
		return out
	}
	want := program(native)
	for _, entry := range entryPoints(&memory{}) {
		require.Equal(t, want, program(entry), entry.name)
	}
}

// counting is a user's own transport.
type counting struct {
	http.RoundTripper
	workspace, storage atomic.Int64
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.Path, "/results/") {
		c.storage.Add(1)
	} else {
		c.workspace.Add(1)
	}
	return c.RoundTripper.RoundTrip(r)
}

func TestAUsersTransportStaysInUse(t *testing.T) {
	requests := func(connector func(...dbsql.ConnOption) *sql.DB) (int64, int64) {
		ws := workspace.New(t, workspace.Options{CloudFetchThreshold: 1, FileRows: 1000, TLS: true})
		own := &counting{RoundTripper: ws.Transport()}
		db := connector(append(options(ws), dbsql.WithTransport(own))...)
		rows, err := drain(db.Query(statement(5000)))
		require.NoError(t, err)
		require.EqualValues(t, 5000, rows)
		require.NoError(t, db.Close())
		for _, r := range ws.Requests() {
			require.Equal(t, "HTTP/2.0", r.Proto)
		}
		return own.workspace.Load(), own.storage.Load()
	}
	w1, s1 := requests(func(o ...dbsql.ConnOption) *sql.DB {
		c, err := dbsql.NewConnector(o...)
		require.NoError(t, err)
		return sql.OpenDB(c)
	})
	sink := &memory{}
	w2, s2 := requests(func(o ...dbsql.ConnOption) *sql.DB {
		c, err := reportingTo(sink).NewConnector(o...)
		require.NoError(t, err)
		return sql.OpenDB(c)
	})
	require.EqualValues(t, 5, s1)
	require.Equal(t, s1, s2)
	require.LessOrEqual(t, w2, w1, "never more requests than the native driver makes: its request for the flag is answered locally")
	require.EqualValues(t, 5, sink.statements[0].CloudFetch.Downloaded)
}

// QueryRow does not ask for the end of the rows, and an Exec leaves the rows of a query where they are.
func TestAStatementIsCompletedWithoutReadingToTheEnd(t *testing.T) {
	ws := workspace.New(t, workspace.Options{CloudFetchThreshold: -1, PageRows: 100})
	sink := &memory{}
	c, err := listening(sink).NewConnector(options(ws)...)
	require.NoError(t, err)
	db := sql.OpenDB(c)
	var n int
	require.NoError(t, db.QueryRow("SELECT 1").Scan(&n))
	_, err = db.Exec("SELECT id FROM range(1000)")
	require.NoError(t, err)
	require.NoError(t, db.QueryRow("SELECT id FROM range(1000)").Scan(&n))
	require.NoError(t, db.Close())
	var outcomes []telemetry.Outcome
	for _, s := range sink.statements {
		outcomes = append(outcomes, s.Outcome)
	}
	require.Equal(t, []telemetry.Outcome{telemetry.OutcomeCompleted, telemetry.OutcomeCompleted, telemetry.OutcomeClosedEarly}, outcomes)
}

func TestTheRecordsOfASessionWithoutStatementsAreOfTheSameSession(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	sink := &memory{}
	c, err := listening(sink).NewConnector(options(ws)...)
	require.NoError(t, err)
	conn, err := c.Connect(t.Context())
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	require.NoError(t, sql.OpenDB(c).Close())
	require.NotEmpty(t, sink.opened[0].SessionID)
	require.Equal(t, sink.opened[0].SessionID, sink.closed[0].SessionID)
	for _, server := range []string{sink.opened[0].Server, sink.closed[0].Server} {
		require.Equal(t, strings.TrimPrefix(ws.URL(), "http://"), server)
	}
}

// signer is a user's own authenticator.
type signer struct{ token string }

func (s signer) Authenticate(r *http.Request) error {
	r.Header.Set("Authorization", "Bearer "+s.token)
	r.Header.Set("X-Mine", "yes")
	return nil
}

func TestAUsersAuthenticatorStaysInUse(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	sink := &memory{}
	c, err := listening(sink).NewConnector(append(options(ws), dbsql.WithAccessToken("overridden"), dbsql.WithAuthenticator(signer{ws.Token()}))...)
	require.NoError(t, err)
	db := sql.OpenDB(c)
	require.NoError(t, db.Ping())
	require.NoError(t, db.Close())
	for _, r := range ws.Requests() {
		require.Equal(t, "yes", r.Header.Get("X-Mine"))
	}
	require.Equal(t, "OTHER", sink.opened[0].Driver.AuthMech)
}

func TestVolumeTransfersAreKnownByTheServersWord(t *testing.T) {
	ws := workspace.New(t, workspace.Options{TelemetryFlag: workspace.FlagOn})
	dir := t.TempDir()
	file := filepath.Join(dir, "a.txt")
	require.NoError(t, os.WriteFile(file, []byte("hello"), 0o600))
	sink := &memory{}
	c, err := reportingTo(sink).OpenConnector(ws.DSN())
	require.NoError(t, err)
	db := sql.OpenDB(c)
	ctx := driverctx.NewContextWithStagingInfo(t.Context(), []string{dir})
	_, err = db.ExecContext(ctx, "PUT '"+file+"' INTO '/Volumes/main/default/v/a.txt' OVERWRITE")
	require.NoError(t, err)
	_, err = db.ExecContext(ctx, "REMOVE '/Volumes/main/default/v/a.txt'")
	require.NoError(t, err)
	_, err = db.ExecContext(ctx, "CREATE TABLE putty (id INT)")
	require.NoError(t, err)
	require.NoError(t, db.Close())
	var kinds []telemetry.Kind
	var did []string
	for _, s := range sink.statements {
		kinds = append(kinds, s.Kind)
		did = append(did, s.Volume)
	}
	require.Equal(t, []telemetry.Kind{telemetry.KindVolume, telemetry.KindVolume, telemetry.KindUpdate}, kinds)
	require.Equal(t, []string{"PUT", "DELETE", ""}, did)
	var reported []string
	for _, e := range ws.Telemetry() {
		if v := e.Log().VolumeOperation; v != nil {
			reported = append(reported, v.Type)
		}
	}
	require.Equal(t, []string{"PUT", "DELETE"}, reported)
	require.Empty(t, ws.TelemetryErrors())
}

// The driver repeats a failed transfer without the wrapper seeing it.
func TestRetriesOfAVolumeTransferAreNotReportedAsNone(t *testing.T) {
	ws := workspace.New(t, workspace.Options{TelemetryFlag: workspace.FlagOn})
	ws.Inject(workspace.Fault{On: workspace.VolumeTransfers(), First: 1, Do: workspace.Status(503)})
	dir := t.TempDir()
	file := filepath.Join(dir, "a.txt")
	require.NoError(t, os.WriteFile(file, []byte("hello"), 0o600))
	db, err := sql.Open("databricks-telemetry", ws.DSN())
	require.NoError(t, err)
	ctx := driverctx.NewContextWithStagingInfo(t.Context(), []string{dir})
	_, _ = db.ExecContext(ctx, "PUT '"+file+"' INTO '/Volumes/main/default/v/a.txt' OVERWRITE") // fails if the driver does not repeat it
	require.NoError(t, db.Close())
	found := false
	for _, e := range ws.Telemetry() {
		if e.Log().VolumeOperation != nil {
			found = true
			require.NotContains(t, string(e.Raw), `"retry_count"`)
		}
	}
	require.True(t, found)
}

func TestSqlxWorksOnTopUnchanged(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	require.NoError(t, ws.Exec(t.Context(), "CREATE TABLE people (id BIGINT, name STRING)", "INSERT INTO people VALUES (1, 'ada'), (2, 'bob')"))
	type person struct {
		ID   int64          `db:"id"`
		Name sql.NullString `db:"name"`
	}
	program := func(driver string) (out []string) {
		db, err := sqlx.Open(driver, ws.DSN("enableTelemetry=false"))
		require.NoError(t, err)
		defer db.Close()
		var all []person
		out = append(out, fmt.Sprint(db.Select(&all, "SELECT id, name FROM people ORDER BY id"), all))
		var one person
		out = append(out, fmt.Sprint(db.Get(&one, "SELECT id, name FROM people WHERE id = ?", 2), one))
		rows, err := db.NamedQuery("SELECT id, name FROM people WHERE name = :name", person{Name: sql.NullString{String: "ada", Valid: true}})
		require.NoError(t, err)
		for rows.Next() {
			m := map[string]any{}
			out = append(out, fmt.Sprint(rows.MapScan(m), m))
		}
		require.NoError(t, rows.Close())
		stmt, err := db.Preparex("SELECT count(*) FROM people WHERE id > ?")
		require.NoError(t, err)
		var n int
		out = append(out, fmt.Sprint(stmt.Get(&n, 1), n))
		require.NoError(t, stmt.Close())
		return out
	}
	require.Equal(t, program("databricks"), program(driverwrap.Name))
}

func TestTheWrapperLeaksNothingBeyondTheNativeDriver(t *testing.T) {
	churn := func(entry entryPoint) (left func() int) {
		before := currentGoroutines()
		ws, err := workspace.Start(workspace.Options{CloudFetchThreshold: 1, FileRows: 500})
		require.NoError(t, err)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				db := entry.open(t, ws)
				for range 3 {
					_, _ = readings["closed early"](context.Background(), db, 3000)
					_, _ = readings["rows"](context.Background(), db, 1000)
					_, _ = readings["fails"](context.Background(), db, 1)
				}
				_ = db.Close()
			})
		}
		wg.Wait()
		require.NoError(t, ws.Close())
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		return func() int { return leaked(before) }
	}
	nativeLeaks := churn(native)()
	for _, entry := range entryPoints(&memory{}) {
		left := churn(entry)
		eventually.True(t, func() bool { return left() <= nativeLeaks }, entry.name, " leaves more than ", nativeLeaks)
	}
}

func currentGoroutines() goleak.Option { return goleak.IgnoreCurrent() }

// leaked counts the goroutines that were not there before, once their number stops decreasing.
func leaked(before goleak.Option) int {
	err := goleak.Find(before)
	if err == nil {
		return 0
	}
	return strings.Count(err.Error(), "Goroutine ")
}

// The driver downloads with http.DefaultClient as it is at the time of the download, not as it was when the
// pool was opened.
func TestTheDefaultClientOfTheMomentDownloads(t *testing.T) {
	before := http.DefaultClient
	defer func() { http.DefaultClient = before }()
	downloads := func(action workspace.Action, first int) workspace.Fault {
		return workspace.Fault{On: workspace.ResultDownloads(), First: first, Do: action}
	}
	for name, moment := range map[string]struct {
		fault  workspace.Fault
		client *http.Client
	}{
		"timeout": {downloads(workspace.Hang(), 1), &http.Client{Timeout: 200 * time.Millisecond}},
		"redirects": {downloads(workspace.RedirectToLogin(), 0), &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("no redirects here")
		}}},
		"transport": {downloads(workspace.Latency(0), 1), &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
			return nil, errors.New("no downloads here")
		})}},
	} {
		t.Run(name, func(t *testing.T) {
			program := func(connect func(...dbsql.ConnOption) (driver.Connector, error)) string {
				http.DefaultClient = before
				ws := workspace.New(t, workspace.Options{CloudFetchThreshold: 1, FileRows: 500})
				ws.Inject(moment.fault)
				connector, err := connect(append(options(ws), dbsql.WithRetries(1, time.Millisecond, time.Millisecond))...)
				require.NoError(t, err)
				db := sql.OpenDB(connector)
				defer func() { require.NoError(t, db.Close()) }()
				http.DefaultClient = moment.client
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				n, err := drain(db.QueryContext(ctx, statement(400)))
				return fmt.Sprint(n, " ", regexp.MustCompile(`http://[^"]*/`).ReplaceAllString(fmt.Sprint(err), "…/"))
			}
			native := program(dbsql.NewConnector)
			require.Equal(t, withoutFile(native), withoutFile(program(driverwrap.NewConnector)))
		})
	}
}

// withoutFile leaves out the names of result files, which differ.
func withoutFile(text string) string {
	return regexp.MustCompile(`[0-9a-f-]{36}\.arrow[^"]*`).ReplaceAllString(text, "…")
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
