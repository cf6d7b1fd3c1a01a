package wrapped

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

// TestProcess is the program of a process of its own: see TestAProcessThatEndsWithoutClose.
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
// at once, with its results, and says nothing.
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
			child := exec.Command(os.Args[0], "-test.run=^TestProcess$")
			child.Env = append(os.Environ(), "PROCESS_DSN="+ws.DSN("telemetry_batch_size=2", "telemetry_flush_interval=100ms"))
			child.Stdout, child.Stderr = &out, &errs
			start := time.Now()
			require.NoError(t, child.Run())
			require.Less(t, time.Since(start), 20*time.Second)
			require.Equal(t, 10, bytes.Count(out.Bytes(), []byte("42\n")))
			require.Empty(t, errs.String())
			require.Empty(t, ws.TelemetryErrors())
		})
	}
}
