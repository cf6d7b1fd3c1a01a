// Package breakdown divides the time of a statement into parts, and the server's time into phases. It names
// the kinds of bars that show them over time. Package explain says what they mean, and the debug page, dbtel and
// OpenTelemetry show them.
package breakdown
