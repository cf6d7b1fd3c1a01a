package telemetry

import "time"

// Connector is a wrapped connector of the process, for debug pages and metrics. Its methods may be
// called concurrently and do no I/O.
type Connector interface {
	// Info describes the connector as it is now.
	Info() ConnectorInfo
	// Running returns the statements that are not finished, oldest first, with what is known so far:
	// Outcome is OutcomeRunning and Total is the time so far. While no sink wants records, no
	// statements are listed.
	Running() []*Statement
	// Documents returns what is, or would be, sent to Databricks for a record, which is a
	// *Statement, *SessionOpened or *SessionClosed: one JSON document per event, with new event
	// ids. It returns nil where the wire is not read, as behind Wrap.
	Documents(record any) []string
}

// ConnectorInfo describes a wrapped connector.
type ConnectorInfo struct {
	// ID numbers the connectors of the process, from 1. It is the Connector field of the connector's
	// records.
	ID int64
	// OpenedVia is the entry point that made the connector: "sql.Open", "NewConnector" or "Wrap".
	OpenedVia string
	// Server is host:port of the workspace; empty behind Wrap.
	Server string
	// Created is when the connector was made.
	Created time.Time
	// Driver is the native driver's configuration; the zero value where it cannot be read.
	Driver DriverConfig
	// Settings are the settings in force, and who set them.
	Settings []SettingInForce
	// Recording is whether the latest statement was recorded, for a sink or for Databricks; true before the
	// first. Running does not list statements that are not recorded, except those that have a span.
	Recording bool
	// Sessions is the number of open connections.
	Sessions int
	// Opening is the number of connections that are being opened. OpeningFor is the time since an attempt to
	// open one last ended, successfully or not, or since the first of these attempts began if none has ended
	// since; 0 while none is being opened.
	Opening    int
	OpeningFor time.Duration
	// Reports says what reports to Databricks: "wrapper" is this module, if the server's flag allows
	// it; "driver" is the native driver, behind Wrap and for a DSN that this version cannot rebuild;
	// "none" is neither.
	Reports string
}
