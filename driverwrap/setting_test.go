package driverwrap_test

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/internal/history"
	"github.com/seed-01322ee7/databricks-telemetry/internal/settings"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// effect shows what a parameter does.
type effect struct {
	with    []string                                            // other parameters
	measure func(t *testing.T, settings telemetry.Settings) any // in a bubble of its own
	want    map[string]any                                      // by value; "" is the default
}

// between is a measured duration's range.
type between struct{ least, most time.Duration }

// effects has an entry for every parameter: see TestEverySettingDoesWhatItSays.
var effects = map[string]effect{
	"enableTelemetry": {
		measure: func(t *testing.T, s telemetry.Settings) any {
			e := &endpoint{}
			_, h := e.open(t, s)
			h.StatementFinished(executed())
			require.NoError(t, h.Close(t.Context()))
			uploads, _ := e.seen()
			return [2]int{e.flags, len(uploads)}
		},
		want: map[string]any{"true": [2]int{1, 1}, "": [2]int{1, 1}, "false": [2]int{0, 0}},
	},
	"telemetry_force_enable": {
		measure: func(t *testing.T, s telemetry.Settings) any {
			e := &endpoint{flag: func(*http.Request) string { return "false" }}
			_, h := e.open(t, s)
			h.StatementFinished(executed())
			require.NoError(t, h.Close(t.Context()))
			uploads, _ := e.seen()
			return len(uploads)
		},
		want: map[string]any{"true": 1, "": 0, "false": 0},
	},
	"telemetry_batch_size": {
		with: []string{"telemetry_force_enable=true"},
		measure: func(t *testing.T, s telemetry.Settings) any {
			e := &endpoint{}
			_, h := e.open(t, s)
			for range 10_500 {
				h.StatementFinished(executed())
			}
			synctest.Wait()
			_, sizes := e.seen()
			largest := 0
			for _, n := range sizes {
				largest = max(largest, n)
			}
			_ = h.Close(t.Context())
			return largest
		},
		want: map[string]any{"1": 1, "": 100, "10000": 10_000},
	},
	"telemetry_flush_interval": {
		with: []string{"telemetry_force_enable=true"},
		measure: func(t *testing.T, s telemetry.Settings) any {
			e := &endpoint{}
			_, h := e.open(t, s)
			h.StatementFinished(executed())
			require.NoError(t, h.Flush(t.Context())) // the first wait is any part of the interval
			start := time.Now()
			h.StatementFinished(executed())
			time.Sleep(2 * time.Hour)
			uploads, _ := e.seen()
			require.Len(t, uploads, 2)
			require.NoError(t, h.Close(t.Context()))
			return uploads[1].Sub(start)
		},
		want: map[string]any{"100ms": 100 * time.Millisecond, "": 5 * time.Second, "1h": time.Hour},
	},
	"telemetry_max_retries": {
		with: []string{"telemetry_force_enable=true"},
		measure: func(t *testing.T, s telemetry.Settings) any {
			e := &endpoint{upload: hanging}
			_, h := e.open(t, s)
			h.StatementFinished(executed())
			require.Error(t, h.Flush(t.Context()))
			uploads, _ := e.seen()
			require.Error(t, h.Close(t.Context()))
			return len(uploads) - 1
		},
		want: map[string]any{"0": 0, "": 3, "20": 20},
	},
	"telemetry_retry_delay": {
		with: []string{"telemetry_force_enable=true", "telemetry_max_retries=1"},
		measure: func(t *testing.T, s telemetry.Settings) any {
			e := &endpoint{upload: failing}
			_, h := e.open(t, s)
			h.StatementFinished(executed())
			require.Error(t, h.Flush(t.Context()))
			uploads, _ := e.seen()
			require.Len(t, uploads, 2)
			require.Error(t, h.Close(t.Context()))
			return uploads[1].Sub(uploads[0])
		},
		want: map[string]any{
			"1ms": between{time.Millisecond, 1300 * time.Microsecond}, "": between{500 * time.Millisecond, 650 * time.Millisecond},
			"30s": between{30 * time.Second, 33 * time.Second}, "1m": between{time.Minute, 66 * time.Second},
		},
	},
	"telemetry_queue_size": {
		measure: func(t *testing.T, s telemetry.Settings) any {
			e := &endpoint{flag: func(r *http.Request) string { <-r.Context().Done(); return "" }}
			x, h := e.open(t, s)
			r := executed()
			for range max(1000, s.QueueSize) + 10 {
				h.StatementFinished(r)
			}
			pending := x.Stats().Pending
			require.Error(t, h.Close(t.Context()))
			return int(pending)
		},
		want: map[string]any{"1": 1, "": 1000, "1000000": 1_000_000},
	},
	"telemetry_close_timeout": {
		with: []string{"telemetry_force_enable=true", "telemetry_batch_size=1"},
		measure: func(t *testing.T, s telemetry.Settings) any {
			e := &endpoint{upload: nearlyTooSlow}
			_, h := e.open(t, s)
			for range 100 {
				h.StatementFinished(executed())
			}
			start := time.Now()
			require.Error(t, h.Close(t.Context()))
			return time.Since(start)
		},
		want: map[string]any{"1ms": time.Millisecond, "": 2 * time.Second, "5m": 5 * time.Minute},
	},
	"telemetry_circuit_breaker": {
		with: []string{"telemetry_force_enable=true", "telemetry_max_retries=0"},
		measure: func(t *testing.T, s telemetry.Settings) any {
			e := &endpoint{upload: failing}
			x, h := e.open(t, s)
			h.StatementFinished(executed())
			time.Sleep(10 * time.Minute)
			opened := x.Stats().BreakerOpened > 0
			require.Error(t, h.Close(t.Context()))
			return opened
		},
		want: map[string]any{"true": true, "": true, "false": false},
	},
	"telemetry_circuit_breaker_threshold": {
		with: []string{"telemetry_force_enable=true", "telemetry_max_retries=0", "telemetry_retry_delay=1ms"},
		measure: func(t *testing.T, s telemetry.Settings) any {
			e := &endpoint{upload: failing}
			_, h := e.open(t, s)
			h.StatementFinished(executed())
			time.Sleep(20 * time.Second) // less than it stays open
			uploads, _ := e.seen()
			require.Error(t, h.Close(t.Context()))
			return len(uploads)
		},
		want: map[string]any{"1": 1, "": 5, "1000": 1000},
	},
	"telemetry_circuit_breaker_timeout": {
		with: []string{"telemetry_force_enable=true", "telemetry_max_retries=0", "telemetry_circuit_breaker_threshold=1", "telemetry_flush_interval=100ms"},
		measure: func(t *testing.T, s telemetry.Settings) any {
			e := &endpoint{upload: failing}
			_, h := e.open(t, s)
			h.StatementFinished(executed())
			require.Error(t, h.Flush(t.Context()))
			time.Sleep(2 * s.WithDefaults().CircuitBreakerTimeout)
			uploads, _ := e.seen()
			require.GreaterOrEqual(t, len(uploads), 2)
			require.Error(t, h.Close(t.Context()))
			return uploads[1].Sub(uploads[0])
		},
		want: map[string]any{
			"1s": between{time.Second, 1101 * time.Millisecond}, "": between{time.Minute, 66*time.Second + time.Millisecond},
			"1h": between{time.Hour, 66*time.Minute + time.Millisecond},
		},
	},
	"telemetry_log_level": {
		measure: func(t *testing.T, s telemetry.Settings) any {
			return logged(t, s, func(db *sql.DB) { program(t, db, time.Second, time.Minute) })
		},
		want: map[string]any{
			"": "", "off": "", "error": "ERROR", "warn": "WARN ERROR",
			"info": "INFO INFO WARN INFO ERROR", "debug": "INFO INFO WARN INFO ERROR in full",
		},
	},
	"telemetry_slow_threshold": {
		with: []string{"telemetry_log_level=warn"},
		measure: func(t *testing.T, s telemetry.Settings) any {
			slow := s.WithDefaults().SlowThreshold
			below := logged(t, s, func(db *sql.DB) { program(t, db, slow-1) })
			return [2]string{below, logged(t, s, func(db *sql.DB) { program(t, db, slow) })}
		},
		want: map[string]any{"1ms": [2]string{"ERROR", "WARN ERROR"}, "": [2]string{"ERROR", "WARN ERROR"}, "24h": [2]string{"ERROR", "WARN ERROR"}},
	},
	"telemetry_query_text": {
		measure: func(t *testing.T, s telemetry.Settings) any {
			sink := &memory{}
			db := sql.OpenDB(driverwrap.Config{Settings: s, Sinks: []telemetry.Sink{sink}}.Wrap(&delayingConnector{}))
			_, err := db.Exec("1s")
			require.NoError(t, err)
			require.NoError(t, db.Close())
			return sink.statements[0].Query
		},
		want: map[string]any{"true": "1s", "": "", "false": ""},
	},
	"telemetry_error_text": {
		measure: func(t *testing.T, s telemetry.Settings) any {
			sink := &memory{}
			db := sql.OpenDB(driverwrap.Config{Settings: s, Sinks: []telemetry.Sink{sink}}.Wrap(&delayingConnector{}))
			_, err := db.Exec("1 smith")
			require.Error(t, err)
			require.NoError(t, db.Close())
			return sink.statements[0].Failure.Message
		},
		want: map[string]any{
			"full": `time: unknown unit " smith" in duration "1 smith"`, "class": "",
			"redacted": "time: unknown unit <value> in duration <value>", "": "time: unknown unit <value> in duration <value>",
		},
	},
	"telemetry_trace_tags": {
		measure: func(t *testing.T, s telemetry.Settings) any {
			config, _ := tracing(s)
			db, sent := taggedDB(t, config)
			_, err := db.ExecContext(t.Context(), "x")
			require.NoError(t, err)
			require.NoError(t, db.Close())
			return sent.all[0]["traceparent"]
		},
		want: map[string]any{"true": outerSpan, "": "", "false": ""},
	},
	"telemetry_query_history": {
		measure: func(t *testing.T, s telemetry.Settings) any {
			reader, asked := &history.Reader{}, &queryHistory{}
			to := &telemetry.Fanout{}
			to.Attach(&reportMemory{})
			h := reader.Open(export.Connection{Scheme: "http", Host: "workspace", Authenticator: asked, Transport: asked}, s, []*telemetry.Fanout{to})
			slow, fast := executed(), executed()
			slow.Total, slow.StatementID, fast.StatementID = 10*time.Second, "slow", "fast"
			h.StatementFinished(slow)
			h.StatementFinished(fast)
			h.Close(t.Context())
			return asked.ids
		},
		want: map[string]any{"off": "", "": "", "slow": "slow", "all": "slow fast"},
	},
	"telemetry_sample_rate": {
		with: []string{"telemetry_force_enable=true"},
		measure: func(t *testing.T, s telemetry.Settings) any {
			e := &endpoint{}
			_, h := e.open(t, s)
			for range 100 {
				h.StatementFinished(executed())
			}
			failed := executed()
			failed.Failure = &telemetry.Failure{Category: telemetry.CategoryOther}
			h.StatementFinished(failed)
			require.NoError(t, h.Close(t.Context()))
			sent := 0
			_, sizes := e.seen()
			for _, n := range sizes {
				sent += n
			}
			return sent
		},
		want: map[string]any{"0": 1, "": 101, "1": 101},
	},
}

