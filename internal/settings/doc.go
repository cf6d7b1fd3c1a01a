// Package settings turns the parameters of a DSN and the environment into telemetry.Settings. A
// name is understood in any spelling that can mean only one parameter, a value must be within its
// range, and off wins wherever it is set.
//
//	DSN ──────────▶┐
//	environment ──▶├─▶ Resolve ──▶ telemetry.Settings, or a *telemetry.ParameterError
//	Config ───────▶┘   InForce ──▶ every setting, and which of the three set it
//
// The names, ranges and defaults are in one table, [Parameters]. docs/CONFIGURATION.md and the
// table in the README are written from it.
package settings
