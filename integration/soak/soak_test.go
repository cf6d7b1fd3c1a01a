package soak

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

var (
	soakFor  = flag.Duration("soak", 15*time.Second, "how long TestSoak runs")
	soakSeed = flag.Uint64("soak.seed", 0, "the seed of its programs; 0 draws one")
)

// roundFor is the life of one application: it opens databases, works, and closes them. What is
// in memory between two rounds is what was left behind.
const roundFor = 4 * time.Second

// lane is one way in with a workspace behind it, and the same without us.
type lane struct {
	name string
	opts workspace.Options
	// calm is for a door that has no option for how long the native driver waits: a retry takes
	// it a second, and of each connection something is left for 15 minutes.
	calm bool
	bare func(*workspace.Workspace) (driver.Connector, error)
	ours func(driverwrap.Config, *workspace.Workspace) (driver.Connector, error)
	// reports says that we report for it.
	reports bool
}

// brisk are settings with which much happens in little time.
var brisk = telemetry.Settings{
	BatchSize: 20, FlushInterval: 100 * time.Millisecond, RetryDelay: 5 * time.Millisecond, QueueSize: 2000,
	CloseTimeout: 500 * time.Millisecond, CircuitBreakerTimeout: 300 * time.Millisecond, QueryText: true,
}

func lanes() []lane {
	quick := []dbsql.ConnOption{dbsql.WithRetries(4, time.Millisecond, 5*time.Millisecond), hurried()}
	viaOptions := func(ws *workspace.Workspace) (driver.Connector, error) {
		return dbsql.NewConnector(append(options(ws), quick...)...)
	}
	return []lane{
		{
			name: "options, files", opts: workspace.Options{CloudFetchThreshold: 1, FileRows: 60, LinksPerPage: 3}, reports: true,
			bare: viaOptions,
			ours: func(c driverwrap.Config, ws *workspace.Workspace) (driver.Connector, error) {
				return c.NewConnector(append(options(ws), quick...)...)
			},
		},
		{
			name: "dsn, inline", opts: workspace.Options{CloudFetchThreshold: -1, PageRows: 100, BatchRows: 40}, calm: true, reports: true,
			bare: func(ws *workspace.Workspace) (driver.Connector, error) {
				return native(ws.DSN("enableTelemetry=false"))
			},
			ours: func(c driverwrap.Config, ws *workspace.Workspace) (driver.Connector, error) {
				return c.OpenConnector(ws.DSN())
			},
		},
		{
			name: "wrap, columnar", opts: workspace.Options{ProtocolVersion: 42241, CloudFetchThreshold: -1, PageRows: 120},
			bare: viaOptions,
			ours: func(c driverwrap.Config, ws *workspace.Workspace) (driver.Connector, error) {
				inner, err := viaOptions(ws)
				if err != nil {
					return nil, err
				}
				return c.Wrap(inner), nil
			},
		},
	}
}

// TestSoak runs random programs on the bare driver and on the wrapped one, round after round.
// The flags -soak and -soak.seed say for how long and which.
func TestSoak(t *testing.T) {
	seed := *soakSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-soak.seed %d", seed)
	var rested []rest
	end := time.Now().Add(*soakFor)
	for n := uint64(0); n == 0 || time.Now().Before(end); n++ {
		r := &round{seed: seed + n, climate: climate(n % 3), before: export.Default.Stats()}
		length := min(roundFor, max(time.Second, time.Until(end)))
		if !t.Run("round", func(t *testing.T) { r.run(t, length) }) {
			t.Fatalf("-soak.seed %d, round %d", seed, n)
		}
		rested = append(rested, atRest(t, rested))
		t.Logf("round %d: %s; at rest %s", n, r.summary(), rested[n])
	}
	flat(t, rested)
}

// round is the life of one application.
type round struct {
	seed    uint64
	climate climate
	before  export.Stats
	after   export.Stats

	mu     sync.Mutex
	steps  map[string]int // by name; guarded by mu
	faults int            // guarded by mu
	books  books          // of the lanes that are reported for
	taken  int            // events the services took, each once; guarded by mu
	closed time.Duration  // the longest sql.DB.Close; guarded by mu
}

