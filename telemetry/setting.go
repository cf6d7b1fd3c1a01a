package telemetry

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Switch is a setting that can be left to somebody else to decide.
type Switch uint8

// The positions of a Switch.
const (
	Unset Switch = iota // whoever decides next decides
	On
	Off
)

// Settings configures one wrapped driver. Every field's zero value means its default. The
// same settings exist as DSN parameters and environment variables: see [Parameters].
type Settings struct {
	// Enabled decides about telemetry to Databricks: Off is off, the native driver's own
	// included, and no request is made; On and Unset leave the decision to the server's
	// flag. Local sinks do not depend on it.
	Enabled Switch
	// ForceEnable skips the server's flag.
	ForceEnable bool
	// BatchSize is the largest number of records in one request; 0 means 100. A statement is
	// one, with the event of its close, so that 1,000 statements take 10 requests.
	BatchSize int
	// FlushInterval is the longest an event waits to be sent; 0 means 5 s.
	FlushInterval time.Duration
	// MaxRetries is how often a request is tried again; 0 means 3, negative means never.
	MaxRetries int
	// RetryDelay is the pause before the first retry; 0 means 500 ms.
	RetryDelay time.Duration
	// QueueSize is the number of records that wait, per sink, and of events that wait to be
	// reported; 0 means 1000.
	QueueSize int
	// CloseTimeout bounds what closing the sql.DB waits for telemetry; 0 means 2 s.
	CloseTimeout time.Duration
	// CircuitBreaker stops sending to an endpoint that keeps failing; Unset means On.
	CircuitBreaker Switch
	// CircuitBreakerThreshold is the number of failures in a row that open it; 0 means 5.
	CircuitBreakerThreshold int
	// CircuitBreakerTimeout is how long it stays open; 0 means 60 s.
	CircuitBreakerTimeout time.Duration
	// LogLevel is the least level that is written to slog.Default, see package logsink:
	// off, error, warn, info or debug; "" means off.
	LogLevel string
	// SampleRate is the share of successful statements that are exported, 0 to 1; unknown
	// means 1. Failed statements are exported always.
	SampleRate Maybe[float64]
}

