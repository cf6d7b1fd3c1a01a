// Package wrapped runs programs against the simulated workspace twice, through the native
// driver and through the wrapped one, and compares what came back and what was sent.
package wrapped

import (
	"database/sql"
	"database/sql/driver"
	"io"
	"log"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v12/arrow"
	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/databricks/databricks-sql-go/logger"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestMain(m *testing.M) {
	// The environment of whoever runs the tests decides nothing here.
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "DATABRICKS_") || name == "DO_NOT_TRACK" {
			_ = os.Unsetenv(name)
		}
	}
	// The first queries of a process race for this within the driver.
	_, _ = arrow.FixedWidthTypes.Timestamp_us.(*arrow.TimestampType).GetZone()
	// The native driver logs every error it returns; the tests provoke many.
	if os.Getenv("PROCESS_DSN") == "" { // a process of its own is heard
		logger.SetLogOutput(io.Discard)
		log.SetOutput(io.Discard)
	}
	os.Exit(m.Run())
}

// door is one way to a database.
type door struct {
	name string
	open func(*testing.T, *workspace.Workspace) *sql.DB
}

// native is the driver without us, its own telemetry off.
var native = door{"native", func(t *testing.T, ws *workspace.Workspace) *sql.DB {
	db, err := sql.Open("databricks", ws.DSN("enableTelemetry=false"))
	require.NoError(t, err)
	return db
}}

// doors are the three ways in, each with a sink that listens, and the first once without.
func doors(sink telemetry.Sink) []door {
	cfg := listening(sink)
	return []door{
		{"dsn", func(t *testing.T, ws *workspace.Workspace) *sql.DB {
			c, err := cfg.OpenConnector(ws.DSN())
			require.NoError(t, err)
			return sql.OpenDB(c)
		}},
		{"options", func(t *testing.T, ws *workspace.Workspace) *sql.DB {
			c, err := cfg.NewConnector(options(ws)...)
			require.NoError(t, err)
			return sql.OpenDB(c)
		}},
		{"wrap", func(t *testing.T, ws *workspace.Workspace) *sql.DB {
			return sql.OpenDB(cfg.Wrap(nativeConnector(t, ws.DSN("enableTelemetry=false"))))
		}},
		{"nobody listens", func(t *testing.T, ws *workspace.Workspace) *sql.DB {
			db, err := sql.Open(driverwrap.Name, ws.DSN("enableTelemetry=false"))
			require.NoError(t, err)
			return db
		}},
	}
}

// nativeConnector is what a DSN gives without us.
func nativeConnector(t *testing.T, dsn string) driver.Connector {
	plain, err := dbsql.NewConnector()
	require.NoError(t, err)
	c, err := plain.Driver().(driver.DriverContext).OpenConnector(dsn)
	require.NoError(t, err)
	return c
}

func options(ws *workspace.Workspace) []dbsql.ConnOption {
	return []dbsql.ConnOption{
		dbsql.WithServerHostname(strings.TrimSuffix(ws.URL(), ":"+strconv.Itoa(ws.Port()))),
		dbsql.WithPort(ws.Port()),
		dbsql.WithHTTPPath(ws.HTTPPath()),
		dbsql.WithAccessToken(ws.Token()),
	}
}
