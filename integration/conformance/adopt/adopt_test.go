// Package adopt does what a new user does first: it takes every example program that the native driver
// ships, adopts it the way the README says, by import and driver name alone, and runs it both ways.
// Everything a program shows must be the same, including its exit code and its log, and every statement of
// the adopted program must have been reported to Databricks exactly once.
//
//	<driver>/examples/*/main.go ──┬─ as it is ─► build ─► run against a workspace ─► output
//	                              │                                                    ║
//	                              └─ adopted ──► build ─► run against a workspace ─► output
//	                                                                 │
//	                                                                 └─► reported exactly once
package adopt

import (
	"fmt"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/sidebyside"
)

func TestTheNativeDriversExamplesRunTheSameWhenAdopted(t *testing.T) {
	switch runtime.GOOS {
	case "windows", "darwin", "ios":
		t.Skip("the environment cannot make programs trust a certificate: no SSL_CERT_FILE on " + runtime.GOOS)
	}
	if testing.Short() {
		t.Skip("builds every example twice")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("builds programs: ", err)
	}
	e := build(t)
	for _, name := range e.names {
		require.True(t, slices.ContainsFunc(programs, func(p program) bool { return p.name == name }),
			"databricks-sql-go %s ships an example %q that programs_test.go does not know", dbsql.DriverVersion, name)
	}

	var runs table
	t.Run("run", func(t *testing.T) {
		for _, p := range programs {
			if !slices.Contains(e.names, p.name) {
				continue // this version of the driver does not ship it
			}
			t.Run(p.String(), func(t *testing.T) {
				t.Parallel()
				was, is, err := both(t, e, p)
				for n := 1; n < 3 && failedRequests(was) != failedRequests(is); n++ {
					was, is, err = both(t, e, p)
				}
				if err != nil {
					runs.add("%-28s not run: %v", p, err)
					t.Skip(err)
				}
				requireEnd(t, p, was)
				sidebyside.RequireSame(t, was, is)
				sidebyside.RequireReportedOnce(t, is.Workspace)
				runs.add("%-28s %7d %10d %6d %4d  %s", p, e.changes[p.name], len(is.Workspace.Statements()), len(is.Workspace.Telemetry()), is.Exit, p.note)
			})
		}
	})
	t.Logf("databricks-sql-go %s\n%-28s %7s %10s %6s %4s\n%s", dbsql.DriverVersion, "program", "changes", "statements", "events", "exit", &runs)
}

// failedRequests counts the requests that the driver logged as failed. If the machine stalls for longer
// than the driver waits for TLS, a request of either program may fail: both run again.
func failedRequests(o sidebyside.Outcome) int {
	return strings.Count(o.Stdout+o.Stderr, "request failed")
}

// both runs a program as it is and adopted, side by side where that is possible.
func both(t *testing.T, e *examples, p program) (was, is sidebyside.Outcome, err error) {
	t.Helper()
	if p.logsIn {
		loggingIn.Lock()
		defer loggingIn.Unlock()
		if err := loginPortFree(); err != nil {
			return was, is, err
		}
		was = e.start(t, native, p).Wait(t)
		return was, e.start(t, adopted, p).Wait(t), nil
	}
	first, second := e.start(t, native, p), e.start(t, adopted, p)
	return first.Wait(t), second.Wait(t), nil
}

// requireEnd checks that the native program got as far as it should: two programs that fail in the same way
// prove little.
func requireEnd(t *testing.T, p program, was sidebyside.Outcome) {
	t.Helper()
	require.Equal(t, p.exit, was.Exit, "%s%s", was.Stdout, was.Stderr)
	require.Contains(t, was.Stdout+was.Stderr, p.says)
	if p.kept != "" {
		require.Contains(t, was.Files, p.kept)
	}
}

// table is the outcome of the runs, one line each.
type table struct {
	mu   sync.Mutex
	rows []string // guarded by mu
}

func (r *table) add(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rows = append(r.rows, strings.TrimRight(fmt.Sprintf(format, args...), " "))
}

func (r *table) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(slices.Sorted(slices.Values(r.rows)), "\n")
}
