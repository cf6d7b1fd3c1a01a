package telemetry

import "time"

// Connector is a wrapped connector of the process, as pages and metrics see it. Its methods may
// be called concurrently; none does I/O.
type Connector interface {
	// Info describes the connector as it is now.
	Info() ConnectorInfo
	// Running returns the statements that are not finished, oldest first, each as far as it
	// is known: Outcome is OutcomeRunning and Total the time so far. While no sink wants
	// records, there are none.
	Running() []*Statement
	// Documents returns what is, or would be, sent to Databricks for a record, which is a
	// *Statement, *SessionOpened or *SessionClosed: one JSON document per event, with new event
	// ids. It returns nil where the wire is not read, as behind Wrap.
	Documents(record any) []string
}

// ConnectorInfo describes a wrapped connector.
type ConnectorInfo struct {
	// ID counts the connectors of the process, from 1. It is the Connector of its records.
	ID int64
	// OpenedVia is the entry point it was made through: "sql.Open", "NewConnector" or "Wrap".
	OpenedVia string
	// Server is host:port of the workspace; empty behind Wrap.
	Server string
	// Created is when it was made.
	Created time.Time
	// Driver is the native driver's configuration; the zero value where it cannot be read.
	Driver DriverConfig
	// Settings are the settings in force, and who set them.
	Settings []SettingInForce
	// Recording is whether the latest statement was recorded, for a sink or for Databricks; true before the
	// first. Running does not list statements that are not recorded, except those that have a span.
	Recording bool
	// Sessions counts its open connections.
	Sessions int
	// Opening counts the connections that are being opened, and OpeningFor is for how long no attempt to open
	// one has ended, successfully or not.
	Opening    int
	OpeningFor time.Duration
	// Reports says who reports to Databricks: "wrapper" when the server wants it, "driver" behind
	// Wrap and where a DSN has what this version does not know, or "none".
	Reports string
}
