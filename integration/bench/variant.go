package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/XSAM/otelsql"
	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/ngrok/sqlmw"
	"go.opentelemetry.io/otel/attribute"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/otelsink"
)

// variant is one way to open the same database. A client process knows only one.
type variant struct {
	name string
	// start is called once, before anything is opened; nil is nothing to do.
	start func() error
	// open takes a DSN, as an application does.
	open func(dsn string) (*sql.DB, error)
	// options takes the options of dbsql.NewConnector, not all of which a DSN can express.
	options func([]dbsql.ConnOption) (*sql.DB, error)
	// flush sends everything that is queued; nil for variants that cannot flush.
	flush func(context.Context)
	// telemetry is the value of the server's flag if there is no server, see canned.go.
	telemetry bool
	// profiled reports whether its time is profiled.
	profiled bool
}

// variants are all variants; the first is the one with which the others are compared.
var variants = []variant{
	{name: "native", open: openNative, options: openOptions, profiled: true},
	{name: "native-again", open: openNative, options: openOptions},
	{name: "native-telemetry", open: openNativeReporting, options: openOptions, telemetry: true},
	{name: "sqlmw", open: openIntercepted, options: openInterceptedOptions, profiled: true},
	{name: "otelsql", start: startOpenTelemetry, open: openOtelsql, options: openOtelsqlOptions, flush: flushOpenTelemetry, profiled: true},
	withProfile(ours("ours", driverwrap.Config{})),
	withPage(ours("ours-page", driverwrap.Config{})),
	withOpenTelemetry(ours("ours-otel", driverwrap.Config{})),
	withProfile(ours("ours-local", driverwrap.Config{Settings: telemetry.Settings{Enabled: telemetry.SwitchOff}, Sinks: []telemetry.Sink{discard{}}})),
	ours("ours-off", driverwrap.Config{Settings: telemetry.Settings{Enabled: telemetry.SwitchOff}}),
}

func variantNamed(name string) (variant, error) {
	for _, v := range variants {
		if v.name == name {
			return v, nil
		}
	}
	return variant{}, fmt.Errorf("there is no variant %q", name)
}

func openNative(dsn string) (*sql.DB, error) {
	return sql.Open("databricks", withParams(dsn, "enableTelemetry=false"))
}

func openOptions(options []dbsql.ConnOption) (*sql.DB, error) {
	c, err := dbsql.NewConnector(options...)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(c), nil
}

// openNativeReporting lets the server's flag decide, as users do. The driver uses port 443 of the
// host for the service, whatever the port of the DSN; requests to it are sent to the workspace
// instead.
func openNativeReporting(dsn string) (*sql.DB, error) {
	options, err := optionsOf(dsn)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, err
	}
	pool := http.DefaultTransport.(*http.Transport).Clone()
	pool.MaxIdleConnsPerHost, pool.MaxConnsPerHost = 10, 100 // as the driver's own
	return openOptions(append(options, dbsql.WithTransport(homing{home: u.Host, pool: pool})))
}

// homing sends requests for port 443 to the workspace instead.
type homing struct {
	home string
	pool *http.Transport
}

func (h homing) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Port() == "" {
		req = req.Clone(req.Context())
		req.URL.Scheme, req.URL.Host = "http", h.home
	}
	return h.pool.RoundTrip(req)
}

// What a user of otelsql would write, with the attribute it recommends.
var otelsqlOptions = []otelsql.Option{otelsql.WithAttributes(attribute.String("db.system.name", "databricks"))}

func openOtelsql(dsn string) (*sql.DB, error) {
	return otelsql.Open("databricks", withParams(dsn, "enableTelemetry=false"), otelsqlOptions...)
}

func openOtelsqlOptions(options []dbsql.ConnOption) (*sql.DB, error) {
	c, err := dbsql.NewConnector(options...)
	if err != nil {
		return nil, err
	}
	return otelsql.OpenDB(c, otelsqlOptions...), nil
}

// openIntercepted is the native driver in sqlmw with hooks that do nothing: the least that an
// interception through it costs.
func openIntercepted(dsn string) (*sql.DB, error) {
	db, err := openNative(dsn)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	c, err := db.Driver().(driver.DriverContext).OpenConnector(withParams(dsn, "enableTelemetry=false"))
	if err != nil {
		return nil, err
	}
	return intercept(c)
}

func openInterceptedOptions(options []dbsql.ConnOption) (*sql.DB, error) {
	c, err := dbsql.NewConnector(options...)
	if err != nil {
		return nil, err
	}
	return intercept(c)
}

func intercept(c driver.Connector) (*sql.DB, error) {
	c, err := sqlmw.Driver(alone{c}, sqlmw.NullInterceptor{}).(driver.DriverContext).OpenConnector("")
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(c), nil
}

// alone is a driver with one connector.
type alone struct{ driver.Connector }

func (a alone) Open(string) (driver.Conn, error)               { return a.Connect(context.Background()) }
func (a alone) OpenConnector(string) (driver.Connector, error) { return a.Connector, nil }

// withProfile marks a variant to be profiled.
func withProfile(v variant) variant {
	v.profiled = true
	return v
}

// ours is the wrapped driver, opened from the same DSN or options.
func ours(name string, config driverwrap.Config) variant {
	return variant{
		name:  name,
		start: func() error { withoutPage(); return nil },
		open: func(dsn string) (*sql.DB, error) {
			c, err := config.OpenConnector(dsn)
			if err != nil {
				return nil, err
			}
			return sql.OpenDB(c), nil
		},
		options: func(options []dbsql.ConnOption) (*sql.DB, error) {
			c, err := config.NewConnector(options...)
			if err != nil {
				return nil, err
			}
			return sql.OpenDB(c), nil
		},
		flush: func(ctx context.Context) {
			_ = export.Of(&telemetry.Default).Flush(ctx)
			_ = telemetry.Default.Flush(ctx)
		},
		telemetry: true,
	}
}

// discard is a sink that receives records and keeps none.
type discard struct{}

func (discard) StatementFinished(*telemetry.Statement) {}

// withOpenTelemetry records the wrapped driver with the same providers as otelsql.
func withOpenTelemetry(v variant) variant {
	flush := v.flush
	v.start = func() error {
		withoutPage()
		telemetry.Attach(otelsink.New())
		return startOpenTelemetry() // as in a service that wants spans
	}
	v.flush = func(ctx context.Context) { flush(ctx); flushOpenTelemetry(ctx) }
	return v
}

// withParams adds parameters to a DSN.
func withParams(dsn string, params ...string) string {
	separator := "?"
	if strings.Contains(dsn, "?") {
		separator = "&"
	}
	return dsn + separator + strings.Join(params, "&")
}

// optionsOf returns options with the meaning of a workspace's DSN.
func optionsOf(dsn string) ([]dbsql.ConnOption, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		return nil, err
	}
	token, _ := u.User.Password()
	return []dbsql.ConnOption{
		dbsql.WithServerHostname(u.Scheme + "://" + u.Hostname()),
		dbsql.WithPort(port),
		dbsql.WithHTTPPath(u.Path),
		dbsql.WithAccessToken(token),
		dbsql.WithCloudFetch(u.Query().Get("useCloudFetch") != "false"),
	}, nil
}
