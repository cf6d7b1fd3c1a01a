package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"runtime"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/databricks/databricks-sql-go/logger"
)

// block is what a client measured about itself while it ran a number of operations.
type block struct {
	Ops  int           `json:"ops"`
	Wall time.Duration `json:"wall"` // from the first operation to the end of the last

	// The other measurements continue until the process is idle again, so that they include later
	// work for these operations.
	CPU    time.Duration `json:"cpu"` // user and system
	Allocs uint64        `json:"allocs"`
	Bytes  uint64        `json:"bytes"` // allocated
}

// client is a process that runs workloads on one variant:
//
//	start      receive the addresses of the workspaces
//	prepare    open, warm up, come to rest       ─┐
//	measure    run a block, come to rest          ├─ again and again; the server counts what
//	finish     close                             ─┘  reaches it during the second of the three
//
// After the last round, profile takes the place of measure.
type client struct {
	variant variant
	target  target
	canned  *canned

	// of the block at hand
	workload workload
	db       *sql.DB
}

// runClient is the client's process.
func runClient(name string, in io.Reader, out io.Writer) error {
	v, err := variantNamed(name)
	if err != nil {
		return err
	}
	_ = logger.SetLogLevel("disabled")
	c := &client{variant: v}
	ctx := context.Background()
	return obey(in, out, func(o order) (a answer, err error) {
		switch o.Do {
		case "start":
			err = c.start(ctx, o.Target)
		case "prepare":
			err = c.prepare(ctx, o.Workload, o.Ops)
		case "measure":
			a.Block, err = c.measure(ctx, o.Ops)
		case "profile":
			a.Shares, err = c.profile(ctx, o.Ops)
		case "finish":
			err = c.db.Close()
			c.rest(ctx)
		default:
			err = fmt.Errorf("a client cannot %q", o.Do)
		}
		return a, err
	})
}

func (c *client) start(ctx context.Context, t target) (err error) {
	c.target = t
	if c.canned, err = can(ctx, t.Reads); err != nil {
		return err
	}
	c.canned.flag = c.variant.telemetry
	if c.variant.start != nil {
		return c.variant.start()
	}
	return nil
}

func (c *client) prepare(ctx context.Context, name string, warm int) (err error) {
	if c.workload, err = workloadNamed(name); err != nil {
		return err
	}
	if c.db, err = c.open(); err != nil {
		return err
	}
	if c.workload.prepare != nil {
		c.workload.prepare(c.db)
	}
	if err := c.workload.run(ctx, c.db, c.target, warm); err != nil {
		return err
	}
	c.rest(ctx)
	runtime.GC()
	return nil
}

func (c *client) open() (*sql.DB, error) {
	dsn := c.target.Reads
	switch {
	case c.workload.writes:
		dsn = c.target.Writes
	case c.workload.slow:
		dsn = c.target.Slow
	}
	if c.workload.params != "" {
		dsn = withParams(dsn, c.workload.params)
	}
	if !c.workload.canned {
		return c.variant.open(dsn)
	}
	options, err := optionsOf(dsn)
	if err != nil {
		return nil, err
	}
	return c.variant.options(append(options, dbsql.WithTransport(c.canned)))
}

func (c *client) measure(ctx context.Context, ops int) (block, error) {
	before := take()
	begun := time.Now()
	err := c.workload.run(ctx, c.db, c.target, ops)
	wall := time.Since(begun)
	c.rest(ctx)
	spent := take().since(before)
	return block{Ops: ops, Wall: wall, CPU: spent.cpu, Allocs: spent.allocs, Bytes: spent.bytes}, err
}

// rest flushes the variant, if it can be flushed, and returns when the process is nearly idle, or
// after a second.
func (c *client) rest(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if c.variant.flush != nil {
		c.variant.flush(ctx)
	}
	const look, idle = 4 * time.Millisecond, 200 * time.Microsecond
	for quiet := 0; quiet < 2 && ctx.Err() == nil; {
		before := cpuTime()
		time.Sleep(look)
		if cpuTime()-before < idle {
			quiet++
		} else {
			quiet = 0
		}
	}
}
