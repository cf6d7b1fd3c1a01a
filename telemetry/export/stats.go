package export

import (
	"sync/atomic"
	"time"
)

// Reason says why an event was not sent.
type Reason string

// The reasons.
const (
	SampledOut Reason = "sampled_out" // Settings.SampleRate
	FlagOff    Reason = "flag_off"    // the server does not want telemetry
	QueueFull  Reason = "queue_full"  // Settings.QueueSize
	QueueBytes Reason = "queue_bytes" // more than 4 MiB of records waited, or 4 KiB for each of Settings.QueueSize
	Expired    Reason = "expired"     // waited an hour longer than the settings ask for
	Refused    Reason = "refused"     // the endpoint answered 4xx
	TooLarge   Reason = "too_large"   // the endpoint answered 413 to the event alone
	Rejected   Reason = "rejected"    // the service took the request and counted fewer events
	Broken     Reason = "broken"      // could not be encoded; see Stats.Panics
	Closed     Reason = "closed"      // the last connector was closed before it could be sent
	ShutDown   Reason = "shut_down"   // Shutdown was called before it could be sent
)

var reasons = [...]Reason{SampledOut, FlagOff, QueueFull, QueueBytes, Expired, Refused, TooLarge, Rejected, Broken, Closed, ShutDown}

func (r Reason) index() int {
	for i, other := range reasons {
		if r == other {
			return i
		}
	}
	return len(reasons) - 1
}

// Stats counts events and requests since the process started. At rest,
// Recorded = Sent + Pending + the sum of Dropped.
type Stats struct {
	// Recorded counts the events that were handed in. A statement makes one, and one more
	// for each of the RPCs CloseOperation and CancelOperation; a session makes two.
	Recorded int64 `json:"recorded"`
	// Sent counts the events the service says it has taken.
	Sent int64 `json:"sent"`
	// Dropped counts the others that are over, by reason. Reasons without events are left
	// out.
	Dropped map[Reason]int64 `json:"dropped,omitempty"`
	// Pending counts the events that wait or are under way.
	Pending int64 `json:"pending"`
	// PendingBytes is about what memory the waiting records keep.
	PendingBytes int64 `json:"pending_bytes"`

	// Requests counts uploads, Retries those of them that repeated one, Failures uploads
	// that failed after their retries, FlagRequests requests for the server's flag.
	Requests     int64 `json:"requests"`
	Retries      int64 `json:"retries"`
	Failures     int64 `json:"failures"`
	FlagRequests int64 `json:"flag_requests"`
	// Bytes sums the bodies of uploads, repeated ones included.
	Bytes int64 `json:"bytes"`
	// BreakerOpened counts how often a circuit breaker opened.
	BreakerOpened int64 `json:"breaker_opened"`
	// Panics counts contained panics. It should be 0.
	Panics int64 `json:"panics"`

	// Pipelines are those that have a connector now.
	Pipelines []PipelineStats `json:"pipelines,omitempty"`
}

// PipelineStats is the state of one pipeline: one host and one credential.
type PipelineStats struct {
	// Server is scheme://host:port. It is for the application's own eyes.
	Server string `json:"server"`
	// Connectors counts those that share it.
	Connectors int `json:"connectors"`
	// Pending counts the events that wait or are under way, PendingBytes about the memory.
	Pending      int64 `json:"pending"`
	PendingBytes int64 `json:"pending_bytes"`
	// Breaker is closed, open, half-open or off.
	Breaker string `json:"breaker"`
	// Flag is on, off, unknown, unreadable, or skipped (ForceEnable).
	Flag string `json:"flag"`
	// LoggedIn is true once the driver has logged in; before that, nothing is sent that
	// needs authentication.
	LoggedIn bool `json:"logged_in"`
	// LastError says what the latest failed request failed of: an HTTP status or an error
	// category, never a text. Empty when the latest one did not.
	LastError string `json:"last_error,omitempty"`
	// NotBefore is when the next request may be made, when that was put off: by the
	// server's Retry-After, the breaker or an unreadable flag.
	NotBefore time.Time `json:"not_before,omitzero"`
}

// counts is what Stats sums up. All of it is atomic.
type counts struct {
	recorded, sent, requests, retries, failures, flagRequests, bytes, opened, panics atomic.Int64

	dropped [len(reasons)]atomic.Int64
}

func (c *counts) drop(r Reason, events int) { c.dropped[r.index()].Add(int64(events)) }

func (c *counts) snapshot() Stats {
	s := Stats{
		Recorded: c.recorded.Load(), Sent: c.sent.Load(), Requests: c.requests.Load(), Retries: c.retries.Load(),
		Failures: c.failures.Load(), FlagRequests: c.flagRequests.Load(), Bytes: c.bytes.Load(),
		BreakerOpened: c.opened.Load(), Panics: c.panics.Load(), Dropped: map[Reason]int64{},
	}
	for i, r := range reasons {
		if n := c.dropped[i].Load(); n > 0 {
			s.Dropped[r] = n
		}
	}
	return s
}

// contain goes at the top of whatever runs on the application's goroutine.
func (c *counts) contain() {
	if recover() != nil {
		c.panics.Add(1)
	}
}
