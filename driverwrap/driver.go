package driverwrap

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strconv"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/databricks/databricks-sql-go/auth"
	"github.com/databricks/databricks-sql-go/auth/oauth/u2m"

	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/internal/history"
	"github.com/seed-01322ee7/databricks-telemetry/internal/settings"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Name is the name of the driver for sql.Open.
const Name = "databricks-telemetry"

func init() {
	// telemetry.Shutdown ends reporting for good, also before the first connector.
	export.Of(&telemetry.Default)
	history.Of(&telemetry.Default)
	Config{}.Register(Name)
}

// Register makes a driver with this configuration available to sql.Open under a name. It
// panics, as sql.Register does, when the name is taken.
func (c Config) Register(name string) { sql.Register(name, &dsnDriver{config: c}) }

// OpenConnector returns a connector for sql.OpenDB, as sql.Open would make it with this configuration. The
// DSN is one of the native driver, and may have the parameters of docs/CONFIGURATION.md, too.
// OpenConnector makes no network connection, unless the DSN asks for a login in the browser: then the
// native driver looks up the endpoints of the login. A DSN that the native driver refuses gives the native
// error. An invalid parameter, environment variable or field of Settings gives a
// *telemetry.ParameterError. Use the connector for one sql.DB only: closing that sql.DB ends reporting to
// Databricks.
func (c Config) OpenConnector(dsn string) (driver.Connector, error) {
	return (&dsnDriver{config: c}).OpenConnector(dsn)
}

// dsnDriver is the driver for sql.Register. It is immutable.
type dsnDriver struct{ config Config }

var (
	_ driver.Driver        = (*dsnDriver)(nil)
	_ driver.DriverContext = (*dsnDriver)(nil)
)

// Open opens one connection. database/sql uses OpenConnector instead.
func (d *dsnDriver) Open(dsn string) (driver.Conn, error) {
	c, err := d.OpenConnector(dsn)
	if err != nil {
		return nil, err
	}
	return c.Connect(context.Background())
}

func (d *dsnDriver) OpenConnector(dsn string) (driver.Connector, error) {
	nativeDSN, parameters := splitDSN(dsn)
	checked, err := checkDSN(nativeDSN)
	if err != nil {
		return nil, err
	}
	if err := misplaced(nativeDSN, parameters); err != nil {
		return nil, err
	}
	environment := settings.Environ()
	resolved, err := settings.Resolve(d.config.Settings, parameters, environment)
	if err != nil {
		return nil, err
	}
	c, err := checked.connector(d.config, resolved)
	if err != nil {
		return nil, err
	}
	c.driver = d
	return d.config.register(c, "sql.Open", settings.InForce(d.config.Settings, parameters, environment)), nil
}

// checkedDSN is a DSN the native driver has accepted.
type checkedDSN struct {
	driver        driver.DriverContext // the native one
	dsn           string
	parsed        parsedDSN
	native        driver.Connector   // nil when the DSN asks for a login in the browser
	authenticator auth.Authenticator // of the login in the browser; nil without one
}

// checkDSN lets the native driver check a DSN.
func checkDSN(dsn string) (checkedDSN, error) {
	native, err := nativeDriver()
	if err != nil {
		return checkedDSN{}, err
	}
	parsed, ok := parseDSN(dsn)
	c := checkedDSN{driver: native, dsn: dsn, parsed: parsed}
	if ok && parsed.interactive() {
		if c.authenticator, err = u2m.NewAuthenticator(parsed.url.Hostname(), 0); err != nil {
			return checkedDSN{}, err
		}
		_, err = native.OpenConnector(parsed.withToken())
		return c, err
	}
	c.native, err = native.OpenConnector(dsn)
	return c, err
}

// nativeDriver returns the driver that databricks-sql-go registers, without needing a DSN.
func nativeDriver() (driver.DriverContext, error) {
	c, err := dbsql.NewConnector()
	if err != nil {
		return nil, err
	}
	return c.Driver().(driver.DriverContext), nil
}

// connector rebuilds the DSN through public options, as for NewConnector. Where that is not
// possible, the native connector is wrapped as by Wrap.
func (c checkedDSN) connector(config Config, resolved telemetry.Settings) (*connector, error) {
	if opts, ok := c.parsed.options(c.authenticator); ok {
		return config.open(resolved, opts)
	}
	native, dsn := c.native, c.nativeDSN(resolved)
	if native == nil || dsn != c.dsn {
		var err error
		if native, err = c.driver.OpenConnector(dsn); err != nil {
			return nil, err
		}
	}
	w := config.wrap(resolved, native, export.Connection{})
	connection := export.Connection{Scheme: c.parsed.url.Scheme, Host: c.parsed.url.Hostname(), Port: c.parsed.port, HTTPPath: c.parsed.url.Path}
	w.server, w.warehouseID = connection.Server(), connection.WarehouseID()
	return w, nil
}

// nativeDSN returns the DSN for the native connector. The native driver may report then, so the DSN gets back the
// parameters that say whether it does. Off is always passed on. On is passed on to the kernel only, which does not
// report without it; on the Thrift backend it would override the server's flag.
func (c checkedDSN) nativeDSN(resolved telemetry.Settings) string {
	dsn := c.dsn
	switch {
	case resolved.Enabled == telemetry.SwitchOff:
		return addParameter(dsn, "enableTelemetry=false")
	case resolved.Enabled == telemetry.SwitchUnset || !c.parsed.kernel():
		return dsn
	}
	dsn = addParameter(dsn, "enableTelemetry=true")
	if n := resolved.BatchSize; n > 0 {
		dsn = addParameter(dsn, "telemetry_batch_size="+strconv.Itoa(n))
	}
	if d := resolved.FlushInterval; d > 0 {
		dsn = addParameter(dsn, "telemetry_flush_interval="+d.String())
	}
	return dsn
}
