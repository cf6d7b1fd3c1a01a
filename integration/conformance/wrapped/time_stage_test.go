package wrapped

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/databricks/databricks-sql-go/auth"
	"github.com/databricks/databricks-sql-go/driverctx"
	dbsqlrows "github.com/databricks/databricks-sql-go/rows"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// A scene is one statement of the real driver against a simulated workspace, both in fake time: only what a
// scene delays takes time, so that a record's times are exact.
type scene struct {
	threads int                                       // of downloads; 0 is one
	program func(context.Context, *sql.DB) error      // of the application, instead of one that reads query
	through func(http.RoundTripper) http.RoundTripper // the transport between the driver and the network; nil for none

	entry  string // "NewConnector" or "Wrap"
	opts   workspace.Options
	reader string        // "rows", "driver rows" (without database/sql), "arrow", "ipc" or "exec"
	query  string        // empty: sceneRows rows
	pause  time.Duration // between attempts of a call or file
	poll   time.Duration // the driver's interval; 0: its default, a second

	faults []workspace.Fault
	volume map[string]string // files of volumes, by path
	ending ending
	sleeps map[moment]time.Duration // of the application
	stop   int64                    // the row that is the last read where not all are; 0: earlyRow
	// batches reads the batches of reader "arrow" in a way of its own.
	batches func(dbsqlrows.ArrowBatchIterator) error
	// at is when the record is looked at while the statement runs: the time since the query began or, with
	// struck, since the first fault struck. 0: never.
	at     time.Duration
	struck bool
	// cancel cancels the context then.
	cancel bool
	// reports examines what the service received, before the workspace ends; nil: no reporting.
	reports func(*workspace.Workspace)
	signIn  func(token string) auth.Authenticator // makes the authenticator; nil for the token
}

const (
	pageRows  = 40 // of the warehouses here, and of their files
	sceneRows = 3 * pageRows
	earlyRow  = pageRows + 10 // where scenes stop that do not read to the end
)

// moment is when the application has control.
type moment string

const (
	beforeRows    moment = "before the first row"
	amidRows      moment = "between rows" // of one page or file
	atBoundary    moment = "between pages or files"
	afterRows     moment = "after the last row"
	leftOpenAtRow moment = "left open" // at earlyRow
)

// ending is how a statement ends.
type ending string

const (
	readToEnd   ending = "completed"
	failing     ending = "failed"
	canceled    ending = "canceled"
	closedEarly ending = "closed early"
	dropped     ending = "abandoned"
	dbClosed    ending = "db closed" // while rows are open, which are read to their end
)

// performance is the outcome of a scene.
type performance struct {
	record *telemetry.Statement
	opened []*telemetry.SessionOpened
	others []*telemetry.Statement // of attempts before it, for which the pool took other connections
	look   *telemetry.Statement   // while it ran; nil where it did not
	err    error                  // the error that the application got
	rows   int64                  // that the application has read; of streams, those that were in them by rule
}

// inMemory leads requests of http.DefaultTransport, which the driver uses for the files of
// volumes, to workspaces in memory.
var inMemory sync.Map // host:port → *http.Transport

func init() {
	t := http.DefaultTransport.(*http.Transport)
	network := t.DialContext
	t.DialContext = func(ctx context.Context, kind, address string) (net.Conn, error) {
		if to, ok := inMemory.Load(address); ok {
			return to.(*http.Transport).DialContext(ctx, kind, address)
		}
		return network(ctx, kind, address)
	}
}

// perform runs a scene.
func (p scene) perform(t *testing.T) (got performance) {
	synctest.Test(t, func(t *testing.T) {
		p.opts.InMemory = true
		ws, err := workspace.Start(p.opts)
		require.NoError(t, err)
		transport := ws.Transport()
		defer func() {
			transport.CloseIdleConnections()
			require.NoError(t, ws.Close())
			time.Sleep(time.Hour) // the driver's requests leave goroutines with timers behind
		}()
		for path, content := range p.volume {
			ws.SetVolume(path, []byte(content))
		}
		storage := ws.StorageURL()[len("http://"):]
		inMemory.Store(storage, transport)
		defer inMemory.Delete(storage)

		sink := &memory{}
		var over http.RoundTripper = transport
		if p.through != nil {
			over = p.through(transport)
		}
		db := sql.OpenDB(p.connector(t, ws, over, sink))
		db.SetMaxIdleConns(0)
		got = p.run(t, ws, db, sink)
		require.NoError(t, db.Close())
		if p.reports != nil {
			p.reports(ws)
		}
		time.Sleep(time.Minute) // what is recorded after that is delivered in the background
		sink.mu.Lock()
		defer sink.mu.Unlock()
		got.opened = sink.opened
		if n := len(sink.statements); n > 0 {
			got.others, got.record = sink.statements[:n-1], sink.statements[n-1]
		}
	})
	return got
}

