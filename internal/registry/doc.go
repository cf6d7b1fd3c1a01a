// Package registry is the one list of everything that records say. For each field of a statement, a
// session, a call and a file, it has the name, the unit, the meaning, the scope, and the path in the
// payload to Databricks.
//
// No other package lists the fields. Sinks, the documentation and the payload are written by walking
// these tables, and NDJSON is read with them, so that one fact has one name everywhere:
//
//	                    ┌─ ScopeLocal ──────▶ logsink, ndjson, debugpage
//	telemetry records ──┤                     (ndjson reads with Set)
//	                    └─ ScopeDatabricks ─▶ internal/export ──▶ payload
//	                                              ▲
//	Event, Connection, Process ───────────────────┘
//	every table ──▶ docs/TELEMETRY.md, docs/PRIVACY.md
//
// A field without ScopeDatabricks cannot reach the payload, and a field with it needs a path there.
// Tests check that, and check the tables against the structs that they describe.
package registry
