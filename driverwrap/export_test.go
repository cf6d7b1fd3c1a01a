package driverwrap

import "github.com/seed-01322ee7/databricks-telemetry/telemetry"

// In returns the configuration for connectors of another process than telemetry.Default.
func (c Config) In(p *telemetry.Process) Config {
	c.process = p
	return c
}
