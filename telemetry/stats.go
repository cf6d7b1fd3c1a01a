package telemetry

import "time"

// Stats counts what the wrapped drivers of the process recorded, delivered, sent and dropped, the
// messages that could not be decoded, and the faults that were contained.
type Stats struct {
	// Sinks counts the records of each sink of [Default], in the order of Attach.
	Sinks []QueueStats `json:"sinks,omitempty"`
	// Export counts the events for Databricks.
	Export ExportStats `json:"export"`
	// History counts the statements that query histories were asked about.
	History HistoryStats `json:"history"`
	// Wire counts the messages and files that all connectors observed on the wire.
	Wire WireStats `json:"wire"`
	// Contained lists the panics, Goexits and hangs that were contained, by place. It should be
	// empty.
	Contained []Contained `json:"contained,omitempty"`
}

// WireStats counts what observing transports have seen: all transports of the process since it
// started, or those that share a cloudfetch.Counters.
type WireStats struct {
	// Messages counts Thrift answers that were read to their end. Undecoded counts messages that
	// could not be decoded, whose content is unknown in the records.
	Messages  int64 `json:"messages"`
	Undecoded int64 `json:"undecoded"`
	// Files counts CloudFetch files that were downloaded.
	Files int64 `json:"files"`
	// Silenced counts requests of the driver's own telemetry that were answered locally.
	Silenced int64 `json:"silenced"`
	// Evicted counts statements that are no longer tracked because too many were open.
	Evicted int64 `json:"evicted"`
	// Panics counts contained panics while reading the wire. It should be 0.
	Panics int64 `json:"panics"`
}

// Contained counts the faults at one place, in code of this module or in user-supplied code. Such
// faults cost records, never a statement.
type Contained struct {
	// Place is statement, wire, export, history or page for code of this module, and sink, tracer,
	// authenticator, transport, pool or spans for user-supplied code.
	Place string `json:"place"`
	// Panics and Goexits (runtime.Goexit) count calls that ended that way; Hangs counts calls of
	// user-supplied code that did not return in time.
	Panics  int64 `json:"panics"`
	Goexits int64 `json:"goexits"`
	Hangs   int64 `json:"hangs"`
	// First is the type of the first panic value at this place, or "runtime.Goexit", followed by the
	// stack. The text of the panic value is not kept.
	First string `json:"first,omitempty"`
}

// Total returns the number of faults at the place.
func (c Contained) Total() int64 { return c.Panics + c.Goexits + c.Hangs }

// Incidents returns the number of faults that were contained, at all places.
func (s Stats) Incidents() (n int64) {
	for _, c := range s.Contained {
		n += c.Total()
	}
	return n
}

// ExportStats counts events and requests since the process started. At rest,
// Recorded = Sent + Pending + the sum of Dropped.
type ExportStats struct {
	// Recorded counts the events that were recorded. A statement makes one event, and one more for
	// each of the RPCs CloseOperation and CancelOperation; a session makes two.
	Recorded int64 `json:"recorded"`
	// Sent counts the events that the service confirmed.
	Sent int64 `json:"sent"`
	// Dropped counts the events that will not be sent, by reason, such as queue_full or
	// flag_off. Reasons without events are left out.
	Dropped map[string]int64 `json:"dropped,omitempty"`
	// Pending counts the events that wait or are being sent.
	Pending int64 `json:"pending"`
	// PendingBytes is the approximate memory of the waiting records.
	PendingBytes int64 `json:"pending_bytes"`

	// Requests counts uploads, retries included; Retries counts the retries among them; Failures
	// counts uploads that failed after their retries; FlagRequests counts requests for the server's
	// flag.
	Requests     int64 `json:"requests"`
	Retries      int64 `json:"retries"`
	Failures     int64 `json:"failures"`
	FlagRequests int64 `json:"flag_requests"`
	// Bytes sums the bodies of uploads, retries included.
	Bytes int64 `json:"bytes"`
	// BreakerOpened counts how often a circuit breaker opened.
	BreakerOpened int64 `json:"breaker_opened"`
	// Panics counts contained panics, those of user-supplied code included. It should be 0.
	Panics int64 `json:"panics"`

	// Pipelines lists the pipelines that have an open connector.
	Pipelines []PipelineStats `json:"pipelines,omitempty"`
}

