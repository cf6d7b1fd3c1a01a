package settings_test

import (
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/settings"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// lookup gives each name its one value.
func lookup(values map[string]string) map[string][]string {
	all := map[string][]string{}
	for name, value := range values {
		all[name] = []string{value}
	}
	return all
}

func TestEveryParameterSetsItsSetting(t *testing.T) {
	dsn := map[string]string{
		"enableTelemetry":                     "true",
		"telemetry_force_enable":              "1",
		"telemetry_batch_size":                "7",
		"telemetry_flush_interval":            "250ms",
		"telemetry_max_retries":               "0",
		"telemetry_retry_delay":               "20ms",
		"telemetry_queue_size":                "11",
		"telemetry_close_timeout":             "3s",
		"telemetry_circuit_breaker":           "false",
		"telemetry_circuit_breaker_threshold": "9",
		"telemetry_circuit_breaker_timeout":   "2m",
		"telemetry_log_level":                 "WARN",
		"telemetry_slow_threshold":            "90s",
		"telemetry_query_text":                "true",
		"telemetry_error_text":                "Class",
		"telemetry_trace_tags":                "true",
		"telemetry_query_history":             "SLOW",
		"telemetry_sample_rate":               "0.25",
	}
	require.Len(t, dsn, len(settings.Parameters), "a parameter without a test")
	want := telemetry.Settings{
		Enabled: telemetry.SwitchOn, ForceEnable: true, BatchSize: 7, FlushInterval: 250 * time.Millisecond,
		MaxRetries: -1, RetryDelay: 20 * time.Millisecond, QueueSize: 11, CloseTimeout: 3 * time.Second,
		CircuitBreaker: telemetry.SwitchOff, CircuitBreakerThreshold: 9, CircuitBreakerTimeout: 2 * time.Minute,
		LogLevel: "warn", SlowThreshold: 90 * time.Second, QueryText: true, ErrorText: settings.ErrorTextClass, TraceTags: true, QueryHistory: settings.QueryHistorySlow, SampleRate: telemetry.Known(0.25),
	}

	got, err := settings.Resolve(telemetry.Settings{}, lookup(dsn), nil)
	require.NoError(t, err)
	require.Equal(t, want, got)

	env := map[string]string{}
	for _, p := range settings.Parameters {
		env[p.Env()] = dsn[p.Name]

		alone, err := settings.Resolve(telemetry.Settings{}, lookup(map[string]string{p.Name: dsn[p.Name]}), nil)
		require.NoError(t, err)
		field := reflect.ValueOf(&alone).Elem().FieldByName(p.Field)
		require.False(t, field.IsZero(), "%s sets %s", p.Name, p.Field)
		field.SetZero()
		require.Equal(t, telemetry.Settings{}, alone, "%s sets nothing else", p.Name)
	}
	require.Len(t, env, reflect.TypeFor[telemetry.Settings]().NumField(), "a setting without a parameter")
	got, err = settings.Resolve(telemetry.Settings{}, nil, lookup(env))
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestDefaultsAreTheDocumentedOnes(t *testing.T) {
	dsn := map[string]string{}
	for _, p := range settings.Parameters {
		if p.Name != "enableTelemetry" {
			dsn[p.Name] = p.Default
		}
	}
	documented, err := settings.Resolve(telemetry.Settings{}, lookup(dsn), nil)
	require.NoError(t, err)
	require.Equal(t, telemetry.Settings{}.WithDefaults(), documented)
}

// The zero value of a switch is false, and false may have been said.
func TestWhoSaidFalseIsShown(t *testing.T) {
	env := lookup(map[string]string{"DATABRICKS_TELEMETRY_QUERY_TEXT": "true", "DATABRICKS_TELEMETRY_FORCE_ENABLE": "no"})
	dsn := lookup(map[string]string{"telemetry_query_text": "false"})
	by := map[string]telemetry.SettingInForce{}
	for _, s := range settings.InForce(telemetry.Settings{}, dsn, env) {
		by[s.Name] = s
	}
	require.Equal(t, telemetry.SettingInForce{Name: "telemetry_query_text", Value: "false", By: "DSN"}, by["telemetry_query_text"])
	require.Equal(t, telemetry.SettingInForce{Name: "telemetry_force_enable", Value: "false", By: "DATABRICKS_TELEMETRY_FORCE_ENABLE"}, by["telemetry_force_enable"])
	require.Equal(t, telemetry.SettingInForce{Name: "telemetry_trace_tags", Value: "false", By: "default"}, by["telemetry_trace_tags"])
}

func TestDSNBeatsEnvironmentBeatsConfig(t *testing.T) {
	base := telemetry.Settings{BatchSize: 1, QueueSize: 1, CircuitBreakerThreshold: 1}
	env := map[string]string{"DATABRICKS_TELEMETRY_BATCH_SIZE": "2", "DATABRICKS_TELEMETRY_QUEUE_SIZE": "2"}
	dsn := map[string]string{"telemetry_batch_size": "3"}
	got, err := settings.Resolve(base, lookup(dsn), lookup(env))
	require.NoError(t, err)
	require.Equal(t, telemetry.Settings{BatchSize: 3, QueueSize: 2, CircuitBreakerThreshold: 1}, got)
}

func TestOffWinsWhereverItIsSaid(t *testing.T) {
	on := map[string]string{"enableTelemetry": "true", "DATABRICKS_TELEMETRY_ENABLED": "true"}
	tests := map[string]struct {
		base     telemetry.Settings
		dsn, env map[string]string
		want     telemetry.Switch
	}{
		"config":                           {base: telemetry.Settings{Enabled: telemetry.SwitchOff}, dsn: on, env: on, want: telemetry.SwitchOff},
		"dsn":                              {base: telemetry.Settings{Enabled: telemetry.SwitchOn}, dsn: map[string]string{"enableTelemetry": "false"}, env: on, want: telemetry.SwitchOff},
		"environment":                      {dsn: on, env: map[string]string{"DATABRICKS_TELEMETRY_ENABLED": "false"}, want: telemetry.SwitchOff},
		"environment, by the regular name": {dsn: on, env: map[string]string{"DATABRICKS_TELEMETRY_ENABLED": "true", "DATABRICKS_ENABLETELEMETRY": "false"}, want: telemetry.SwitchOff},
		"either name of the environment":   {env: map[string]string{"DATABRICKS_TELEMETRY_ENABLED": "false", "DATABRICKS_ENABLETELEMETRY": "true"}, want: telemetry.SwitchOff},
		"do not track":                     {dsn: on, env: map[string]string{"DO_NOT_TRACK": "1"}, want: telemetry.SwitchOff},
		"track me":                         {env: map[string]string{"DO_NOT_TRACK": "0"}, want: telemetry.SwitchUnset},
		"set nowhere":                      {want: telemetry.SwitchUnset},
		"set in the DSN":                   {dsn: on, want: telemetry.SwitchOn},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := settings.Resolve(test.base, lookup(test.dsn), lookup(test.env))
			require.NoError(t, err)
			require.Equal(t, test.want, got.Enabled)
		})
	}
}

