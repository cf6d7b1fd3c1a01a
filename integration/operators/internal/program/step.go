// Package program has the statements that random programs run: what to run, what comes of it, and how to run it. The
// tests of what operators see keep a ledger of such a program, and compare it with what they see.
package program

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/databricks/databricks-sql-go/driverctx"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

// Things are what steps do, some more often than others. The tables main.default.t and main.default.made* are theirs.
var Things = []string{
	"query", "query", "early", "row", "exec", "insert", "bad", "badexec", "missing", "ping", "prepared", "preparedexec", "put", "get", "remove", "putmissing",
	"transaction", "canceled", "empty", "untouched", "unreadable", "given up",
}

// Step is one statement of a program, and what the program saw of it.
type Step struct {
	Number         int
	Do             string // one of Things, or what the program adds to them
	Kind           string // QUERY, UPDATE or VOLUME
	SQL            string
	Ping, Prepared bool
	Late           bool  // it fails when rows are read
	Rows, Read     int64 // of the result, and by the program
	Affected       int64 // -1 if it affects none
	Outcome        string
	Err            error
}

// Plan returns a step with its SQL, which begins with a note, and what is to come of it. What is not among Things is
// planned as a query of some rows. dir is the [Dir] of the program.
func Plan(number int, do, note, dir string, random *rand.Rand) Step {
	s := Step{Number: number, Do: do, Kind: "QUERY", Rows: int64(1 + random.IntN(40)), Outcome: "completed", Affected: -1}
	s.SQL, s.Read = note+fmt.Sprintf("SELECT id FROM range(%d)", s.Rows), s.Rows
	file := fmt.Sprintf("/Volumes/main/default/v/%d.txt", number)
	switch do {
	case "early":
		s.Rows += 2
		s.SQL = note + fmt.Sprintf("SELECT id FROM range(%d)", s.Rows)
		s.Read, s.Outcome = int64(1+random.IntN(int(s.Rows-1))), "closed_early"
	case "unreadable": // the second page or the file
		s.Rows, s.Outcome, s.Late = 40, "failed", true
		s.SQL = note + "SELECT id FROM range(40)"
	case "given up": // while rows are read
		s.Rows, s.Outcome, s.Late = 40, "canceled", true
		s.SQL = note + "SELECT id FROM range(40)"
	case "untouched":
		s.Read, s.Outcome = 0, "closed_early"
	case "row":
		s.Rows, s.Read, s.SQL = 1, 1, note+"SELECT 1"
	case "empty":
		s.Rows, s.Read, s.SQL = 0, 0, note+"SELECT id FROM range(0)"
	case "exec":
		s.Kind, s.Affected, s.SQL = "UPDATE", 0, note+fmt.Sprintf("CREATE TABLE IF NOT EXISTS main.default.made%d (id BIGINT)", number)
	case "insert", "preparedexec":
		s.Kind, s.Affected, s.SQL, s.Prepared = "UPDATE", 2, note+"INSERT INTO main.default.t VALUES (1), (2)", do != "insert"
	case "prepared":
		s.Prepared = true
	case "bad":
		s.SQL, s.Outcome = note+"SELEC 1", "failed"
	case "missing":
		s.SQL, s.Outcome = note+"SELECT * FROM nowhere", "failed"
	case "badexec":
		s.Kind, s.SQL, s.Outcome = "UPDATE", note+"DELETE FROM nowhere", "failed"
	case "ping":
		s.Ping, s.SQL = true, ""
	case "put":
		s.Kind, s.SQL = "VOLUME", note+"PUT '"+filepath.Join(dir, sourceFile)+"' INTO '"+file+"' OVERWRITE"
	case "putmissing":
		s.Kind, s.SQL, s.Outcome = "VOLUME", note+"PUT '"+dir+"/missing' INTO '"+file+"' OVERWRITE", "failed"
	case "get":
		s.Kind, s.SQL, s.Outcome = "VOLUME", note+"GET '"+file+"' TO '"+filepath.Join(dir, fmt.Sprint(number, "-got"))+"'", "failed" // there is none
	case "remove":
		s.Kind, s.SQL = "VOLUME", note+"REMOVE '"+file+"'"
	}
	return s
}

const sourceFile = "source.txt"

