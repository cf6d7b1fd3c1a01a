package driverwrap_test

import (
	"database/sql"
	"database/sql/driver"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// TestACallThatDoesNotReturnEnds has the native driver panic, or end its goroutine, in each of its
// calls: the application sees it, and the record of what was called is complete.
func TestACallThatDoesNotReturnEnds(t *testing.T) {
	query := func(db *sql.DB) {
		if rows, err := db.Query("rows"); err == nil {
			_ = rows.Close()
		}
	}
	prepared := func(db *sql.DB, do func(*sql.Stmt)) {
		if stmt, err := db.Prepare("rows"); err == nil {
			do(stmt)
		}
	}
	for in, c := range map[string]struct {
		do      func(*sql.DB)
		outcome telemetry.Outcome // of the statement; empty for none
	}{
		"Connect":           {func(db *sql.DB) { _, _ = db.Exec("x") }, ""},
		"ExecContext":       {func(db *sql.DB) { _, _ = db.Exec("x") }, telemetry.OutcomeFailed},
		"QueryContext":      {query, telemetry.OutcomeFailed},
		"Ping":              {func(db *sql.DB) { _ = db.Ping() }, telemetry.OutcomeFailed},
		"stmt ExecContext":  {func(db *sql.DB) { prepared(db, func(s *sql.Stmt) { _, _ = s.Exec() }) }, telemetry.OutcomeFailed},
		"stmt QueryContext": {func(db *sql.DB) { prepared(db, func(s *sql.Stmt) { _, _ = s.Query() }) }, telemetry.OutcomeFailed},
		"rows Close":        {query, telemetry.OutcomeClosedEarly},
		"conn Close":        {func(db *sql.DB) { _, _ = db.Exec("x"); db.SetMaxIdleConns(-1) }, telemetry.OutcomeCompleted},
	} {
		for how, end := range map[string]func(){
			"panics": func() { panic("native") },
			"exits":  runtime.Goexit,
		} {
			t.Run(in+" "+how, func(t *testing.T) {
				t.Parallel()
				sink := &memory{}
				log := &calls{}
				log.noted = func(call string) {
					if strings.HasPrefix(call, in) {
						log.noted = nil
						end()
					}
				}
				db := sql.OpenDB(driverwrap.Config{Sinks: []telemetry.Sink{sink}}.Wrap(&fakeConnector{calls: log, conn: func(c *calls) driver.Conn {
					return &modernConn{minimalConn: minimalConn{c, contextStmt}}
				}}))
				returned, seen := doing(func() { c.do(db) })
				require.False(t, returned)
				if how == "panics" {
					require.Equal(t, "native", seen, "the panic is the application's")
				}
				require.NoError(t, db.Close())

				require.Len(t, sink.opened, 1)
				require.Equal(t, in == "Connect", sink.opened[0].Failed())
				if in == "conn Close" {
					require.Len(t, sink.closed, 1)
					require.Equal(t, telemetry.CategoryOther, sink.closed[0].Failure.Category)
				}
				if c.outcome == "" {
					require.Empty(t, sink.statements)
					return
				}
				require.Len(t, sink.statements, 1)
				s := sink.statements[0]
				require.Equal(t, c.outcome, s.Outcome)
				failure := s.Failure
				if in == "rows Close" {
					failure = s.CloseFailure
				}
				if in == "conn Close" {
					require.Nil(t, failure)
					return
				}
				require.Equal(t, telemetry.CategoryOther, failure.Category)
			})
		}
	}
}

// doing runs f on a goroutine of its own, and reports whether it returned, and what it panicked with.
func doing(f func()) (returned bool, panicked any) {
	var running sync.WaitGroup
	running.Go(func() {
		defer func() { panicked = recover() }()
		f()
		returned = true
	})
	running.Wait()
	return returned, panicked
}
