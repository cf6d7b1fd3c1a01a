package views

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/databricks/databricks-sql-go/driverctx"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/testenv"
	"github.com/seed-01322ee7/databricks-telemetry/integration/operators/internal/program"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/logsink"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/ndjson"
)

// Random programs, each of which keeps a ledger of what it did. Every number that the views state is compared with
// the ledger, with what the workspaces saw, and with the other views. The debug page is that of a process, so each
// program runs in one of its own. LEDGER_SEED runs one program.
func TestEveryViewSaysWhatIsInTheLedger(t *testing.T) {
	first, programs := 1, int(testenv.Scenes(1))
	if n, err := strconv.Atoi(os.Getenv("LEDGER_SEED")); err == nil {
		first, programs = n, 1
	}
	dbtel := filepath.Join(t.TempDir(), "dbtel")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", dbtel, "github.com/seed-01322ee7/databricks-telemetry/cmd/dbtel").CombinedOutput()
	require.NoError(t, err, "%s", out)
	for seed := first; seed < first+programs; seed++ {
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			t.Parallel()
			child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProgram$", "-test.count=1")
			child.Env = append(os.Environ(), "PROGRAM_SEED="+strconv.Itoa(seed), "PROGRAM_DBTEL="+dbtel, "TZ=UTC")
			out, err := child.CombinedOutput()
			require.NoError(t, err, "%s", out)
		})
	}
}

// TestProgram is the program of a separate process: see TestEveryViewSaysWhatIsInTheLedger.
func TestProgram(t *testing.T) {
	seed, err := strconv.ParseUint(os.Getenv("PROGRAM_SEED"), 10, 64)
	if err != nil {
		t.Skip("another test runs it")
	}
	l := &ledger{t: t, random: rand.New(rand.NewPCG(seed, 11)), dir: program.Dir(t)}
	// The page began to count just now. The program begins on the next day, so that the hour is that of its seed.
	day := time.Now().Truncate(24 * time.Hour).Add(24 * time.Hour)
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(day) + time.Duration(l.random.IntN(int(time.Hour))))
		l.t = t
		l.run()
	})
	l.t = t
	l.compareCommands()
}

// ledger is a random program and what it did.
type ledger struct {
	t       *testing.T
	random  *rand.Rand // only of the test's goroutine
	dir     string     // of volume files
	servers []*server
	pools   []*pool
	steps   []*step
	denied  int               // connections that were refused
	slow    time.Duration     // threshold
	lines   testenv.Buffer    // of NDJSON
	full    testenv.Buffer    // the log, with debug messages
	brief   testenv.Buffer    // the log, without them
	records []fields          // lines, decoded
	shown   map[string]fields // pages of statements, by their ids
}

// server is a simulated workspace.
type server struct {
	*workspace.Workspace
	name  string // host and port
	files bool   // results come as files
}

// pool is a database of the program.
type pool struct {
	name      string
	db        *sql.DB
	on        *server
	warehouse string
	wrapped   bool // its connector is behind Wrap
	text      bool // telemetry_query_text
	history   bool // telemetry_query_history
	unnamed   func()
}

// step is one statement of the program.
type step struct {
	program.Step
	pool         *pool
	takes        time.Duration // of the warehouse
	began, ended time.Time
	alone        bool // nothing else used its pool
}

// often is true once in n times.
func (l *ledger) often(n int) bool { return l.random.IntN(n) == 0 }

