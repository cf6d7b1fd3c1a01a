package registry

import "github.com/seed-01322ee7/databricks-telemetry/telemetry"

// PoolSampleFields has everything that a PoolSample says, in the order in which sinks show it. None
// of it is sent to Databricks.
var PoolSampleFields = []Field[telemetry.PoolSample]{
	{"sampled", "RFC 3339", "When the sample was taken: every 10 s at most, while there are records.", ScopeLocal, Payload{}, ofPoolSample{at: func(p *telemetry.PoolSample) any { return &p.Sampled }}},
	{"over_ms", "ms", "Time since the previous sample; absent in the first.", ScopeLocal, Payload{}, ofPoolSample{at: func(p *telemetry.PoolSample) any { return (*nonZeroDuration)(&p.Over) }}},
	{"pool", "", "Name that the application registered the pool under.", ScopeLocal, Payload{}, ofPoolSample{at: func(p *telemetry.PoolSample) any { return &p.Pool }}},
	{"max_open", "connections", "Largest number of open connections; absent if there is no limit.", ScopeLocal, Payload{}, ofPoolSample{at: func(p *telemetry.PoolSample) any { return &p.MaxOpen }}},
	{"open", "connections", "Connections that were open.", ScopeLocal, Payload{}, ofPoolSample{at: func(p *telemetry.PoolSample) any { return (*zeroOrMore)(&p.Open) }}},
	{"in_use", "connections", "Open connections with statements, transactions or open rows.", ScopeLocal, Payload{}, ofPoolSample{at: func(p *telemetry.PoolSample) any { return (*zeroOrMore)(&p.InUse) }}},
	{"idle", "connections", "Open connections that are free.", ScopeLocal, Payload{}, ofPoolSample{at: func(p *telemetry.PoolSample) any { return (*zeroOrMore)(&p.Idle) }}},
	{"waits", "", "Waits for a connection that began since the previous sample.", ScopeLocal, Payload{}, ofPoolSample{at: func(p *telemetry.PoolSample) any { return &p.Waits }}},
	{"waited_ms", "ms", "Sum of the waits that ended since the previous sample.", ScopeLocal, Payload{}, ofPoolSample{at: func(p *telemetry.PoolSample) any { return &p.Waited }}},
}
