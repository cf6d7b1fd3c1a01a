package export

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"
)

const (
	flagPath = "/api/2.0/connector-service/feature-flags/GOLANG/"
	flagName = "databricks.partnerplatform.clientConfigsFeatureFlags.enableTelemetryForGoDriver"

	flagDefault  = 15 * time.Minute // where the server names no lifetime
	flagMin      = time.Minute
	flagMax      = time.Hour
	flagNegative = time.Minute // how long a flag that could not be read is not asked for again
)

// parseFlag reads the server's answer. A flag that is not in it is off.
func parseFlag(body []byte) (enabled bool, ttl time.Duration, ok bool) {
	var a struct {
		Flags []struct {
			Name  string `json:"name"`
			Value string `json:"value"`
		} `json:"flags"`
		TTL      *float64 `json:"ttl_seconds"`
		TTLCamel *float64 `json:"ttlSeconds"`
	}
	if json.Unmarshal(body, &a) != nil || a.Flags == nil && a.TTL == nil && a.TTLCamel == nil {
		return false, 0, false
	}
	for _, f := range a.Flags {
		if f.Name == flagName {
			enabled = f.Value == "true"
			break
		}
	}
	ttl = flagDefault
	for _, seconds := range []*float64{a.TTL, a.TTLCamel} {
		if seconds != nil {
			ttl = clampTTL(time.Duration(min(max(*seconds, 0), flagMax.Seconds())) * time.Second)
			break
		}
	}
	return enabled, ttl, true
}

func clampTTL(d time.Duration) time.Duration { return min(max(d, flagMin), flagMax) }

// flagState is what a host's flag says at the moment.
type flagState uint8

const (
	flagUnasked    flagState = iota // never asked, or the answer is too old
	flagOn                          //
	flagOff                         //
	flagUnreadable                  // asked for a moment ago, without an answer
)

// flag is the cached answer of one host, shared by all pipelines that send there. Its times
// are monotonic: a step of the wall clock changes nothing.
type flag struct {
	offUntil atomic.Pointer[time.Time] // until when the flag is known to be off; nil: it is not

	mu       sync.Mutex
	enabled  bool      // guarded by mu, like all below
	until    time.Time // end of the answer's lifetime
	notAgain time.Time // end of the negative cache
	failed   any       // the transport it is about
	asking   *flagRequest
}

// flagRequest is a request for the flag that others wait for instead of asking as well.
type flagRequest struct {
	via  any           // the transport's identity
	at   time.Time     // when it began
	done chan struct{} // closed when it is over
}

// A transport that the application supplied may fail or hang for reasons of its own. Those
// who would ask through another one wait for it this long: long for an answer, and short
// beside the time that closing may take.
const relieveAfter = 500 * time.Millisecond

// off reports, without a lock, that the flag is known to be off.
func (f *flag) off() bool {
	until := f.offUntil.Load()
	return until != nil && time.Now().Before(*until)
}

// state returns what is known to those who would ask through a transport, and until when.
func (f *flag) state(via any, now time.Time) (flagState, time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.known(via, now)
}

// known is state with f.mu held.
func (f *flag) known(via any, now time.Time) (flagState, time.Time) {
	switch {
	case now.Before(f.until) && f.enabled:
		return flagOn, f.until
	case now.Before(f.until):
		return flagOff, f.until
	case f.failed == via && now.Before(f.notAgain):
		return flagUnreadable, f.notAgain
	}
	return flagUnasked, time.Time{}
}

// learn takes an answer.
func (f *flag) learn(enabled bool, ttl time.Duration, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.enabled, f.until, f.notAgain = enabled, now.Add(clampTTL(ttl)), time.Time{}
	f.offUntil.Store(nil)
	if !enabled {
		until := f.until
		f.offUntil.Store(&until)
	}
}

// ask makes the caller the one who asks (mine), or returns the request to wait for; nil when
// an answer has come in the meantime.
func (f *flag) ask(via any, now time.Time) (r *flagRequest, mine bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if state, _ := f.known(via, now); state != flagUnasked {
		return nil, false
	}
	if r := f.asking; r != nil && (r.via == via || now.Before(r.at.Add(relieveAfter))) {
		return r, false
	}
	f.asking = &flagRequest{via: via, at: now, done: make(chan struct{})}
	return f.asking, true
}

// answered ends a request. A failure that says something about the endpoint, and not only
// about the credential, keeps others from asking the same way for a while.
func (f *flag) answered(r *flagRequest, endpointFailed bool, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(r.done)
	if f.asking == r {
		f.asking = nil
	}
	if endpointFailed {
		f.notAgain, f.failed = now.Add(flagNegative), r.via
	}
}

// stale reports that nothing is known that is worth keeping.
func (f *flag) stale(now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asking == nil && !now.Before(f.until) && !now.Before(f.notAgain)
}

// wait waits until the request is over, or has taken too long for those who would ask through
// another transport.
func (r *flagRequest) wait(ctx context.Context, via any) {
	if r.via != via {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, r.at.Add(relieveAfter))
		defer cancel()
	}
	select {
	case <-r.done:
	case <-ctx.Done():
	}
}
