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
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

var (
	soakFor  = flag.Duration("soak", 6*time.Second, "how long TestSoak runs")
	soakSeed = flag.Uint64("soak.seed", 0, "the seed of its programs; 0 draws one")
)

// roundFor is the lifetime of one application: it opens databases, works, and closes them. There are
// at least three, one of each faultMode. Memory in use between two rounds has leaked.
const roundFor = 4 * time.Second

// lane is one entry point with a workspace, and the native driver with the same options.
type lane struct {
	name string
	opts workspace.Options
	// slowRetries is set for an entry point that has no option for the native driver's waits: a
	// retry takes a second, and resources of each connection remain for 15 minutes.
	slowRetries bool
	native      func(*workspace.Workspace) (driver.Connector, error)
	wrapped     func(driverwrap.Config, *workspace.Workspace) (driver.Connector, error)
	// reports is whether the lane reports to Databricks.
	reports bool
}

// brisk are settings with short intervals and small limits.
var brisk = telemetry.Settings{
	BatchSize: 20, FlushInterval: 100 * time.Millisecond, RetryDelay: 5 * time.Millisecond, QueueSize: 2000,
	CloseTimeout: 500 * time.Millisecond, CircuitBreakerTimeout: 300 * time.Millisecond, QueryText: true,
}

func lanes() []lane {
	quick := []dbsql.ConnOption{dbsql.WithRetries(4, time.Millisecond, 5*time.Millisecond), shortWaits()}
	viaOptions := func(ws *workspace.Workspace) (driver.Connector, error) {
		return dbsql.NewConnector(append(options(ws), quick...)...)
	}
	return []lane{
		{
			name: "NewConnector, files", opts: workspace.Options{CloudFetchThreshold: 1, FileRows: 60, LinksPerPage: 3, ServerTimes: true}, reports: true,
			native: viaOptions,
			wrapped: func(c driverwrap.Config, ws *workspace.Workspace) (driver.Connector, error) {
				return c.NewConnector(append(options(ws), quick...)...)
			},
		},
		{
			name: "OpenConnector, inline", opts: workspace.Options{CloudFetchThreshold: -1, PageRows: 100, BatchRows: 40}, slowRetries: true, reports: true,
			native: func(ws *workspace.Workspace) (driver.Connector, error) {
				return nativeConnector(ws.DSN("enableTelemetry=false"))
			},
			wrapped: func(c driverwrap.Config, ws *workspace.Workspace) (driver.Connector, error) {
				return c.OpenConnector(ws.DSN())
			},
		},
		{
			name: "Wrap, columnar", opts: workspace.Options{ProtocolVersion: 42241, CloudFetchThreshold: -1, PageRows: 120},
			native: viaOptions,
			wrapped: func(c driverwrap.Config, ws *workspace.Workspace) (driver.Connector, error) {
				native, err := viaOptions(ws)
				if err != nil {
					return nil, err
				}
				return c.Wrap(native), nil
			},
		},
	}
}

// TestSoak runs random programs on the native driver and on the wrapped one, round after round.
// The flag -soak sets how long, the flag -soak.seed which programs. In a build of the command
// clockstep the wall clock steps meanwhile.
func TestSoak(t *testing.T) {
	seed := *soakSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-soak.seed %d", seed)
	if stepWall != nil {
		ctx, stop := context.WithCancel(t.Context())
		var stepping sync.WaitGroup
		stepping.Go(func() { wall.inject(ctx, rand.New(rand.NewPCG(seed, 1))) })
		defer stepping.Wait()
		defer stop()
	}
	var rested []rest
	end := time.Now().Add(*soakFor)
	for n := uint64(0); n < 3 || time.Now().Before(end); n++ {
		r := &round{seed: seed + n, faultMode: faultMode(n % 3), began: time.Now(), before: telemetry.ReadStats().Export}
		length := min(roundFor, *soakFor/3, max(time.Second, time.Until(end)))
		if !t.Run("round", func(t *testing.T) { r.run(t, length) }) {
			t.Fatalf("-soak.seed %d, round %d", seed, n)
		}
		rested = append(rested, atRest(t, rested))
		t.Logf("round %d: %s; at rest %s", n, r.summary(), rested[n])
	}
	requireConstant(t, rested)
	t.Logf("the wall clock stepped %d times, up to %v from the true time", wall.steps(), wall.furthest())
}

