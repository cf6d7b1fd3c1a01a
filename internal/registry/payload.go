package registry

import "github.com/seed-01322ee7/databricks-telemetry/telemetry"

// Payload says where a field goes in the payload to Databricks. The zero value means that the field
// is not sent. The service accepts only the paths that it knows.
type Payload struct {
	// Path is the keys that lead to the value, joined by dots.
	Path string
	// Type is how the value is written there.
	Type PayloadType
	// Enum lists the names that the service knows, for TypeEnum. Any other value is left out.
	Enum []string
	// Anonymous is true if the field may be part of an event that is sent without authentication,
	// because the connection failed before it was authenticated.
	Anonymous bool
}

// PayloadType is how a value is written in the payload.
type PayloadType string

// The types of values. A value that does not fit its type is left out.
const (
	TypeString  PayloadType = "string"
	TypeUUID    PayloadType = "uuid"    // a string of 36 characters, 8-4-4-4-12 hexadecimal digits
	TypeEnum    PayloadType = "enum"    // a string from Payload.Enum
	TypeVersion PayloadType = "version" // a string of two or three numbers, with a tag such as rc1
	TypeBool    PayloadType = "bool"
	TypeInt32   PayloadType = "int32"   // durations in milliseconds
	TypeInt64   PayloadType = "int64"   // durations in milliseconds, times in milliseconds since 1970
	TypeSeconds PayloadType = "seconds" // a duration, int64
)

// The objects of a document, and the time of its event.
const (
	timestamp = "context.client_context.timestamp_millis"
	driverLog = "entry.sql_driver_log."
	system    = driverLog + "system_configuration."
	params    = driverLog + "driver_connection_params."
	operation = driverLog + "sql_operation."
	chunks    = operation + "chunk_details."
	detail    = operation + "operation_detail."
)

// Categories lists every telemetry.Category. The payload and the driver's own declarations are
// checked against this list.
var Categories = []telemetry.Category{
	telemetry.CategoryTimeout, telemetry.CategoryCanceled, telemetry.CategoryConnection, telemetry.CategoryAuth,
	telemetry.CategoryPermission, telemetry.CategoryNotFound, telemetry.CategorySyntax, telemetry.CategoryInvalidRequest,
	telemetry.CategoryChunkDownload, telemetry.CategoryDecompression, telemetry.CategoryArrowSchema,
	telemetry.CategoryResultSet, telemetry.CategoryUnsupported, telemetry.CategoryRateLimit, telemetry.CategoryTLS,
	telemetry.CategoryStatementTimeout, telemetry.CategoryStatementFailed, telemetry.CategoryStatementCanceled,
	telemetry.CategorySessionClosed, telemetry.CategoryStatementClosed, telemetry.CategoryOther,
}

func categoryNames() []string {
	names := make([]string, len(Categories))
	for i, c := range Categories {
		names[i] = string(c)
	}
	return names
}

var errorName = oneOf(driverLog+"error_info.error_name", categoryNames()...)

func to(path string, t PayloadType) Payload { return Payload{Path: path, Type: t} }

// toAnonymous is to(path, t).anonymous() as one function; the compiler would run the two calls at the
// start of the program.
func toAnonymous(path string, t PayloadType) Payload {
	return Payload{Path: path, Type: t, Anonymous: true}
}

func oneOf(path string, names ...string) Payload {
	return Payload{Path: path, Type: TypeEnum, Enum: names}
}

func (p Payload) anonymous() Payload { return Payload{p.Path, p.Type, p.Enum, true} }