// WithDefaults returns the settings with every zero value replaced by its default. The
// switches that somebody else may decide stay as they are.
func (s Settings) WithDefaults() Settings {
	orInt := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	orDuration := func(v *time.Duration, d time.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	orInt(&s.BatchSize, 100)
	orDuration(&s.FlushInterval, 5*time.Second)
	orInt(&s.MaxRetries, 3)
	orDuration(&s.RetryDelay, 500*time.Millisecond)
	orInt(&s.QueueSize, DefaultQueueSize)
	orDuration(&s.CloseTimeout, 2*time.Second)
	orInt(&s.CircuitBreakerThreshold, 5)
	orDuration(&s.CircuitBreakerTimeout, time.Minute)
	if s.CircuitBreaker == Unset {
		s.CircuitBreaker = On
	}
	if s.LogLevel == "" {
		s.LogLevel = "off"
	}
	s.SampleRate = Known(s.SampleRate.Or(1))
	return s
}

// Parameter is one setting as text: a DSN parameter, or an environment variable of the
// same name in upper case with DATABRICKS_ in front.
type Parameter struct {
	Name    string // the DSN parameter
	Accepts string // what a value looks like
	Default string
	Doc     string
	set     func(*Settings, string) bool // false: not a value it accepts
}

// Env is the name of the environment variable.
func (p Parameter) Env() string { return p.envs()[0] }

// envs are all names it is known by: the switch goes by the name the Databricks drivers
// share, too.
func (p Parameter) envs() []string {
	regular := "DATABRICKS_" + strings.ToUpper(p.Name)
	if p.Name == "enableTelemetry" {
		return []string{"DATABRICKS_TELEMETRY_ENABLED", regular}
	}
	return []string{regular}
}

// Parameters lists every setting that can be given as text.
var Parameters = []Parameter{
	{"enableTelemetry", "true or false", "unset: the server's flag decides", "Telemetry to Databricks. false is off, the native driver's own included; true is on unless the server says no.",
		func(s *Settings, v string) bool { return setSwitch(&s.Enabled, v) }},
	{"telemetry_force_enable", "true or false", "false", "Skip the server's flag.",
		func(s *Settings, v string) bool { return setBool(&s.ForceEnable, v) }},
	{"telemetry_batch_size", "a whole number from 1 to 10000", "100", "Records per request; a statement is one, with its close.",
		func(s *Settings, v string) bool { return setInt(&s.BatchSize, v, 1, 10_000) }},
	{"telemetry_flush_interval", "a Go duration from 100ms to 1h, such as 5s", "5s", "Longest an event waits to be sent.",
		func(s *Settings, v string) bool {
			return setDuration(&s.FlushInterval, v, 100*time.Millisecond, time.Hour)
		}},
	{"telemetry_max_retries", "a whole number from 0 to 20", "3", "Retries of one request.",
		func(s *Settings, v string) bool {
			if !setInt(&s.MaxRetries, v, 0, 20) {
				return false
			}
			if s.MaxRetries == 0 {
				s.MaxRetries = -1 // 0 as a value is none; 0 in Settings is the default
			}
			return true
		}},
	{"telemetry_retry_delay", "a Go duration from 1ms to 1m, such as 500ms", "500ms", "Pause before the first retry.",
		func(s *Settings, v string) bool {
			return setDuration(&s.RetryDelay, v, time.Millisecond, time.Minute)
		}},
	{"telemetry_queue_size", "a whole number from 1 to 1000000", "1000", "Records that wait before the oldest are dropped.",
		func(s *Settings, v string) bool { return setInt(&s.QueueSize, v, 1, 1_000_000) }},
	{"telemetry_close_timeout", "a Go duration from 1ms to 5m, such as 2s", "2s", "Longest that closing the sql.DB waits for telemetry.",
		func(s *Settings, v string) bool {
			return setDuration(&s.CloseTimeout, v, time.Millisecond, 5*time.Minute)
		}},
	{"telemetry_circuit_breaker", "true or false", "true", "Stop sending to an endpoint that keeps failing.",
		func(s *Settings, v string) bool { return setSwitch(&s.CircuitBreaker, v) }},
	{"telemetry_circuit_breaker_threshold", "a whole number from 1 to 1000", "5", "Failures in a row that open the breaker.",
		func(s *Settings, v string) bool { return setInt(&s.CircuitBreakerThreshold, v, 1, 1000) }},
	{"telemetry_circuit_breaker_timeout", "a Go duration from 1s to 1h, such as 60s", "60s", "How long the breaker stays open.",
		func(s *Settings, v string) bool {
			return setDuration(&s.CircuitBreakerTimeout, v, time.Second, time.Hour)
		}},
	{"telemetry_log_level", "off, error, warn, info or debug", "off", "Least level written to the application's log (slog).",
		func(s *Settings, v string) bool { return setLevel(&s.LogLevel, v) }},
	{"telemetry_sample_rate", "a number from 0 to 1, such as 0.1", "1", "Share of successful statements exported; failed ones always are.",
		func(s *Settings, v string) bool { return setShare(&s.SampleRate, v) }},
}

// ParameterError says which setting could not be understood.
type ParameterError struct {
	Name    string // the DSN parameter or environment variable
	Value   string // what it was set to
	Accepts string // what it takes
}

func (e *ParameterError) Error() string {
	return fmt.Sprintf("databricks-telemetry: %s=%q is not understood: it takes %s", e.Name, e.Value, e.Accepts)
}

// Resolve returns the settings in force: those of the DSN over those of the environment over
// base, except that off wins wherever it is said. Both lookups return "" for what is not
// set; nil means nothing is. The error is a *ParameterError.
func Resolve(base Settings, dsn, env func(string) string) (Settings, error) {
	s := base
	off := base.Enabled == Off
	for _, source := range []struct {
		lookup func(string) string
		names  func(Parameter) []string
	}{
		{env, Parameter.envs},
		{dsn, func(p Parameter) []string { return []string{p.Name} }},
	} {
		if source.lookup == nil {
			continue
		}
		for _, p := range Parameters {
			for _, name := range source.names(p) {
				value := source.lookup(name)
				if value == "" {
					continue
				}
				if !p.set(&s, value) {
					return base, &ParameterError{Name: name, Value: value, Accepts: p.Accepts}
				}
				off = off || s.Enabled == Off
			}
		}
	}
	if env != nil {
		if track, err := strconv.ParseBool(env("DO_NOT_TRACK")); err == nil && track {
			off = true
		}
	}
	if off {
		s.Enabled = Off
	}
	return s, nil
}

// Environ looks a variable up in the environment of the process.
func Environ(name string) string { return strings.TrimSpace(os.Getenv(name)) }

func setSwitch(to *Switch, v string) bool {
	b, err := strconv.ParseBool(v)
	*to = Off
	if b {
		*to = On
	}
	return err == nil
}

func setBool(to *bool, v string) bool {
	b, err := strconv.ParseBool(v)
	*to = b
	return err == nil
}

func setInt(to *int, v string, low, high int) bool {
	n, err := strconv.Atoi(v)
	*to = n
	return err == nil && low <= n && n <= high
}

func setDuration(to *time.Duration, v string, low, high time.Duration) bool {
	d, err := time.ParseDuration(v)
	*to = d
	return err == nil && low <= d && d <= high
}

func setLevel(to *string, v string) bool {
	*to = strings.ToLower(v)
	switch *to {
	case "off", "error", "warn", "info", "debug":
		return true
	}
	return false
}

func setShare(to *Maybe[float64], v string) bool {
	f, err := strconv.ParseFloat(v, 64)
	*to = Known(f)
	return err == nil && 0 <= f && f <= 1 // also refuses NaN
}
