package conformance

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/databricks/databricks-sql-go/driverctx"
	dbsqlerr "github.com/databricks/databricks-sql-go/errors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

func TestWorkspaceSlowStatementsArePolled(t *testing.T) {
	const execution = 10 * time.Millisecond
	polledTwice := make(chan struct{})
	ws := workspace.New(t, workspace.Options{
		DirectResultWait: -1,
		ExecutionTime:    func(string) time.Duration { <-polledTwice; return execution },
	})
	db := connectWorkspace(t, ws, quickly)
	go func() {
		eventually.True(t, func() bool { return ws.Count(workspace.Method("GetOperationStatus")) >= 2 })
		close(polledTwice)
	}()
	assert.EqualValues(t, 5, count(t, db, "SELECT id FROM range(5)"))
	f := ws.Statements()[0]
	assert.GreaterOrEqual(t, f.Polls, 2)
	assert.GreaterOrEqual(t, f.Completed.Sub(f.Started), execution)
	assert.Equal(t, f.Polls, f.Calls["GetOperationStatus"])
}

func TestWorkspaceCancelWhileRunning(t *testing.T) {
	ws := workspace.New(t, workspace.Options{DirectResultWait: -1})
	db := connectWorkspace(t, ws, quickly)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	failed := make(chan error, 1)
	go func() {
		_, err := db.ExecContext(ctx, "SELECT sleep(6000)")
		failed <- err
	}()
	eventually.True(t, func() bool { return ws.Count(workspace.Method("GetOperationStatus")) > 0 })
	cancel()
	require.ErrorIs(t, <-failed, context.Canceled)
	eventually.True(t, func() bool {
		f := ws.Statements()[0]
		return f.Canceled && f.State == "CANCELED" && !f.Completed.IsZero()
	})
	assert.EqualValues(t, 1, count(t, db, "SELECT 1"), "the session is free again")
}

func TestWorkspaceDeadlineWhileExecuting(t *testing.T) {
	ws := workspace.New(t, workspace.Options{DirectResultWait: time.Hour})
	db := connectWorkspace(t, ws)
	ctx, expire := eventually.Expiring(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := db.QueryContext(ctx, "SELECT sleep(6000)")
		failed <- err
	}()
	eventually.True(t, func() bool { return len(ws.Statements()) > 0 && ws.Statements()[0].State == "RUNNING" })
	expire()
	require.ErrorIs(t, <-failed, context.DeadlineExceeded)
	f := ws.Statements()[0]
	assert.Equal(t, "RUNNING", f.State, "the driver has no handle yet, so it cannot cancel")
	assert.False(t, f.Canceled)
	assert.EqualValues(t, 1, count(t, db, "SELECT 1"))
}

func TestWorkspaceServerTimeout(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	db := openWorkspace(t, ws, "timeout=1")
	_, err := db.Query("SELECT sleep(6000)")
	var failed dbsqlerr.DBExecutionError
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, "57KD0", failed.SqlState())
	assert.Contains(t, err.Error(), "TIMEDOUT_STATE")
	assert.Equal(t, "TIMEDOUT", ws.Statements()[0].State)
}

// TestWorkspaceFailureAtOnceNamesNoStatement: the service answers such a failure without a handle, and the
// driver keeps only the message of the status.
func TestWorkspaceFailureAtOnceNamesNoStatement(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	_, err := openWorkspace(t, ws).Query("SELECT * FROM nowhere")
	var failed dbsqlerr.DBExecutionError
	require.ErrorAs(t, err, &failed)
	assert.ErrorContains(t, err, "TABLE_OR_VIEW_NOT_FOUND")
	assert.Empty(t, failed.SqlState())
	assert.Empty(t, failed.QueryId())
	f := ws.Statements()[0]
	assert.Equal(t, "42P01", f.SQLState)
	assert.Equal(t, map[string]int{"ExecuteStatement": 1}, f.Attempts)
}

func TestWorkspaceSQLErrorsCarryTheirState(t *testing.T) {
	for name, p := range paths {
		t.Run(name, func(t *testing.T) {
			p.options.FailuresByHandle = true
			ws := workspace.New(t, p.options)
			db := connectWorkspace(t, ws, append(p.option, quickly)...)
			for sql, state := range map[string]string{
				"SELECT * FROM nowhere":         "42P01",
				"SELEC 1":                       "42601",
				"SELECT nothing FROM range(10)": "42703",
			} {
				_, err := db.Query(sql)
				var failed dbsqlerr.DBExecutionError
				require.ErrorAs(t, err, &failed, sql)
				assert.Equal(t, state, failed.SqlState(), sql)
				facts, ok := ws.Statement(failed.QueryId())
				require.True(t, ok, "the error names the statement")
				assert.Equal(t, "ERROR", facts.State)
				assert.Equal(t, state, facts.SQLState)
				assert.NotEmpty(t, facts.Message)

				_, err = db.Exec(sql)
				require.ErrorAs(t, err, &failed, sql)
			}
		})
	}
}

func TestWorkspaceStaging(t *testing.T) {
	for name, p := range paths {
		t.Run(name, func(t *testing.T) {
			ws := workspace.New(t, p.options)
			db := connectWorkspace(t, ws, append(p.option, quickly)...)
			dir := t.TempDir()
			local, back := filepath.Join(dir, "local.csv"), filepath.Join(dir, "back.csv")
			require.NoError(t, os.WriteFile(local, []byte("1,2\n"), 0o600))
			ctx := driverctx.NewContextWithStagingInfo(t.Context(), []string{dir})
			const volume = "/Volumes/main/default/v/f.csv"

			_, err := db.ExecContext(ctx, "PUT '"+local+"' INTO '"+volume+"'")
			require.NoError(t, err)
			content, ok := ws.Volume(volume)
			require.True(t, ok)
			assert.Equal(t, "1,2\n", string(content))

			_, err = db.ExecContext(ctx, "PUT '"+local+"' INTO '"+volume+"'")
			require.Error(t, err, "OVERWRITE is missing")

			_, err = db.ExecContext(ctx, "GET '"+volume+"' TO '"+back+"'")
			require.NoError(t, err)
			got, err := os.ReadFile(back)
			require.NoError(t, err)
			assert.Equal(t, "1,2\n", string(got))

			_, err = db.ExecContext(ctx, "REMOVE '"+volume+"'")
			require.NoError(t, err)
			assert.Empty(t, ws.VolumePaths())
			assert.True(t, ws.Statements()[0].Staging)
			assert.Equal(t, 200, ws.Statements()[0].Links[0].Downloads[0].Status)

			_, err = db.ExecContext(t.Context(), "GET '"+volume+"' TO '"+back+"'")
			require.ErrorContains(t, err, "staging ctx must be provided")
		})
	}
}

func TestWorkspaceQueryTagsTravelInTheOverlay(t *testing.T) {
	ws := workspace.New(t, workspace.Options{CaptureBodies: true})
	db := connectWorkspace(t, ws, dbsql.WithInitialNamespace("main", "default"))
	ctx := driverctx.NewContextWithQueryTags(t.Context(), map[string]string{"team": "blue"})
	_, err := db.ExecContext(ctx, "SELECT 1")
	require.NoError(t, err)
	r := ws.Requests(workspace.Method("ExecuteStatement"))[0]
	assert.Contains(t, string(r.Body), "team:blue")
}
