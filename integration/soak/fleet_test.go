package soak

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// fleet is a number of processes that all start at the same instant, each with an exporter of its own,
// and report to one service. Each runs statements at random times, with a given average rate.
type fleet struct {
	processes int
	rate      float64 // statements per second and process
	length    time.Duration
	settings  telemetry.Settings
	// answer is service.answer; nil: every request succeeds.
	answer func(at time.Duration, nth int) (status int, retryAfter time.Duration)
}

// history is what a fleet did.
type history struct {
	arrivals, flags []int                 // requests by second
	bytes, taken    int                   // of uploads, and events in them that were accepted
	stats           telemetry.ExportStats // summed over the processes, at the end
}

// run runs the fleet in fake time.
func (f fleet) run(t *testing.T) (h history) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(f.length)
		if f.answer != nil {
			s.answer = f.answer
		}
		exporters := make([]export.Exporter, f.processes)
		var processes sync.WaitGroup
		for i := range exporters {
			processes.Go(func() { f.runProcess(&exporters[i], s) })
		}
		processes.Wait()
		synctest.Wait()
		h = s.history()
		for i := range exporters {
			h.add(exporters[i].Stats())
		}
		for i := range exporters {
			require.NoError(t, exporters[i].Shutdown(t.Context()))
		}
	})
	return h
}

// runProcess is one process: it opens a connection, runs statements until the end, and leaves
// its pipeline open.
func (f fleet) runProcess(x *export.Exporter, s *service) {
	h := x.Open(export.Connection{
		Scheme: "https", Host: "dbc-1.cloud.databricks.com", HTTPPath: "/sql/1.0/warehouses/0123456789abcdef",
		Authenticator: token{}, Credential: "one", Transport: s, Driver: telemetry.DriverConfig{Version: "1.13.1", AuthMech: "PAT"},
	}, f.settings)
	end := s.began.Add(f.length)
	h.SessionOpened(&telemetry.SessionOpened{Started: time.Now(), SessionID: sessionID, Latency: 80 * time.Millisecond})
	for {
		pause := time.Duration(rand.ExpFloat64() / f.rate * float64(time.Second))
		if time.Now().Add(pause).After(end) {
			time.Sleep(time.Until(end))
			return
		}
		time.Sleep(pause)
		h.StatementFinished(&telemetry.Statement{Started: time.Now(), SessionID: sessionID, StatementID: statementID, Kind: telemetry.KindQuery, Execute: 30 * time.Millisecond, Total: 40 * time.Millisecond})
	}
}

func (h *history) add(s telemetry.ExportStats) {
	h.stats.Recorded += s.Recorded
	h.stats.Sent += s.Sent
	h.stats.Pending += s.Pending
	h.stats.Requests += s.Requests
	h.stats.FlagRequests += s.FlagRequests
	for reason, n := range s.Dropped {
		h.stats.Dropped[reason] += n
	}
}

// mean is the number of requests per second between two points in time.
func (h history) mean(from, to time.Duration) float64 {
	sum := 0
	part := h.arrivals[from/time.Second : to/time.Second]
	for _, n := range part {
		sum += n
	}
	return float64(sum) / float64(len(part))
}

// peak is the busiest second between two points in time.
func (h history) peak(from, to time.Duration) (most int) {
	for _, n := range h.arrivals[from/time.Second : to/time.Second] {
		most = max(most, n)
	}
	return most
}

const (
	sessionID   = "01f0a1b2-0000-1000-8000-00000000000a"
	statementID = "01f0a1b2-0000-1000-8000-00000000000b"
)

// token is an authenticator.
type token struct{}

func (token) Authenticate(r *http.Request) error {
	r.Header.Set("Authorization", "Bearer t")
	return nil
}

// size is how many processes a fleet has here: a tenth of them under the race detector, which makes
// each as slow as ten.
func size() int {
	if raceEnabled {
		return 100
	}
	return 1000
}

const (
	rate = 0.25 // statements per second and process: one in four seconds

	outageFrom, outageTo = 2 * time.Minute, 12 * time.Minute
	stormFrom, stormTo   = 2 * time.Minute, 5 * time.Minute
)

