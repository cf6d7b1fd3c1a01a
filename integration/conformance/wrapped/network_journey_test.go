package wrapped

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// journey is a scene on a network.
type journey struct {
	*network
	opts      workspace.Options
	reader    string
	files     bool
	ending    string // "", "canceled", "deadline", "early", "abandoned", "connection closed", "db closed"
	cause     error  // of the end of the context; nil for none of its own
	moment    int    // of the ending, in tenths of the first trouble
	stop      int
	pages     int
	threads   int
	about     string
	looks     []look
	start     time.Time
	ended     time.Time // the context
	neighbors int       // that run statements on other connections
	others    []*telemetry.Statement
}

func journeyOf(seed uint64) *journey {
	r := rand.New(rand.NewPCG(seed, 92))
	j := &journey{network: &network{tls: r.IntN(3) > 0, proxy: r.IntN(3) == 0}, threads: 1 + r.IntN(3), pages: 2 + r.IntN(3)}
	j.h2 = j.tls && r.IntN(2) == 0
	fs := formats()
	f := fs[r.IntN(len(fs))]
	j.opts, j.files = f.opts, f.files
	ex := time.Duration(1+r.IntN(30)) * time.Millisecond
	if f.polled && r.IntN(3) == 0 {
		ex = 1500 * time.Millisecond
	}
	j.opts.ExecutionTime = func(string) time.Duration { return ex }
	if j.files {
		j.opts.LinksPerPage = []int{1, 2, -1}[r.IntN(3)]
	}
	readers := []string{"driver rows", "driver rows"}
	if f.arrow {
		readers = append(readers, "arrow", "ipc")
	}
	if f.polled {
		readers = append(readers, "exec")
	}
	j.reader = readers[r.IntN(len(readers))]
	methods := []string{"ExecuteStatement", "FetchResults", "FetchResults"}
	if f.polled {
		methods = append(methods, "GetOperationStatus", "GetResultSetMetadata", "CloseOperation")
	}
	if j.files {
		methods = append(methods, "file", "file", "file")
	}
	if j.reader == "exec" {
		methods = []string{"ExecuteStatement", "GetOperationStatus", "GetResultSetMetadata", "CloseOperation"}
	}
	x := &trouble{method: methods[r.IntN(len(methods))], times: []int{1, 1, 2, 9}[r.IntN(4)], d: time.Duration(20+r.IntN(15)) * time.Second}
	if x.method == "FetchResults" || x.method == "file" || x.method == "GetOperationStatus" {
		x.nth = r.IntN(2)
	}
	places := []string{"name", "dial", "head", "head", "body"}
	if j.tls {
		places = append(places, "TLS", "TLS")
		if j.proxy {
			places = append(places, "proxy", "proxy", "proxy")
		}
	}
	x.where = places[r.IntN(len(places))]
	j.reuse = []string{"never", "closed", "closed"}[r.IntN(3)]
	if j.h2 && r.IntN(2) == 0 {
		j.reuse = "GOAWAY"
	}
	x.fate = fates[x.where][r.IntN(len(fates[x.where]))]
	if x.where == "TLS" && x.d > 9*time.Second { // the transport's limit
		x.d = 7 * time.Second
	}
	j.troubles = []*trouble{x}
	if r.IntN(3) == 0 { // another one, at another call or later
		y := &trouble{method: methods[r.IntN(len(methods))], where: []string{"head", "body", "name", "dial"}[r.IntN(4)], times: []int{1, 1, 2}[r.IntN(3)], d: []time.Duration{x.d / 4, x.d / 2, x.d, 2 * x.d}[r.IntN(4)]}
		y.fate = fates[y.where][r.IntN(len(fates[y.where]))]
		if y.method == x.method {
			y.nth = x.nth + x.times + r.IntN(2)
		}
		j.troubles = append(j.troubles, y)
	}
	j.moment = 1 + r.IntN(9)
	switch n := r.IntN(8); {
	case n < 2:
		if x.fate != "hangs" {
			j.ending = []string{"canceled", "deadline"}[n]
			if r.IntN(3) == 0 {
				j.cause = errors.New("the application stops")
			}
		}
	case n < 6 && j.reader != "exec":
		j.ending, j.stop = []string{"early", "abandoned", "connection closed", "db closed"}[n-2], 1+r.IntN(j.pages*pageRows)
	}
	if f.polled && r.IntN(8) == 0 {
		j.ending, j.cause, j.stop, j.troubles = "canceled before", nil, 0, j.troubles[:1]
		x.method, x.nth = "CancelOperation", 0
		j.opts.ExecutionTime = func(string) time.Duration { return 2500 * time.Millisecond }
	}
	if r.IntN(6) == 0 && j.reuse != "closed" && j.ending != "db closed" && j.ending != "abandoned" && (!j.h2 || !x.connects()) { // HTTP/2 shares connections
		j.neighbors = 1 + r.IntN(3)
	}
	if j.files && j.ending == "abandoned" { // the driver's downloads would stay behind
		j.ending, j.stop = "", 0
	}
	for _, x := range j.troubles {
		j.about += fmt.Sprintf("%s %d: %s %s (%v) %d times; ", x.method, x.nth, x.where, x.fate, x.d, x.times)
	}
	j.about += fmt.Sprintf("connections %s; %s %s; TLS %v h2 %v proxy %v threads %d pages %d links %d ex %v; neighbors %d; %q %v at %d stop %d", j.reuse, f.name, j.reader, j.tls, j.h2, j.proxy, j.threads, j.pages, j.opts.LinksPerPage, ex, j.neighbors, j.ending, j.cause, j.moment, j.stop)
	return j
}

// over notes that the context ends.
func (j *journey) over() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ended = time.Now()
}

