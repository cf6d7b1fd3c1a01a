package history

import (
	"sync"
	"time"
)

const (
	shortest   = 2 * time.Second  // between the beginnings of two requests
	firstPause = 4 * time.Second  // after a request without an answer; the pause doubles with each
	maxPause   = time.Minute      // bound of that pause
	quietTime  = 15 * time.Minute // how long a host is not asked after it refused a request
)

// pace says when a host may be asked with one credential. It outlives the last worker that uses it. Its
// times are monotonic.
type pace struct {
	mu         sync.Mutex // guards all below
	next       time.Time  // no request before this time
	pause      time.Duration
	quietUntil time.Time // the host refused a request
	lastError  string    // of the latest request; empty when it was answered
}

// begin notes that a request begins.
func (p *pace) begin(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = now.Add(shortest)
}

// accepted notes that a request was answered.
func (p *pace) accepted() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pause, p.quietUntil, p.lastError = 0, time.Time{}, ""
}

// unanswered notes that a request may be repeated, after a pause.
func (p *pace) unanswered(now time.Time, why string, after time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pause = min(max(2*p.pause, firstPause), maxPause)
	p.next, p.lastError = now.Add(max(p.pause, after)), why
}

// refused notes that the host must not be asked for quietTime.
func (p *pace) refused(now time.Time, why string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.quietUntil, p.lastError = now.Add(quietTime), why
}

// earliest returns when the next request may be made.
func (p *pace) earliest() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.next
}

// quiet reports whether the host is not asked because it refused a request.
func (p *pace) quiet(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return now.Before(p.quietUntil)
}

// failing reports whether the latest request was not answered and it is too early for another.
func (p *pace) failing(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lastError != "" && now.Before(p.next)
}

// Stale reports whether there is nothing left to remember.
func (p *pace) Stale(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !now.Before(p.next) && !now.Before(p.quietUntil)
}
