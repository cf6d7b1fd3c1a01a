package otelsink

import (
	"net"
	"strconv"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// The attributes beyond the conventions.
const (
	sessionIDKey    = attribute.Key("databricks.session.id")
	statementIDKey  = attribute.Key("databricks.statement.id")
	preparedKey     = attribute.Key("databricks.prepared")
	outcomeKey      = attribute.Key("databricks.outcome")
	resultFormatKey = attribute.Key("databricks.result.format")
	resultCacheKey  = attribute.Key("databricks.result.cache")
	pollsKey        = attribute.Key("databricks.polls")
	rpcRetriesKey   = attribute.Key("databricks.rpc.retries")
	serverTimeKey   = attribute.Key("databricks.server.duration")
	rpcMethodKey    = attribute.Key("databricks.rpc.method")
	timePartKey     = attribute.Key("databricks.time.part")
	fileStateKey    = attribute.Key("databricks.file.state")
	closeReasonKey  = attribute.Key("databricks.pool.close.reason")
	dropReasonKey   = attribute.Key("databricks.drop.reason")
	placeKey        = attribute.Key("databricks.telemetry.place")
)

// httpsPort is the port that goes without saying.
const httpsPort = "443"

// target is a kind of call to one server.
type target struct {
	server string // host:port
	name   string // db.operation.name
}

// operation is what spans and measurements of one target share: it is made once for each.
type operation struct {
	target

	span       string                   // the name of a span that knows no better
	start      []trace.SpanStartOption  // of a span
	attributes []attribute.KeyValue     // of a measurement
	plain      metric.MeasurementOption // the same, ready to use
	with       sync.Map                 // label → metric.MeasurementOption
}

// operation returns the one of a target. There are as many as workspaces times a handful.
func (s *Sink) operation(server, name string) *operation {
	t := target{server, name}
	if o, ok := s.operations.Load(t); ok {
		return o.(*operation)
	}
	o, _ := s.operations.LoadOrStore(t, s.newOperation(t))
	return o.(*operation)
}

func (s *Sink) newOperation(t target) *operation {
	o := &operation{target: t, attributes: []attribute.KeyValue{semconv.DBSystemNameKey.String("databricks")}}
	if t.name != "" {
		o.attributes = append(o.attributes, semconv.DBOperationName(t.name))
	}
	address, port := splitServer(t.server)
	o.attributes = append(o.attributes, serverAttributes(address, port)...)
	o.attributes = append(o.attributes, s.attributes...)
	o.attributes = o.attributes[:len(o.attributes):len(o.attributes)]
	o.plain = metric.WithAttributes(o.attributes...)
	o.start = []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(o.attributes...)}
	o.start = o.start[:len(o.start):len(o.start)]
	o.span = spanName(t.name, address, port)
	return o
}

// spanName is operation and server, as the conventions have it where nothing is known of a
// table.
func spanName(operation, address, port string) string {
	if port != "" {
		address = net.JoinHostPort(address, port)
	}
	switch {
	case operation == "" && address == "":
		return "databricks"
	case operation == "":
		return address
	case address == "":
		return operation
	}
	return operation + " " + address
}

// splitServer takes host:port apart. The port is empty where it goes without saying.
func splitServer(server string) (address, port string) {
	address, port, err := net.SplitHostPort(server)
	if err != nil {
		return server, ""
	}
	if port == httpsPort {
		port = ""
	}
	return address, port
}

func serverAttributes(address, port string) (attributes []attribute.KeyValue) {
	if address != "" {
		attributes = append(attributes, semconv.ServerAddress(address))
	}
	if n, err := strconv.Atoi(port); err == nil {
		attributes = append(attributes, semconv.ServerPort(n))
	}
	return attributes
}

// label is an attribute of few values, such as a part of the time.
type label struct {
	key   attribute.Key
	value string
}

// and is the operation's measurements with one more attribute, made once for each value.
func (o *operation) and(key attribute.Key, value string) metric.MeasurementOption {
	if m, ok := o.with.Load(label{key, value}); ok {
		return m.(metric.MeasurementOption)
	}
	m := metric.WithAttributes(append(o.attributes, key.String(value))...)
	o.with.Store(label{key, value}, m)
	return m
}

// failed is the operation's measurements with what went wrong; nothing did for nil.
func (o *operation) failed(f *telemetry.Failure) metric.MeasurementOption {
	if f == nil {
		return o.plain
	}
	return metric.WithAttributes(append(o.attributes, failureAttributes(f)...)...)
}

// failureAttributes are those of the conventions: error.type is the SQLSTATE where there is
// one, and the category otherwise.
func failureAttributes(f *telemetry.Failure) []attribute.KeyValue {
	if f == nil {
		return nil
	}
	if f.SQLState == "" {
		return []attribute.KeyValue{semconv.ErrorTypeKey.String(string(f.Category))}
	}
	return []attribute.KeyValue{semconv.ErrorTypeKey.String(f.SQLState), semconv.DBResponseStatusCode(f.SQLState)}
}

// operationName is db.operation.name of a statement.
func operationName(kind telemetry.Kind, internal bool) string {
	if internal {
		return "PING" // the driver runs no other
	}
	return string(kind)
}

// createSession is db.operation.name of opening a connection.
const createSession = "CREATE_SESSION"
