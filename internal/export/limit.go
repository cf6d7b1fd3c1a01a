package export

import (
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

const (
	attemptTimeout = 10 * time.Second // one request

	maxDelay      = time.Hour // how late an event may be sent before it is dropped
	bytesPerEvent = 4 << 10   // more than the largest statement takes
	minQueueBytes = 4 << 20
)

// maxAge is how old an event may become: maxDelay on top of the time that the settings make it wait.
func maxAge(s telemetry.Settings) time.Duration {
	age := maxDelay + s.FlushInterval
	if s.CircuitBreaker != telemetry.SwitchOff {
		age += s.CircuitBreakerTimeout + s.CircuitBreakerTimeout/10
	}
	return age
}

// maxQueueBytes bounds the approximate memory of the records that wait in one pipeline. QueueSize
// records always have room.
func maxQueueBytes(s telemetry.Settings) int64 {
	return max(minQueueBytes, int64(s.QueueSize)*bytesPerEvent)
}
