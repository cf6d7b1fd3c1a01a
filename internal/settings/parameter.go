package settings

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Parameter is one setting as text: a DSN parameter, or an environment variable with the same name in
// upper case after DATABRICKS_.
type Parameter struct {
	Name    string // the DSN parameter
	Field   string // the field of telemetry.Settings
	Accepts string // what a value looks like
	Default string
	Doc     string
	codec   codec
}

// Env returns the name of the environment variable.
func (p Parameter) Env() string { return p.envs()[0] }

// envs returns all names of the variable, the documented one first. The switch has a second name that
// the Databricks drivers share.
func (p Parameter) envs() []string {
	regular := "DATABRICKS_" + strings.ToUpper(p.Name)
	if p.Name == enableParameter {
		return []string{"DATABRICKS_TELEMETRY_ENABLED", regular}
	}
	return []string{regular}
}

// Value returns the setting in s as text, or "" for a zero value, which means the default.
func (p Parameter) Value(s telemetry.Settings) string { return p.codec.get(&s) }

// acceptsField returns what values of the field look like: as Accepts says, but durations may be as
// short as shortest.
func (p Parameter) acceptsField() string {
	const duration = "a Go duration from "
	if bounds, ok := strings.CutPrefix(p.Accepts, duration); ok {
		_, rest, _ := strings.Cut(bounds, " ")
		return duration + shortest.String() + " " + rest
	}
	return p.Accepts
}

// Parameters lists every setting, in the order of the documentation.
var Parameters = []Parameter{
	{enableParameter, "Enabled", "true or false", "unset: the server's flag decides", "Telemetry to Databricks. false turns it off, including the native driver's own; true turns it on, unless the server says no.",
		asSwitch(func(s *telemetry.Settings) *telemetry.Switch { return &s.Enabled })},
	{"telemetry_force_enable", "ForceEnable", "true or false", "false", "Skip the server's flag.",
		asBool(func(s *telemetry.Settings) *bool { return &s.ForceEnable })},
	{"telemetry_batch_size", "BatchSize", "a whole number from 1 to 10000", "100", "Largest number of records in a request; a statement and its close are one record. A request has fewer if half of the queue fills first, or if the endpoint says that it is too large.",
		asInt(1, 10_000, func(s *telemetry.Settings) *int { return &s.BatchSize })},
	{"telemetry_flush_interval", "FlushInterval", "a Go duration from 100ms to 1h, such as 5s", "5s", "Longest time an event waits before it is sent.",
		asDuration(100*time.Millisecond, time.Hour, func(s *telemetry.Settings) *time.Duration { return &s.FlushInterval })},
	{"telemetry_max_retries", "MaxRetries", "a whole number from 0 to 20", "3", "Retries of one request. All of them are made, unless the endpoint asks for pauses that would take longer than all of them together.",
		asRetries(20, func(s *telemetry.Settings) *int { return &s.MaxRetries })},
	{"telemetry_retry_delay", "RetryDelay", "a Go duration from 1ms to 1m, such as 500ms", "500ms", "Pause before the first retry. Each later pause is twice the previous one, up to 10s, or up to this value if it is longer. Up to 30 % is added to each at random.",
		asDuration(time.Millisecond, time.Minute, func(s *telemetry.Settings) *time.Duration { return &s.RetryDelay })},
	{"telemetry_queue_size", "QueueSize", "a whole number from 1 to 1000000", "1000", "Largest number of events that wait to be reported, and of records that wait for each sink of the Config and for the log, before the oldest are dropped; each takes about 1 KiB. The default is six batches if that is more. Sinks that are attached to the process have telemetry.Default.QueueSize instead.",
		asInt(1, 1_000_000, func(s *telemetry.Settings) *int { return &s.QueueSize })},
	{"telemetry_close_timeout", "CloseTimeout", "a Go duration from 1ms to 5m, such as 2s", "2s", "Longest time that closing the sql.DB waits for telemetry.",
		asDuration(time.Millisecond, 5*time.Minute, func(s *telemetry.Settings) *time.Duration { return &s.CloseTimeout })},
	{"telemetry_circuit_breaker", "CircuitBreaker", "true or false", "true", "Stop sending to an endpoint that keeps failing.",
		asSwitch(func(s *telemetry.Settings) *telemetry.Switch { return &s.CircuitBreaker })},
	{"telemetry_circuit_breaker_threshold", "CircuitBreakerThreshold", "a whole number from 1 to 1000", "5", "Failures in a row that open the breaker.",
		asInt(1, 1000, func(s *telemetry.Settings) *int { return &s.CircuitBreakerThreshold })},
	{"telemetry_circuit_breaker_timeout", "CircuitBreakerTimeout", "a Go duration from 1s to 1h, such as 60s", "60s", "How long the breaker stays open; up to a tenth is added at random.",
		asDuration(time.Second, time.Hour, func(s *telemetry.Settings) *time.Duration { return &s.CircuitBreakerTimeout })},
	{"telemetry_log_level", "LogLevel", logLevel.String(), "off", "Lowest level written to the application's log (slog): info includes the application's statements, warn those that were slow or failed. Repeated warnings are summarized, except with debug.",
		logLevel.codec(func(s *telemetry.Settings) *string { return &s.LogLevel })},
	{"telemetry_slow_threshold", "SlowThreshold", "a Go duration from 1ms to 24h, such as 10s", "10s", "How long a statement may take before it counts as slow, in the log and for telemetry_query_history.",
		asDuration(time.Millisecond, 24*time.Hour, func(s *telemetry.Settings) *time.Duration { return &s.SlowThreshold })},
	{"telemetry_query_text", "QueryText", "true or false", "false", "Keep the text of statements in local records (log, spans, debug page, NDJSON). It is never reported to Databricks.",
		asBool(func(s *telemetry.Settings) *bool { return &s.QueryText })},
	{"telemetry_error_text", "ErrorText", errorText.String(), "redacted", "How much of the text of errors local records keep. class: only the error class and SQLSTATE; redacted: only words of a fixed vocabulary, with placeholders for everything else; full: the text as it is. It is never reported to Databricks.",
		errorText.codec(func(s *telemetry.Settings) *string { return &s.ErrorText })},
	{"telemetry_trace_tags", "TraceTags", "true or false", "false", "Add the sampled span around a statement to its query tags, as traceparent, so that rows of system.query.history lead to traces. The application's own tags stay. The driver's kernel backend sends no statement tags.",
		asBool(func(s *telemetry.Settings) *bool { return &s.TraceTags })},
	{"telemetry_query_history", "QueryHistory", queryHistory.String(), QueryHistoryOff, "Which statements the workspace's query history is asked about, to learn where the server's time went. slow: failed statements and those that took telemetry_slow_threshold or longer. Local sinks receive the reports; nothing in them is reported to Databricks. Nothing is asked if enableTelemetry is off.",
		queryHistory.codec(func(s *telemetry.Settings) *string { return &s.QueryHistory })},
	{"telemetry_sample_rate", "SampleRate", "a number from 0 to 1, such as 0.1", "1", "Share of successful statements that are reported to Databricks; failed ones always are.",
		asShare(func(s *telemetry.Settings) *telemetry.Maybe[float64] { return &s.SampleRate })},
}

