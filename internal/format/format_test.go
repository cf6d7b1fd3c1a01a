package format_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
)

func TestDurationUsesTheUnitThatSuits(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 s", 1: "1 ns", 999: "999 ns",
		time.Microsecond: "1.0 µs", 9949: "9.9 µs", 9950: "10 µs", 999499: "999 µs",
		999500: "1.0 ms", 1500 * time.Microsecond: "1.5 ms", 5550499: "5.5 ms", 5550*time.Millisecond + 1: "5.5 s", 999499 * time.Microsecond: "999 ms",
		999500 * time.Microsecond: "1.0 s", 42 * time.Second: "42 s", 90 * time.Second: "90 s", 2*time.Minute - 1: "120 s",
		2 * time.Minute: "2 min 00 s", 119*time.Minute + 59900*time.Millisecond: "119 min 59 s", 2 * time.Hour: "2 h 00 min", 50 * time.Hour: "50 h 00 min",
		-3 * time.Second: "-3.0 s", math.MinInt64: "-2562047 h 47 min",
	} {
		require.Equal(t, want, format.Duration(d), "%d ns", d)
		if d >= time.Millisecond { // as in records, which have whole microseconds
			require.Equal(t, format.Duration(d.Truncate(time.Microsecond)), format.Duration(d), "%d ns", d)
		}
	}
}

func TestBytesUsesPowersOfAThousand(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1.0 kB", 1234567: "1.2 MB", 999_499: "999 kB", 999_500: "1.0 MB", 25e9: "25 GB", 1e15: "1000 TB",
		-2000: "-2.0 kB", math.MinInt64: "-9223372 TB",
	} {
		require.Equal(t, want, format.Bytes(n))
	}
}

func TestCountSeparatesThousands(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", math.MinInt64: "-9,223,372,036,854,775,807",
	} {
		require.Equal(t, want, format.Count(n))
	}
}

func TestPercentIsWhole(t *testing.T) {
	for share, want := range map[float64]string{0: "0 %", 1e-9: "<1 %", .004: "<1 %", .005: "1 %", .714: "71 %", .994: "99 %", .995: ">99 %", 1 - 1e-12: ">99 %", 1: "100 %"} {
		require.Equal(t, want, format.Percent(share))
	}
}

func TestPluralFollowsTheNumber(t *testing.T) {
	require.Equal(t, "1 retry", format.Plural(1, "retry"))
	require.Equal(t, "0 retries", format.Plural(0, "retry"))
	require.Equal(t, "1,200 files", format.Plural(1200, "file"))
	require.Equal(t, "1 call waited", format.Choose(1, "call waited", "calls waited"))
	require.Equal(t, "3 calls waited", format.Choose(3, "call waited", "calls waited"))
}