func (l *ledger) run() {
	defer l.stop()
	l.slow = []time.Duration{300 * time.Millisecond, 3 * time.Second, 0}[l.random.IntN(3)]
	handler := func(b *testenv.Buffer, level slog.Level) *slog.Logger {
		return slog.New(slog.NewJSONHandler(b, &slog.HandlerOptions{Level: level}))
	}
	var detach []func()
	for _, s := range []telemetry.Sink{
		ndjson.New(&l.lines), logsink.New(handler(&l.full, slog.LevelDebug), slog.LevelDebug, l.slow), logsink.New(handler(&l.brief, slog.LevelInfo), slog.LevelInfo, l.slow),
	} {
		detach = append(detach, telemetry.Attach(s))
	}
	if l.slow == 0 {
		l.slow = 10 * time.Second
	}
	for range 1 + l.random.IntN(2) {
		l.start()
	}
	for i := range 1 + l.random.IntN(4) {
		l.open(fmt.Sprintf("pool %d", i))
	}
	for range 1 + l.random.IntN(4) {
		l.work()
		l.hold()
		if l.often(3) {
			time.Sleep(time.Duration(l.random.IntN(int(4 * time.Minute))))
		}
	}
	if l.often(2) {
		l.deny()
	}
	time.Sleep(3 * time.Second) // the log's repeated lines and the first reports come up to 12 s later
	if l.often(2) {
		time.Sleep(5 * time.Minute) // all reports come
	}
	for _, p := range l.pools {
		_ = p.db.Close() // the server may have ended sessions
	}
	require.NoError(l.t, telemetry.Flush(l.t.Context()))
	l.records = decode(l.t, l.lines.String())
	l.compareRecords()
	l.comparePages()
	for _, d := range detach {
		d()
	}
	for _, p := range l.pools {
		if p.unnamed != nil {
			p.unnamed()
		}
	}
	time.Sleep(time.Minute)
	l.compareLog()
}

// stop ends the workspaces.
func (l *ledger) stop() {
	for _, p := range l.pools {
		_ = p.db.Close()
	}
	for _, s := range l.servers {
		s.Transport().CloseIdleConnections()
		require.NoError(l.t, s.Close())
	}
	time.Sleep(time.Hour) // the driver's requests leave goroutines with timers behind
}

func (l *ledger) start() {
	s := &server{files: l.often(2)}
	options := workspace.Options{
		InMemory: true, Warehouses: []workspace.Warehouse{{}, {Stopped: l.often(2), StartTime: 700 * time.Millisecond}},
		ExecutionTime: func(text string) time.Duration {
			_, text, _ = strings.Cut(text, "/* takes ")
			text, _, _ = strings.Cut(text, " */")
			d, _ := time.ParseDuration(text)
			return d
		},
		TelemetryFlag: []workspace.Flag{workspace.FlagAbsent, workspace.FlagOn}[l.random.IntN(2)],
		ServerTimes:   l.often(2), ResultCache: l.often(3), FailuresByHandle: l.often(2), NoDirectResults: l.often(4), HistoryDelay: time.Duration(l.random.IntN(3)) * 10 * time.Second,
	}
	if l.often(3) {
		options.DirectResultWait = 50 * time.Millisecond
	}
	if s.files {
		options.CloudFetchThreshold, options.FileRows, options.LinksPerPage = 1, 7, 1+l.random.IntN(3)
	} else {
		options.CloudFetchThreshold, options.PageRows = -1, int64(5+l.random.IntN(20))
	}
	var err error
	s.Workspace, err = workspace.Start(options)
	require.NoError(l.t, err)
	s.name = fmt.Sprintf("%s:%d", s.Host(), s.Port())
	inMemory.Store(strings.TrimPrefix(s.StorageURL(), "http://"), s.Transport())
	require.NoError(l.t, s.Exec(l.t.Context(), "CREATE TABLE main.default.t (id BIGINT)"))
	l.servers = append(l.servers, s)
}

