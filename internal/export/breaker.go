package export

import (
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// recovered is the number of successes in a row that close a half-open breaker.
const recovered = 2

// breaker keeps a pipeline from talking to an endpoint that keeps failing. One batch, its
// retries included, is one request to it; only the pipeline's one goroutine makes requests,
// so that half-open means one probe at a time.
type breaker struct {
	inner   *gobreaker.CircuitBreaker[result] // nil: switched off
	timeout time.Duration
	until   atomic.Pointer[time.Time] // when an open breaker lets a probe through; nil before it first opened
	opened  func()
}

func newBreaker(settings telemetry.Settings, opened func()) *breaker {
	// An outage opens the breakers of a whole fleet within seconds. Each has a timeout of its
	// own, up to a tenth longer, so that their probes drift apart while it lasts.
	timeout := settings.CircuitBreakerTimeout
	b := &breaker{timeout: timeout + rand.N(max(0, timeout/10)+1), opened: opened}
	if settings.CircuitBreaker == telemetry.SwitchOff {
		return b
	}
	threshold := uint32(max(1, settings.CircuitBreakerThreshold))
	b.inner = gobreaker.NewCircuitBreaker[result](gobreaker.Settings{
		MaxRequests: recovered,
		Timeout:     b.timeout,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= threshold },
		IsExcluded:  func(err error) bool { return errors.Is(err, errNoVerdict) },
		// Called with the breaker's lock held: nothing here may ask it for its state.
		OnStateChange: func(_ string, _, to gobreaker.State) {
			if to == gobreaker.StateOpen {
				// It lets a request through strictly after its timeout.
				until := time.Now().Add(b.timeout + time.Millisecond)
				b.until.Store(&until)
				b.opened()
			}
		},
	})
	return b
}

var (
	errFailed    = errors.New("failed")
	errNoVerdict = errors.New("says nothing about the endpoint")
)

// do runs send if the breaker lets it. probe is true when the breaker waits for a sign of
// life. ok is false, and retryAt says until when, while it is open.
func (b *breaker) do(send func(probe bool) result) (r result, ok bool, retryAt time.Time) {
	if b.inner == nil {
		return send(false), true, time.Time{}
	}
	probe := b.inner.State() != gobreaker.StateClosed
	r, err := b.inner.Execute(func() (result, error) {
		r := send(probe)
		switch r.fate {
		case accepted:
			return r, nil
		case tooLarge, interrupted:
			return r, errNoVerdict
		}
		return r, errFailed
	})
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return r, false, *b.until.Load()
	}
	return r, true, time.Time{}
}

// holdsUntil returns when an open breaker lets a probe through; false while it is not open.
func (b *breaker) holdsUntil() (time.Time, bool) {
	if b.inner == nil || b.inner.State() != gobreaker.StateOpen {
		return time.Time{}, false
	}
	return *b.until.Load(), true
}

// state is closed, open, half-open or off.
func (b *breaker) state() string {
	if b.inner == nil {
		return "off"
	}
	return b.inner.State().String()
}
