package driverwrap

import (
	"context"
	"database/sql"
	"database/sql/driver"

	"github.com/databricks/databricks-sql-go/auth"
	"github.com/databricks/databricks-sql-go/auth/oauth/u2m"

	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/internal/settings"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Name is the name of the driver for sql.Open.
const Name = "databricks-telemetry"

func init() { Config{}.Register(Name) }

// Register makes a driver with this configuration available to sql.Open under a name. It
// panics, as sql.Register does, when the name is taken.
func (c Config) Register(name string) { sql.Register(name, &dsnDriver{config: c}) }

// OpenConnector is door 1 with this configuration, for sql.OpenDB: it checks the DSN of the
// native driver, to which the parameters of settings.Parameters may be added; nothing is
// dialed. A DSN the native driver refuses gives the native error; a parameter of ours that
// cannot be understood gives a *telemetry.ParameterError.
func (c Config) OpenConnector(dsn string) (driver.Connector, error) {
	return (&dsnDriver{config: c}).OpenConnector(dsn)
}

// dsnDriver is what sql.Register gets. It is immutable.
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
	dsn, ours := splitDSN(dsn)
	native, err := openNative(dsn)
	if err != nil {
		return nil, err
	}
	if err := misplaced(dsn); err != nil {
		return nil, err
	}
	environment := settings.Environ()
	resolved, err := settings.Resolve(d.config.Settings, ours, environment)
	if err != nil {
		return nil, err
	}
	c, err := native.connector(d.config, resolved)
	if err != nil {
		return nil, err
	}
	c.driver = d
	return c.through("sql.Open", settings.InForce(d.config.Settings, ours, environment)), nil
}

// checkedDSN is a DSN the native driver has accepted.
type checkedDSN struct {
	native      driver.DriverContext
	dsn         string
	parsed      parsedDSN
	plain       driver.Connector   // the native connector; nil when interactive
	interactive auth.Authenticator // the login in the browser; nil without one
}

func openNative(dsn string) (checkedDSN, error) {
	native, err := nativeDriver()
	if err != nil {
		return checkedDSN{}, err
	}
	parsed, ok := parseDSN(dsn)
	c := checkedDSN{native: native, dsn: dsn, parsed: parsed}
	if ok && parsed.interactive() {
		if c.interactive, err = u2m.NewAuthenticator(parsed.url.Hostname(), 0); err != nil {
			return checkedDSN{}, err
		}
		_, err = native.OpenConnector(parsed.withToken())
		return c, err
	}
	c.plain, err = native.OpenConnector(dsn)
	return c, err
}

// connector rebuilds the DSN through public options, which opens door 2; where that is not
// possible the native connector goes through door 3.
func (c checkedDSN) connector(config Config, settings telemetry.Settings) (*connector, error) {
	if opts, ok := c.parsed.options(c.interactive); ok {
		return config.open(settings, opts)
	}
	plain := c.plain
	if plain == nil || settings.Enabled == telemetry.SwitchOff {
		dsn := c.dsn
		if settings.Enabled == telemetry.SwitchOff {
			dsn = addParameter(dsn, "enableTelemetry=false") // ours was taken out, theirs must stay
		}
		var err error
		if plain, err = c.native.OpenConnector(dsn); err != nil {
			return nil, err
		}
	}
	w := config.wrap(settings, plain)
	w.server = (&export.Connection{Scheme: c.parsed.url.Scheme, Host: c.parsed.url.Hostname(), Port: c.parsed.port}).Server()
	return w, nil
}
