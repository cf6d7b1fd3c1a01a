// Package export tests the reporting pipeline against the simulated workspace, over real connections: its
// strict validation of payloads, its endpoints, its faults. The records here are made by hand; other
// packages test the reporting of what a driver did.
package export

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/databricks/databricks-sql-go/auth/pat"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

var (
	uploads   = workspace.Endpoint("/telemetry-ext")
	anonymous = workspace.Endpoint("/telemetry-unauth")
)

func connection(ws *workspace.Workspace) export.Connection {
	return export.Connection{
		Scheme: "http", Host: ws.Host(), Port: ws.Port(), HTTPPath: ws.HTTPPath(),
		Authenticator: &pat.PATAuth{AccessToken: ws.Token()}, Credential: export.Fingerprint(ws.Token()),
		UserAgentEntry: "billing/1.2",
		Driver: telemetry.DriverConfig{
			Version: "1.13.1", AuthMech: "PAT", AuthFlow: "TOKEN_PASSTHROUGH", Arrow: telemetry.Known(true),
			MaxRows: telemetry.Known(int64(100_000)), PollInterval: telemetry.Known(time.Second),
			ClientTimeout: telemetry.Known(900 * time.Second), DirectResults: telemetry.Known(true),
			MetricViewMetadata: telemetry.Known(false), PoolSize: telemetry.Known(int64(100)),
		},
	}
}

// patient are settings with which closing waits until everything has arrived, however slow this machine is.
var patient = telemetry.Settings{CloseTimeout: 5 * time.Minute}

// quick are settings with which a test need not wait.
var quick = telemetry.Settings{FlushInterval: 20 * time.Millisecond, RetryDelay: time.Millisecond, CloseTimeout: 5 * time.Minute}

func opened(ws *workspace.Workspace) *telemetry.SessionOpened {
	return &telemetry.SessionOpened{
		Started: time.Now(), SessionID: uuid.NewString(), WorkspaceID: fmt.Sprint(ws.WorkspaceID()),
		Latency: 40 * time.Millisecond, Retries: telemetry.Known(int64(0)),
	}
}

func statement(ws *workspace.Workspace) *telemetry.Statement {
	return &telemetry.Statement{
		Started: time.Now(), SessionID: uuid.NewString(), StatementID: uuid.NewString(), WorkspaceID: fmt.Sprint(ws.WorkspaceID()),
		Kind: telemetry.KindQuery, Internal: true, Execute: 1200 * time.Millisecond, FirstRow: telemetry.Known(30 * time.Millisecond),
		Consume: telemetry.Known(4 * time.Second), Close: telemetry.Known(25 * time.Millisecond), Total: 6 * time.Second,
		Result:  telemetry.Result{Evidence: telemetry.EvidenceWire, Format: telemetry.FormatExternalLinks, Compressed: telemetry.Known(true)},
		Polling: telemetry.Known(telemetry.Polling{Calls: 3, Latency: 90 * time.Millisecond}),
		CloudFetch: &telemetry.CloudFetch{
			Present: 20, Downloaded: 19, Failed: 1, First: 100 * time.Millisecond, Slowest: 900 * time.Millisecond, Sum: 5 * time.Second,
			FailedIndex: telemetry.Known(int64(19)),
		},
		Failure:      &telemetry.Failure{Category: telemetry.CategoryChunkDownload},
		CloseFailure: &telemetry.Failure{Category: telemetry.CategoryConnection},
		CancelError:  telemetry.CategoryConnection,
		RPCs: []telemetry.RPC{
			{Method: "ExecuteStatement", Calls: 1, Retries: 2}, {Method: "CancelOperation", Calls: 1, Latency: time.Millisecond},
			{Method: "CloseOperation", Calls: 1, Latency: 2 * time.Millisecond},
		},
	}
}

func closed() *telemetry.SessionClosed {
	return &telemetry.SessionClosed{Started: time.Now(), SessionID: uuid.NewString(), Latency: 9 * time.Millisecond}
}

// plain is a statement with nothing special.
func plain() *telemetry.Statement {
	return &telemetry.Statement{Started: time.Now(), SessionID: uuid.NewString(), StatementID: uuid.NewString(), Kind: telemetry.KindQuery}
}

