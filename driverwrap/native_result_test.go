package driverwrap_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// resultConn and resultLegacyConn answer each Exec with one result.
type (
	resultConn struct {
		modernConn
		result driver.Result
	}
	resultLegacyConn struct {
		legacyConn
		result driver.Result
	}
)

func (c *resultConn) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	return c.result, nil
}

func (c *resultLegacyConn) Exec(string, []driver.Value) (driver.Result, error) { return c.result, nil }

// namedResult has a method of the driver's own.
type namedResult struct{ driver.Result }

func (namedResult) QueryID() string { return "01" }

func TestTheResultOfAnExecIsTheNativeOne(t *testing.T) {
	before := telemetry.ReadStats().Incidents()
	for of, want := range map[string]driver.Result{"the driver's own": namedResult{driver.RowsAffected(7)}, "none": nil} {
		for name, conn := range map[string]func(*calls) driver.Conn{
			"modern": func(c *calls) driver.Conn {
				return &resultConn{modernConn{minimalConn: minimalConn{c, contextStmt}}, want}
			},
			"legacy": func(c *calls) driver.Conn { return &resultLegacyConn{legacyConn{minimalConn{c, plainStmt}}, want} },
		} {
			for how, sinks := range map[string][]telemetry.Sink{"measured": {&memory{}}, "unmeasured": nil} {
				t.Run(of+"/"+name+"/"+how, func(t *testing.T) {
					db := sql.OpenDB(driverwrap.Config{Sinks: sinks}.Wrap(&fakeConnector{calls: &calls{}, conn: conn}))
					defer db.Close()
					c, err := db.Conn(t.Context())
					require.NoError(t, err)
					defer c.Close()
					require.NoError(t, c.Raw(func(raw any) error {
						got, err := raw.(driver.ExecerContext).ExecContext(t.Context(), "x", nil)
						require.Equal(t, want, got)
						return err
					}))
				})
			}
		}
	}
	require.Equal(t, before, telemetry.ReadStats().Incidents(), "no result is no fault of the measuring")
}
