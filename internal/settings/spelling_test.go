package settings_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/settings"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

var (
	offWords = []string{"false", "0", "f", "F", "False", "FALSE", "no", "No", "n", "N", "off", "OFF", " off ", "disabled", "disable", "never", "none", `"false"`, "'off'", "\tno\n"}
	onWords  = []string{"true", "1", "t", "T", "True", "TRUE", "yes", "y", "on", "ON", "enabled", " on ", `"true"`}

	switchSpellings  = []string{"enableTelemetry", "EnableTelemetry", "enabletelemetry", "ENABLETELEMETRY", "enable_telemetry", "ENABLE_TELEMETRY", "enable-telemetry", "Enable.Telemetry", " enableTelemetry ", "telemetry_enabled", "telemetry_enable", "telemetryEnabled", "telemetry", "DATABRICKS_TELEMETRY_ENABLED", "databricks.enableTelemetry", "databricks-telemetry-enabled", "enableTelemetry\u200b"}
	negatedSpellings = []string{"disableTelemetry", "disable_telemetry", "telemetry_disabled", "TELEMETRY_DISABLED", "no_telemetry", "telemetry_opt_out", "telemetry_off", "DO_NOT_TRACK", "doNotTrack"}
)

func TestOffIsOffHoweverItIsSpelled(t *testing.T) {
	position := func(t *testing.T, dsn, env map[string][]string) telemetry.Switch {
		t.Helper()
		s, err := settings.Resolve(telemetry.Settings{Enabled: telemetry.SwitchOn}, dsn, env)
		require.NoError(t, err, "%q %q", dsn, env)
		return s.Enabled
	}
	for _, name := range switchSpellings {
		require.True(t, settings.IsParameter(name), name)
		for _, word := range offWords {
			require.Equal(t, telemetry.SwitchOff, position(t, map[string][]string{name: {word}}, nil), "%s=%q", name, word)
			require.Equal(t, telemetry.SwitchOff, position(t, map[string][]string{name: {"true", word}}, nil), "said twice")
			require.Equal(t, telemetry.SwitchOff, position(t, map[string][]string{name: {word, "true"}}, nil), "said twice")
			require.Equal(t, telemetry.SwitchOff, position(t, map[string][]string{name: {word}, "enableTelemetry": {"true", word, "true"}}, nil))
			require.Equal(t, telemetry.SwitchOff, position(t, map[string][]string{"enableTelemetry": {"true"}}, map[string][]string{"DATABRICKS_TELEMETRY_ENABLED": {word}}))
		}
		for _, word := range onWords {
			require.Equal(t, telemetry.SwitchOn, position(t, map[string][]string{name: {word}}, nil), "%s=%q", name, word)
		}
	}
	for _, name := range negatedSpellings {
		require.True(t, settings.IsParameter(name), name)
		for _, word := range append([]string{""}, onWords...) {
			require.Equal(t, telemetry.SwitchOff, position(t, map[string][]string{name: {word}}, nil), "%s=%q", name, word)
		}
		require.Equal(t, telemetry.SwitchOn, position(t, map[string][]string{name: {"false"}}, nil), "decides nothing")
	}
}

func TestAMisspelledValueOfAnySpellingOfTheSwitchIsAnError(t *testing.T) {
	for name, word := range map[string]string{
		"DATABRICKS_TELEMETRY_ENABLED": "fasle", "DATABRICKS_ENABLE_TELEMETRY": "fasle", "DATABRICKS_TELEMETRY_DISABLED": "ture",
		"DATABRICKS_TELEMETRY": "of", "DATABRICKS_TELEMETRY_OPT_OUT": "please",
	} {
		_, err := settings.Resolve(telemetry.Settings{}, nil, map[string][]string{name: {word}})
		require.ErrorContains(t, err, name)
	}
}

func TestOffInTheEnvironmentIsOffHoweverItIsSpelled(t *testing.T) {
	for _, name := range []string{"DATABRICKS_TELEMETRY_ENABLED", "DATABRICKS_TELEMETRY_ENABLE", "DATABRICKS_ENABLE_TELEMETRY", "DATABRICKS_ENABLETELEMETRY", "DATABRICKS_TELEMETRY", "DATABRICKS_TELEMETRY_ENABELD", "databricks_telemetry_enabled"} {
		for _, word := range offWords {
			t.Setenv(name, word)
			s, err := settings.Resolve(telemetry.Settings{}, nil, settings.Environ())
			require.NoError(t, err)
			require.Equal(t, telemetry.SwitchOff, s.Enabled, "%s=%q", name, word)
		}
		t.Setenv(name, "")
	}
	for _, name := range []string{"DATABRICKS_DISABLE_TELEMETRY", "DATABRICKS_TELEMETRY_DISABLED", "DATABRICKS_TELEMETRY_OPT_OUT", "DATABRICKS_DO_NOT_TRACK"} {
		s, err := settings.Resolve(telemetry.Settings{}, nil, map[string][]string{name: {"1"}})
		require.NoError(t, err)
		require.Equal(t, telemetry.SwitchOff, s.Enabled, name)
	}
}

