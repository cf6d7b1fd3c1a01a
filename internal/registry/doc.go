// Package registry is the one list of everything a record says: for each field of a statement,
// a session, a call and a file its name, its unit, its meaning, who may see it, and its path in
// the payload to Databricks.
//
// Nothing else knows the fields one by one. Sinks, the documentation and the payload are written
// by walking these tables, and NDJSON is read by them, so that one fact has one name everywhere:
//
//	                    ┌─ ScopeLocal ──────▶ logsink, ndjson, debugpage
//	telemetry records ──┤                     (ndjson reads with Set)
//	                    └─ ScopeDatabricks ─▶ internal/export ──▶ payload
//	                                              ▲
//	Event, Connection, Process ───────────────────┘
//	every table ──▶ docs/TELEMETRY.md, docs/PRIVACY.md
//
// A field without ScopeDatabricks cannot reach the payload, and one with it needs a path there;
// the tests hold the two together, and the tables against the structs they describe.
package registry