func (l *ledger) open(name string) {
	p := &pool{name: name, on: l.servers[l.random.IntN(len(l.servers))], text: l.often(2), history: l.often(2), wrapped: l.often(4)}
	config := driverwrap.Config{Settings: telemetry.Settings{Enabled: telemetry.SwitchOff, CloseTimeout: 5 * time.Minute, SlowThreshold: l.slow}}
	if p.text {
		config.Settings.QueryText = true
	}
	if p.history { // nothing is asked where telemetry is off
		config.Settings.Enabled = telemetry.SwitchUnset
		config.Settings.QueryHistory = []string{"all", "slow"}[l.random.IntN(2)]
	}
	warehouses := p.on.Warehouses()
	p.warehouse = warehouses[l.random.IntN(len(warehouses))]
	options := []dbsql.ConnOption{
		dbsql.WithServerHostname("http://" + p.on.Host()), dbsql.WithPort(p.on.Port()), dbsql.WithHTTPPath("/sql/1.0/warehouses/" + p.warehouse), dbsql.WithAccessToken(p.on.Token()),
		dbsql.WithTransport(p.on.Transport()), dbsql.WithRetries(9, 10*time.Millisecond, time.Second),
	}
	p.db = sql.OpenDB(l.connector(config, p.wrapped, options))
	p.db.SetMaxOpenConns(1 + l.random.IntN(3))
	p.db.SetMaxIdleConns(l.random.IntN(3) - 1)
	if l.often(2) {
		p.unnamed = telemetry.RegisterPool(name, p.db)
	}
	l.pools = append(l.pools, p)
}

func (l *ledger) connector(config driverwrap.Config, wrapped bool, options []dbsql.ConnOption) driver.Connector {
	if wrapped {
		c, err := dbsql.NewConnector(options...)
		require.NoError(l.t, err)
		return config.Wrap(c)
	}
	c, err := config.NewConnector(options...)
	require.NoError(l.t, err)
	return c
}

// deny opens connections that the workspace refuses.
func (l *ledger) deny() {
	p := l.pools[0]
	db := sql.OpenDB(l.connector(driverwrap.Config{Settings: telemetry.Settings{Enabled: telemetry.SwitchOff}}, false, []dbsql.ConnOption{
		dbsql.WithServerHostname("http://" + p.on.Host()), dbsql.WithPort(p.on.Port()), dbsql.WithHTTPPath(p.on.HTTPPath()), dbsql.WithAccessToken("wrong"), dbsql.WithTransport(p.on.Transport()),
	}))
	for range 1 + l.random.IntN(3) {
		require.Error(l.t, db.PingContext(l.t.Context()))
		l.denied++
	}
	require.NoError(l.t, db.Close())
}

// work runs statements on every database, some at the same time.
func (l *ledger) work() {
	for range l.random.IntN(3) { // repeated at once: while database/sql waits for a lock, fake time stands still
		program.Interrupt(l.servers[l.random.IntN(len(l.servers))].Workspace, l.random)
	}
	if l.often(3) {
		l.servers[0].Inject(workspace.Fault{On: workspace.ResultDownloads(), Skip: l.random.IntN(5), First: 1, Do: workspace.Status(503)})
	}
	if l.often(3) {
		l.servers[0].Inject(workspace.Fault{On: workspace.Method("OpenSession"), First: 1, Do: workspace.Latency(time.Duration(l.random.IntN(3000)) * time.Millisecond)})
	}
	if l.often(3) { // reports come late, or never
		l.servers[0].Inject(workspace.Fault{
			On: workspace.Endpoint("/api/2.0/sql/history/queries"), Skip: l.random.IntN(2), First: 1 + l.random.IntN(3),
			Do: []workspace.Action{workspace.Status(403), workspace.Status(500), workspace.Latency(4 * time.Second), workspace.Garbage()}[l.random.IntN(4)],
		})
	}
	var group sync.WaitGroup
	for _, p := range l.pools {
		streams := 1 + l.random.IntN(3)
		for range streams {
			var mine []*step
			for range 1 + l.random.IntN(8) {
				s := l.plan(p)
				s.alone = streams == 1
				mine = append(mine, s)
			}
			pause := time.Duration(l.random.IntN(2000)) * time.Millisecond
			group.Go(func() {
				for _, s := range mine {
					l.perform(s)
					time.Sleep(pause)
				}
			})
		}
	}
	group.Wait()
}

var things = append(slices.Clone(program.Things), "forever", "deadline", "abandoned")

