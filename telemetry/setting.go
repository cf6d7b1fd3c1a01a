package telemetry

import (
	"cmp"
	"fmt"
	"time"
)

// Switch is a setting that is on, off or unset.
type Switch uint8

// The positions of a Switch.
const (
	SwitchUnset Switch = iota // left to the environment, the DSN or the server
	SwitchOn
	SwitchOff
)

// Settings configures one wrapped driver. Every field's zero value means its default. The same settings
// exist as DSN parameters and environment variables: see docs/CONFIGURATION.md. It is an error if a value
// exceeds the limit listed there, if a number other than MaxRetries is negative, or if a duration is
// shorter than a millisecond, because its unit is most likely missing.
type Settings struct {
	// Enabled controls telemetry to Databricks. SwitchOff turns it off, the native driver's own
	// included, and no request is made. SwitchOn and SwitchUnset leave the decision to the server's
	// flag. Local sinks do not depend on Enabled.
	Enabled Switch
	// ForceEnable skips the server's flag.
	ForceEnable bool
	// BatchSize is the largest number of records in one request; 0 means 100. A statement is one
	// record, including the event of its close, so 1,000 statements take 10 requests. A request has
	// fewer records when half of QueueSize is reached first.
	BatchSize int
	// FlushInterval is the longest time an event waits before it is sent; 0 means 5 s.
	FlushInterval time.Duration
	// MaxRetries is the number of retries of a request; 0 means 3, negative means none. All retries
	// are made, unless the endpoint asks for pauses that would take longer than all of them together;
	// then the events go back to the queue.
	MaxRetries int
	// RetryDelay is the pause before the first retry; 0 means 500 ms. Each pause is twice the
	// previous one, up to 10 s, or up to RetryDelay if that is longer. A random 10 to 30 % is added,
	// or up to 10 % once the bound is reached.
	RetryDelay time.Duration
	// QueueSize is the largest number of records that wait for each sink of the Config and for the log,
	// and of events that wait to be sent to Databricks. (For sinks of the process, the limit is
	// Default.QueueSize.) 0 means 1000, or six times BatchSize if that is more, so that a batch fills
	// before half of the queue does, whatever its records are. Waiting events may take 4 KiB each on
	// average; about 1 KiB is usual.
	QueueSize int
	// CloseTimeout is the longest that closing the sql.DB waits for telemetry; 0 means 2 s.
	CloseTimeout time.Duration
	// CircuitBreaker stops sending to an endpoint that keeps failing; SwitchUnset means SwitchOn.
	CircuitBreaker Switch
	// CircuitBreakerThreshold is the number of consecutive failures that open the circuit breaker; 0
	// means 5.
	CircuitBreakerThreshold int
	// CircuitBreakerTimeout is how long the circuit breaker stays open; a random part of up to a
	// tenth is added. 0 means 60 s.
	CircuitBreakerTimeout time.Duration
	// LogLevel is the lowest level that is written to slog.Default, see package logsink: off, error,
	// warn, info or debug; "" means off.
	LogLevel string
	// SlowThreshold is the time from which a statement counts as slow, in the log and for
	// QueryHistory; 0 means 10 s.
	SlowThreshold time.Duration
	// QueryText keeps the text of statements in local records. The text is never part of telemetry to
	// Databricks.
	QueryText bool
	// ErrorText says what local records keep of the text of an error; "" means redacted. The text is
	// never part of telemetry to Databricks.
	//
	//   - class keeps the error class and the SQLSTATE, nothing else.
	//   - redacted keeps words of a fixed vocabulary, error classes, SQLSTATEs and HTTP statuses, and
	//     replaces everything else with placeholders. See package sanitize.
	//   - full keeps the text as it is, up to 64 KiB. It may quote SQL, values, tables, people
	//     and secrets.
	ErrorText string
	// TraceTags adds the span around a statement (that of a [Tracer], or else the caller's) to the
	// statement's query tags, as traceparent (W3C trace context), so that rows of system.query.history
	// lead to traces. Tags that the application has set, including its own traceparent, stay as they
	// are. Nothing is added without a sampled span.
	TraceTags bool
	// QueryHistory says which statements the workspace's query history is asked about, so that sinks
	// receive a [ServerReport]: off, slow or all; "" means off.
	//
	//   - off makes no request.
	//   - slow asks for statements that took SlowThreshold or longer, and for failed ones.
	//   - all asks for every statement.
	//
	// The requests go to the workspace with the connection's own credential, in the background. No
	// request is made behind Wrap, where the credential is unknown, while no sink wants reports, or
	// when Enabled is SwitchOff. Flush does not wait for reports.
	QueryHistory string
	// SampleRate is the share of successful statements that are sent to Databricks, 0 to 1; unknown
	// means 1. Failed statements are always sent.
	SampleRate Maybe[float64]
}

// The default of QueueSize, in records and in batches. A record makes at most three events, so half
// of a queue of six batches holds one batch of any records.
const (
	defaultQueueSize     = 1000
	defaultQueuedBatches = 6
)

// WithDefaults returns the settings with every zero value replaced by its default, except Enabled:
// SwitchUnset leaves the decision to the server.
func (s Settings) WithDefaults() Settings {
	s.BatchSize = cmp.Or(s.BatchSize, 100)
	s.FlushInterval = cmp.Or(s.FlushInterval, 5*time.Second)
	s.MaxRetries = cmp.Or(s.MaxRetries, 3)
	s.RetryDelay = cmp.Or(s.RetryDelay, 500*time.Millisecond)
	s.QueueSize = cmp.Or(s.QueueSize, max(defaultQueueSize, defaultQueuedBatches*s.BatchSize))
	s.CloseTimeout = cmp.Or(s.CloseTimeout, 2*time.Second)
	s.CircuitBreaker = cmp.Or(s.CircuitBreaker, SwitchOn)
	s.CircuitBreakerThreshold = cmp.Or(s.CircuitBreakerThreshold, 5)
	s.CircuitBreakerTimeout = cmp.Or(s.CircuitBreakerTimeout, time.Minute)
	s.LogLevel = cmp.Or(s.LogLevel, "off")
	s.SlowThreshold = cmp.Or(s.SlowThreshold, 10*time.Second)
	s.ErrorText = cmp.Or(s.ErrorText, "redacted")
	s.QueryHistory = cmp.Or(s.QueryHistory, "off")
	s.SampleRate = Known(s.SampleRate.Or(1))
	return s
}

// ParameterError is the error for a setting with an unknown name or value. Its text quotes no more
// than 40 characters of a value, and nothing of a value that looks like a credential.
type ParameterError struct {
	Name    string // the DSN parameter, environment variable or field, such as Settings.LogLevel
	Value   string // what it was set to, as the error's text quotes it
	Accepts string // the values it accepts; empty where the name is wrong
	Problem string // what is wrong with the name; empty where the value is wrong
}

// Error names the setting and says what it accepts, or what is wrong with its name.
func (e *ParameterError) Error() string {
	if e.Problem != "" {
		return fmt.Sprintf("databricks-telemetry: %s %s", e.Name, e.Problem)
	}
	return fmt.Sprintf("databricks-telemetry: %s=%q is not understood: it takes %s", e.Name, e.Value, e.Accepts)
}

// SettingInForce is a setting's value in force, and its source.
type SettingInForce struct {
	Name  string // the DSN parameter's
	Value string // the value in force, which may be the default
	// By is "DSN", the name of an environment variable, "Config" or "default". It is
	// "ignored" for an environment variable that begins with DATABRICKS_TELEMETRY_ and is
	// unknown: Name is that variable, and Value names the nearest known one.
	By string
}
