package driverwrap

import (
	"context"
	"database/sql/driver"
	"log/slog"
	"net/http"
	"slices"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"

	"github.com/seed-01322ee7/databricks-telemetry/cloudfetch"
	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/internal/settings"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/logsink"
)

// Config configures the wrapped driver for all three doors. The zero value is ready: default
// settings, and records go to the sinks of telemetry.Default only.
type Config struct {
	// Settings are the settings that exist as DSN parameters and environment variables,
	// too. DSN over environment over these; off wins wherever it is said.
	Settings telemetry.Settings
	// Sinks receive the records of connectors made from this Config, next to those
	// attached to telemetry.Default. An *otelsink.Sink among them takes the place of
	// otelsink.Default.
	Sinks []telemetry.Sink
}

// NewConnector is door 2: dbsql.NewConnector with the same options, measured. The error is
// the native one, or a *telemetry.ParameterError for an environment variable that cannot be
// understood.
func NewConnector(opts ...dbsql.ConnOption) (driver.Connector, error) {
	return Config{}.NewConnector(opts...)
}

// Wrap is door 3: it measures a connector that exists already, whatever built it.
func Wrap(c driver.Connector) driver.Connector { return Config{}.Wrap(c) }

// NewConnector is door 2 with this configuration.
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
	return wrapped.through("NewConnector", settings.InForce(c.Settings, nil, environment)), nil
}

// Wrap is door 3 with this configuration. An environment variable that cannot be understood
// makes the first Connect fail with a *telemetry.ParameterError.
func (c Config) Wrap(inner driver.Connector) driver.Connector {
	environment := settings.Environ()
	resolved, err := settings.Resolve(c.Settings, nil, environment)
	wrapped := c.wrap(resolved, inner)
	wrapped.misconfigured = err
	return wrapped.through("Wrap", settings.InForce(c.Settings, nil, environment))
}

// open builds the native connector from options, with our transport under it, and notes
// the configuration they make.
func (c Config) open(settings telemetry.Settings, opts []dbsql.ConnOption) (*connector, error) {
	var (
		server string
		native telemetry.DriverConfig
		wire   *cloudfetch.Transport
		report *export.Handle
		to     export.Connection
		users  bool // the client for downloads is of the user's making
	)
	observe := withConfig(func(n nativeConfig) dbsql.ConnOption {
		native = n.snapshot()
		connection := n.connection(native)
		server = connection.Server()
		if !observable(n) {
			return nil
		}
		users = readConfig[*http.Client](n, "HTTPClient").Or(nil) != nil
		// Either we report for this connector or nobody does: the native telemetry is silent.
		to = connection
		report = export.Open(to, settings)
		wire = observer(n, report != nil || settings.Enabled == telemetry.SwitchOff)
		return dbsql.WithTransport(wire)
	})
	imitate := withConfig(func(n nativeConfig) dbsql.ConnOption {
		if wire != nil && !users {
			likeDefaultClient(n)
		}
		return nil
	})
	inner, err := dbsql.NewConnector(append(opts[:len(opts):len(opts)], observe, imitate)...)
	if err != nil {
		_ = report.Close(context.Background()) // nothing was recorded
		return nil, err
	}
	wrapped := c.wrap(settings, inner)
	wrapped.wire = wire
	wrapped.report, wrapped.to = report, to
	wrapped.server = server
	wrapped.native = native
	return wrapped, nil
}

func (c Config) wrap(settings telemetry.Settings, inner driver.Connector) *connector {
	settings = settings.WithDefaults()
	w := &connector{inner: inner, middle: intercept(inner), settings: settings}
	w.fanouts = []*telemetry.Fanout{&telemetry.Default.Fanout}
	if !slices.ContainsFunc(c.Sinks, isOpenTelemetry) {
		w.fanouts = append(w.fanouts, &openTelemetry)
	}
	sinks := c.Sinks
	var level slog.Level
	if level.UnmarshalText([]byte(settings.LogLevel)) == nil { // "off" is not a level
		sinks = append(sinks[:len(sinks):len(sinks)], logsink.New(nil, level, settings.SlowThreshold))
	}
	if len(sinks) > 0 {
		own := &telemetry.Fanout{QueueSize: settings.QueueSize}
		for _, s := range sinks {
			own.Attach(s)
		}
		w.fanouts = append(w.fanouts, own)
	}
	return w
}

// through says which door a connector came through and what its settings come from, and
// lists it among those of the process.
func (w *connector) through(door string, inForce []telemetry.SettingInForce) *connector {
	w.openedVia, w.inForce, w.created = door, inForce, time.Now()
	connectors.enter(w)
	return w
}