func TestTheServiceFindsNothingWrongWithAnyEvent(t *testing.T) {
	ws := workspace.New(t, workspace.Options{TelemetryFlag: workspace.FlagOn, Unified: true})
	var x export.Exporter
	h := x.Open(connection(ws), patient)
	h.SessionOpened(opened(ws))
	h.StatementFinished(statement(ws))
	h.SessionClosed(closed())
	require.NoError(t, h.Close(t.Context()))

	require.Empty(t, ws.TelemetryErrors())
	operations := map[string]int{}
	for _, e := range ws.Telemetry() {
		assert.True(t, e.Valid())
		assert.Equal(t, ws.WorkspaceID(), e.Document.WorkspaceID, "also where the record does not know it")
		assert.Equal(t, "THRIFT", e.Log().ConnectionParams.Mode)
		assert.Equal(t, "/sql/1.0/warehouses", e.Log().ConnectionParams.HTTPPath)
		assert.Empty(t, e.Log().ConnectionParams.HostInfo.HostURL)
		assert.Equal(t, "databricks-sql-go", e.Log().SystemConfiguration.DriverName)
		assert.Equal(t, "billing", e.Log().SystemConfiguration.ClientAppName)
		assert.Contains(t, e.Document.Context.ClientContext.UserAgent, "(billing/1.2)")
		assert.Equal(t, "PAT", e.Log().AuthType)
		operations[e.Log().SQLOperation.OperationDetail.OperationType]++
	}
	require.Equal(t, map[string]int{
		"CREATE_SESSION": 1, "EXECUTE_STATEMENT": 1, "CLOSE_STATEMENT": 1, "CANCEL_STATEMENT": 1, "DELETE_SESSION": 1,
	}, operations)
	require.Equal(t, 1, ws.Count(uploads))
	require.Equal(t, 1, ws.FlagRequests())
	require.EqualValues(t, 5, x.Stats().Sent)
}

func TestAFailureToLogInIsTakenWithoutAuthentication(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	var x export.Exporter
	h := x.Open(connection(ws), telemetry.Settings{ForceEnable: true, CloseTimeout: 5 * time.Minute})
	r := opened(ws)
	r.Failure = &telemetry.Failure{Category: telemetry.CategoryAuth}
	h.SessionOpened(r)
	require.NoError(t, h.Close(t.Context()))
	require.Empty(t, ws.TelemetryErrors())
	require.Zero(t, ws.Count(uploads))
	require.Len(t, ws.Telemetry(), 1)
	e := ws.Telemetry()[0]
	require.Equal(t, "auth_error", e.Log().ErrorInfo.ErrorName)
	require.Zero(t, e.Document.WorkspaceID)
	require.Empty(t, e.Log().SessionID)
	require.Empty(t, e.Log().AuthType)
	require.Nil(t, e.Log().SystemConfiguration)
	require.Nil(t, e.Log().ConnectionParams)
	require.NotContains(t, e.Document.Context.ClientContext.UserAgent, "billing")
	require.Empty(t, e.Header.Get("Authorization"))
	require.Equal(t, 1, ws.Count(anonymous))
}

func TestEachEventArrivesOnceWhateverHappens(t *testing.T) {
	const statements = 100
	for name, fault := range map[string]workspace.Fault{
		"503 for a while":      {Do: workspace.Status(503), First: 3},
		"429 and a pause":      {Do: workspace.StatusRetryAfter(429, time.Second), First: 1},
		"reset":                {Do: workspace.Reset(), First: 2},
		"dropped answer":       {Do: workspace.DropResponse(), First: 2},
		"half a body":          {Do: workspace.HalfBody(), First: 2},
		"redirect to a login":  {Do: workspace.RedirectToLogin(), First: 1},
		"200 with HTML":        {Do: workspace.Answer(200, "text/html", "<html>"), First: 1},
		"garbage":              {Do: workspace.Garbage(), First: 1},
		"too large":            {Do: workspace.Status(413), First: 2},
		"slow":                 {Do: workspace.Latency(100 * time.Millisecond)},
		"a fifth goes missing": {Do: workspace.Status(500), Share: 0.2},
	} {
		t.Run(name, func(t *testing.T) {
			ws := workspace.New(t, workspace.Options{TelemetryFlag: workspace.FlagOn})
			fault.On = uploads
			ws.Inject(fault)
			settings := quick
			if name == "too large" { // a single record that is too large is dropped, so the first upload must contain all
				settings.FlushInterval, settings.BatchSize = time.Hour, statements+1
			}
			var x export.Exporter
			h := x.Open(connection(ws), settings)
			h.SessionOpened(opened(ws))
			var wg sync.WaitGroup
			for range 10 {
				wg.Go(func() {
					for range statements / 10 {
						h.StatementFinished(plain())
					}
				})
			}
			wg.Wait()
			eventually.True(t, func() bool { return x.Stats().Pending == 0 })
			require.NoError(t, h.Close(t.Context()))
			st := x.Stats()
			require.Empty(t, st.Dropped)
			require.EqualValues(t, statements+1, st.Sent)
			require.Empty(t, ws.TelemetryErrors())
			events := ws.Telemetry()
			require.Len(t, events, statements+1)
			if name != "dropped answer" && name != "half a body" {
				for _, e := range events {
					require.Equal(t, 1, e.Accepted)
				}
			}
			require.Zero(t, ws.Count(workspace.Endpoint("/login")), "redirects are not followed")
		})
	}
}

