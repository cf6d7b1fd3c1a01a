package driverwrap

import (
	"crypto/tls"
	"net/http"
	"reflect"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/databricks/databricks-sql-go/auth/pat"

	"github.com/seed-01322ee7/databricks-telemetry/cloudfetch"
	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// nativePackage is the import path of the native driver.
const nativePackage = "github.com/databricks/databricks-sql-go"

// withConfig returns an option that passes the configuration made by the options before it to decide,
// and applies the option that decide returns, unless that is nil.
func withConfig(decide func(nativeConfig) dbsql.ConnOption) dbsql.ConnOption {
	return optionLike(dbsql.WithPort(0), decide)
}

// optionLike lets the compiler infer the configuration type C from an existing option.
func optionLike[C any, Option ~func(*C)](_ Option, decide func(nativeConfig) Option) Option {
	return func(c *C) {
		if more := decide(nativeConfig{reflect.ValueOf(c).Elem()}); more != nil {
			more(c)
		}
	}
}

// nativeConfig is the native driver's configuration, seen through reflection on exported
// fields only: its type cannot be named from outside. A field that a driver version does
// not have reads as unknown.
type nativeConfig struct{ v reflect.Value }

// snapshot copies the fields that explain how a connection behaves and that identify no user.
func (c nativeConfig) snapshot() telemetry.DriverConfig {
	s := telemetry.DriverConfig{
		Version:         dbsql.DriverVersion,
		CloudFetch:      readConfig[bool](c, "UseCloudFetch"),
		Arrow:           readConfig[bool](c, "UseArrowBatches"),
		LZ4:             readConfig[bool](c, "UseLz4Compression"),
		MaxRows:         c.int("MaxRows"),
		DownloadThreads: c.int("MaxDownloadThreads"),
		QueryTimeout:    c.queryTimeout(),
		PollInterval:    readConfig[time.Duration](c, "PollInterval"),
		ClientTimeout:   readConfig[time.Duration](c, "ClientTimeout"),
		RetryMax:        c.int("RetryMax"),

		DirectResults:      telemetry.Known(true), // the driver always asks for them
		MetricViewMetadata: readConfig[bool](c, "EnableMetricViewMetadata"),
		PoolSize:           c.poolSize(),
	}
	if a := readConfig[export.Authenticator](c, "Authenticator").Or(nil); a != nil {
		s.AuthMech, s.AuthFlow = authOf(a)
	}
	return s
}

// queryTimeout returns the limit that the driver sends to the server, in whole seconds.
func (c nativeConfig) queryTimeout() telemetry.Maybe[time.Duration] {
	if d, ok := readConfig[time.Duration](c, "QueryTimeout").Get(); ok {
		return telemetry.Known(d.Truncate(time.Second))
	}
	return telemetry.Maybe[time.Duration]{}
}

// poolSize returns the largest number of connections to the workspace: the limit of the driver's own
// transport, or of an *http.Transport that the user supplied and limited.
func (c nativeConfig) poolSize() telemetry.Maybe[int64] {
	rt := readConfig[http.RoundTripper](c, "Transport").Or(nil)
	if rt == nil {
		rt = cloudfetch.NewBase(nil).Workspace
	}
	if t, ok := rt.(*http.Transport); ok && t != nil && t.MaxConnsPerHost > 0 && observable(c) {
		return telemetry.Known(int64(t.MaxConnsPerHost))
	}
	return telemetry.Maybe[int64]{}
}

// connection returns what reporting to Databricks needs: the address, the authenticator, and the
// snapshot of the driver's configuration.
func (c nativeConfig) connection(snapshot telemetry.DriverConfig) export.Connection {
	to := export.Connection{
		Scheme:         readConfig[string](c, "Protocol").Or(""),
		Host:           readConfig[string](c, "Host").Or(""),
		Port:           readConfig[int](c, "Port").Or(0),
		HTTPPath:       readConfig[string](c, "HTTPPath").Or(""),
		UserAgentEntry: readConfig[string](c, "UserAgentEntry").Or(""),
		Authenticator:  readConfig[export.Authenticator](c, "Authenticator").Or(nil),
		Driver:         snapshot,
	}
	if token, ok := to.Authenticator.(*pat.PATAuth); ok && token != nil {
		to.Credential = export.Fingerprint(token.AccessToken)
	}
	// A transport that the user supplied, with a proxy, a CA or mTLS, may be the only way to the
	// workspace.
	to.Transport = readConfig[http.RoundTripper](c, "Transport").Or(nil)
	if t := readConfig[*tls.Config](c, "TLSConfig").Or(nil); t != nil && t.InsecureSkipVerify {
		to.TLS = t // WithSkipTLSHostVerify
	}
	return to
}

// authOf names the authentication by the package that implements it; the authenticator
// itself is not touched.
func authOf(authenticator any) (mech, flow string) {
	t := reflect.TypeOf(authenticator)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.PkgPath() {
	case nativePackage + "/auth/pat":
		return "PAT", "TOKEN_PASSTHROUGH"
	case nativePackage + "/auth/oauth/m2m":
		return "OAUTH", "CLIENT_CREDENTIALS"
	case nativePackage + "/auth/oauth/u2m":
		return "OAUTH", "BROWSER_BASED_AUTHENTICATION"
	}
	return "OTHER", ""
}

func readConfig[T any](c nativeConfig, name string) telemetry.Maybe[T] {
	if f := c.v.FieldByName(name); f.IsValid() && f.CanInterface() {
		if v, ok := f.Interface().(T); ok {
			return telemetry.Known(v)
		}
	}
	return telemetry.Maybe[T]{}
}

func (c nativeConfig) int(name string) telemetry.Maybe[int64] {
	if n, ok := readConfig[int](c, name).Get(); ok {
		return telemetry.Known(int64(n))
	}
	return telemetry.Maybe[int64]{}
}

// configType is the type of the native configuration, found without a value of that type.
var configType = reflect.TypeFor[dbsql.ConnOption]().In(0).Elem()

// driverKnows reports whether this version of the driver has the configuration field.
func driverKnows(field string) bool {
	_, ok := configType.FieldByName(field)
	return ok
}