func (r *round) run(t *testing.T, length time.Duration) {
	r.steps = map[string]int{}
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	var wg sync.WaitGroup
	for i, l := range lanes() {
		wg.Go(func() { r.drive(ctx, t, l, rand.New(rand.NewPCG(r.seed, uint64(i)))) })
	}
	wg.Wait()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	if !t.Failed() {
		r.account(t)
	}
}

// drive runs one lane until the context is done: step by step on both sides.
func (r *round) drive(ctx context.Context, t *testing.T, l lane, random *rand.Rand) {
	settings := brisk
	if r.climate == fair { // then everything arrives, however long this machine takes for it
		settings.CloseTimeout = 5 * time.Minute
	}
	here, there := l.sides(t, settings, &r.books)
	defer func() {
		r.finish(t, l, here, false)
		r.finish(t, l, there, true)
	}()
	outside := weather{random: rand.New(rand.NewPCG(r.seed, random.Uint64())), ws: there.ws, climate: r.climate}
	blown, still := context.WithCancel(ctx)
	var wind sync.WaitGroup
	if r.climate != fair {
		wind.Go(func() { outside.blow(blown) })
	}
	defer wind.Wait()
	defer still()
	for ctx.Err() == nil && !t.Failed() {
		s := draw(random, l)
		r.count(s)
		want, got := s.play(t, here, there)
		s.compare(t, l, want, got)
	}
}

// sides opens the two databases of a lane, each with a workspace of its own.
func (l lane) sides(t *testing.T, settings telemetry.Settings, b *books) (here, there *side) {
	open := func(flag workspace.Flag, connect func(*workspace.Workspace) (driver.Connector, error)) *side {
		opts := l.opts
		opts.WarehouseID, opts.Token, opts.TelemetryFlag = "0123456789abcdef", "dapi0", flag
		opts.CaptureBodies, opts.Keep = true, -1 // faults are aimed by bodies; everything is counted at the end
		ws, err := workspace.Start(opts)
		require.NoError(t, err)
		c, err := connect(ws)
		require.NoError(t, err)
		return &side{ws: ws, db: sql.OpenDB(c)}
	}
	here = open(workspace.FlagAbsent, l.bare)
	there = open(workspace.FlagOn, func(ws *workspace.Workspace) (driver.Connector, error) {
		c := driverwrap.Config{Settings: settings}
		if l.reports {
			c.Sinks = []telemetry.Sink{b}
		}
		return l.ours(c, ws)
	})
	return here, there
}

// play runs a step on both sides at the same time, with the same faults.
func (s step) play(t *testing.T, here, there *side) (want, got outcome) {
	var wg sync.WaitGroup
	for _, one := range []struct {
		on  *side
		out *outcome
	}{{here, &want}, {there, &got}} {
		wg.Go(func() {
			var inForce []*workspace.Injected
			for _, f := range s.faults {
				inForce = append(inForce, one.on.ws.Inject(f))
			}
			ctx := context.Background()
			if s.patience > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, s.patience)
				defer cancel()
			}
			*one.out = s.run(ctx, one.on)
			if s.patience > 0 {
				one.on.settle(t)
			}
			for _, f := range inForce {
				f.Remove()
			}
		})
	}
	wg.Wait()
	return want, got
}

// settle waits until what was given up has come to its end, so that it cannot meet the faults
// of a later step.
func (s *side) settle(t *testing.T) {
	eventually.True(t, func() bool {
		underWay := s.ws.Count(func(r workspace.Request) bool { return r.Thrift != "" && !r.Done })
		return underWay == 0 && s.db.Stats().InUse <= len(s.left)+s.lost
	})
}