// look looks at the running record.
func (j *journey) look() {
	for _, c := range telemetry.Default.Connectors() {
		for _, r := range c.Running() {
			if r.Started.Equal(j.start) {
				j.mu.Lock()
				j.looks = append(j.looks, look{time.Now(), r})
				j.mu.Unlock()
			}
		}
	}
}

// beside runs the neighbors until the returned function is called.
func (j *journey) beside(db *sql.DB) (stop func()) {
	done := make(chan struct{})
	var all sync.WaitGroup
	query := statement(20)
	if j.files {
		query = statement(0) // requests for files do not show whose they are
	}
	for i := range j.neighbors {
		all.Go(func() {
			for {
				select {
				case <-done:
					return
				case <-time.After(time.Duration(1700+900*i) * time.Millisecond):
				}
				_, _ = drain(db.QueryContext(context.WithValue(context.Background(), neighborKey{}, i), query))
			}
		})
	}
	return func() {
		close(done)
		all.Wait()
	}
}

// checkNeighbor returns what is wrong with the record of another statement, which had no trouble.
func (j *journey) checkNeighbor(r *telemetry.Statement) (wrong []string) {
	waits := r.Split[telemetry.PartServer] + r.Split[telemetry.PartPoll]
	connecting := time.Duration(0)
	for _, c := range r.RPCs {
		connecting += c.Connecting
		if c.Retries > 0 || c.FailedStatus != 0 {
			connecting += time.Hour
		}
	}
	if r.Failure != nil || r.Outcome != telemetry.OutcomeCompleted || r.Total != waits || r.Total > 3*time.Second || connecting > 0 {
		wrong = append(wrong, fmt.Sprintf("neighbor: %s %+v %v %v", r.Outcome, r.Failure, explain.Of(r).Sentence, r.Split))
	}
	return wrong
}

func (j *journey) program(db *sql.DB) error {
	ctx, cause := context.WithCancelCause(context.Background())
	cancel := func() { cause(j.cause) }
	defer cancel()
	x := j.troubles[0]
	at := x.d * time.Duration(j.moment) / 10
	for _, x := range j.troubles {
		x.on = func() {
			for _, moment := range []time.Duration{x.d / 5, x.d / 2, x.d * 4 / 5} {
				time.AfterFunc(moment+time.Millisecond, j.look)
			}
		}
	}
	looks := x.on
	x.on = func() {
		looks()
		switch j.ending {
		case "canceled":
			time.AfterFunc(at, func() { j.over(); cancel() })
		case "db closed":
			time.AfterFunc(at, func() { _ = db.Close() })
		}
	}
	c, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	if j.ending == "canceled before" {
		time.AfterFunc(1500*time.Millisecond, func() { j.over(); cancel() })
	}
	defer j.beside(db)()
	var kept cursor
	var late driver.Rows
	err = c.Raw(func(conn any) error {
		within := ctx
		if j.ending == "deadline" {
			d := at + 500*time.Millisecond
			var stop context.CancelFunc
			within, stop = context.WithTimeoutCause(ctx, d, j.cause)
			defer stop()
			defer time.AfterFunc(d, j.over).Stop()
		}
		j.start = time.Now()
		j.mu.Lock()
		j.began = true
		j.mu.Unlock()
		query := statement(j.pages * pageRows)
		if j.reader == "exec" {
			_, err := conn.(driver.ExecerContext).ExecContext(within, query, nil)
			return err
		}
		rows, err := conn.(driver.QueryerContext).QueryContext(within, query, nil)
		if err != nil {
			return err
		}
		cursor, step, err := cursorOf(j.reader, rows)
		if err != nil {
			return errors.Join(err, rows.Close())
		}
		for n := 0; ; n += int(step) {
			if j.stop > 0 && n >= j.stop {
				switch j.ending {
				case "abandoned":
					return nil
				case "connection closed":
					kept, late = cursor, rows
					return driver.ErrBadConn
				case "early":
					return rows.Close()
				}
			}
			if err := cursor.next(); err != nil {
				if err == io.EOF {
					err = nil
				}
				return errors.Join(err, rows.Close())
			}
		}
	})
	if j.ending == "abandoned" {
		runtime.GC()
		other, err2 := db.Conn(context.Background())
		if err2 == nil {
			err = errors.Join(err, other.Close())
		}
	}
	err = errors.Join(err, c.Close())
	runtime.KeepAlive(kept)
	if late != nil {
		_ = late.Close()
	}
	return err
}

func (j *journey) perform(t *testing.T) (record *telemetry.Statement, told error) {
	synctest.Test(t, func(t *testing.T) {
		j.opts.InMemory, j.opts.TLS = true, j.tls
		ws, err := workspace.Start(j.opts)
		require.NoError(t, err)
		j.ws = ws
		j.network.start()
		defer func() {
			j.network.stop()
			require.NoError(t, ws.Close())
			time.Sleep(2 * time.Hour)
		}()
		sink := &memory{}
		c, err := listening(sink).NewConnector(append(options(ws), dbsql.WithTransport(j.network), dbsql.WithRetries(4, 10*time.Millisecond, time.Hour), dbsql.WithMaxDownloadThreads(j.threads))...)
		require.NoError(t, err)
		db := sql.OpenDB(c)
		db.SetMaxIdleConns(0)
		told = j.program(db)
		require.NoError(t, db.Close())
		time.Sleep(2 * time.Hour)
		sink.mu.Lock()
		defer sink.mu.Unlock()
		for _, r := range sink.statements {
			if r.Started.Equal(j.start) {
				record = r
			} else {
				j.others = append(j.others, r)
			}
		}
	})
	return record, told
}
