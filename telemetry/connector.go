package telemetry

import "time"

// Connector is a wrapped connector of the process, to be asked by whoever shows what the
// process is doing. Its methods may be called concurrently; none does I/O.
type Connector interface {
	// Info describes the connector as it is now.
	Info() ConnectorInfo
	// Running returns the statements that are not finished, oldest first, each as far as it
	// is known: Outcome is OutcomeRunning and Total the time so far. While nobody records,
	// there are none.
	Running() []*Statement
	// Documents returns what Databricks is, or would be, told about a record, which is a
	// *Statement, *SessionOpened or *SessionClosed: one JSON document per event, with ids of
	// their own. It returns nil for a connector that does not report (Wrap).
	Documents(record any) []string
}

// ConnectorInfo describes a wrapped connector.
type ConnectorInfo struct {
	// ID counts the connectors of the process, from 1. Records bear it as Connector.
	ID int64
	// OpenedVia is how it was made: "sql.Open", "NewConnector" or "Wrap".
	OpenedVia string
	// Server is host:port of the workspace; empty behind a connector that does not tell (Wrap).
	Server string
	// Created is when it was made.
	Created time.Time
	// Driver is the configuration in force; the zero value where it cannot be seen.
	Driver DriverConfig
	// Settings are ours in force, and who set them.
	Settings []SettingInForce
	// Sessions counts the connections that are open.
	Sessions int
	// Reports says who reports to Databricks: "wrapper" when the server wants it,
	// "driver" (behind Wrap), or "none".
	Reports string
}