// round is the lifetime of one application.
type round struct {
	seed      uint64
	faultMode faultMode
	began     time.Time
	before    telemetry.ExportStats
	after     telemetry.ExportStats

	mu     sync.Mutex
	steps  map[string]int // by name; guarded by mu
	faults int            // guarded by mu
	ledger ledger         // of the lanes that report
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
		r.compareCounts(t)
	}
}

// drive runs one lane until the context is done: step by step on both sides.
func (r *round) drive(ctx context.Context, t *testing.T, l lane, random *rand.Rand) {
	settings := brisk
	if r.faultMode == noFaults { // every event arrives, however long this machine takes
		settings.CloseTimeout = 5 * time.Minute
	}
	native, wrapped := l.sides(t, settings, &r.ledger)
	defer func() {
		r.finish(t, l, native, false)
		r.finish(t, l, wrapped, true)
	}()
	faults := telemetryFaults{random: rand.New(rand.NewPCG(r.seed, random.Uint64())), ws: wrapped.ws, mode: r.faultMode}
	faulty, stop := context.WithCancel(ctx)
	var injecting sync.WaitGroup
	if r.faultMode != noFaults {
		injecting.Go(func() { faults.inject(faulty) })
	}
	defer injecting.Wait()
	defer stop()
	for ctx.Err() == nil && !t.Failed() {
		s := draw(random, l)
		r.count(s)
		want, got := s.runOnBoth(t, native, wrapped)
		s.compare(t, l, want, got)
	}
}

// sides opens the two databases of a lane, each with a workspace of its own.
func (l lane) sides(t *testing.T, settings telemetry.Settings, counts *ledger) (native, wrapped *side) {
	open := func(flag workspace.Flag, connect func(*workspace.Workspace) (driver.Connector, error)) *side {
		opts := l.opts
		opts.WarehouseID, opts.Token, opts.TelemetryFlag = "0123456789abcdef", "dapi0", flag
		opts.CaptureBodies, opts.Keep = true, -1 // faults match request bodies; all requests are counted at the end
		opts.LinkLifetime = 10 * furthest        // the clock may step between the two sides' looks at it
		ws, err := workspace.Start(opts)
		require.NoError(t, err)
		c, err := connect(ws)
		require.NoError(t, err)
		return &side{ws: ws, db: sql.OpenDB(c)}
	}
	native = open(workspace.FlagAbsent, l.native)
	wrapped = open(workspace.FlagOn, func(ws *workspace.Workspace) (driver.Connector, error) {
		c := driverwrap.Config{Settings: settings}
		if l.reports {
			c.Sinks = []telemetry.Sink{counts}
		}
		return l.wrapped(c, ws)
	})
	return native, wrapped
}

