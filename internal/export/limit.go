package export

import (
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

const (
	attemptTimeout = 10 * time.Second // one request
	maxRetryDelay  = 10 * time.Second // what doubling leads to; a first delay that is longer stays

	waitingTime     = time.Hour // how long an event may be late before it is dropped
	bytesPerEvent   = 4 << 10   // more than the largest statement takes
	leastQueueBytes = 4 << 20
)

// maxAge is how old an event may become: the waiting that the settings ask for is not late.
func maxAge(s telemetry.Settings) time.Duration {
	age := waitingTime + s.FlushInterval
	if s.CircuitBreaker != telemetry.SwitchOff {
		age += s.CircuitBreakerTimeout + s.CircuitBreakerTimeout/10
	}
	return age
}

// maxQueueBytes bounds the memory of the records that wait in one pipeline, about: as many as
// the settings ask for have room.
func maxQueueBytes(s telemetry.Settings) int64 {
	return max(leastQueueBytes, int64(s.QueueSize)*bytesPerEvent)
}

// batchTimeout is how long a batch may take: all of its attempts, and the longest pauses
// between them.
func batchTimeout(retries int, delay time.Duration) time.Duration {
	total := attemptTimeout
	for attempt := range retries {
		_, longest := backoffRange(delay, attempt)
		total += longest + attemptTimeout
	}
	return total
}

// backoffRange is the least and the longest pause behind an attempt: they double up to a
// bound, and leave 10 to 30 % for jitter, at the bound 10 %.
func backoffRange(first time.Duration, attempt int) (least, longest time.Duration) {
	bound := max(first, maxRetryDelay)
	d := first
	for range attempt {
		if d *= 2; d >= bound {
			break
		}
	}
	if d >= bound {
		return bound, bound + bound/10
	}
	return d + d/10, min(d+d*3/10, bound+bound/10)
}
