package engine

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// store holds the SQLite side of a database: one in-memory file that all its connections share, one
// connection that writes, and pools of connections that read the file or need no file at all.
// Database.gate decides which of them may be used when.
type store struct {
	driver driver.Driver
	file   string
	writer *conn
	read   pool
	free   pool // connections without tables, for statements that touch none
}

var lastFile atomic.Int64

func openStore() (*store, error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }() // only its driver is wanted; it has no connection
	s := &store{
		driver: db.Driver(),
		file:   fmt.Sprintf("file:/databricks-engine-%d?vfs=memdb", lastFile.Add(1)),
	}
	s.read.open = func() (*conn, error) { return s.open(s.file) }
	s.free.open = func() (*conn, error) { return s.open(":memory:") }
	s.writer, err = s.open(s.file)
	return s, err
}

func (s *store) close() error {
	return errors.Join(s.read.close(), s.free.close(), s.writer.close())
}

// open makes a connection. The in-memory file lives as long as one connection to it does,
// which the writer guarantees.
func (s *store) open(name string) (*conn, error) {
	raw, err := s.driver.Open(name)
	if err != nil {
		return nil, err
	}
	c := &conn{raw: raw}
	if err := c.findHandle(); err != nil {
		return nil, errors.Join(err, c.close())
	}
	for _, text := range []string{
		"PRAGMA journal_mode=MEMORY", "PRAGMA synchronous=OFF", "PRAGMA temp_store=MEMORY",
		"PRAGMA case_sensitive_like=ON", createRange, createEach,
	} {
		if _, err := c.exec(context.Background(), text); err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	return c, nil
}

// pool keeps idle connections.
type pool struct {
	open   func() (*conn, error)
	mu     sync.Mutex
	idle   []*conn // guarded by mu
	closed bool    // guarded by mu
}

const maxIdle = 8

func (p *pool) get() (*conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.idle); n > 0 {
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		return c, nil
	}
	return p.open()
}

func (p *pool) put(c *conn) {
	p.mu.Lock()
	keep := !p.closed && !c.broken && len(p.idle) < maxIdle
	if keep {
		p.idle = append(p.idle, c)
	}
	p.mu.Unlock()
	if !keep {
		_ = c.close()
	}
}

func (p *pool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	var all error
	for _, c := range p.idle {
		all = errors.Join(all, c.close())
	}
	p.idle = nil
	return all
}

// conn is one SQLite connection, used by one goroutine at a time.
type conn struct {
	raw       driver.Conn
	db        uintptr   // the driver's handle
	tls       *libc.TLS // of the goroutine that uses the connection
	other     *libc.TLS // of the interrupting goroutine
	interrupt func()
	broken    bool // SQLite panicked: its state is unknown
}

// findHandle reads the driver's handle of the connection. sqlite3_interrupt and the functions that
// read columns need it: the driver watches a context only until the first row, too short to end
// every statement promptly, and makes an interface value of every cell.
func (c *conn) findHandle() error {
	v := reflect.Indirect(reflect.ValueOf(c.raw))
	if v.Kind() != reflect.Struct {
		return errNoHandle
	}
	f := v.FieldByName("db")
	if !f.IsValid() || f.Kind() != reflect.Uintptr || f.Uint() == 0 {
		return errNoHandle
	}
	c.db = uintptr(f.Uint())
	c.tls, c.other = libc.NewTLS(), libc.NewTLS()
	c.interrupt = func() { sqlite3.Xsqlite3_interrupt(c.other, c.db) }
	c.unlock()
	sqlite3.Xsqlite3_limit(c.tls, c.db, sqlite3.SQLITE_LIMIT_LENGTH, 4*maxString)
	return nil
}

var errNoHandle = errors.New("engine: this version of modernc.org/sqlite keeps its connection handle elsewhere")

func (c *conn) close() error {
	err := c.raw.Close()
	if c.tls != nil {
		c.tls.Close()
		c.other.Close()
	}
	return err
}

// run calls f, interrupting SQLite when the context ends. An interrupt between two steps of SQLite
// is lost, so it is repeated until f returns.
func (c *conn) run(ctx context.Context, f func(ctx context.Context) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	if ctx.Done() != nil {
		finished, quit := make(chan struct{}), make(chan struct{})
		stop := context.AfterFunc(ctx, func() {
			defer close(quit)
			again := time.NewTicker(time.Millisecond)
			defer again.Stop()
			for {
				select {
				case <-finished:
					return
				default:
					c.interrupt()
				}
				select {
				case <-finished:
					return
				case <-again.C:
				}
			}
		})
		defer func() {
			close(finished)
			if !stop() {
				<-quit // the connection must not be reused before
			}
			if err != nil && ctx.Err() != nil {
				err = ctx.Err()
			}
		}()
	}
	defer func() {
		if r := recover(); r != nil {
			c.broken = true
			err = failure("INTERNAL_ERROR", "XX000", "The SQL engine failed: %v.", r)
		}
	}()
	if err = f(context.WithoutCancel(ctx)); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return translate(err)
	}
	return nil
}

func (c *conn) exec(ctx context.Context, text string) (affected int64, err error) {
	err = c.run(ctx, func(ctx context.Context) error {
		r, err := c.raw.(driver.ExecerContext).ExecContext(ctx, text, nil)
		if err != nil {
			return err
		}
		affected, err = r.RowsAffected()
		return err
	})
	return affected, err
}

// query runs a query and collects its rows.
func (c *conn) query(ctx context.Context, text string, columns []outColumn, hint int) (res *Result, err error) {
	err = c.run(ctx, func(context.Context) error {
		rows, err := c.prepare(text)
		if err != nil {
			return err
		}
		defer rows.close()
		res, err = collect(ctx, rows, columns, hint)
		return err
	})
	return res, err
}

// translate turns SQLite's errors into those of Databricks.
func translate(err error) error {
	var own *Error
	if errors.As(err, &own) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if own, ok := unpack(err.Error()); ok {
		return own
	}
	var native interface {
		error
		Code() int
	}
	if errors.As(err, &native) {
		switch native.Code() & 0xff {
		case sqlite3.SQLITE_FULL, sqlite3.SQLITE_NOMEM:
			return failure("INSUFFICIENT_RESOURCES", "53000", "The workspace ran out of memory: %v.", err)
		case sqlite3.SQLITE_TOOBIG:
			return failure("FAILED_TO_PARSE_TOO_COMPLEX", "54001", "The statement or a value is too large: %v.", err)
		}
		// SQLite has no separate codes for these.
		text := native.Error()
		if strings.Contains(text, "integer overflow") {
			return errOverflow(typeBigInt)
		}
		if strings.Contains(text, "must be a positive integer") || strings.Contains(text, "must be a non-negative integer") {
			return failure("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "42K09", "An argument of a window function, or a bound of its frame, is out of range: %v.", err)
		}
		for _, limit := range []string{"too large", "too many", "at most", "stack overflow", "too deep"} {
			if strings.Contains(text, limit) {
				return failure("FAILED_TO_PARSE_TOO_COMPLEX", "54001", "The statement, including potential SQL functions and referenced views, was too complex: %v.", err)
			}
		}
	}
	// The remaining errors are about text that SQLite does not accept. Its messages use the stored
	// names of this package, so the error quotes SQLite and gives the last position of the binder.
	return errUnsupported("QUERY", fmt.Sprintf("SQLite cannot run what this part of the statement becomes (%v)", err))
}
