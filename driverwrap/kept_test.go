package driverwrap_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// validConn, resettableConn and keptConn have one or both of the interfaces by which the pool decides whether it
// keeps a connection.
type (
	validConn      struct{ minimalConn }
	resettableConn struct {
		minimalConn
		reset error
	}
	keptConn struct {
		resettableConn
	}
)

func (c *validConn) IsValid() bool { c.note("IsValid"); return true }

func (c *resettableConn) ResetSession(context.Context) error { c.note("ResetSession"); return c.reset }

func (c *keptConn) IsValid() bool { c.note("IsValid"); return true }

// database/sql keeps a connection on which the context of a transaction has ended only if it is both a Validator
// and a SessionResetter.
func TestAConnectionWhoseTransactionWasEndedByItsContextIsKeptAsTheBareOne(t *testing.T) {
	for name, conn := range map[string]func(*calls) driver.Conn{
		"neither":    func(c *calls) driver.Conn { return &minimalConn{c, plainStmt} },
		"validator":  func(c *calls) driver.Conn { return &validConn{minimalConn{c, plainStmt}} },
		"resettable": func(c *calls) driver.Conn { return &resettableConn{minimalConn: minimalConn{c, plainStmt}} },
		"both": func(c *calls) driver.Conn {
			return &keptConn{resettableConn{minimalConn: minimalConn{c, plainStmt}}}
		},
	} {
		for how, end := range map[string]func(*sql.Tx, context.CancelFunc){
			"context done": func(_ *sql.Tx, cancel context.CancelFunc) { cancel() },
			"committed":    func(tx *sql.Tx, _ context.CancelFunc) { _ = tx.Commit() },
			"rolled back":  func(tx *sql.Tx, _ context.CancelFunc) { _ = tx.Rollback() },
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				called := func(wrap func(driver.Connector) driver.Connector) (log []string) {
					synctest.Test(t, func(t *testing.T) {
						c := &calls{}
						db := sql.OpenDB(wrap(&fakeConnector{calls: c, conn: conn}))
						ctx, cancel := context.WithCancel(t.Context())
						defer cancel()
						tx, err := db.BeginTx(ctx, nil)
						require.NoError(t, err)
						end(tx, cancel)
						synctest.Wait()
						_, err = db.Exec("x")
						require.NoError(t, err)
						require.NoError(t, db.Close())
						log = c.taken()
					})
					return log
				}
				want := called(func(c driver.Connector) driver.Connector { return c })
				require.Equal(t, want, called(driverwrap.Wrap))
			})
		}
	}
}

func TestAConnectionThatCannotBeResetIsNotUsedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		reset  error
		closed int   // connections
		reused int64 // the first of them
	}{
		"as it should":        {nil, 1, 2},
		"with an error":       {errBroken, 1, 2},
		"of a bad connection": {driver.ErrBadConn, 3, 0},
	} {
		t.Run(name, func(t *testing.T) {
			sink := &memory{}
			db := sql.OpenDB(driverwrap.Config{Sinks: []telemetry.Sink{sink}}.Wrap(&fakeConnector{calls: &calls{}, conn: func(of *calls) driver.Conn {
				return &resettableConn{minimalConn{of, plainStmt}, c.reset}
			}}))
			for range 3 {
				_, err := db.Exec("x")
				require.NoError(t, err)
			}
			require.NoError(t, db.Close())
			require.Len(t, sink.closed, c.closed)
			require.Equal(t, c.reused, sink.closed[0].Reused)
		})
	}
}
