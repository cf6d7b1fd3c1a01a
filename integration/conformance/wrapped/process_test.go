package wrapped

import (
	"bytes"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"testing"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// alone runs the calling test in its own process, where no other test changes process-wide state. It
// reports whether this is that process.
func alone(t *testing.T) bool {
	t.Helper()
	const variable = "RUNS_ALONE"
	if os.Getenv(variable) == t.Name() {
		return true
	}
	child := exec.CommandContext(eventually.Context(t), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1")
	child.Env = append(os.Environ(), variable+"="+t.Name())
	out, err := child.CombinedOutput()
	require.NoError(t, err, string(out))
	return false
}

func TestAServerlessFunctionFlushesBeforeItReturns(t *testing.T) {
	if !alone(t) {
		return
	}
	ws := workspace.New(t, workspace.Options{TelemetryFlag: workspace.FlagOn})
	db := reporting(t, ws, "telemetry_flush_interval=1h")
	defer db.Close()
	_ = transcript(db.Query("SELECT 1"))
	require.Empty(t, ws.Telemetry())
	require.NoError(t, telemetry.Flush(t.Context()))
	require.Equal(t, map[string]int{"CREATE_SESSION": 1, "EXECUTE_STATEMENT": 1}, operations(ws))
}

func TestNothingIsReportedOfADatabaseThatIsOpenedAfterShutdown(t *testing.T) {
	if !alone(t) {
		return
	}
	ws := workspace.New(t, workspace.Options{})
	require.NoError(t, telemetry.Shutdown(t.Context()))
	own := &answering{RoundTripper: http.DefaultTransport}
	connector, err := driverwrap.NewConnector(append(options(ws), dbsql.WithTransport(own))...)
	require.NoError(t, err)
	db := sql.OpenDB(connector)
	_ = transcript(db.Query("SELECT 1"))
	require.NoError(t, db.Close())
	require.Len(t, ws.Statements(), 1)
	require.Zero(t, own.flags.Load(), "of the native driver")
	require.Zero(t, own.uploads.Load(), "by the native driver")
}

// The native driver keeps one decision and one client per host for the whole process. No option of
// its connectors changes that, so docs/PRIVACY.md says it.
func TestANativePoolThatReportsDoesSoForAllOfItsHost(t *testing.T) {
	if !alone(t) {
		return
	}
	ws := workspace.New(t, workspace.Options{})
	own := &answering{RoundTripper: http.DefaultTransport}
	connector, err := dbsql.NewConnector(append(options(ws), dbsql.WithTransport(own))...)
	require.NoError(t, err)
	native := sql.OpenDB(connector)
	_ = transcript(native.Query("SELECT 1"))
	connector, err = driverwrap.Config{Settings: telemetry.Settings{Enabled: telemetry.SwitchOff}}.NewConnector(options(ws)...)
	require.NoError(t, err)
	off := sql.OpenDB(connector)
	_ = transcript(off.Query("SELECT 2"))
	require.NoError(t, off.Close())
	require.NoError(t, native.Close())
	require.Len(t, ws.Statements(), 2)
	require.Contains(t, own.sent.String(), ws.Statements()[1].ID, "of the pool that is off")
}

// TestProcess is the program of a separate process: see TestAProcessThatEndsWithoutCloseIsNotHeldBack.
func TestProcess(t *testing.T) {
	dsn := os.Getenv("PROCESS_DSN")
	if dsn == "" {
		return // only in a process of its own
	}
	db, err := sql.Open(driverwrap.Name, dsn)
	if err == nil {
		for range 10 {
			var n int
			if err = db.QueryRow("SELECT 42").Scan(&n); err != nil {
				break
			}
			fmt.Println(n)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0) // no Close
}

// Whatever the telemetry service does, a process that ends without closing its database ends
// at once, with its results, and logs nothing.
func TestAProcessThatEndsWithoutCloseIsNotHeldBack(t *testing.T) {
	ext := workspace.Endpoint("/telemetry-ext")
	for name, do := range map[string]workspace.Action{
		"well": workspace.Latency(0), "hangs": workspace.Hang(), "refuses": workspace.Status(403),
		"fails": workspace.Status(503), "resets": workspace.Reset(), "redirects": workspace.RedirectToLogin(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ws := workspace.New(t, workspace.Options{TelemetryFlag: workspace.FlagOn})
			ws.Inject(workspace.Fault{On: ext, Do: do})
			var out, errs bytes.Buffer
			child := exec.CommandContext(eventually.Context(t), os.Args[0], "-test.run=^TestProcess$")
			child.Env = append(os.Environ(), "PROCESS_DSN="+ws.DSN("telemetry_batch_size=2", "telemetry_flush_interval=100ms"))
			child.Stdout, child.Stderr = &out, &errs
			require.NoError(t, child.Run(), errs.String())
			require.Equal(t, 10, bytes.Count(out.Bytes(), []byte("42\n")))
			require.Empty(t, errs.String())
			require.Empty(t, ws.TelemetryErrors())
		})
	}
}
