package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTimesAndDurationsAgo(t *testing.T) {
	zone := time.FixedZone("CET", 3600)
	now := time.Date(2026, 3, 1, 15, 30, 0, 0, zone)
	for text, want := range map[string]string{
		"15m": "2026-03-01T15:15:00+01:00", "1h30m": "2026-03-01T14:00:00+01:00", "0s": "2026-03-01T15:30:00+01:00", "2d": "2026-02-27T15:30:00+01:00",
		"15:04": "2026-03-01T15:04:00+01:00", " 15:30:00.000 ": "2026-03-01T15:30:00+01:00", "15:31": "2026-02-28T15:31:00+01:00", "03:00:01.5": "2026-03-01T03:00:01.5+01:00",
		"2026-03-01": "2026-03-01T00:00:00+01:00", "2026-03-01T15:04": "2026-03-01T15:04:00+01:00", "2026-03-01 15:04:05.25": "2026-03-01T15:04:05.25+01:00",
		"2026-03-01 15:04": "2026-03-01T15:04:00+01:00", "2026-03-01T15:04:05": "2026-03-01T15:04:05+01:00", "2026-03-01 15:04:05 -0300": "2026-03-01T15:04:05-03:00", "2026-03-01 15:04:05 -03": "2026-03-01T15:04:05-03:00",
		"2026-03-01T11:30:00Z": "2026-03-01T11:30:00Z", "2026-03-01T11:30:00.5+02:00": "2026-03-01T11:30:00.5+02:00", "2026-11-26 10:13:20.272 UTC": "2026-11-26T10:13:20.272Z",
		"2026-11-26 11:13:20.272 CET": "2026-11-26T11:13:20.272+01:00",
	} {
		got, _, err := parseWhen(text, now)
		require.NoError(t, err, text)
		require.Equal(t, want, got.Format(time.RFC3339Nano), text)
	}
	for _, text := range []string{"", "yesterday", "-15m", "25:00", "2026-13-01", "15", "3dd", "99999d", "2026-03-01T15:04:05CET", "2026-11-26 11:13:20.272 CST"} {
		_, _, err := parseWhen(text, now)
		require.Equal(t, errWhen, err, text)
	}
}

// A time that show prints can be given back, in any zone and on both sides of a change of the clock.
func TestATimeIsReadAsItIsShown(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Kolkata", "Asia/Kathmandu", "UTC"} {
		zone, err := time.LoadLocation(name)
		require.NoError(t, err)
		for _, want := range []time.Time{
			time.Date(2026, 1, 10, 12, 0, 0, 250e6, zone), time.Date(2026, 7, 10, 12, 0, 0, 0, zone), time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC).In(zone), time.Date(2026, 10, 25, 1, 30, 0, 0, time.UTC).In(zone),
		} {
			shown := want.Format(shownTime)
			got, _, err := parseWhen(shown, time.Now().In(zone))
			require.NoError(t, err, shown)
			require.True(t, got.Equal(want), "%s: %s", shown, got)
		}
	}
}

// What is read is a time that is read as itself, and never in the future unless it has a date.
func FuzzWhen(f *testing.F) {
	for _, text := range []string{"15m", "3d", "15:04", "2026-03-01", "2026-03-01T15:04:05.999999999+14:00", "2026-03-01 15:04:05 UTC", "9999999h", "65535d"} {
		f.Add(text)
	}
	now := time.Date(2026, 3, 1, 15, 30, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		at, ofDay, err := parseWhen(text, now)
		if err != nil {
			return
		}
		if _, ago := parseAgo(text); ago || ofDay {
			require.False(t, at.After(now))
		}
		again, _, err := parseWhen(at.Format(time.RFC3339Nano), now)
		require.NoError(t, err)
		require.True(t, at.Equal(again))
	})
}

// Where the clock is put back, a time of day comes twice.
func TestATimeOfDayThatComesTwiceIsTheLatest(t *testing.T) {
	for name, utc := range map[string]time.Time{ // in the second of the two hours
		"Europe/Berlin": time.Date(2026, 10, 25, 1, 45, 0, 0, time.UTC), "America/New_York": time.Date(2026, 11, 1, 6, 45, 0, 0, time.UTC),
		"Australia/Lord_Howe": time.Date(2026, 4, 4, 15, 15, 0, 0, time.UTC),
	} {
		zone, err := time.LoadLocation(name)
		require.NoError(t, err)
		second := utc.In(zone)
		for _, now := range []time.Time{second, second.Add(-time.Hour), second.Add(20 * time.Hour)} {
			for ago := time.Duration(0); ago < 22*time.Hour; ago += 5 * time.Minute {
				want := now.Add(-ago)
				for later := want.Add(5 * time.Minute); !later.After(now); later = later.Add(5 * time.Minute) {
					if later.Format("15:04") == want.Format("15:04") {
						want = later
					}
				}
				got, ofDay, err := parseWhen(want.Format("15:04"), now)
				require.NoError(t, err)
				require.True(t, ofDay)
				require.Equal(t, want.String(), got.String(), "%s at %s", name, now)
			}
		}
	}
}
