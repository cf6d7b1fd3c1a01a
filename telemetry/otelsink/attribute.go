package otelsink

import (
	"log/slog"
	"net"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// The attributes that are not in the conventions.
const (
	sessionIDKey     = attribute.Key("databricks.session.id")
	statementIDKey   = attribute.Key("databricks.statement.id")
	profileKey       = attribute.Key("databricks.statement.profile")
	warehouseIDKey   = attribute.Key("databricks.warehouse.id")
	correlationIDKey = attribute.Key("databricks.correlation.id")
	preparedKey      = attribute.Key("databricks.prepared")
	outcomeKey       = attribute.Key("databricks.outcome")
	resultFormatKey  = attribute.Key("databricks.result.format")
	resultCacheKey   = attribute.Key("databricks.result.cache")
	pollsKey         = attribute.Key("databricks.polls")
	rpcRetriesKey    = attribute.Key("databricks.rpc.retries")
	serverTimeKey    = attribute.Key("databricks.server.duration")
	rpcMethodKey     = attribute.Key("databricks.rpc.method")
	timePartKey      = attribute.Key("databricks.time.part")
	fileStateKey     = attribute.Key("databricks.file.state")
	closeReasonKey   = attribute.Key("databricks.pool.close.reason")
	dropReasonKey    = attribute.Key("databricks.drop.reason")
	placeKey         = attribute.Key("databricks.telemetry.place")
)

// queryTagPrefix precedes the key of a query tag.
const queryTagPrefix = "databricks.query_tag."

// createSession is the db.operation.name for opening a connection.
const createSession = "CREATE_SESSION"

// operationName returns the db.operation.name of a statement.
func operationName(kind telemetry.Kind, internal bool) string {
	if internal {
		return "PING" // the only statement the driver runs by itself
	}
	return string(kind)
}

// appendText appends an attribute whose value is known. Inlined, it would make every program 3 KB larger.
//
//go:noinline
func appendText(attributes []attribute.KeyValue, key attribute.Key, value string) []attribute.KeyValue {
	if value == "" {
		return attributes
	}
	return append(attributes, key.String(value))
}

// system returns the attribute of everything that concerns a server.
func system() attribute.KeyValue { return semconv.DBSystemNameKey.String("databricks") }

// serverAttributes returns the attributes of an address and a port that splitServer returned.
func serverAttributes(address, port string) (attributes []attribute.KeyValue) {
	if address != "" {
		attributes = append(attributes, semconv.ServerAddress(address))
	}
	if n, err := strconv.Atoi(port); err == nil {
		attributes = append(attributes, semconv.ServerPort(n))
	}
	return attributes
}

// splitServer splits host:port. The port is empty if it is the default of HTTPS.
func splitServer(server string) (address, port string) {
	address, port, err := net.SplitHostPort(server)
	if err != nil {
		return server, ""
	}
	if port == "443" {
		port = ""
	}
	return address, port
}

// ownAttributes returns the application's attributes. telemetry.WithAttributes has reduced their
// values to four kinds.
func ownAttributes(own []slog.Attr) []attribute.KeyValue {
	attributes := make([]attribute.KeyValue, len(own))
	for i, a := range own {
		switch key := attribute.Key(a.Key); a.Value.Kind() {
		case slog.KindBool:
			attributes[i] = key.Bool(a.Value.Bool())
		case slog.KindInt64:
			attributes[i] = key.Int64(a.Value.Int64())
		case slog.KindFloat64:
			attributes[i] = key.Float64(a.Value.Float64())
		default:
			attributes[i] = key.String(a.Value.String())
		}
	}
	return attributes
}

// failureAttributes returns the attributes of a failure that the conventions ask for, and none for
// nil.
func failureAttributes(f *telemetry.Failure) []attribute.KeyValue {
	if f == nil {
		return nil
	}
	attributes := []attribute.KeyValue{semconv.ErrorTypeKey.String(errorType(f))}
	if f.SQLState != "" {
		attributes = append(attributes, semconv.DBResponseStatusCode(f.SQLState))
	}
	return attributes
}

// errorType returns error.type: the SQLSTATE if that is one of an error, and the category otherwise.
func errorType(f *telemetry.Failure) string {
	switch f.SQLState[:min(2, len(f.SQLState))] {
	case "", "00", "01", "02": // success, warning, no data
		return string(f.Category)
	}
	return f.SQLState
}