// inRealTime runs a scene with a connector of any kind.
func (p scene) inRealTime(t *testing.T, ws *workspace.Workspace, c driver.Connector, sink *memory) *telemetry.Statement {
	db := sql.OpenDB(c)
	p.reader = "rows"
	got := p.run(t, ws, db, sink)
	require.NoError(t, got.err)
	require.NoError(t, db.Close())
	sink.mu.Lock()
	defer sink.mu.Unlock()
	require.Len(t, sink.statements, 1)
	return sink.statements[0]
}

func (p scene) connector(t *testing.T, ws *workspace.Workspace, over http.RoundTripper, sink telemetry.Sink) driver.Connector {
	poll := p.poll
	if poll == 0 {
		poll = time.Second
	}
	opts := append(options(ws),
		dbsql.WithTransport(over), dbsql.WithRetries(4, p.pause, p.pause), dbsql.WithMaxDownloadThreads(max(1, p.threads)),
		setting(dbsql.WithPort(0), map[string]any{"PollInterval": poll}))
	if p.signIn != nil {
		opts = append(opts, dbsql.WithAuthenticator(p.signIn(ws.Token())))
	}
	if p.entry == "Wrap" {
		c, err := dbsql.NewConnector(opts...)
		require.NoError(t, err)
		return listening(sink).Wrap(c)
	}
	config := listening(sink)
	if p.reports != nil {
		config.Settings.Enabled, config.Settings.ForceEnable = telemetry.SwitchUnset, true
	}
	c, err := config.NewConnector(opts...)
	require.NoError(t, err)
	return c
}

// run runs the statement, looks at it, and waits until both are done.
func (p scene) run(t *testing.T, ws *workspace.Workspace, db *sql.DB, sink *memory) (got performance) {
	ctx, cancel := context.Background(), func() {}
	if p.cancel {
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
	}
	var hits []*workspace.Injected
	for _, f := range p.faults {
		hits = append(hits, ws.Inject(f))
	}
	over := atomic.Bool{}
	var looking sync.WaitGroup
	if p.at > 0 {
		looking.Go(func() {
			for p.struck && hits[0].Hits() == 0 && !over.Load() {
				time.Sleep(50 * time.Millisecond)
			}
			time.Sleep(p.at)
			if !over.Load() {
				got.look = running(sink)
			}
			cancel()
		})
	}
	if p.stop == 0 {
		p.stop = earlyRow
	}
	a := application{scene: p, db: db}
	if p.program != nil {
		got.err = p.program(ctx, db)
	} else {
		got.err = a.run(ctx)
	}
	got.rows = a.rows
	over.Store(true)
	looking.Wait()
	return got
}

// running is the record of the statement that runs on the sink's only connection.
func running(sink *memory) *telemetry.Statement {
	sink.mu.Lock()
	defer sink.mu.Unlock()
	if len(sink.opened) == 0 {
		return nil
	}
	id := sink.opened[0].Connector
	for _, c := range telemetry.Default.Connectors() {
		if c.Info().ID != id {
			continue
		}
		if all := c.Running(); len(all) == 1 {
			return all[0]
		}
	}
	return nil
}

// application reads rows as a scene says.
type application struct {
	scene
	db   *sql.DB
	rows int64
}

func (a *application) run(ctx context.Context) error {
	query := a.query
	if query == "" {
		query = statement(sceneRows)
	}
	switch a.reader {
	case "exec":
		_, err := a.db.ExecContext(driverctx.NewContextWithStagingInfo(ctx, []string{"/"}), query)
		return err
	case "rows":
		rows, err := a.db.QueryContext(ctx, query)
		if err != nil {
			return err
		}
		c := &rowCursor{rows}
		err = a.read(ctx, c, 1)
		if a.ending != dropped {
			return errors.Join(err, rows.Close())
		}
		*c = rowCursor{}
		return a.drop(ctx, err)
	}
	c, err := a.db.Conn(ctx)
	if err != nil {
		return err
	}
	err = c.Raw(func(conn any) error {
		rows, err := conn.(driver.QueryerContext).QueryContext(ctx, query, nil)
		if err != nil {
			return err
		}
		if a.batches != nil {
			it, err := rows.(dbsqlrows.Rows).GetArrowBatches(context.Background())
			if err == nil {
				err = a.batches(it)
			}
			return errors.Join(err, rows.Close())
		}
		cursor, step, err := cursorOf(a.reader, rows)
		if err != nil {
			return errors.Join(err, rows.Close())
		}
		err = a.read(ctx, cursor, step)
		if a.ending == dropped {
			return err
		}
		return errors.Join(err, rows.Close())
	})
	if a.ending == dropped {
		err = a.drop(context.Background(), err)
	}
	return errors.Join(err, c.Close())
}

