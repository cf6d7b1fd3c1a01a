package soak

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

// step is one thing an application does. A step is drawn once and run on both sides; its
// outcomes must be equal.
type step struct {
	name   string
	faults []workspace.Fault // in force on both sides meanwhile
	run    func(context.Context, *side) outcome
	// timeout is that of the step's context; 0 means none. How far a step gets before its context is
	// done depends on time, so only what both sides observed is compared; either side may have finished
	// in time.
	timeout time.Duration
}

// side is one of the two databases a program runs on.
type side struct {
	ws        *workspace.Workspace
	db        *sql.DB
	open      []*sql.Rows // rows that are left open until the database is closed
	abandoned int         // connections held by rows that are no longer referenced
}

// draw chooses the next step. In a lane with slow retries connections live on and nothing is
// retried.
func draw(r *rand.Rand, l lane) step {
	rows := []int{0, 1, 3, 50, 99, 100, 101, 250, 400}[r.IntN(9)]
	mark := fmt.Sprintf("/* %x */", r.Uint64())
	query := numbered(rows) + " " + mark
	s := step{faults: onlyMarked(drawFaults(r, l.slowRetries), mark)}
	switch n := r.IntN(100); {
	case n < 25:
		s.name, s.run = fmt.Sprintf("query %d rows", rows), reads(query, math.MaxInt)
	case n < 33:
		s.name, s.run = fmt.Sprintf("query %d rows, close early", rows), reads(query, r.IntN(rows+1))
	case n < 45:
		s.name, s.run = fmt.Sprintf("query %d rows, cancel", rows), reads(query, math.MaxInt)
		s.timeout = time.Duration(r.ExpFloat64() * float64(10*time.Millisecond))
	case n < 50:
		s.name, s.run = fmt.Sprintf("Arrow records of %d rows", rows), arrow((*outcome).records, query)
		s.faults = nil // an Arrow reader ends silently if a page fails, with the rows that it has by then
	case n < 54:
		s.name, s.run = fmt.Sprintf("Arrow streams of %d rows", rows), arrow((*outcome).streams, query)
		s.faults = nil
	case n < 60:
		s.name, s.run, s.faults = "insert, update, count", writes(r.IntN(1000)), nil
	case n < 66:
		s.name, s.run = "prepared", prepares(query, rows/2)
	case n < 71:
		s.name, s.run = "an error of the server", reads("SELECT secret FROM nowhere", math.MaxInt)
	case n < 75:
		s.name, s.run = "ping", func(ctx context.Context, on *side) (o outcome) { o.fail(on.db.PingContext(ctx)); return o }
	case n < 81:
		s.name, s.run, s.faults = "six at once", concurrently(query), nil
	case n < 86 && !l.slowRetries:
		s.name, s.run, s.faults = "other limits for the pool", limits(r.IntN(3), time.Duration(r.IntN(3))*20*time.Millisecond), nil
	case n < 90 && !l.slowRetries:
		s.name, s.run, s.faults = "the server expires the sessions", expires, nil
	case n < 94:
		s.name, s.run, s.faults = "rows left open", leavesOpen, nil
	case n < 96 && l.opts.CloudFetchThreshold < 0: // the native driver never frees downloads that are not waited for
		s.name, s.run, s.faults = "rows abandoned", abandons, nil
	default:
		s.name, s.run = "a slow statement, cancelled", reads("SELECT sleep(1)", math.MaxInt)
		s.timeout = time.Duration(5+r.IntN(30)) * time.Millisecond
	}
	return s
}

// drawFaults picks the faults of a step: none in half of the cases. Their effect must not
// depend on which of several downloads comes first.
func drawFaults(r *rand.Rand, slowRetries bool) []workspace.Fault {
	method := func(names ...string) workspace.Target { return workspace.Method(names[r.IntN(len(names))]) }
	some := time.Duration(1+r.IntN(4)) * time.Millisecond
	menu := []workspace.Fault{
		{Do: workspace.Latency(some)},
		{On: workspace.ResultDownloads(), Do: workspace.Latency(some)},
		{On: method("ExecuteStatement", "FetchResults"), First: 1, Do: workspace.Garbage()},
		{On: method("ExecuteStatement", "FetchResults", "CloseOperation"), First: 1, Do: workspace.Status(400)},
		{On: workspace.ResultDownloads(), Do: workspace.Status(403)},
	}
	if !slowRetries {
		menu = append(menu,
			workspace.Fault{On: method("FetchResults"), First: 1, Do: workspace.HalfBody()},
			workspace.Fault{On: method("ExecuteStatement", "FetchResults"), First: 1, Do: workspace.Reset()},
			workspace.Fault{On: method("ExecuteStatement"), First: 1, Do: workspace.DropResponse()},
			workspace.Fault{On: method("ExecuteStatement", "FetchResults", "CloseOperation", "OpenSession"), First: 2, Do: workspace.Status(503)},
			workspace.Fault{On: method("ExecuteStatement", "FetchResults"), First: 1, Do: workspace.StatusRetryAfter(429, 0)},
			workspace.Fault{On: workspace.ResultDownloads(), First: 1, Do: workspace.Status(503)},
		)
	}
	if n := r.IntN(2 * len(menu)); n < len(menu) {
		return menu[n : n+1]
	}
	return nil
}