// scenarios are those of docs/SCALE.md.
var scenarios = []struct {
	name, title string
	fleet       fleet
	from, to    time.Duration // when the service fails
	check       func(t *testing.T, h history, steady float64)
}{
	{
		name: "start", title: "all start at the same instant",
		fleet: fleet{rate: rate, length: 5 * time.Minute},
		check: func(t *testing.T, h history, steady float64) {
			require.LessOrEqual(t, float64(h.peak(0, 10*time.Second)), noisy(6*steady), "the first uploads, and the questions about the flag before them, are spread")
			require.EqualValues(t, size(), h.stats.FlagRequests, "each asks once")
		},
	},
	{
		name: "outage", title: "the service answers 503 for ten minutes",
		fleet: fleet{rate: rate, length: 17 * time.Minute, answer: func(at time.Duration, _ int) (int, time.Duration) {
			if at >= outageFrom && at < outageTo {
				return http.StatusServiceUnavailable, 0
			}
			return http.StatusOK, 0
		}},
		from: outageFrom, to: outageTo,
		check: func(t *testing.T, h history, steady float64) {
			require.LessOrEqual(t, float64(h.peak(outageFrom, outageTo)), noisy(10*steady), "retries, until the breakers open")
			require.LessOrEqual(t, h.mean(outageFrom+time.Minute, outageTo), 0.2*steady, "then one probe a minute each")
			require.LessOrEqual(t, float64(h.peak(outageTo, outageTo+2*time.Minute)), noisy(2.5*steady), "the processes return spread over time")
		},
	},
	{
		name: "storm", title: "429 for three minutes, everyone told to come back at the same instant",
		fleet: fleet{rate: rate, length: 10 * time.Minute, answer: func(at time.Duration, _ int) (int, time.Duration) {
			if back := stormTo - at; at >= stormFrom && back >= time.Second {
				return http.StatusTooManyRequests, back
			}
			return http.StatusOK, 0
		}},
		from: stormFrom, to: stormTo,
		check: func(t *testing.T, h history, steady float64) {
			require.LessOrEqual(t, h.mean(stormFrom+30*time.Second, stormTo), 0.3*steady, "Retry-After is honored")
			require.LessOrEqual(t, float64(h.peak(stormTo-time.Second, stormTo+2*time.Minute)), noisy(2.5*steady), "and the processes return spread over time")
		},
	},
}

// noisy allows for chance, whose share is larger in a small fleet.
func noisy(bound float64) float64 {
	if raceEnabled {
		return 2*bound + 5
	}
	return bound
}

func TestTheRequestsOfAFleetAreBounded(t *testing.T) {
	var table strings.Builder
	table.WriteString("| | requests per second, mean | busiest second | a fleet of 100,000, busiest second |\n|---|---|---|---|\n")
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			s.fleet.processes = size()
			h := s.fleet.run(t)
			require.Equal(t, h.stats.Recorded, h.stats.Sent+h.stats.Pending, "no event is dropped: %v", h.stats.Dropped)
			require.EqualValues(t, h.stats.Sent, h.taken)
			steady := h.mean(time.Minute, 2*time.Minute)
			s.check(t, h, steady)

			row := func(what string, from, to time.Duration) {
				mean, peak := h.mean(from, to)*1000/float64(size()), h.peak(from, to)*1000/size()
				fmt.Fprintf(&table, "| %s | %.0f | %d | %s |\n", what, mean, peak, thousands(peak*100))
			}
			switch s.name {
			case "start":
				row("started together, the first 10 s", 0, 10*time.Second)
				row("steady", time.Minute, 5*time.Minute)
			case "outage":
				row("503, the first minute", s.from, s.from+time.Minute)
				row("503, the minutes after", s.from+time.Minute, s.to)
				row("well again, the first 2 minutes", s.to, s.to+2*time.Minute)
			case "storm":
				row("429, while it lasts", s.from, s.to-time.Second)
				row("after one Retry-After for all, the first 2 minutes", s.to-time.Second, s.to+2*time.Minute)
			}
			if updating && !raceEnabled {
				require.NoError(t, os.WriteFile("../../docs/images/fleet-"+s.name+".svg", plot(s.title, h.arrivals, s.from, s.to), 0o644))
			}
		})
	}
	generate(t, "fleet", table.String())
}

// The settings of a process bound what it sends. Each row is a process with its own settings that runs
// statements at a given rate.
func TestWhatAProcessSends(t *testing.T) {
	var table strings.Builder
	table.WriteString("| statements per second | settings | requests per second | requests per 1,000 statements | KB per second | 100,000 processes: requests per second |\n|---|---|---|---|---|---|\n")
	for _, p := range []struct {
		rate     float64
		name     string
		settings telemetry.Settings
	}{
		{0.01, "", telemetry.Settings{}},
		{0.1, "", telemetry.Settings{}},
		{1, "", telemetry.Settings{}},
		{10, "", telemetry.Settings{}},
		{100, "", telemetry.Settings{}},
		{1, "`telemetry_flush_interval=1m`", telemetry.Settings{FlushInterval: time.Minute}},
		{1, "`telemetry_sample_rate=0.01`", telemetry.Settings{SampleRate: telemetry.Known(0.01)}},
		{100, "`telemetry_batch_size=500`", telemetry.Settings{BatchSize: 500}},
		{100, "`telemetry_sample_rate=0.1`", telemetry.Settings{SampleRate: telemetry.Known(0.1)}},
	} {
		f := fleet{processes: 20, rate: p.rate, length: 20 * time.Minute, settings: p.settings}
		if p.rate > 1 {
			f.processes = 2
		}
		if raceEnabled {
			f.length = 2 * time.Minute
		}
		h := f.run(t)
		seconds := float64(f.processes) * f.length.Seconds()
		statements := float64(h.stats.Recorded - int64(f.processes))
		requests, set := float64(h.stats.Requests)/seconds, p.settings.WithDefaults()
		require.LessOrEqual(t, requests, 1.15*max(1/set.FlushInterval.Seconds()+0.01, p.rate/float64(set.BatchSize)),
			"one request per interval, or one per full batch")
		fmt.Fprintf(&table, "| %v | %s | %.3f | %.0f | %.2f | %s |\n", p.rate, p.name, requests, float64(h.stats.Requests)/statements*1000, float64(h.bytes)/seconds/1000, thousands(int(requests*100_000)))
	}
	generate(t, "process", table.String())
}
