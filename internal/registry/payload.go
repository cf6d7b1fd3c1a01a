package registry

import (
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// The types below are what the payload to Databricks says besides the records: who sends,
// how the connection is configured, and what makes a record an event.

// Operation is what an event is about. The names are the service's own.
type Operation string

// The operations.
const (
	CreateSession    Operation = "CREATE_SESSION"
	DeleteSession    Operation = "DELETE_SESSION"
	ExecuteStatement Operation = "EXECUTE_STATEMENT"
	CloseStatement   Operation = "CLOSE_STATEMENT"
	CancelStatement  Operation = "CANCEL_STATEMENT"
)

// Event is the frame of one document of the payload.
type Event struct {
	// ID is a UUID of version 4, the same on every attempt to send the event.
	ID string
	// Operation is what the event is about.
	Operation Operation
	// WorkspaceID is the workspace's number where the record does not know it, but the
	// connection does; empty otherwise.
	WorkspaceID string
	// UserAgent names the driver and this wrapper, and the application as far as it named
	// itself in a way that can be shared.
	UserAgent string
}

// Connection is how a connection is configured, reduced to what may leave the process.
type Connection struct {
	// Driver is the native driver's configuration.
	Driver telemetry.DriverConfig
	// Port is the port of the workspace; 0 when unknown.
	Port int
	// HTTPPath is the kind of the path, without the id of what it leads to, such as
	// /sql/1.0/warehouses; empty when it is of no kind that is known.
	HTTPPath string
	// Proxy is true when the environment names a proxy for the workspace. Its address is
	// not kept.
	Proxy telemetry.Maybe[bool]
	// ProxyAuth is NONE or BASIC; empty without a proxy.
	ProxyAuth string
	// Application is the name the application gave itself in its user agent; empty when
	// there is none that can be shared.
	Application string
}

// Process describes the process the driver runs in.
type Process struct {
	RuntimeVersion string // of Go
	OSName         string // Linux, macOS, Windows, or as Go names it
	OSVersion      string // digits and dots; empty when unknown
	OSArch         string // as Go names it
	Locale         string // such as en_US; empty when the environment names none
}

// closeRPC and cancelRPC are the Thrift methods behind the events of the same meaning.
const (
	closeRPC  = "CloseOperation"
	cancelRPC = "CancelOperation"
)

// Closed returns the calls that closed the statement on the server, and whether there were
// any: the server closes by itself what it answers at once.
func Closed(s *telemetry.Statement) (telemetry.RPC, bool) { return find(s, closeRPC) }

// Canceled returns the calls that canceled the statement, and whether there were any.
func Canceled(s *telemetry.Statement) (telemetry.RPC, bool) { return find(s, cancelRPC) }

func find(s *telemetry.Statement, method string) (telemetry.RPC, bool) {
	for _, r := range s.RPCs {
		if r.Method == method {
			return r, r.Calls > 0
		}
	}
	return telemetry.RPC{}, false
}

// closingStarted is about when the rows were closed, which is the last that happens to a
// statement.
func closingStarted(s *telemetry.Statement) time.Time {
	return s.Started.Add(max(0, s.Total-s.Close.Or(0)))
}