func TestDoNotTrackIsAnythingButNo(t *testing.T) {
	for _, word := range append([]string{"2", "please", "do not"}, onWords...) {
		t.Setenv("DO_NOT_TRACK", word)
		s, err := settings.Resolve(telemetry.Settings{}, map[string][]string{"enableTelemetry": {"true"}}, settings.Environ())
		require.NoError(t, err)
		require.Equal(t, telemetry.SwitchOff, s.Enabled, word)
	}
	for _, word := range append([]string{"", " "}, offWords...) {
		t.Setenv("DO_NOT_TRACK", word)
		s, err := settings.Resolve(telemetry.Settings{}, nil, settings.Environ())
		require.NoError(t, err)
		require.Equal(t, telemetry.SwitchUnset, s.Enabled, word)
	}
}

func TestNamesAreUnderstoodInAnyCase(t *testing.T) {
	for _, p := range settings.Parameters {
		if p.Name == "enableTelemetry" {
			continue
		}
		for _, name := range []string{p.Name, strings.ToUpper(p.Name), strings.ToTitle(p.Name[:1]) + p.Name[1:], " " + p.Name} {
			s, err := settings.Resolve(telemetry.Settings{}, map[string][]string{name: {p.Default}}, nil)
			require.NoError(t, err, name)
			require.NotEmpty(t, p.Value(s)+map[bool]string{true: "false"}[p.Default == "false"], name)
		}
	}
	got, err := settings.Resolve(telemetry.Settings{}, map[string][]string{"Telemetry_Batch_Size": {"7"}, "telemetry_batch_size": {"3", "4"}}, nil)
	require.NoError(t, err)
	require.Equal(t, 3, got.BatchSize, "the usual spelling, and of it the first, as in the native driver")
}

func TestAnUnknownParameterNamesTheNearest(t *testing.T) {
	for name, nearest := range map[string]string{
		"telemetry_log_levle":         "telemetry_log_level",
		"telemetry_loglevel":          "telemetry_log_level",
		"telemetry_batchsize":         "telemetry_batch_size",
		"TELEMETRY-BATCH-SIZE":        "telemetry_batch_size",
		"telemetryBatchSize":          "telemetry_batch_size",
		"telemtry_query_text":         "telemetry_query_text",
		"telemetry_breaker_threshold": "telemetry_circuit_breaker_threshold",
		"telemetry_samplerate":        "telemetry_sample_rate",
		"telemetry_slow":              "telemetry_slow_threshold",
		"Telemetry_Retry_Count":       "telemetry_retry_delay",
		"enableTelemtry":              "enableTelemetry",
		"enableTelemetri":             "enableTelemetry",
		"enable_telemetr":             "enableTelemetry",
		"disableTelemtry":             "enableTelemetry",
		"useTelemetry":                "enableTelemetry",
		"send_telemetry":              "enableTelemetry",
		"client-telemetry":            "enableTelemetry",
		"enableTelemetryForGoDriver":  "enableTelemetry",
		"enableTelemetry[0]":          "enableTelemetry",
	} {
		require.True(t, settings.IsParameter(name), name)
		_, err := settings.Resolve(telemetry.Settings{}, map[string][]string{name: {"false"}}, nil)
		require.EqualError(t, err, "databricks-telemetry: "+name+" is not a parameter: did you mean "+nearest+"?")
		var parameter *telemetry.ParameterError
		require.ErrorAs(t, err, &parameter)
	}
	for _, name := range []string{"", "catalog", "timeout", "timezone", "ansi_mode", "QUERY_TAGS", "spark.sql.telemetry", "geometry_x", "telemetry_retry_count", "enable_photon", "statement_timeout", "useCloudFetch"} {
		require.False(t, settings.IsParameter(name), name)
	}
}

