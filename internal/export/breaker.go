package export

import (
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// closeAfter is the number of consecutive successes that close a half-open breaker.
const closeAfter = 2

// remembered is how long after its last failure a breaker is kept for connectors that come back.
const remembered = 15 * time.Minute

// breaker stops a pipeline from sending to an endpoint that keeps failing. It counts one batch,
// including its retries, as one request. Only the pipeline's goroutine makes requests, so a half-open
// breaker has one probe at a time. A breaker outlives its pipeline: the next pipeline with the same
// host, credential and settings uses the same breaker.
type breaker struct {
	gobreaker *gobreaker.CircuitBreaker[result] // nil: switched off
	until     atomic.Pointer[time.Time]         // when an open breaker becomes half-open; nil before it first opened
	paused    atomic.Pointer[time.Time]         // when requests may be made again; nil: the endpoint has not failed
}

func newBreaker(settings telemetry.Settings, opened func()) *breaker {
	b := &breaker{}
	if settings.CircuitBreaker == telemetry.SwitchOff {
		return b
	}
	// An outage opens the breakers of a whole fleet within seconds. Each gets a timeout that is up to
	// a tenth longer, so that the probes do not come at the same time.
	timeout := settings.CircuitBreakerTimeout
	timeout += rand.N(timeout/10 + 1)
	threshold := uint32(settings.CircuitBreakerThreshold)
	b.gobreaker = gobreaker.NewCircuitBreaker[result](gobreaker.Settings{
		MaxRequests: closeAfter,
		Timeout:     timeout,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= threshold },
		IsExcluded:  func(err error) bool { return errors.Is(err, errExcluded) },
		// OnStateChange is called with gobreaker's lock held, so State would block here.
		OnStateChange: func(_ string, _, to gobreaker.State) {
			if to == gobreaker.StateOpen {
				// gobreaker lets a request through strictly after the timeout.
				until := time.Now().Add(timeout + time.Millisecond)
				b.until.Store(&until)
				opened()
			}
		},
	})
	return b
}

var (
	errFailed   = errors.New("failed")
	errExcluded = errors.New("says nothing about the endpoint")
)

// do calls send unless the breaker is open; then ok is false and retryAt is when it becomes
// half-open. probe is true while it is half-open.
func (b *breaker) do(send func(probe bool) result) (r result, ok bool, retryAt time.Time) {
	if b.gobreaker == nil {
		return send(false), true, time.Time{}
	}
	probe := b.gobreaker.State() != gobreaker.StateClosed
	r, err := b.gobreaker.Execute(func() (result, error) {
		r := send(probe)
		switch r.outcome {
		case outcomeAccepted:
			b.paused.Store(nil)
			return r, nil
		case outcomeTooLarge, outcomeInterrupted:
			return r, errExcluded
		}
		return r, errFailed
	})
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return r, false, *b.until.Load()
	}
	return r, true, time.Time{}
}

// pause notes that the endpoint failed and that no request must be made before a time.
func (b *breaker) pause(until time.Time) {
	if until.After(b.pausedUntil()) {
		b.paused.Store(&until)
	}
}

// pausedUntil returns when requests may be made again, or the zero time if the endpoint has not
// failed.
func (b *breaker) pausedUntil() time.Time {
	if until := b.paused.Load(); until != nil {
		return *until
	}
	return time.Time{}
}

// Stale reports whether the endpoint has not failed lately.
func (b *breaker) Stale(now time.Time) bool {
	_, open := b.openUntil()
	return !open && now.After(b.pausedUntil().Add(remembered))
}

// openUntil returns when an open breaker becomes half-open; false while it is not open.
func (b *breaker) openUntil() (time.Time, bool) {
	if b.gobreaker == nil || b.gobreaker.State() != gobreaker.StateOpen {
		return time.Time{}, false
	}
	return *b.until.Load(), true
}

// state returns closed, open, half-open or off.
func (b *breaker) state() string {
	if b.gobreaker == nil {
		return "off"
	}
	return b.gobreaker.State().String()
}
