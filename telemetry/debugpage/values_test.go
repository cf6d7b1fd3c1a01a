package debugpage

import (
	"encoding/json"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAValueIsInJSONAsNDJSONHasIt(t *testing.T) {
	for want, v := range map[string]slog.Value{
		`0.875`:                       slog.Float64Value(0.875),
		`"NaN"`:                       slog.Float64Value(math.NaN()),
		`{}`:                          slog.GroupValue(),
		`{"team":"data","attempt":2}`: slog.GroupValue(slog.String("team", "data"), slog.Int("attempt", 2)),
	} {
		got, err := json.Marshal(value{v})
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
}

func TestTimesAndRatesAreRounded(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0 s": 499 * time.Millisecond, "89 s": 89 * time.Second, "2 min": 90 * time.Second, "89 min": 89 * time.Minute, "2 h": 90 * time.Minute, "35 h": 35*time.Hour + 29*time.Minute,
		"2 d": 36 * time.Hour, "10 d": 10*24*time.Hour + time.Hour,
	} {
		require.Equal(t, want, approximate(d))
	}
	for want, r := range map[string]rate{"0": 0, "0.004": 0.004, "0.1": 0.1, "9.9": 9.94, "10": 9.96, "1,235": 1234.5} {
		require.Equal(t, want, r.String())
	}
	at := time.Now()
	for want, ago := range map[string]time.Duration{"just now": 400 * time.Millisecond, "3 s ago": 3 * time.Second, "in 3 s": -3 * time.Second} {
		require.Equal(t, want, moment{at, at.Add(ago)}.Ago())
	}
}
