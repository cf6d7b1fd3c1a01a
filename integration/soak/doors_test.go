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

	arrowtype "github.com/apache/arrow/go/v12/arrow"
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
	_, _ = arrowtype.FixedWidthTypes.Timestamp_us.(*arrowtype.TimestampType).GetZone()
	// The native driver logs every error it returns; the tests provoke many.
	logger.SetLogOutput(io.Discard)
	log.SetOutput(io.Discard)
	os.Exit(m.Run())
}

// door is one way to a database. Behind the wrapped ones the config says who listens.
type door struct {
	name    string
	config  driverwrap.Config
	connect func(driverwrap.Config, *workspace.Workspace, []string) (driver.Connector, error)
}

// open opens the database of a workspace, with parameters of ours (name=value), where there
// is a DSN to take them.
func (d door) open(t testing.TB, ws *workspace.Workspace, params ...string) *sql.DB {
	t.Helper()
	c, err := d.connect(d.config, ws, params)
	require.NoError(t, err)
	return sql.OpenDB(c)
}

// with returns the door with a sink and nothing else behind it.
func (d door) with(sink telemetry.Sink) door {
	d.config.Sinks = []telemetry.Sink{sink}
	return d
}

// bare is the driver without us, its own telemetry off.
var bare = door{name: "bare", connect: func(_ driverwrap.Config, ws *workspace.Workspace, _ []string) (driver.Connector, error) {
	return native(ws.DSN("enableTelemetry=false"))
}}

// doors are the ways in through us, with a sink and without reports to Databricks.
func doors(sink telemetry.Sink) []door {
	cfg := driverwrap.Config{Settings: telemetry.Settings{Enabled: telemetry.SwitchOff, CloseTimeout: 5 * time.Minute}}
	if sink != nil {
		cfg.Sinks = []telemetry.Sink{sink}
	}
	return []door{
		{"dsn", cfg, func(cfg driverwrap.Config, ws *workspace.Workspace, params []string) (driver.Connector, error) {
			return cfg.OpenConnector(ws.DSN(params...))
		}},
		{"options", cfg, func(cfg driverwrap.Config, ws *workspace.Workspace, _ []string) (driver.Connector, error) {
			return cfg.NewConnector(options(ws)...)
		}},
		{"wrap", cfg, func(cfg driverwrap.Config, ws *workspace.Workspace, _ []string) (driver.Connector, error) {
			c, err := native(ws.DSN("enableTelemetry=false"))
			if err != nil {
				return nil, err
			}
			return cfg.Wrap(c), nil
		}},
	}
}

// native is what a DSN gives without us.
func native(dsn string) (driver.Connector, error) {
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

// hurried changes what the driver has no option for: how often it polls, and for how long a
// request that was given up lives on.
func hurried() dbsql.ConnOption {
	return setting(dbsql.WithPort(0), map[string]any{"PollInterval": 10 * time.Millisecond, "ClientTimeout": 5 * time.Second})
}

func setting[C any, Option ~func(*C)](_ Option, fields map[string]any) Option {
	return func(c *C) {
		for name, value := range fields {
			reflect.ValueOf(c).Elem().FieldByName(name).Set(reflect.ValueOf(value))
		}
	}
}

// numbered is a query for so many rows that tell their place.
func numbered(rows int) string {
	return fmt.Sprintf("SELECT id, concat('row number ', id) AS s FROM range(%d)", rows)
}
