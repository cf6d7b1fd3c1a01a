package history

import (
	"sync"
	"time"
)

const (
	shortest   = 2 * time.Second  // between the beginnings of two requests
	firstPause = 4 * time.Second  // after a request without an answer; the pause doubles with each
	maxPause   = time.Minute      // bound of that pause
	quietTime  = 15 * time.Minute // how long a host is not asked after it refused
)

// pace says when a host may be asked with one credential. Its times are monotonic.
type pace struct {
	users int // workers; guarded by Reader.mu

	mu         sync.Mutex // guards all below
	next       time.Time  // no request before
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

// refused notes that the host is not to be asked for a while.
func (p *pace) refused(now time.Time, why string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.quietUntil, p.lastError = now.Add(quietTime), why
}

// earliest is when the next request may be made.
func (p *pace) earliest() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.next
}

// quiet reports whether the host is not asked because it refused.
func (p *pace) quiet(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return now.Before(p.quietUntil)
}

// failing reports whether the latest request was not answered, and it is too early for another.
func (p *pace) failing(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lastError != "" && now.Before(p.next)
}

// stale reports whether there is nothing left to remember.
func (p *pace) stale(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !now.Before(p.next) && !now.Before(p.quietUntil)
}

// paces has the pace of each host and credential, by tenant. A pace outlives the last worker that
// needs it until there is nothing left to remember. Reader.mu guards them.
type paces map[any]*pace

const maxUnused = 64 // paces kept for connectors that may come back

func (all *paces) acquire(key any) *pace {
	if *all == nil {
		*all = paces{}
	}
	p := (*all)[key]
	if p == nil {
		all.forget()
		p = &pace{}
		(*all)[key] = p
	}
	p.users++
	return p
}

func (all *paces) release(key any) {
	(*all)[key].users--
	all.forget()
}

// forget removes unused paces that are stale, and those beyond maxUnused.
func (all *paces) forget() {
	now, unused := time.Now(), 0
	for key, p := range *all {
		if p.users > 0 {
			continue
		}
		if unused++; unused > maxUnused || p.stale(now) {
			delete(*all, key)
		}
	}
}