// PipelineStats is the state of one pipeline, which serves one host and one credential.
type PipelineStats struct {
	// Server is scheme://host:port. It is never sent to Databricks.
	Server string `json:"server"`
	// Connectors counts the connectors that share it.
	Connectors int `json:"connectors"`
	// Pending counts the events that wait or are being sent, PendingBytes is the approximate
	// memory of the waiting records.
	Pending      int64 `json:"pending"`
	PendingBytes int64 `json:"pending_bytes"`
	// Breaker is closed, open, half-open or off.
	Breaker string `json:"breaker"`
	// Flag is on, off, unknown, unreadable, or skipped (ForceEnable).
	Flag string `json:"flag"`
	// LoggedIn is true once the driver has logged in. Before that, nothing is sent that needs
	// authentication.
	LoggedIn bool `json:"logged_in"`
	// LastError is the HTTP status or the error category of the latest request, when it
	// failed; empty otherwise. It never has the text of an error.
	LastError string `json:"last_error,omitempty"`
	// NotBefore is the earliest time of the next request, in UTC, if Retry-After, the breaker or an
	// unreadable flag delays it; zero otherwise.
	NotBefore time.Time `json:"not_before,omitzero"`
}

// HistoryStats counts, since the process started, the statements that the query history was to be
// asked about ([Settings.QueryHistory]). At rest, Statements = Reported + Waiting + the sum of
// Dropped.
type HistoryStats struct {
	// Statements counts the statements that a report was wanted for.
	Statements int64 `json:"statements"`
	// Reported counts the statements that have a report.
	Reported int64 `json:"reported"`
	// Dropped counts the statements without a report, by reason. Reasons without statements are left
	// out:
	//
	//   - not_found: no answer had the statement, for example because the credential may not see it
	//   - refused: a request was refused, had an unusable answer, or was not made because user-supplied
	//     code failed; see HistoryClientStats.QuietUntil
	//   - queue_full: 500 others waited
	//   - expired: the statement waited for more than five minutes
	//   - closed: its connector was closed
	//   - shut_down: Shutdown was called
	//   - broken: the code that asks panicked; see Stats.Contained
	Dropped map[string]int64 `json:"dropped,omitempty"`
	// Waiting counts the statements that still have to be asked about, or are being asked about now.
	Waiting int64 `json:"waiting"`
	// Requests counts requests; Failures counts requests without a usable answer.
	Requests int64 `json:"requests"`
	Failures int64 `json:"failures"`
	// Unavailable counts connectors that never ask despite QueryHistory, because the credential is
	// unknown behind Wrap.
	Unavailable int64 `json:"unavailable"`

	// Clients lists the clients that ask for the open connectors.
	Clients []HistoryClientStats `json:"clients,omitempty"`
}

// HistoryClientStats is the state of the client that asks one host with one credential.
type HistoryClientStats struct {
	// Server is scheme://host:port.
	Server string `json:"server"`
	// Connectors counts the connectors that share it.
	Connectors int `json:"connectors"`
	// Waiting counts the statements that still have to be asked about, or are being asked about now.
	Waiting int64 `json:"waiting"`
	// LastError is the HTTP status or the error category of the latest request, when it failed;
	// empty otherwise. It never has the text of an error.
	LastError string `json:"last_error,omitempty"`
	// QuietUntil is when, in UTC, the history is asked again after it refused a request or gave an
	// unusable answer, or after the connection's authenticator or transport failed. It is zero while
	// there is no such pause.
	QuietUntil time.Time `json:"quiet_until,omitzero"`
}