func (s step) compare(t *testing.T, l lane, want, got outcome) {
	if s.patience > 0 {
		both := min(len(want.said), len(got.said))
		want.said, got.said = append([]string{}, want.said[:both]...), append([]string{}, got.said[:both]...)
		if want.gaveUp || got.gaveUp || want.failed == "" || got.failed == "" {
			want.failed, got.failed = "", ""
		}
		want.gaveUp, got.gaveUp = false, false
	}
	require.Equal(t, want, got, "%s: %s, %v", l.name, s.name, s.faults)
}

func (r *round) count(s step) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.steps[s.name]++
	r.faults += len(s.faults)
}

// finish closes a side: the database first, with rows still open, then the rows.
func (r *round) finish(t *testing.T, l lane, s *side, ours bool) {
	closeLeft := func() {
		for _, rows := range s.left {
			_ = rows.Close()
		}
	}
	if r.climate == fair { // else what comes after the end cannot be sent
		closeLeft()
	}
	start := time.Now()
	_ = s.db.Close() // the error is of the last session that had expired
	took := time.Since(start)
	closeLeft()
	if ours && l.reports {
		settledReports(t, s.ws)
	}
	if ours {
		require.Empty(t, s.ws.TelemetryErrors())
		r.mu.Lock()
		r.closed = max(r.closed, took)
		if l.reports {
			r.taken += len(s.ws.Telemetry())
		}
		r.mu.Unlock()
	}
	require.NoError(t, s.ws.Close())
}

// settledReports waits until nothing more is to be reported to a workspace whose database is
// closed: its connections are closed, and the garbage collector has taken rows that are not.
func settledReports(t *testing.T, ws *workspace.Workspace) {
	t.Helper()
	eventually.True(t, func() bool {
		runtime.GC()
		return !slices.ContainsFunc(export.Default.Stats().Pipelines, func(p export.PipelineStats) bool { return p.Server == ws.URL() })
	})
}

// account holds the exporter's books against ours and the service's.
func (r *round) account(t *testing.T) {
	require.NoError(t, telemetry.Flush(t.Context()))
	r.after = export.Default.Stats()
	s := r.delta()
	dropped := int64(0)
	for _, n := range s.Dropped {
		dropped += n
	}
	require.Zero(t, s.Pending, "all databases are closed")
	require.Empty(t, s.Pipelines)
	require.Equal(t, s.Recorded, s.Sent+dropped, "%+v", s)
	eventually.True(t, func() bool { return int64(r.books.events()) == s.Recorded }, "each record was handed in once")
	require.LessOrEqual(t, s.Sent, int64(r.taken), "what we count as sent the services have")
	require.LessOrEqual(t, int64(r.taken), s.Recorded, "and what they have beyond it are events whose answer was lost")
	if r.climate == fair {
		require.Equal(t, s.Recorded, s.Sent, "in fair weather everything arrives: %+v", s)
		require.EqualValues(t, r.taken, s.Sent)
	}
	require.Zero(t, s.Panics)
	for _, c := range telemetry.ReadStats().Contained {
		require.NotContains(t, []string{"statement", "wire", "export", "page"}, c.Place, "a mistake of this module: %s", c.First)
	}
}

// delta is what the exporter counted during the round.
func (r *round) delta() export.Stats {
	s := r.after
	s.Recorded -= r.before.Recorded
	s.Sent -= r.before.Sent
	s.Requests -= r.before.Requests
	s.Panics -= r.before.Panics
	s.BreakerOpened -= r.before.BreakerOpened
	s.Dropped = map[string]int64{}
	for reason, n := range r.after.Dropped {
		if n -= r.before.Dropped[reason]; n > 0 {
			s.Dropped[reason] = n
		}
	}
	return s
}

func (r *round) summary() string {
	steps := 0
	for _, n := range r.steps {
		steps += n
	}
	s := r.delta()
	return fmt.Sprintf("%d steps, %d with a fault, %d statements; %d events, %d sent, dropped %v, in %d requests, breaker opened %d times; closed in %v",
		steps, r.faults, r.books.count(), s.Recorded, s.Sent, s.Dropped, s.Requests, s.BreakerOpened, r.closed.Round(time.Millisecond))
}
