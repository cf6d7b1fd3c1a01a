// Package driverwrap puts a measuring layer around the Databricks driver for database/sql.
// There are three doors into it:
//
//	sql.Open("databricks-telemetry", dsn)        // door 1: an app on a DSN
//	driverwrap.NewConnector(opts...)             // door 2: an app on dbsql.NewConnector(opts...)
//	driverwrap.Wrap(connector)                   // door 3: an app that already holds a connector
//
// All three lead to the same layers. Calls go down, rows and errors come back untouched:
//
//	database/sql
//	     │  connector.go   Connect, Close
//	     │  conn.go        queries, pings, prepares; one statement (statement.go) per call
//	     │  stmt.go        the same for prepared statements
//	     │  rows.go        counts rows, finishes the statement when they end
//	     ▼
//	   sqlmw               calls hooks.go, which leaves the native conn, stmt and rows
//	     │                 where the layer above finds them
//	     ▼
//	databricks-sql-go
//
// Behind doors 1 and 2 a transport of package cloudfetch lies under the driver and reads what
// passes over the wire (wire.go); behind door 3 the native rows are asked (infer.go).
//
// A statement becomes one telemetry.Statement, finished exactly once: when its rows are
// closed, when it fails, or when its connection is closed under it. The record goes to the
// sinks attached to telemetry.Default and to those of the Config, and, behind doors 1 and 2,
// to Databricks through package internal/export.
//
// Every object has the optional interfaces of the native one: database/sql and callers of
// sql.Conn.Raw, Arrow readers included, see no difference. Errors are returned as they
// came, the same value. While nobody listens the layer steps aside: calls go straight to
// the native objects.
package driverwrap