func (l *ledger) plan(p *pool) *step {
	s := &step{pool: p}
	do := things[l.random.IntN(len(things))]
	note := fmt.Sprintf("/* step %d. */ ", len(l.steps))
	if l.often(3) && do != "ping" && do != "forever" && do != "deadline" {
		s.takes = []time.Duration{20 * time.Millisecond, 700 * time.Millisecond, 4 * time.Second, 12 * time.Second}[l.random.IntN(4)]
		note += fmt.Sprintf("/* takes %s */ ", s.takes)
	}
	if do == "given up" && p.on.files {
		do = "query" // the driver may pause before it repeats a download, while database/sql waits for a lock
	}
	s.Step = program.Plan(len(l.steps), do, note, l.dir, l.random)
	switch do {
	case "abandoned": // with its connection
		s.Rows, s.Outcome, s.Read = 40, "abandoned", 0
		s.SQL = note + "SELECT id FROM range(40)"
	case "forever", "deadline":
		s.SQL, s.Outcome = note+"/* takes 1h */ SELECT 'forever'", "canceled"
	}
	l.steps = append(l.steps, s)
	return s
}

func (l *ledger) perform(s *step) {
	ctx := telemetry.WithAttributes(l.t.Context(), slog.Int("step", s.Number))
	ctx = driverctx.NewContextWithCorrelationId(ctx, fmt.Sprint("correlation ", s.Number))
	ctx = driverctx.NewContextWithStagingInfo(ctx, []string{l.dir})
	s.began = time.Now()
	switch s.Do {
	case "abandoned":
		s.Err = s.abandon(ctx)
	case "forever", "deadline":
		s.Err = s.end(ctx)
	default:
		s.Err = s.Run(ctx, s.pool.db, s.pool.on.Workspace, s.pool.on.files)
	}
	s.ended = time.Now()
	if !s.AsPlanned() {
		l.t.Errorf("step %d %s: %v", s.Number, s.Do, s.Err)
	}
}

// abandon leaves rows with the connection that they are of.
func (s *step) abandon(ctx context.Context) error {
	conn, err := s.pool.db.Conn(ctx)
	if err != nil {
		return err
	}
	s.began = time.Now()
	err = conn.Raw(func(c any) error {
		if _, err := c.(driver.QueryerContext).QueryContext(ctx, s.SQL, nil); err != nil {
			return err
		}
		return driver.ErrBadConn // the pool closes the connection
	})
	if errors.Is(err, driver.ErrBadConn) {
		err = nil
	}
	return err
}

// end runs a statement until its context ends. The time begins when the statement does.
func (s *step) end(ctx context.Context) error {
	conn, err := s.pool.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	s.began = time.Now()
	var cancel context.CancelFunc
	if s.Do == "deadline" {
		ctx, cancel = context.WithTimeout(ctx, 1700*time.Millisecond)
	} else {
		ctx, cancel = context.WithCancel(ctx)
		time.AfterFunc(2300*time.Millisecond, cancel)
	}
	defer cancel()
	rows, err := conn.QueryContext(ctx, s.SQL)
	if err == nil {
		_ = rows.Close()
	}
	return err
}

// hold has rows open on some databases, and compares the pages meanwhile.
func (l *ledger) hold() {
	var open []*sql.Rows
	var held []*step
	for _, p := range l.pools {
		if l.often(2) {
			continue
		}
		s := l.plan(p)
		s.Hold()
		s.takes, s.began, s.alone = 0, time.Now(), false
		rows, err := p.db.QueryContext(telemetry.WithAttributes(l.t.Context(), slog.Int("step", s.Number)), s.SQL)
		require.NoError(l.t, err)
		open, held = append(open, rows), append(held, s)
	}
	time.Sleep(time.Second + time.Duration(l.random.IntN(int(20*time.Second)))) // pools are asked once a second
	require.NoError(l.t, telemetry.Flush(l.t.Context()))
	l.compareRunning(held)
	for i, rows := range open {
		require.NoError(l.t, rows.Close())
		held[i].ended = time.Now()
	}
}