// onlyMarked limits faults to statements with a mark. A statement of an earlier step whose context was
// done before the server had read it may arrive later at any time, on one side only.
func onlyMarked(faults []workspace.Fault, mark string) []workspace.Fault {
	faults = slices.Clone(faults)
	for i := range faults {
		on := faults[i].On
		faults[i].On = func(r workspace.Request) bool {
			return (on == nil || on(r)) && (r.Thrift != "ExecuteStatement" || bytes.Contains(r.Body, []byte(mark)))
		}
	}
	return faults
}

func reads(query string, most int) func(context.Context, *side) outcome {
	return func(ctx context.Context, on *side) (o outcome) {
		rows, err := on.db.QueryContext(ctx, query)
		o.read(rows, err, most)
		return o
	}
}

func arrow(read func(*outcome, context.Context, *sql.DB, string), query string) func(context.Context, *side) outcome {
	return func(ctx context.Context, on *side) (o outcome) {
		read(&o, ctx, on.db, query)
		return o
	}
}

func writes(n int) func(context.Context, *side) outcome {
	return func(ctx context.Context, on *side) (o outcome) {
		for _, query := range []string{
			"CREATE TABLE IF NOT EXISTS t (id BIGINT, name STRING, price DECIMAL(10,2))",
			fmt.Sprintf("INSERT INTO t VALUES (%d, 'a name', 1.50), (%d, NULL, NULL)", n, n+1),
			fmt.Sprintf("UPDATE t SET name = 'another' WHERE id = %d", n),
			fmt.Sprintf("DELETE FROM t WHERE id > %d", n),
		} {
			o.result(on.db.ExecContext(ctx, query))
		}
		rows, err := on.db.QueryContext(ctx, "SELECT id, name, price FROM t ORDER BY id, name")
		o.read(rows, err, math.MaxInt)
		return o
	}
}

func prepares(query string, half int) func(context.Context, *side) outcome {
	return func(ctx context.Context, on *side) (o outcome) {
		stmt, err := on.db.PrepareContext(ctx, query+" WHERE id >= ?")
		if err != nil {
			o.fail(err)
			return o
		}
		for _, from := range []int{0, half} {
			rows, err := stmt.QueryContext(ctx, from)
			o.read(rows, err, math.MaxInt)
		}
		o.fail(stmt.Close())
		return o
	}
}

func concurrently(query string) func(context.Context, *side) outcome {
	return func(ctx context.Context, on *side) outcome {
		all := make([]outcome, 6)
		var wg sync.WaitGroup
		for i := range all {
			wg.Go(func() { all[i] = reads(query, math.MaxInt)(ctx, on) })
		}
		wg.Wait()
		var o outcome
		for _, one := range all {
			o.observe(one.observed, one.failed)
		}
		return o
	}
}

func limits(idle int, lifetime time.Duration) func(context.Context, *side) outcome {
	return func(_ context.Context, on *side) (o outcome) {
		on.db.SetMaxIdleConns(idle)
		on.db.SetConnMaxLifetime(lifetime)
		return o
	}
}

func expires(_ context.Context, on *side) (o outcome) {
	on.db.SetMaxIdleConns(0) // connections whose rows are being read remain open until then
	on.db.SetMaxIdleConns(2)
	for _, s := range on.ws.Sessions() {
		if s.Closed.IsZero() {
			on.ws.ExpireSession(s.ID)
		}
	}
	return o
}

func leavesOpen(_ context.Context, on *side) (o outcome) {
	rows, err := on.db.Query(numbered(400)) //nolint:sqlclosecheck // that is the point
	if err != nil {
		o.fail(err)
		return o
	}
	o.values(rows, 1)
	on.open = append(on.open, rows)
	return o
}

func abandons(_ context.Context, on *side) (o outcome) {
	rows, err := on.db.Query(numbered(400)) //nolint:sqlclosecheck // that is the point
	if err != nil {
		o.fail(err)
		return o
	}
	o.values(rows, 1)
	on.abandoned++
	return o
}