// drop makes the wrapper find rows that the application has dropped.
func (a *application) drop(ctx context.Context, err error) error {
	runtime.GC()
	c, err2 := a.db.Conn(ctx)
	if err2 != nil {
		return errors.Join(err, err2)
	}
	return errors.Join(err, c.Close())
}

// cursor is how rows are read: it returns io.EOF after the last.
type cursor interface {
	next() error
}

// read reads as far as the scene says, step rows at a time.
func (a *application) read(ctx context.Context, c cursor, step int64) error {
	a.sleep(beforeRows)
	for ctx.Err() == nil {
		if a.rows >= a.stop {
			switch a.ending {
			case closedEarly, dropped:
				a.sleep(leftOpenAtRow)
				return nil
			case dbClosed:
				if err := a.db.Close(); err != nil {
					return err
				}
			}
		}
		switch err := c.next(); err {
		case nil:
		case io.EOF:
			a.sleep(afterRows)
			return nil
		default:
			return err
		}
		switch a.rows += step; a.rows {
		case pageRows / 2:
			a.sleep(amidRows)
		case pageRows:
			a.sleep(atBoundary)
		}
	}
	return ctx.Err()
}

func (a *application) sleep(m moment) { time.Sleep(a.sleeps[m]) }

type rowCursor struct{ *sql.Rows }

func (c rowCursor) next() error {
	if !c.Next() {
		if err := c.Err(); err != nil {
			return err
		}
		return io.EOF
	}
	var id int64
	var s string
	return c.Scan(&id, &s)
}

// arrowCursor reads Arrow as the driver documents it: Next is called only after HasNext.
type arrowCursor struct {
	hasNext func() bool
	read    func() error
}

func (c arrowCursor) next() error {
	if !c.hasNext() {
		return io.EOF
	}
	return c.read()
}

func cursorOf(reader string, rows driver.Rows) (c cursor, step int64, err error) {
	switch reader {
	case "driver rows":
		return driverCursor{rows, make([]driver.Value, len(rows.Columns()))}, 1, nil
	case "arrow":
		it, err := rows.(dbsqlrows.Rows).GetArrowBatches(context.Background())
		if err != nil {
			return nil, 0, err
		}
		return arrowCursor{it.HasNext, func() error {
			record, err := it.Next()
			if err == nil {
				record.Release()
			}
			return err
		}}, pageRows, nil
	}
	it, err := rows.(dbsqlrows.Rows).GetArrowIPCStreams(context.Background())
	if err != nil {
		return nil, 0, err
	}
	return arrowCursor{it.HasNext, func() error {
		stream, err := it.Next()
		if err == nil {
			_, err = io.Copy(io.Discard, stream)
		}
		return err
	}}, pageRows, nil
}

// driverCursor reads rows below database/sql. While database/sql reads, it holds a lock for which the end
// of the context waits, and fake time does not advance during that wait.
type driverCursor struct {
	driver.Rows
	values []driver.Value
}

func (c driverCursor) next() error { return c.Next(c.values) }

// elsewhere is time that the application spends on something else.
func elsewhere(d time.Duration) { time.Sleep(d) }

// dialing is a transport of the application's, which takes a time to dial and drops connections that have been idle
// for another, as a proxy or a server does; 0: it keeps none.
func dialing(took, idle time.Duration) func(base http.RoundTripper) http.RoundTripper {
	return func(base http.RoundTripper) http.RoundTripper {
		tr := base.(*http.Transport).Clone()
		dial := tr.DialContext
		tr.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			elsewhere(took)
			return dial(ctx, network, address)
		}
		tr.IdleConnTimeout, tr.DisableKeepAlives = idle, idle == 0
		return tr
	}
}
