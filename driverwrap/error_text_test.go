package driverwrap_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// failingConn fails with a text, be it at a statement or at its own end.
type failingConn struct {
	modernConn
	err error
}

func (c *failingConn) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	return nil, c.err
}

func (c *failingConn) Close() error { return c.err }

func failuresWith(t *testing.T, setting string, err error) (messages []string) {
	t.Helper()
	sink := &memory{}
	cfg := driverwrap.Config{Settings: telemetry.Settings{ErrorText: setting}, Sinks: []telemetry.Sink{sink}}
	db := sql.OpenDB(cfg.Wrap(&fakeConnector{calls: &calls{}, conn: func(c *calls) driver.Conn {
		return &failingConn{modernConn{minimalConn: minimalConn{c, contextStmt}}, err}
	}}))
	_, got := db.Exec("x")
	require.Equal(t, err, got, "the application has the error as it was")
	_ = db.Close()
	require.Len(t, sink.statements, 1)
	return []string{sink.statements[0].Failure.Message}
}

func TestTheErrorTextIsKeptAsFarAsItsSettingSays(t *testing.T) {
	const text = "[TABLE_OR_VIEW_NOT_FOUND] The table or view `hr`.`salaries` cannot be found.\nSQLSTATE: 42P01; line 7"
	for setting, want := range map[string]string{
		"class":    "[TABLE_OR_VIEW_NOT_FOUND] SQLSTATE: 42P01",
		"redacted": "[TABLE_OR_VIEW_NOT_FOUND] The table or view <name> cannot be found. SQLSTATE: 42P01; line <number>",
		"":         "[TABLE_OR_VIEW_NOT_FOUND] The table or view <name> cannot be found. SQLSTATE: 42P01; line <number>",
		"full":     text,
	} {
		require.Equal(t, []string{want}, failuresWith(t, setting, errors.New(text)), setting)
	}
}

func TestAFullErrorTextIsBoundedAndValid(t *testing.T) {
	got := failuresWith(t, "full", errors.New("é\xff"+strings.Repeat("é", 1<<20)))[0]
	require.LessOrEqual(t, len(got), 64<<10+8)
	require.True(t, strings.HasPrefix(got, "é\uFFFDéé"))
	require.Equal(t, got, strings.ToValidUTF8(got, ""))
}
