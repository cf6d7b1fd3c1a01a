// Package driverwrap measures the Databricks driver for database/sql. It has three entry
// points:
//
//	sql.Open("databricks-telemetry", dsn)   // Open: for an application with a DSN
//	driverwrap.NewConnector(opts...)        // for an application that uses dbsql.NewConnector
//	driverwrap.Wrap(connector)              // for an application that has a connector
//
// All three lead to the same layers. Calls go down, rows and errors come back unchanged:
//
//	database/sql
//	     │  connector.go   opens and closes sessions (session.go)
//	     │  conn.go        queries, pings, transactions
//	     │  stmt.go        prepared statements
//	     │  rows.go        counts rows; arrow.go those of Arrow readers
//	     │        └─────── each call begins a statement (statement*.go)
//	     ▼
//	   sqlmw               runs what a connection executes (sqlmw.go)
//	     ▼
//	databricks-sql-go
//	     ▼
//	package cloudfetch     reads what passes over the wire (transport.go)
//
// Behind Wrap the wire is not read; the native rows are inspected instead (infer.go).
//
// A statement becomes one telemetry.Statement, finished exactly once: when its rows are
// closed, when it fails, or when its session is closed. The record goes (recorder.go) to the
// sinks attached to telemetry.Default and to those of the Config and, behind Open and
// NewConnector, to Databricks through package internal/export.
//
// Every object has the optional interfaces of the native one: database/sql and callers of
// sql.Conn.Raw, Arrow readers included, see no difference. Errors are returned unchanged, as the same
// values. When no sink, tracer, report or trace tag needs a measurement, calls go straight to the
// native objects.
package driverwrap
