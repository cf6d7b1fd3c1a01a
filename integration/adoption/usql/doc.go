// Package usql names what usql is built with: usql requires every driver it knows, so its module
// file is its own, and has only what a build for Databricks takes.
package usql

import _ "github.com/seed-01322ee7/databricks-telemetry/driverwrap" // of the adopted usql