func TestABadValueIsNamedWithWhatIsAccepted(t *testing.T) {
	bad := map[string][]string{
		"enableTelemetry":                     {"maybe", "2"},
		"telemetry_force_enable":              {"perhaps"},
		"telemetry_batch_size":                {"0", "-1", "ten", "10001", "1.5"},
		"telemetry_flush_interval":            {"5", "0s", "99ms", "2h", "soon"},
		"telemetry_max_retries":               {"-1", "21", "x"},
		"telemetry_retry_delay":               {"500", "0", "2m"},
		"telemetry_queue_size":                {"0", "1000001"},
		"telemetry_close_timeout":             {"0s", "6m"},
		"telemetry_circuit_breaker":           {"open"},
		"telemetry_circuit_breaker_threshold": {"0"},
		"telemetry_circuit_breaker_timeout":   {"60", "999ms"},
		"telemetry_log_level":                 {"verbose"},
		"telemetry_slow_threshold":            {"10", "0s", "25h"},
		"telemetry_query_text":                {"sometimes"},
		"telemetry_error_text":                {"off", "true", "redact"},
		"telemetry_trace_tags":                {"some"},
		"telemetry_query_history":             {"true", "failed", "fast"},
		"telemetry_sample_rate":               {"-0.1", "1.1", "NaN", "10%"},
	}
	require.Len(t, bad, len(settings.Parameters), "a parameter without a test")
	for _, p := range settings.Parameters {
		for _, value := range bad[p.Name] {
			_, err := settings.Resolve(telemetry.Settings{}, lookup(map[string]string{p.Name: value}), nil)
			var parameter *telemetry.ParameterError
			require.ErrorAs(t, err, &parameter)
			require.Equal(t, &telemetry.ParameterError{Name: p.Name, Value: value, Accepts: p.Accepts}, parameter)
			require.ErrorContains(t, err, p.Name)
			require.ErrorContains(t, err, p.Accepts)
		}
	}
	_, err := settings.Resolve(telemetry.Settings{}, nil, lookup(map[string]string{"DATABRICKS_TELEMETRY_LOG_LEVEL": "loud"}))
	require.EqualError(t, err, `databricks-telemetry: DATABRICKS_TELEMETRY_LOG_LEVEL="loud" is not understood: it takes off, error, warn, info or debug`)
}

// A DSN with two mistakes gives one error, the same at every start of a process.
func TestOfSeveralMistakesTheSameOneIsNamed(t *testing.T) {
	unknown := lookup(map[string]string{"telemetry_a": "1", "telemetry_b": "1", "telemetry_c": "1", "telemetry_d": "1"})
	for range 100 {
		_, err := settings.Resolve(telemetry.Settings{}, unknown, nil)
		require.ErrorContains(t, err, "telemetry_a is not a parameter")
	}
}

