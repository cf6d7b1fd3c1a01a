package export

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	flagPath = "/api/2.0/connector-service/feature-flags/GOLANG/"
	flagName = "databricks.partnerplatform.clientConfigsFeatureFlags.enableTelemetryForGoDriver"

	defaultFlagTTL = 15 * time.Minute // if the server names no TTL
	minFlagTTL     = time.Minute
	maxFlagTTL     = time.Hour
	flagRetryAfter = time.Minute // how long to wait after a flag could not be read
)

// requestFlag requests the flag, or waits for the request of another pipeline. It calls the
// authenticator first, so that no other pipeline waits for the authenticator.
func (p *pipeline) requestFlag(o *origin) {
	began := time.Now()
	limit, cancel := context.WithTimeout(p.ctx, attemptTimeout)
	defer cancel()
	version := o.connection.Driver.Version
	if !isVersion(version) {
		version = "unknown"
	}
	req, err := p.client.prepare(limit, request{
		path: flagPath + version, auth: o.connection.Authenticator, orgID: o.org(), userAgent: o.userAgent,
	})
	if err != nil {
		p.flagFailed(noResponse(p.ctx, began, err))
		return
	}
	pending, own := p.flag.begin(p.client.asker, time.Now())
	if !own {
		if pending != nil {
			pending.wait(p.ctx, p.client.asker)
		}
		return
	}
	var failed flagFailure
	defer func() { p.flag.finish(pending, failed, time.Now()) }()
	p.exporter.counts.flagRequests.Add(1)
	var (
		enabled bool
		ttl     time.Duration
	)
	r := p.client.attempt(p.ctx, time.Now(), req, wholeBody(func(body []byte) (ok bool) {
		enabled, ttl, ok = parseFlag(body)
		return ok
	}))
	if r.outcome == outcomeAccepted {
		p.flag.store(enabled, ttl, time.Now())
		p.mu.Lock()
		defer p.mu.Unlock()
		p.lastError = ""
		return
	}
	switch {
	case r.outcome == outcomeInterrupted:
	case r.status == http.StatusUnauthorized || r.status == http.StatusForbidden:
		failed = credentialRefused
	default:
		failed = endpointFailed
	}
	p.flagFailed(r)
}

// flagFailed delays everything that needs the flag.
func (p *pipeline) flagFailed(r result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lastError = "flag: " + r.describe()
	p.notBefore = time.Now().Add(max(flagRetryAfter, r.retryAfter))
	if r.outcome != outcomeInterrupted {
		p.breaker.pause(p.notBefore) // also for the next pipeline
	}
}

// parseFlag reads the server's response. A flag that is not in the response is off.
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
	ttl = defaultFlagTTL
	if seconds := cmp.Or(a.TTL, a.TTLCamel); seconds != nil {
		ttl = time.Duration(min(max(*seconds, minFlagTTL.Seconds()), maxFlagTTL.Seconds())) * time.Second
	}
	return enabled, ttl, true
}

// flagState is what is known about a host's flag.
type flagState uint8

const (
	flagUnknown flagState = iota // never requested, or expired
	flagOn
	flagOff
	flagUnreadable // a request failed a moment ago
)

// flag is the cached flag of one host, shared by all pipelines that send to the host. Because connectors
// come and go, it outlives the last of these pipelines, but not its TTL. Its times are monotonic, so a
// step of the wall clock does not matter.
type flag struct {
	offUntil atomic.Pointer[time.Time] // until when the flag is known to be off; nil if it is not

	mu      sync.Mutex
	enabled bool      // guarded by mu, like all below
	expires time.Time // of enabled
	retryAt time.Time // when a failed request may be repeated
	failed  flagFailure
	asked   asker // the one whose request failed
	pending *flagRequest
}

func newFlag() *flag { return &flag{} }

// flagFailure is what made a request for the flag fail.
type flagFailure uint8

const (
	notFailed flagFailure = iota
	endpointFailed
	credentialRefused
)

// flagRequest is a request for the flag that other pipelines wait for instead of making their own.
type flagRequest struct {
	by   asker
	at   time.Time     // when it began
	done chan struct{} // closed when it is over
}

// A user-supplied transport may fail or hang for its own reasons. Pipelines with another transport
// wait this long for its request: long enough for a response, and short compared to CloseTimeout.
const sharedFlagWait = 500 * time.Millisecond

// off reports, without a lock, whether the flag is known to be off.
func (f *flag) off() bool {
	until := f.offUntil.Load()
	return until != nil && time.Now().Before(*until)
}

// state returns what an asker knows about the flag, and until when.
func (f *flag) state(by asker, now time.Time) (flagState, time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stateLocked(by, now)
}

// stateLocked is state with f.mu held.
func (f *flag) stateLocked(by asker, now time.Time) (flagState, time.Time) {
	// A failure of the endpoint counts for all askers with the same transport, a refusal only for the same
	// credential.
	failed := by.transport == f.asked.transport && (f.failed == endpointFailed || by == f.asked)
	switch {
	case now.Before(f.expires) && f.enabled:
		return flagOn, f.expires
	case now.Before(f.expires):
		return flagOff, f.expires
	case now.Before(f.retryAt) && failed:
		return flagUnreadable, f.retryAt
	}
	return flagUnknown, time.Time{}
}

// store keeps a response.
func (f *flag) store(enabled bool, ttl time.Duration, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.enabled, f.expires, f.retryAt = enabled, now.Add(ttl), time.Time{}
	f.offUntil.Store(nil)
	if !enabled {
		until := f.expires
		f.offUntil.Store(&until)
	}
}

// begin returns a request that the caller must make (own), or the request of another pipeline to wait
// for. It returns nil if the flag has become known in the meantime.
func (f *flag) begin(by asker, now time.Time) (r *flagRequest, own bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if state, _ := f.stateLocked(by, now); state != flagUnknown {
		return nil, false
	}
	if r := f.pending; r != nil && (r.by.transport == by.transport || now.Before(r.at.Add(sharedFlagWait))) {
		return r, false
	}
	f.pending = &flagRequest{by: by, at: now, done: make(chan struct{})}
	return f.pending, true
}

// finish ends a request. After a failure of the endpoint, no pipeline with the same transport repeats
// the request for flagRetryAfter; after a refusal, no pipeline with the same transport and credential
// does.
func (f *flag) finish(r *flagRequest, failed flagFailure, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(r.done)
	if f.pending == r {
		f.pending = nil
	}
	if failed != notFailed {
		f.retryAt, f.failed, f.asked = now.Add(flagRetryAfter), failed, r.by
	}
}

// Stale reports whether everything known has expired.
func (f *flag) Stale(now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.pending == nil && !now.Before(f.expires) && !now.Before(f.retryAt)
}

// wait waits until the request is over, or with another transport, at most for sharedFlagWait.
func (r *flagRequest) wait(ctx context.Context, by asker) {
	if r.by.transport != by.transport {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, r.at.Add(sharedFlagWait))
		defer cancel()
	}
	select {
	case <-r.done:
	case <-ctx.Done():
	}
}