// runOnBoth runs a step on both sides at the same time, with the same faults.
func (s step) runOnBoth(t *testing.T, native, wrapped *side) (want, got outcome) {
	var wg sync.WaitGroup
	for _, one := range []struct {
		on  *side
		out *outcome
	}{{native, &want}, {wrapped, &got}} {
		wg.Go(func() {
			var inForce []*workspace.Injected
			for _, f := range s.faults {
				inForce = append(inForce, one.on.ws.Inject(f))
			}
			ctx := context.Background()
			if s.timeout > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, s.timeout)
				defer cancel()
			}
			*one.out = s.run(ctx, one.on)
			if s.timeout > 0 {
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

// settle waits until calls whose context is done have ended, so that the faults of a later
// step cannot affect them.
func (s *side) settle(t *testing.T) {
	eventually.True(t, func() bool {
		underWay := s.ws.Count(func(r workspace.Request) bool { return r.Thrift != "" && !r.Done })
		return underWay == 0 && s.db.Stats().InUse <= len(s.open)+s.abandoned
	})
}

func (s step) compare(t *testing.T, l lane, want, got outcome) {
	if s.timeout > 0 {
		both := min(len(want.observed), len(got.observed))
		want.observed, got.observed = append([]string{}, want.observed[:both]...), append([]string{}, got.observed[:both]...)
		if want.contextDone || got.contextDone || want.failed == "" || got.failed == "" {
			want.failed, got.failed = "", ""
		}
		want.contextDone, got.contextDone = false, false
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
func (r *round) finish(t *testing.T, l lane, s *side, wrapped bool) {
	closeRows := func() {
		for _, rows := range s.open {
			_ = rows.Close()
		}
	}
	if r.faultMode == noFaults { // with faults, records made after Close cannot be sent
		closeRows()
	}
	start := time.Now()
	_ = s.db.Close() // the error is that of the last expired session
	took := time.Since(start)
	closeRows()
	if wrapped && l.reports {
		settledReports(t, s.ws)
	}
	if wrapped {
		require.Empty(t, s.ws.TelemetryErrors())
		r.mu.Lock()
		r.closed = max(r.closed, took)
		if l.reports {
			r.taken += len(s.ws.Telemetry())
			requireTrueEvents(t, s.ws, r.began)
		}
		r.mu.Unlock()
	}
	require.NoError(t, s.ws.Close())
}

// settledReports waits until nothing more is to be reported to a workspace whose database is
// closed: its connections are closed, and the garbage collector has freed rows that were not.
func settledReports(t *testing.T, ws *workspace.Workspace) {
	t.Helper()
	eventually.True(t, func() bool {
		runtime.GC()
		return !slices.ContainsFunc(telemetry.ReadStats().Export.Pipelines, func(p telemetry.PipelineStats) bool { return p.Server == ws.URL() })
	})
}

// compareCounts compares the exporter's counts with those of the ledger and of the service.
func (r *round) compareCounts(t *testing.T) {
	require.NoError(t, telemetry.Flush(t.Context()))
	r.after = telemetry.ReadStats().Export
	s := r.delta()
	dropped := int64(0)
	for _, n := range s.Dropped {
		dropped += n
	}
	require.Zero(t, s.Pending, "all databases are closed")
	require.Empty(t, s.Pipelines)
	require.Equal(t, s.Recorded, s.Sent+dropped, "%+v", s)
	eventually.True(t, func() bool { return int64(r.ledger.events()) == s.Recorded }, "the exporter received each record once")
	require.LessOrEqual(t, s.Sent, int64(r.taken), "the services received every event that is counted as sent")
	require.LessOrEqual(t, int64(r.taken), s.Recorded, "the services received more only where the response was dropped")
	if r.faultMode == noFaults {
		require.Equal(t, s.Recorded, s.Sent, "without faults every event arrives: %+v", s)
		require.EqualValues(t, r.taken, s.Sent)
	}
	require.Empty(t, r.ledger.wrongTimes())
	if requirePage != nil {
		requirePage(t)
	}
	require.Zero(t, s.Panics)
	for _, c := range telemetry.ReadStats().Contained {
		require.NotContains(t, []string{"statement", "wire", "export", "page"}, c.Place, "an error in this module: %s", c.First)
	}
}

// delta is what the exporter counted during the round.
func (r *round) delta() telemetry.ExportStats {
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
		steps, r.faults, r.ledger.count(), s.Recorded, s.Sent, s.Dropped, s.Requests, s.BreakerOpened, r.closed.Round(time.Millisecond))
}
