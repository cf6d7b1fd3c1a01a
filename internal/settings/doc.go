// Package settings turns the parameters of a DSN and the environment into telemetry.Settings. Any
// spelling of a name that can mean only one parameter is accepted, a value must be within its range,
// and off wins wherever it is set.
//
//	DSN ──────────▶┐
//	environment ──▶├─▶ Resolve ──▶ telemetry.Settings, or a *telemetry.ParameterError
//	Config ───────▶┘   InForce ──▶ every setting, and which of the three set it
//
// The names, ranges and defaults are in one table, [Parameters], from which docs/CONFIGURATION.md and
// the table in the README are generated.
package settings