// Dir makes a folder for the files of volumes, with the one that is put.
func Dir(t testing.TB) string {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, sourceFile), []byte("hello"), 0o600))
	return dir
}

// Hold makes a step one whose rows are open while the program looks at something else.
func (s *Step) Hold() {
	*s = Step{Number: s.Number, Do: "held", Kind: "QUERY", Rows: 30, Affected: -1, Outcome: "closed_early", SQL: fmt.Sprintf("/* step %d. */ SELECT id FROM range(30)", s.Number)}
}

// Called reports whether the driver is called with a statement.
func (s *Step) Called() bool { return s.Do != "transaction" && s.Do != "canceled" }

// AsPlanned reports whether the step failed if it was to, and only then.
func (s *Step) AsPlanned() bool {
	return !s.Called() || (s.Outcome == "failed" || s.Outcome == "canceled") == (s.Err != nil)
}

// Run runs the step on a database of a workspace. files says whether results come as files.
func (s *Step) Run(ctx context.Context, db *sql.DB, ws *workspace.Workspace, files bool) error {
	switch s.Do {
	case "unreadable":
		var id string
		rows, err := db.QueryContext(driverctx.NewContextWithQueryIdCallback(ctx, func(given string) { id = given }), s.SQL)
		if err != nil {
			return err
		}
		statement := id // the driver may call back once more
		defer ws.Inject(workspace.Fault{On: func(r workspace.Request) bool {
			return r.StatementID == statement && (r.Thrift == "FetchResults" && !files || r.Thrift == "" && files)
		}, Do: workspace.Status(404)}).Remove()
		return s.drain(rows)
	case "given up":
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		rows, err := db.QueryContext(ctx, s.SQL)
		if err != nil {
			return err
		}
		rows.Next()
		s.Read = 1
		cancel()
		for rows.Next() {
			s.Read++
		}
		if rows.Err() == nil {
			s.Outcome = "completed" // neither the driver nor database/sql reported the cancellation
		}
		return errors.Join(rows.Err(), rows.Close())
	case "row":
		var n int64
		return db.QueryRowContext(ctx, s.SQL).Scan(&n)
	case "prepared", "preparedexec":
		return s.runPrepared(ctx, db)
	case "ping":
		return db.PingContext(ctx)
	case "transaction":
		_, err := db.BeginTx(ctx, nil)
		return err
	case "canceled":
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		_, err := db.ExecContext(ctx, s.SQL)
		return err
	}
	if s.Kind != "QUERY" {
		_, err := db.ExecContext(ctx, s.SQL)
		return err
	}
	rows, err := db.QueryContext(ctx, s.SQL)
	if err != nil {
		return err
	}
	return s.drain(rows)
}

func (s *Step) runPrepared(ctx context.Context, db *sql.DB) error {
	conn, err := db.Conn(ctx) // in fake time, DB.Prepare would stand still waiting for the lock of a connection in use
	if err != nil {
		return err
	}
	defer conn.Close()
	stmt, err := conn.PrepareContext(ctx, s.SQL)
	if err != nil {
		return err
	}
	defer stmt.Close()
	if s.Do == "preparedexec" {
		_, err = stmt.ExecContext(ctx)
		return err
	}
	rows, err := stmt.QueryContext(ctx)
	if err != nil {
		return err
	}
	return s.drain(rows)
}

// drain reads as many rows as the step is to read.
func (s *Step) drain(rows *sql.Rows) error {
	n := int64(0)
	for (s.Outcome == "completed" || s.Late || n < s.Read) && rows.Next() {
		n++
	}
	s.Read = n
	return errors.Join(rows.Err(), rows.Close())
}

// Interrupt makes the workspace answer a few calls of some method with 429 or 503, which are repeated at once.
func Interrupt(ws *workspace.Workspace, random *rand.Rand) {
	ws.Inject(workspace.Fault{
		On:   workspace.Method([]string{"ExecuteStatement", "FetchResults", "GetOperationStatus", "GetResultSetMetadata", "CloseOperation"}[random.IntN(5)]),
		Skip: random.IntN(4), First: 1 + random.IntN(2), Do: workspace.StatusRetryAfter([]int{429, 503}[random.IntN(2)], 0),
	})
}
