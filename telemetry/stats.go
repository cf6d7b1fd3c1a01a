package telemetry

import "time"

// Stats is the state of everything in the process that measures and reports: what became of
// records, what could not be read, and what had to be contained.
type Stats struct {
	// Sinks says what became of the records offered to each sink of [Default], in the order
	// of Attach.
	Sinks []QueueStats `json:"sinks,omitempty"`
	// Export is the way to Databricks.
	Export ExportStats `json:"export"`
	// Wire counts what passed the observing transports of all connectors.
	Wire WireStats `json:"wire"`
	// Contained is what was kept from doing harm, by place. It should be empty.
	Contained []Contained `json:"contained,omitempty"`
}

// WireStats counts what observing transports have seen since the process started.
type WireStats struct {
	// Messages counts Thrift answers that were read to their end, Undecoded messages that
	// were not understood: what they say is unknown in the records.
	Messages  int64 `json:"messages"`
	Undecoded int64 `json:"undecoded"`
	// Files counts CloudFetch files that were downloaded.
	Files int64 `json:"files"`
	// Silenced counts requests of the driver's own telemetry that were answered locally.
	Silenced int64 `json:"silenced"`
	// Evicted counts statements that were no longer followed because too many were open.
	Evicted int64 `json:"evicted"`
}

// Contained is what went wrong at one place beside the statements: in code of this module, or
// in code that the application supplies. It cost records, never a statement.
type Contained struct {
	// Place is statement, wire, export or page for code of this module, and sink, tracer,
	// authenticator, transport, pool or spans for supplied code.
	Place string `json:"place"`
	// Panics and Goexits (runtime.Goexit) count how it ended; Hangs counts supplied code that
	// did not return within its time.
	Panics  int64 `json:"panics"`
	Goexits int64 `json:"goexits"`
	Hangs   int64 `json:"hangs"`
	// First is the type of the first panic value at this place, or runtime.Goexit, and the
	// stack. The text of the value is not kept.
	First string `json:"first,omitempty"`
}

// Incidents sums everything that was contained.
func (s Stats) Incidents() (n int64) {
	for _, c := range s.Contained {
		n += c.Panics + c.Goexits + c.Hangs
	}
	return n
}

// DropReason says why an event was not sent to Databricks.
type DropReason string

// ExportStats counts events and requests since the process started. At rest,
// Recorded = Sent + Pending + the sum of Dropped.
type ExportStats struct {
	// Recorded counts the events that were handed in. A statement makes one, and one more
	// for each of the RPCs CloseOperation and CancelOperation; a session makes two.
	Recorded int64 `json:"recorded"`
	// Sent counts the events the service says it has taken.
	Sent int64 `json:"sent"`
	// Dropped counts the others that are over, by reason. Reasons without events are left
	// out.
	Dropped map[DropReason]int64 `json:"dropped,omitempty"`
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
	// Panics counts contained panics, supplied code included. It should be 0.
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