// codec reads and writes one setting as text.
type codec struct {
	set func(*telemetry.Settings, string) bool   // returns false for a value that it does not accept
	get func(*telemetry.Settings) (value string) // "" for a zero value

	// setField is set for the field of a Config, which may accept other values.
	setField func(*telemetry.Settings, string) bool
}

// asText makes a codec from a field and the functions that parse and format it.
func asText[T comparable](at func(*telemetry.Settings) *T, parse func(string) (T, bool), format func(T) string) codec {
	set := func(s *telemetry.Settings, v string) bool {
		x, ok := parse(v)
		*at(s) = x
		return ok
	}
	get := func(s *telemetry.Settings) string {
		var zero T
		if *at(s) == zero {
			return ""
		}
		return format(*at(s))
	}
	return codec{set, get, set}
}

func asSwitch(at func(*telemetry.Settings) *telemetry.Switch) codec {
	return asText(at, parseSwitch, func(s telemetry.Switch) string {
		if s > telemetry.SwitchOff {
			return strconv.Itoa(int(s))
		}
		return strconv.FormatBool(s == telemetry.SwitchOn)
	})
}

func asBool(at func(*telemetry.Settings) *bool) codec {
	return asText(at, func(v string) (bool, bool) {
		s, ok := parseSwitch(v)
		return s == telemetry.SwitchOn, ok
	}, strconv.FormatBool)
}

func asInt(low, high int, at func(*telemetry.Settings) *int) codec {
	return asText(at, func(v string) (int, bool) {
		n, err := strconv.Atoi(v)
		return n, err == nil && low <= n && n <= high
	}, strconv.Itoa)
}

// asRetries returns the codec of a number of retries. No retries is 0 as text and -1 in Settings,
// where 0 means the default.
func asRetries(high int, at func(*telemetry.Settings) *int) codec {
	return asText(at, func(v string) (int, bool) {
		n, err := strconv.Atoi(v)
		ok := err == nil && 0 <= n && n <= high
		if n == 0 {
			n = -1
		}
		return n, ok
	}, func(n int) string { return strconv.Itoa(max(0, n)) })
}

func asDuration(low, high time.Duration, at func(*telemetry.Settings) *time.Duration) codec {
	from := func(low time.Duration) codec {
		return asText(at, func(v string) (time.Duration, bool) {
			d, err := time.ParseDuration(v)
			return d, err == nil && low <= d && d <= high
		}, time.Duration.String)
	}
	c := from(low)
	c.setField = from(shortest).set
	return c
}

// shortest is the shortest duration that the field of a Config may have. A shorter duration is most likely a
// number without its unit, such as FlushInterval: 5.
const shortest = time.Millisecond

// The values of telemetry.Settings.ErrorText.
const (
	ErrorTextClass    = "class"
	errorTextRedacted = "redacted"
	ErrorTextFull     = "full"
)

// The values of telemetry.Settings.QueryHistory.
const (
	QueryHistoryOff  = "off"
	QueryHistorySlow = "slow"
	QueryHistoryAll  = "all"
)

// The settings whose value is one of a few words.
var (
	logLevel     = words{"off", "error", "warn", "info", "debug"}
	errorText    = words{ErrorTextClass, errorTextRedacted, ErrorTextFull}
	queryHistory = words{QueryHistoryOff, QueryHistorySlow, QueryHistoryAll}
)

type words []string

// parse accepts one of the words, in any case.
func (w words) parse(v string) (string, bool) {
	v = strings.ToLower(v)
	return v, slices.Contains(w, v)
}

func (w words) String() string {
	return strings.Join(w[:len(w)-1], ", ") + " or " + w[len(w)-1]
}

func (w words) codec(at func(*telemetry.Settings) *string) codec {
	return asText(at, w.parse, func(v string) string { return v })
}

func asShare(at func(*telemetry.Settings) *telemetry.Maybe[float64]) codec {
	return asText(at, func(v string) (telemetry.Maybe[float64], bool) {
		f, err := strconv.ParseFloat(v, 64)
		return telemetry.Known(f), err == nil && 0 <= f && f <= 1 // not NaN
	}, func(m telemetry.Maybe[float64]) string { return strconv.FormatFloat(m.Or(1), 'f', -1, 64) })
}