// A variable may be meant for a newer version somewhere else in a fleet.
func TestAnUnknownVariableIsNoErrorAndIsShown(t *testing.T) {
	env := map[string][]string{"DATABRICKS_TELEMETRY_LOG_LEVLE": {"warn"}, "DATABRICKS_TELEMETRY_FROM_THE_FUTURE": {"x"}, "DATABRICKS_HOST": {"h"}}
	s, err := settings.Resolve(telemetry.Settings{}, nil, env)
	require.NoError(t, err)
	require.Equal(t, telemetry.Settings{}, s)
	all := settings.InForce(telemetry.Settings{}, nil, env)
	require.Len(t, all, len(settings.Parameters)+2)
	require.Equal(t, telemetry.SettingInForce{Name: "DATABRICKS_TELEMETRY_LOG_LEVLE", Value: "not known to this version: did you mean DATABRICKS_TELEMETRY_LOG_LEVEL?", By: "ignored"}, all[len(all)-1])
}

func TestADefaultThatFollowsFromAnotherSettingIsShown(t *testing.T) {
	for _, s := range settings.InForce(telemetry.Settings{}, map[string][]string{"telemetry_batch_size": {"10000"}}, nil) {
		if s.Name == "telemetry_queue_size" {
			require.Equal(t, telemetry.SettingInForce{Name: s.Name, Value: "60000", By: "default"}, s)
		}
	}
}

// refusal is the error for a bad value, which is quoted in it.
func refusal(t testing.TB, value string) string {
	_, err := settings.Resolve(telemetry.Settings{}, map[string][]string{"telemetry_log_level": {value}}, nil)
	require.Error(t, err)
	return err.Error()
}

// A variable that misspells how to switch reporting off does so, and switches nothing on.
func TestAMisspelledVariableIsOffOrNothing(t *testing.T) {
	position := func(name, word string) telemetry.Switch {
		s, err := settings.Resolve(telemetry.Settings{}, nil, map[string][]string{name: {word}})
		require.NoError(t, err)
		return s.Enabled
	}
	for _, name := range []string{
		"DATABRICKS_DISABLE_TELEMTRY", "DATABRICKS_DISABEL_TELEMETRY", "DATABRICKS_TELEMETRY_DISABLEED", "DATABRICKS_TELEMETRY_DISABLD",
		"DATABRICKS_NO_TELEMTRY", "DATABRICKS_DO_NOT_TRAK", "DATABRICKS_TELEMETRY_OF", "DATABRICKS_TELEMETRY_OPTOUTT",
	} {
		for _, word := range onWords {
			require.Equal(t, telemetry.SwitchOff, position(name, word), "%s=%s", name, word)
		}
		require.Equal(t, telemetry.SwitchUnset, position(name, "false"), "%s=false", name)
	}
	for _, name := range []string{"DATABRICKS_ENABEL_TELEMETRY", "DATABRICKS_TELEMETRY_ENABELD", "DATABRICKS_ENSABLE_TELEMETRY", "DATABRICKS_TELEMETY", "DATABRICKS_TELEMTERY", "DATABRICKS_TELEMTRY_ON"} {
		require.Equal(t, telemetry.SwitchOff, position(name, "false"), name)
		require.Equal(t, telemetry.SwitchUnset, position(name, "true"), name)
	}
	require.Equal(t, telemetry.SwitchOn, position("DATABRICKS_TELEMETRY_ON", "1"))
}

func TestNamesAreShown(t *testing.T) {
	for _, name := range []string{"DATABRICKS_TELEMETRY_S3_BUCKET", "DATABRICKS_TELEMETRY_V2"} {
		all := settings.InForce(telemetry.Settings{}, nil, map[string][]string{name: {"1"}})
		require.Equal(t, name, all[len(all)-1].Name)
	}
	_, err := settings.Resolve(telemetry.Settings{}, map[string][]string{"telemetry_retries2": {"1"}}, nil)
	require.ErrorContains(t, err, "telemetry_retries2 is not a parameter")
	require.Contains(t, refusal(t, "5sec"), `"5sec"`)
	require.False(t, settings.IsParameter("databricks.telemetry.sink"), "a session parameter")
	require.True(t, settings.IsParameter("databricks.enableTelemetry"))
}

