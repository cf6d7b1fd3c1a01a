package telemetry

// Version is the version of this module. It is part of the user agent of requests to Databricks
// and the version of the OpenTelemetry scope.
const Version = "0.2.0"
