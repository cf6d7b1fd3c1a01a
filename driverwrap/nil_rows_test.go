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

// rowlessConn and rowlessLegacyConn return neither rows nor an error.
type (
	rowlessConn       struct{ modernConn }
	rowlessLegacyConn struct{ legacyConn }
)

func (*rowlessConn) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return nil, nil
}

func (*rowlessLegacyConn) Query(string, []driver.Value) (driver.Rows, error) { return nil, nil }

func TestNeitherRowsNorAnErrorIsReturnedAsByTheBareDriver(t *testing.T) {
	for name, conn := range map[string]func(*calls) driver.Conn{
		"modern": func(c *calls) driver.Conn { return &rowlessConn{modernConn{minimalConn: minimalConn{c, contextStmt}}} },
		"legacy": func(c *calls) driver.Conn { return &rowlessLegacyConn{legacyConn{minimalConn{c, plainStmt}}} },
	} {
		for how, sinks := range map[string][]telemetry.Sink{"measured": {&memory{}}, "unmeasured": nil} {
			t.Run(name+"/"+how, func(t *testing.T) {
				db := sql.OpenDB(driverwrap.Config{Sinks: sinks}.Wrap(&fakeConnector{calls: &calls{}, conn: conn}))
				defer db.Close()
				c, err := db.Conn(t.Context())
				require.NoError(t, err)
				defer c.Close()
				require.NoError(t, c.Raw(func(raw any) error {
					rows, err := raw.(driver.QueryerContext).QueryContext(t.Context(), "x", nil)
					require.Nil(t, rows)
					return err
				}))
			})
		}
	}
}