func TestAnErrorQuotesLittleOfAValue(t *testing.T) {
	for value, quoted := range map[string]string{
		"loud":                            `"loud"`,
		"level one":                       `"level one"`,
		strings.Repeat("x", 40):           `"` + strings.Repeat("x", 40) + `"`,
		strings.Repeat("x", 41):           `"` + strings.Repeat("x", 39) + `…"`,
		strings.Repeat("é", 1000):         `"` + strings.Repeat("é", 39) + `…"`,
		"a\x00b\x1b[31m\u202e":            `"a�b�[31m�"`,
		"1h30m15s500ms10us":               `"1h30m15s500ms10us"`,
		"\xff\xfe":                        `"��"`,
		"dapi0123456789abcdef0123456789a": `"(31 characters)"`,
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIi":   `"(29 characters)"`,
		"glpat-AbCdEfGh1234":              `"(18 characters)"`,
		"QmFzZUFCQ0RlZkdISWprbE1O":        `"(24 characters)"`,
		"alice@example.com":               `"(17 characters)"`,
		"https://h/p":                     `"(11 characters)"`,
		"level dapi0123456789abcdef":      `"(26 characters)"`,
		"xK9#mQ2$vL7!pR4&":                `"(16 characters)"`,
		"dapi-1234-5678-9abc-def0":        `"(24 characters)"`,
		"dapi-1234-5678-9abc-0def":        `"(24 characters)"`,
		"dose-12ab-34cd-56ef":             `"(19 characters)"`,
		"4111-1111-1111-1111":             `"(19 characters)"`,
		"AKIAIOSFODNNEXAMPLEQ":            `"(20 characters)"`,
		"123456789012345678901234":        `"(24 characters)"`,
		"hunter2":                         `"(7 characters)"`,
		"P4ssw0rd":                        `"(8 characters)"`,
	} {
		require.Contains(t, refusal(t, value), "telemetry_log_level="+quoted+" is", value)
	}
	_, err := settings.Resolve(telemetry.Settings{}, map[string][]string{"telemetry_dapi0123456789abcdef": {"1"}}, nil)
	require.ErrorContains(t, err, "(30 characters) is not a parameter")
	for _, name := range []string{"telemetry&accessToken=aBc1dEf2gHi3", "telemetry_log_level=P4ssw0rd"} {
		_, err := settings.Resolve(telemetry.Settings{}, map[string][]string{name: {"1"}}, nil)
		require.ErrorContains(t, err, "characters) is not a parameter", "a value is not part of a name")
	}
	_, err = settings.Resolve(telemetry.Settings{}, map[string][]string{"telemetry_" + strings.Repeat("x", 100): {"1"}}, nil)
	require.ErrorContains(t, err, " telemetry_"+strings.Repeat("x", 29)+"… is not a parameter")
}

func FuzzAnErrorQuotesLittleOfAValue(f *testing.F) {
	for _, seed := range []string{"loud", "\x00", strings.Repeat("é", 50), "dapi0123456789abcdef"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		s, err := settings.Resolve(telemetry.Settings{}, map[string][]string{"telemetry_log_level": {value}}, nil)
		if err == nil {
			require.Contains(t, []string{"", "off", "error", "warn", "info", "debug"}, s.LogLevel)
			return
		}
		var parameter *telemetry.ParameterError
		require.ErrorAs(t, err, &parameter)
		require.LessOrEqual(t, utf8.RuneCountInString(parameter.Value), 40)
		require.True(t, utf8.ValidString(err.Error()))
		require.Negative(t, strings.IndexFunc(err.Error(), unicode.IsControl))
	})
}

// FuzzResolve: off said anywhere, in any spelling and among whatever else, is off or an error.
func FuzzResolve(f *testing.F) {
	f.Add("enableTelemetry=true", uint8(0), uint8(0), "telemetry_log_level=warn")
	f.Add("telemetry_batch_size=7&enableTelemetry=maybe", uint8(4), uint8(3), "")
	f.Fuzz(func(t *testing.T, before string, name, word uint8, after string) {
		spelled := switchSpellings[int(name)%len(switchSpellings)]
		dsn := map[string][]string{}
		for _, pair := range []string{before, spelled + "=" + offWords[int(word)%len(offWords)], after} {
			for pair := range strings.SplitSeq(pair, "&") {
				k, v, _ := strings.Cut(pair, "=")
				if settings.IsParameter(k) {
					dsn[k] = append(dsn[k], v)
				}
			}
		}
		s, err := settings.Resolve(telemetry.Settings{Enabled: telemetry.SwitchOn}, url.Values(dsn), nil)
		if err == nil {
			require.Equal(t, telemetry.SwitchOff, s.Enabled, fmt.Sprint(dsn))
		}
	})
}