func TestADeadEndpointCostsNothingButItsEvents(t *testing.T) {
	before := runtime.NumGoroutine()
	for name, fault := range map[string]workspace.Action{"hang": workspace.Hang(), "refuse": workspace.Status(403)} {
		t.Run(name, func(t *testing.T) {
			ws := workspace.New(t, workspace.Options{TelemetryFlag: workspace.FlagOn})
			ws.Inject(workspace.Fault{On: workspace.Endpoint("/telemetry"), Do: fault})
			var x export.Exporter
			h := x.Open(connection(ws), telemetry.Settings{CloseTimeout: 200 * time.Millisecond})
			for range 100 {
				h.StatementFinished(plain())
			}
			_ = h.Close(context.Background())
			st := x.Stats()
			require.Zero(t, st.Sent+st.Pending)
			require.Empty(t, ws.Telemetry())
		})
	}
	eventually.True(t, func() bool { return runtime.NumGoroutine() <= before }, "goroutines are left")
}

func TestNamesThatDoNotResolveAndPortsThatAreClosedAreQuiet(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	for name, change := range map[string]func(*export.Connection){
		"name":   func(c *export.Connection) { c.Host = "no-such-host.invalid" },
		"port":   func(c *export.Connection) { c.Port = 1 },
		"scheme": func(c *export.Connection) { c.Scheme = "https" },
	} {
		t.Run(name, func(t *testing.T) {
			c := connection(ws)
			change(&c)
			var x export.Exporter
			h := x.Open(c, telemetry.Settings{ForceEnable: true, RetryDelay: time.Millisecond})
			h.StatementFinished(plain())
			require.Error(t, h.Close(t.Context()))
			require.EqualValues(t, 1, x.Stats().Dropped[export.DropClosed])
		})
	}
}

func TestTheConnectionsTLSConfigurationIsUsed(t *testing.T) {
	ws := workspace.New(t, workspace.Options{TLS: true, TelemetryFlag: workspace.FlagOn})
	c := connection(ws)
	c.Scheme, c.TLS = "https", ws.TLSConfig()
	var x export.Exporter
	h := x.Open(c, patient)
	h.SessionOpened(opened(ws))
	require.NoError(t, h.Close(t.Context()))
	require.Len(t, ws.Telemetry(), 1)

	c.TLS = nil
	h = x.Open(c, quick)
	h.SessionOpened(opened(ws))
	require.ErrorContains(t, h.Close(t.Context()), "ssl_handshake_error")
}

func TestABurstTakesFewRequests(t *testing.T) {
	ws := workspace.New(t, workspace.Options{TelemetryFlag: workspace.FlagOn})
	var x export.Exporter
	h := x.Open(connection(ws), telemetry.Settings{QueueSize: 6000, FlushInterval: time.Hour, CloseTimeout: 5 * time.Minute})
	h.SessionOpened(opened(ws))
	const statements = 2000
	for range statements {
		h.StatementFinished(plain())
	}
	require.NoError(t, h.Close(t.Context()))
	require.Len(t, ws.Telemetry(), statements+1)
	require.LessOrEqual(t, ws.Count(uploads), 12*statements/1000)
	require.LessOrEqual(t, ws.FlagRequests(), 1)
	for _, r := range ws.Requests(uploads) {
		require.Equal(t, http.StatusOK, r.Status)
	}
}
