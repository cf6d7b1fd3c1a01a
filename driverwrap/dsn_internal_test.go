package driverwrap

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/settings"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Behind a native connector of a DSN, the native driver reports: what the DSN said of that must not be lost.
func TestTheNativeConnectorOfADSNReportsAsTheSettingsSay(t *testing.T) {
	const kernel, newer = "token:x@h:443/p?useKernel=true", "token:x@h:443/p?fromTheFuture=1"
	tuned := telemetry.Settings{Enabled: telemetry.SwitchOn, BatchSize: 7, FlushInterval: 3 * time.Second}
	for _, test := range []struct {
		dsn      string
		settings telemetry.Settings
		want     string
	}{
		{kernel, telemetry.Settings{}, ""},
		{kernel, telemetry.Settings{BatchSize: 7}, ""},
		{kernel, telemetry.Settings{Enabled: telemetry.SwitchOff, BatchSize: 7}, "&enableTelemetry=false"},
		{kernel, telemetry.Settings{Enabled: telemetry.SwitchOn}, "&enableTelemetry=true"},
		{kernel, tuned, "&enableTelemetry=true&telemetry_batch_size=7&telemetry_flush_interval=3s"},
		{newer, telemetry.Settings{Enabled: telemetry.SwitchOff}, "&enableTelemetry=false"},
		{newer, tuned, ""}, // true would overrule the server's flag
	} {
		parsed, ok := parseDSN(test.dsn)
		require.True(t, ok)
		require.Equal(t, test.dsn+test.want, checkedDSN{dsn: test.dsn, parsed: parsed}.nativeDSN(test.settings))
	}
}

func TestOfSeveralMisplacedParametersTheSameOneIsNamed(t *testing.T) {
	for range 100 {
		native, parameters := splitDSN("h:443/p?telemetry_log_level=a;telemetry_batch_size=1&telemetry_error_text=a;telemetry_queue_size=1&telemetry_slow_threshold=a;telemetry_query_text=1")
		require.ErrorContains(t, misplaced(native, parameters), "telemetry_queue_size is in the value")
	}
}

func FuzzSplitDSN(f *testing.F) {
	for _, seed := range []string{
		"token:x@h:443/p", "h/p?a=1&enableTelemetry=false&b=2", "h/p?telemetry_log_level=warn", "h?a=1&&b&=c&telemetry_x=%zz#frag?telemetry_y=1",
		"h/p&telemetry_log_level=warn", "h/p?ENABLE_TELEMETRY=no&a;b", "h/p?enable%54elemetry=0", "h/p?%zztelemetry=1&telemetry_%zz=1", "?#?", "h/p?telemetry_retry_count=3",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, dsn string) {
		native, parameters := splitDSN(dsn)

		again, none := splitDSN(native)
		require.Equal(t, native, again)
		require.Empty(t, none, "a parameter of the wrapper is left")

		body, fragment, _ := strings.Cut(dsn, "#")
		path, query, _ := strings.Cut(body, "?")
		nativeBody, nativeFragment, _ := strings.Cut(native, "#")
		nativePath, nativeQuery, _ := strings.Cut(nativeBody, "?")
		require.Equal(t, path, nativePath)
		require.Equal(t, fragment, nativeFragment)
		var kept []string
		taken := 0
		for pair := range strings.SplitSeq(query, "&") {
			key, _ := unescapePair(pair)
			if settings.IsParameter(key) {
				taken++
			} else {
				kept = append(kept, pair)
			}
		}
		require.Equal(t, strings.Join(kept, "&"), nativeQuery, "order and bytes of the others")
		given := 0
		for _, values := range parameters {
			given += len(values)
		}
		require.Equal(t, taken, given)
		if taken == 0 {
			require.Equal(t, dsn, native)
		}

		_ = misplaced(native, parameters) // which must not panic

		// Off, said anywhere among the parameters, is off, or an error.
		for _, off := range []string{"enableTelemetry=false", "ENABLE_TELEMETRY=no", "disableTelemetry"} {
			for _, with := range []string{path + "?" + off + "&" + query, path + "?" + query + "&" + off} {
				_, parameters := splitDSN(with)
				s, err := settings.Resolve(telemetry.Settings{Enabled: telemetry.SwitchOn}, parameters, nil)
				if err == nil {
					require.Equal(t, telemetry.SwitchOff, s.Enabled, with)
				}
			}
		}
	})
}
