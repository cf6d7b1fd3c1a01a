package driverwrap

import (
	"cmp"
	"context"
	"database/sql/driver"
	"log/slog"
	"net/http"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"

	"github.com/seed-01322ee7/databricks-telemetry/cloudfetch"
	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/internal/history"
	"github.com/seed-01322ee7/databricks-telemetry/internal/settings"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/logsink"
)

// Config configures the wrapped driver for all entry points. The zero value is ready to use: it has
// the default settings, and local records go only to the sinks attached to telemetry.Default.
type Config struct {
	// Settings can also be set by DSN parameters and environment variables. The DSN takes precedence
	// over the environment, and the environment over this field; telemetry that any of them turns off
	// is off.
	Settings telemetry.Settings
	// Sinks receive the records of connectors made from this Config, in addition to the sinks attached
	// to telemetry.Default. A sink that is in both receives each record twice. Closing the sql.DB waits
	// up to Settings.CloseTimeout for these sinks to receive what was recorded; it does not close them.
	Sinks []telemetry.Sink

	process *telemetry.Process // what connectors share; nil is telemetry.Default, tests have others
}

// processOrDefault returns the process of the connectors made from this Config.
func (c Config) processOrDefault() *telemetry.Process { return cmp.Or(c.process, &telemetry.Default) }

// NewConnector is like dbsql.NewConnector, with the same options, but the connector is measured. Use
// the connector for one sql.DB only: closing that sql.DB ends reporting to Databricks. The error is
// the native one, or a *telemetry.ParameterError for an environment variable with an invalid name or
// value.
func NewConnector(opts ...dbsql.ConnOption) (driver.Connector, error) {
	return Config{}.NewConnector(opts...)
}

// Wrap returns a measured connector around an existing one. Do not pass it a connector of this package,
// whose statements would be recorded twice. Use the connector for one sql.DB only, like that of
// NewConnector. An environment variable with an invalid name or value makes each Connect fail with a
// *telemetry.ParameterError.
func Wrap(c driver.Connector) driver.Connector { return Config{}.Wrap(c) }

// NewConnector is the function NewConnector with this configuration. An invalid field of Settings
// also gives a *telemetry.ParameterError.
func (c Config) NewConnector(opts ...dbsql.ConnOption) (driver.Connector, error) {
	environment := settings.Environ()
	resolved, err := settings.Resolve(c.Settings, nil, environment)
	if err != nil {
		return nil, err
	}
	wrapped, err := c.open(resolved, opts)
	if err != nil {
		return nil, err
	}
	return c.register(wrapped, "NewConnector", settings.InForce(c.Settings, nil, environment)), nil
}

// Wrap is the function Wrap with this configuration. An invalid field of Settings also makes each
// Connect fail.
func (c Config) Wrap(native driver.Connector) driver.Connector {
	environment := settings.Environ()
	resolved, err := settings.Resolve(c.Settings, nil, environment)
	wrapped := c.wrap(resolved, native, export.Connection{})
	wrapped.misconfigured = err
	return c.register(wrapped, "Wrap", settings.InForce(c.Settings, nil, environment))
}

// open builds the native connector from options, with a transport of package cloudfetch under it, and
// keeps the configuration that the options produce.
func (c Config) open(resolved telemetry.Settings, opts []dbsql.ConnOption) (*connector, error) {
	var (
		driverConfig telemetry.DriverConfig
		connection   export.Connection
		report       *export.Handle
		wire         *cloudfetch.Transport
		userClient   bool // the user supplied the client for downloads
	)
	observe := withConfig(func(n nativeConfig) dbsql.ConnOption {
		driverConfig = n.snapshot()
		connection = n.connection(driverConfig)
		if !observable(n) {
			return nil
		}
		userClient = readConfig[*http.Client](n, "HTTPClient").Or(nil) != nil
		report = export.Of(c.processOrDefault()).Open(connection, resolved)
		wire = observer(n, &connectorsOf(c.processOrDefault()).wire)
		wire.PollInterval = driverConfig.PollInterval.Or(0)
		wire.RetryWaitMin = readConfig[time.Duration](n, "RetryWaitMin").Or(0)
		wire.RetryWaitMax = readConfig[time.Duration](n, "RetryWaitMax").Or(0)
		return dbsql.WithTransport(wire)
	})
	downloads := withConfig(func(n nativeConfig) dbsql.ConnOption {
		if wire != nil {
			observeDownloads(n, wire, userClient)
		}
		return nil
	})
	native, err := dbsql.NewConnector(append(opts[:len(opts):len(opts)], observe, downloads)...)
	if err != nil {
		_ = report.Close(context.Background()) // nothing was recorded
		return nil, err
	}
	server, warehouseID := connection.Server(), connection.WarehouseID()
	if wire == nil {
		connection = export.Connection{} // nothing is reported, and no statement has an id to ask about
	}
	wrapped := c.wrap(resolved, native, connection)
	wrapped.wire, wrapped.report, wrapped.driverConfig = wire, report, driverConfig
	wrapped.server, wrapped.warehouseID = server, warehouseID
	return wrapped, nil
}

// wrap makes a connector that neither reads the wire nor reports to Databricks. connection is used to ask
// the query history. If it is the zero value, nothing is asked, and the statements that should have been are
// counted.
func (c Config) wrap(resolved telemetry.Settings, native driver.Connector, connection export.Connection) *connector {
	resolved = resolved.WithDefaults()
	w := &connector{native: native, recorder: recorder{settings: resolved}}
	if resolved.TraceTags {
		w.sessionTags = sessionTagsOf(native)
	}
	w.fanouts = []*telemetry.Fanout{&c.processOrDefault().Fanout}
	sinks := c.Sinks
	var level slog.Level
	if level.UnmarshalText([]byte(resolved.LogLevel)) == nil { // "off" is not a level
		sinks = append(sinks[:len(sinks):len(sinks)], logsink.New(nil, level, resolved.SlowThreshold))
	}
	if len(sinks) > 0 {
		own := &telemetry.Fanout{QueueSize: resolved.QueueSize}
		for _, s := range sinks {
			own.Attach(s)
		}
		w.fanouts, w.ownSinks = append(w.fanouts, own), own
	}
	w.reportTo, w.history = &connection, history.Of(c.processOrDefault()).Open(connection, resolved, w.fanouts)
	return w
}

// register records the entry point that a connector was opened through and where its settings come
// from, and adds it to the connectors of the process.
func (c Config) register(made *connector, openedVia string, inForce []telemetry.SettingInForce) *connector {
	made.openedVia, made.inForce, made.created = openedVia, inForce, time.Now()
	connectorsOf(c.processOrDefault()).add(made)
	return made
}
