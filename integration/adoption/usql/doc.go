// Package usql names what usql is built with: usql requires every driver it knows, so its module
// file is its own, and has only what a build for Databricks takes. When the main module's requirements
// change, this writes it anew (go mod tidy would add every driver):
//
//	go build -mod=mod -tags 'no_base databricks' -o /dev/null github.com/xo/usql && go build -mod=mod .
package usql

import _ "github.com/seed-01322ee7/databricks-telemetry/driverwrap" // of the adopted usql