func TestALevelOfAConfigIsUnderstoodLikeThatOfADSN(t *testing.T) {
	s, err := settings.Resolve(telemetry.Settings{LogLevel: "WARN"}, nil, nil)
	require.NoError(t, err)
	require.Equal(t, "warn", s.LogLevel)
	_, err = settings.Resolve(telemetry.Settings{LogLevel: "verbose"}, nil, nil)
	require.EqualError(t, err, `databricks-telemetry: Settings.LogLevel="verbose" is not understood: it takes off, error, warn, info or debug`)
}

// A Config is refused where its value has no effect that could be meant: a negative timeout of the
// breaker made the exporter spin, and the largest duration overflowed, so that every event expired.
func TestAValueOfAConfigThatIsOutOfRangeIsRefused(t *testing.T) {
	const forever = time.Duration(math.MaxInt64)
	bad := map[string]telemetry.Settings{
		"BatchSize":               {BatchSize: -1},
		"FlushInterval":           {FlushInterval: forever},
		"MaxRetries":              {MaxRetries: math.MaxInt},
		"RetryDelay":              {RetryDelay: forever},
		"QueueSize":               {QueueSize: math.MaxInt},
		"CloseTimeout":            {CloseTimeout: -time.Second},
		"CircuitBreakerThreshold": {CircuitBreakerThreshold: math.MaxInt},
		"CircuitBreakerTimeout":   {CircuitBreakerTimeout: -1},
		"SlowThreshold":           {SlowThreshold: -time.Millisecond},
		"Enabled":                 {Enabled: 9},
		"SampleRate":              {SampleRate: telemetry.Known(math.NaN())},
		"ErrorText":               {ErrorText: "none"},
	}
	for field, base := range bad {
		_, err := settings.Resolve(base, nil, nil)
		var parameter *telemetry.ParameterError
		require.ErrorAs(t, err, &parameter, field)
		require.Equal(t, "Settings."+field, parameter.Name)
		require.NotEmpty(t, parameter.Accepts)
	}
	_, err := settings.Resolve(telemetry.Settings{FlushInterval: 5}, nil, nil) // without time.Second
	require.EqualError(t, err, `databricks-telemetry: Settings.FlushInterval="5ns" is not understood: it takes a Go duration from 1ms to 1h, such as 5s`)
	_, err = settings.Resolve(telemetry.Settings{Enabled: 9}, nil, nil)
	require.ErrorContains(t, err, `Settings.Enabled="9" is not understood`)
	_, err = settings.Resolve(telemetry.Settings{CircuitBreakerTimeout: -1}, nil, nil)
	require.EqualError(t, err, `databricks-telemetry: Settings.CircuitBreakerTimeout="-1ns" is not understood: it takes a Go duration from 1ms to 1h, such as 60s`)
	for _, good := range []telemetry.Settings{
		{MaxRetries: -1}, {FlushInterval: time.Millisecond}, {SampleRate: telemetry.Known(0.0)}, {SlowThreshold: 24 * time.Hour}, {ErrorText: "FULL"},
	} {
		_, err := settings.Resolve(good, nil, nil)
		require.NoError(t, err)
	}
}

func TestSettingsInForceSayWhoSetThem(t *testing.T) {
	base := telemetry.Settings{BatchSize: 50, MaxRetries: -1, QueryText: true}
	env := map[string]string{"DATABRICKS_TELEMETRY_QUEUE_SIZE": "2", "DATABRICKS_TELEMETRY_FLUSH_INTERVAL": "7s", "DO_NOT_TRACK": "1"}
	dsn := map[string]string{"enableTelemetry": "true", "telemetry_flush_interval": "1s"}
	all := settings.InForce(base, lookup(dsn), lookup(env))
	require.Len(t, all, len(settings.Parameters))
	got := map[string]telemetry.SettingInForce{}
	for _, s := range all {
		got[s.Name] = s
	}
	for name, want := range map[string][2]string{
		"enableTelemetry":          {"false", "DO_NOT_TRACK"}, // off wins
		"telemetry_batch_size":     {"50", "Config"},
		"telemetry_max_retries":    {"0", "Config"},
		"telemetry_query_text":     {"true", "Config"},
		"telemetry_queue_size":     {"2", "DATABRICKS_TELEMETRY_QUEUE_SIZE"},
		"telemetry_flush_interval": {"1s", "DSN"},
		"telemetry_log_level":      {"off", "default"},
	} {
		require.Equal(t, telemetry.SettingInForce{Name: name, Value: want[0], By: want[1]}, got[name])
	}
	require.Nil(t, settings.InForce(base, lookup(map[string]string{"telemetry_batch_size": "x"}), nil))

	config := settings.InForce(telemetry.Settings{Enabled: telemetry.SwitchOff}, lookup(dsn), nil)
	require.Equal(t, telemetry.SettingInForce{Name: "enableTelemetry", Value: "false", By: "Config"}, config[0])
}

func TestAnyDoNotTrackCounts(t *testing.T) {
	s, err := settings.Resolve(telemetry.Settings{}, nil, map[string][]string{"DO_NOT_TRACK": {"0", "1"}})
	require.NoError(t, err)
	require.Equal(t, telemetry.SwitchOff, s.Enabled)
}
