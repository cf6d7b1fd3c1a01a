package registry

import "github.com/seed-01322ee7/databricks-telemetry/telemetry"

// Wire says where a field goes in the payload that leaves for Databricks. The zero value is
// nowhere. The service accepts the paths it knows and no others.
type Wire struct {
	// Path is the place in the document, keys joined by dots.
	Path string
	// Type is how the value is written there.
	Type WireType
	// Enum lists the names the service knows, for WireEnum. Any other value is left out.
	Enum []string
	// Anonymous is true for what may be part of an event that is sent without
	// authentication, because the connection never got that far.
	Anonymous bool
}

// WireType is how a value is written in the payload.
type WireType string

// The wire types. A value that does not fit its type is left out.
const (
	WireString  WireType = "string"
	WireUUID    WireType = "uuid"    // a string of 36 characters, 8-4-4-4-12 hexadecimal digits
	WireEnum    WireType = "enum"    // a string out of Wire.Enum
	WireVersion WireType = "version" // a string of two or three numbers, with a tag such as rc1
	WireBool    WireType = "bool"
	WireInt32   WireType = "int32"   // durations in milliseconds
	WireInt64   WireType = "int64"   // durations in milliseconds, times in milliseconds since 1970
	WireSeconds WireType = "seconds" // a duration, int64
)

// The objects of a document.
const (
	timestamp = "context.client_context.timestamp_millis"
	driverLog = "entry.sql_driver_log."
	system    = driverLog + "system_configuration."
	params    = driverLog + "driver_connection_params."
	operation = driverLog + "sql_operation."
	chunks    = operation + "chunk_details."
	detail    = operation + "operation_detail."
)

var errorName = oneOf(driverLog+"error_info.error_name", telemetry.Categories()...)

func to(path string, t WireType) Wire { return Wire{Path: path, Type: t} }

func oneOf[S ~string](path string, names ...S) Wire {
	w := Wire{Path: path, Type: WireEnum}
	for _, n := range names {
		w.Enum = append(w.Enum, string(n))
	}
	return w
}

func (w Wire) anonymous() Wire {
	w.Anonymous = true
	return w
}
