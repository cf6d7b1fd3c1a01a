package export

import (
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

// flag is the cached answer of one host, shared by all pipelines that send there.
type flag struct {
	offUntil atomic.Int64 // Unix nanoseconds until which the flag is known to be off

	mu       sync.Mutex
	enabled  bool          // guarded by mu
	until    time.Time     // end of the answer's lifetime; guarded by mu
	notAgain time.Time     // end of the negative cache; guarded by mu
	asking   chan struct{} // closed when the request under way is over; guarded by mu
}

// off reports, without a lock, that the flag is known to be off.
func (f *flag) off(now time.Time) bool {
	until := f.offUntil.Load()
	return until != 0 && now.UnixNano() < until
}

// state returns what is known, and until when.
func (f *flag) state(now time.Time) (flagState, time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case now.Before(f.until) && f.enabled:
		return flagOn, f.until
	case now.Before(f.until):
		return flagOff, f.until
	case now.Before(f.notAgain):
		return flagUnreadable, f.notAgain
	}
	return flagUnasked, time.Time{}
}

// learn takes an answer.
func (f *flag) learn(enabled bool, ttl time.Duration, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.enabled, f.until, f.notAgain = enabled, now.Add(clampTTL(ttl)), time.Time{}
	f.offUntil.Store(0)
	if !enabled {
		f.offUntil.Store(f.until.UnixNano())
	}
}

// lead makes the caller the one who asks, or returns the channel of the one who does.
func (f *flag) lead() (wait <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.asking != nil {
		return f.asking
	}
	f.asking = make(chan struct{})
	return nil
}

// settle ends the caller's turn to ask. shared is false when the failure was about the
// credential of the one who asked: others may fare better.
func (f *flag) settle(failed, shared bool, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.asking)
	f.asking = nil
	if failed && shared {
		f.notAgain = now.Add(flagNegative)
	}
}