// queryHistory notes which statements a workspace's query history is asked about.
type queryHistory struct{ ids string }

func (q *queryHistory) Authenticate(*http.Request) error { return nil }

func (q *queryHistory) RoundTrip(r *http.Request) (*http.Response, error) {
	q.ids = strings.Join(r.URL.Query()["filter_by.statement_ids"], " ")
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

// reportMemory is a memory that wants reports.
type reportMemory struct{ memory }

func (*reportMemory) ServerReported(*telemetry.ServerReport) {}

var (
	acceptedRange = regexp.MustCompile(`from (\S+) to ([^\s,]+)`)
	acceptedWord  = regexp.MustCompile(`\w+`)
)

// TestEverySettingDoesWhatItSays measures the effect of every parameter at its default and at
// both ends of what it takes. A parameter without an entry in effects fails it.
func TestEverySettingDoesWhatItSays(t *testing.T) {
	require.Len(t, effects, len(settings.Parameters), "a parameter without an effect")
	for _, p := range settings.Parameters {
		e, ok := effects[p.Name]
		require.True(t, ok, "%s has no effect", p.Name)
		ends := acceptedRange.FindStringSubmatch(p.Accepts)
		if ends == nil { // a list of words
			ends = acceptedWord.FindAllString(p.Accepts, -1)
		} else {
			ends = ends[1:]
		}
		for _, end := range append([]string{""}, ends...) {
			if end != "or" {
				require.Contains(t, e.want, end, "%s takes %s", p.Name, p.Accepts)
			}
		}
		for value, want := range e.want {
			t.Run(p.Name+"="+value, func(t *testing.T) {
				dsn := map[string][]string{p.Name: {value}}
				for _, other := range e.with {
					name, v, _ := strings.Cut(other, "=")
					dsn[name] = []string{v}
				}
				settings, err := settings.Resolve(telemetry.Settings{}, dsn, nil)
				require.NoError(t, err)
				synctest.Test(t, func(t *testing.T) {
					got := e.measure(t, settings)
					if r, ok := want.(between); ok {
						require.GreaterOrEqual(t, got, r.least)
						require.LessOrEqual(t, got, r.most)
						return
					}
					require.Equal(t, want, got)
				})
			})
		}
	}
}

func hanging(r *http.Request) int {
	<-r.Context().Done()
	return http.StatusOK
}

// nearlyTooSlow answers a second before the client gives up.
func nearlyTooSlow(r *http.Request) int {
	select {
	case <-time.After(9 * time.Second):
	case <-r.Context().Done():
	}
	return http.StatusOK
}

func failing(*http.Request) int { return http.StatusServiceUnavailable }

// executed is the record of a statement that makes one event.
func executed() *telemetry.Statement {
	return &telemetry.Statement{Started: time.Now(), SessionID: "01f0a1b2-0000-1000-8000-00000000000a", StatementID: "01f0a1b2-0000-1000-8000-00000000000b", Kind: telemetry.KindQuery}
}

// program runs statements that take so long, and then fails to open a session.
func program(t *testing.T, db *sql.DB, takes ...time.Duration) {
	for _, d := range takes {
		_, err := db.Exec(d.String())
		require.NoError(t, err)
	}
	db.SetMaxIdleConns(-1) // closes the connection
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := db.Conn(context.WithValue(ctx, refuse{}, true))
	require.ErrorIs(t, err, errBroken)
}

// logged returns the levels of the lines that a database with these settings writes, and whether
// they are written in full.
func logged(t *testing.T, s telemetry.Settings, run func(*sql.DB)) string {
	var out bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
	defer slog.SetDefault(before)
	db := sql.OpenDB(driverwrap.Config{Settings: s}.Wrap(&delayingConnector{}))
	run(db)
	require.NoError(t, db.Close())
	var levels []string
	for _, m := range regexp.MustCompile(`level=(\w+) msg="databricks `).FindAllStringSubmatch(out.String(), -1) {
		levels = append(levels, m[1])
	}
	if strings.Contains(out.String(), " execute_ms=") { // of the attributes that a line has in full only
		levels = append(levels, "in full")
	}
	return strings.Join(levels, " ")
}

type refuse struct{}

// delayingConnector makes connections whose statements take as long as their text says.
type delayingConnector struct{}

func (*delayingConnector) Connect(ctx context.Context) (driver.Conn, error) {
	if ctx.Value(refuse{}) != nil {
		return nil, errBroken
	}
	return &delayingConn{minimalConn{&calls{}, contextStmt}}, nil
}

func (*delayingConnector) Driver() driver.Driver { return fakeDriver{} }

type delayingConn struct{ minimalConn }

func (c *delayingConn) ExecContext(_ context.Context, query string, _ []driver.NamedValue) (driver.Result, error) {
	d, err := time.ParseDuration(query)
	time.Sleep(d)
	return driver.RowsAffected(1), err
}
