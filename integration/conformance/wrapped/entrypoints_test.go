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

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/databricks/databricks-sql-go/logger"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/testenv"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestMain(m *testing.M) {
	testenv.Prepare()
	// The native driver logs every error it returns; the tests provoke many.
	if os.Getenv("PROCESS_DSN") == "" { // a child process logs
		logger.SetLogOutput(io.Discard)
		log.SetOutput(io.Discard)
	}
	os.Exit(m.Run())
}

// entryPoint is one way to open a database.
type entryPoint struct {
	name string
	open func(*testing.T, *workspace.Workspace) *sql.DB
}

// native is the native driver alone, its own telemetry off.
var native = entryPoint{"native", func(t *testing.T, ws *workspace.Workspace) *sql.DB {
	db, err := sql.Open("databricks", ws.DSN("enableTelemetry=false"))
	require.NoError(t, err)
	return db
}}

// entryPoints are those of the wrapped driver, each with a sink, and sql.Open without one.
func entryPoints(sink telemetry.Sink) []entryPoint {
	cfg := listening(sink)
	return []entryPoint{
		{"OpenConnector", func(t *testing.T, ws *workspace.Workspace) *sql.DB {
			c, err := cfg.OpenConnector(ws.DSN())
			require.NoError(t, err)
			return sql.OpenDB(c)
		}},
		{"NewConnector", func(t *testing.T, ws *workspace.Workspace) *sql.DB {
			c, err := cfg.NewConnector(options(ws)...)
			require.NoError(t, err)
			return sql.OpenDB(c)
		}},
		{"Wrap", func(t *testing.T, ws *workspace.Workspace) *sql.DB {
			return sql.OpenDB(cfg.Wrap(nativeConnector(t, ws.DSN("enableTelemetry=false"))))
		}},
		{"Open without a sink", func(t *testing.T, ws *workspace.Workspace) *sql.DB {
			db, err := sql.Open(driverwrap.Name, ws.DSN("enableTelemetry=false"))
			require.NoError(t, err)
			return db
		}},
	}
}

// nativeConnector is the native driver's connector for a DSN.
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
