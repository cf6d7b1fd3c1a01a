package soak

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"log"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

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
	logger.SetLogOutput(io.Discard)
	log.SetOutput(io.Discard)
	os.Exit(m.Run())
}

// entryPoint is one way to open a database. For the wrapped ones config names the sinks.
type entryPoint struct {
	name    string
	config  driverwrap.Config
	connect func(driverwrap.Config, *workspace.Workspace, []string) (driver.Connector, error)
}

// open opens the database of a workspace. Parameters (name=value) of this module are added to the DSN,
// if there is one.
func (e entryPoint) open(t testing.TB, ws *workspace.Workspace, params ...string) *sql.DB {
	t.Helper()
	c, err := e.connect(e.config, ws, params)
	require.NoError(t, err)
	return sql.OpenDB(c)
}

// with returns the entry point with one sink and no other.
func (e entryPoint) with(sink telemetry.Sink) entryPoint {
	e.config.Sinks = []telemetry.Sink{sink}
	return e
}

// native is the native driver alone, its own telemetry off.
var native = entryPoint{name: "native", connect: func(_ driverwrap.Config, ws *workspace.Workspace, _ []string) (driver.Connector, error) {
	return nativeConnector(ws.DSN("enableTelemetry=false"))
}}

// entryPoints are those of the wrapped driver, with a sink and without reports to Databricks.
func entryPoints(sink telemetry.Sink) []entryPoint {
	cfg := driverwrap.Config{Settings: telemetry.Settings{Enabled: telemetry.SwitchOff, CloseTimeout: 5 * time.Minute}}
	if sink != nil {
		cfg.Sinks = []telemetry.Sink{sink}
	}
	return []entryPoint{
		{"OpenConnector", cfg, func(cfg driverwrap.Config, ws *workspace.Workspace, params []string) (driver.Connector, error) {
			return cfg.OpenConnector(ws.DSN(params...))
		}},
		{"NewConnector", cfg, func(cfg driverwrap.Config, ws *workspace.Workspace, _ []string) (driver.Connector, error) {
			return cfg.NewConnector(options(ws)...)
		}},
		{"Wrap", cfg, func(cfg driverwrap.Config, ws *workspace.Workspace, _ []string) (driver.Connector, error) {
			c, err := nativeConnector(ws.DSN("enableTelemetry=false"))
			if err != nil {
				return nil, err
			}
			return cfg.Wrap(c), nil
		}},
	}
}

// nativeConnector is the native driver's connector for a DSN.
func nativeConnector(dsn string) (driver.Connector, error) {
	plain, err := dbsql.NewConnector()
	if err != nil {
		return nil, err
	}
	return plain.Driver().(driver.DriverContext).OpenConnector(dsn)
}

func options(ws *workspace.Workspace) []dbsql.ConnOption {
	return []dbsql.ConnOption{
		dbsql.WithServerHostname(strings.TrimSuffix(ws.URL(), ":"+strconv.Itoa(ws.Port()))),
		dbsql.WithPort(ws.Port()),
		dbsql.WithHTTPPath(ws.HTTPPath()),
		dbsql.WithAccessToken(ws.Token()),
	}
}

// shortWaits sets what the driver has no option for: the interval of its polling, and the time
// after which a request whose context is done ends.
func shortWaits() dbsql.ConnOption {
	return setting(dbsql.WithPort(0), map[string]any{"PollInterval": 10 * time.Millisecond, "ClientTimeout": 5 * time.Second})
}

func setting[C any, Option ~func(*C)](_ Option, fields map[string]any) Option {
	return func(c *C) {
		for name, value := range fields {
			reflect.ValueOf(c).Elem().FieldByName(name).Set(reflect.ValueOf(value))
		}
	}
}

// numbered is a query for that many rows, each with its own number.
func numbered(rows int) string {
	return fmt.Sprintf("SELECT id, concat('row number ', id) AS s FROM range(%d)", rows)
}
