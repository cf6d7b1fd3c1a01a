package engine

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Session is one client's view of a Database: current catalog and schema, configuration and
// temporary views. It may be used concurrently; each statement sees the state as it was when
// the statement began.
type Session struct {
	db *Database

	mu      sync.Mutex // guards everything below
	catalog string
	schema  string
	conf    map[string]string // lower-case keys
	initial map[string]string // what RESET goes back to; never written
	temp    map[string]*table // replaced as a whole, so that statements can keep a reference
	closed  bool
}

// Close ends the session. Its temporary views are removed; shared data stays.
func (s *Session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.temp = map[string]*table{}
	return nil
}

// Execute runs one statement and returns all of its rows. Problems with the statement are
// returned as *Error. When ctx ends, Execute ends soon after with ctx.Err(), also in the
// middle of a scan, of sleep(), or of waiting for other statements; changes made so far are
// undone.
//
// INSERT, UPDATE, DELETE and MERGE set Result.Updated and also return one row with the
// counts, as Databricks does, so Query is true for them; other statements that change
// something return no columns.
func (s *Session) Execute(ctx context.Context, sql string, params []Param) (res *Result, err error) {
	defer func() {
		if r := recover(); r != nil {
			res, err = nil, failure("INTERNAL_ERROR", "XX000", "The SQL engine failed: %v.", r)
		}
	}()
	end, err := s.db.begin()
	if err != nil {
		return nil, err
	}
	defer end()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	stmt, bad := parse(sql)
	if bad != nil {
		return nil, bad
	}
	b, bad := s.binder(params)
	if bad != nil {
		return nil, bad
	}
	limit, unlimited := b.limited(ctx)
	defer unlimited()
	executions.Store(b.handle, limit)
	defer executions.Delete(b.handle)

	b.ctx = limit
	r := &run{ctx: limit, session: s, db: s.db, b: b}
	if res, err = r.statement(stmt); err == nil {
		return res, nil
	}
	if limit.Err() != nil {
		return nil, b.ended(ctx, limit)
	}
	if own := (*Error)(nil); errors.As(err, &own) {
		return nil, own.placed(sql, b.at)
	}
	return nil, err
}

// ended returns why a statement ended early: the caller's context, or the session's time limit.
func (b *binder) ended(ctx, limit context.Context) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return context.Cause(limit)
}

// limited is the context of a statement under the session's STATEMENT_TIMEOUT, in seconds.
func (b *binder) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if b.timeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, b.timeout, failure("STATEMENT_TIMEOUT", "57KD0",
		"Statement timed out. The statement was canceled because it ran longer than the %d seconds of STATEMENT_TIMEOUT.", int64(b.timeout/time.Second)))
}

// binder takes a snapshot of the session for one statement.
func (s *Session) binder(params []Param) (*binder, *Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, failure("INVALID_HANDLE.SESSION_CLOSED", "HY000", "The handle is invalid. Session was closed.")
	}
	zone := s.conf["timezone"]
	loc, ok := location(zone)
	if !ok || zone == "" {
		zone, loc = "UTC", time.UTC
	}
	seconds, _ := strconv.ParseInt(s.conf["statement_timeout"], 10, 32)
	return &binder{
		timeout: time.Duration(seconds) * time.Second,
		rows:    s.db.recursionRows, names: s.db.names, catalog: s.catalog, schema: s.schema, temp: s.temp,
		loc: loc, zone: zone, user: "user@example.com", now: time.Now(),
		params: params, handle: lastHandle.Add(1),
	}, nil
}

// run is one statement being executed.
type run struct {
	ctx     context.Context
	session *Session
	db      *Database
	b       *binder
}

// done is the result of a statement without rows.
func done() *Result { return &Result{Updated: -1} }

func (r *run) statement(stmt statement) (*Result, error) {
	switch n := stmt.(type) {
	case *query:
		return r.query(n)
	case *insert, *update, *deleteFrom, *merge, *truncate:
		return r.change(func() (*Result, error) { return r.dml(stmt) })
	case *createTable, *createView, *createSchema, *createCatalog, *drop, *alterTable, *commentOn:
		return r.change(func() (*Result, error) { return r.ddl(stmt) })
	case *set:
		return r.set(n)
	case *reset:
		return r.reset(n)
	}
	return r.inspect(func() (*Result, error) {
		switch n := stmt.(type) {
		case *use:
			return r.use(n)
		case *show:
			return r.show(n)
		case *describe:
			return r.describe(n)
		case *explain:
			return r.explain(n)
		case *noOp:
			r.b.table(n.parts)
			return done(), nil
		}
		return nil, failure("INTERNAL_ERROR", "XX000", "Unknown statement %T.", stmt)
	})
}

// change runs f alone.
func (r *run) change(f func() (*Result, error)) (*Result, error) { return r.inside(true, f) }

// inspect runs f while nothing changes.
func (r *run) inspect(f func() (*Result, error)) (*Result, error) { return r.inside(false, f) }

func (r *run) inside(write bool, f func() (*Result, error)) (res *Result, err error) {
	if err := r.db.gate.enter(r.ctx, write); err != nil {
		return nil, err
	}
	defer r.db.gate.leave(write)
	var bad *Error
	func() {
		defer catch(&bad)
		res, err = f()
	}()
	if bad != nil {
		return nil, bad
	}
	return res, err
}

// query binds while nothing changes, and stays inside the gate only if it reads stored tables: a
// long statement that reads none must not delay writers.
func (r *run) query(n *query) (*Result, error) {
	var q boundQuery
	res, err := r.inspect(func() (*Result, error) {
		q = r.b.query(nil, n)
		noIntervals(q.columns)
		if !r.b.stored {
			return nil, nil
		}
		return r.collect(&r.db.store.read, q)
	})
	if err != nil || r.b.stored {
		return res, err
	}
	return r.collect(&r.db.store.free, q)
}

func (r *run) collect(p *pool, q boundQuery) (*Result, error) {
	c, err := p.get()
	if err != nil {
		return nil, translate(err)
	}
	defer p.put(c)
	var res *Result
	err = looped(r.ctx, c, r.b.loops, func() (err error) {
		if res, err = c.query(r.ctx, q.sql, q.columns, r.b.hint); err == nil {
			res.Volatile = r.b.volatile
		}
		return err
	})
	return res, err
}

func (r *run) use(n *use) (*Result, error) {
	s := r.session
	catalog, schema := r.b.catalog, ""
	switch {
	case n.kind == "CATALOG":
		catalog, schema = n.parts[0], defaultSchema
	case len(n.parts) == 1:
		schema = n.parts[0]
		if _, err := r.b.names.schema(catalog, schema); err != nil && n.kind == "" && r.b.names.catalogs[strings.ToLower(schema)] != nil {
			catalog, schema = schema, defaultSchema // USE main names a catalog
		}
	default:
		catalog, schema = n.parts[0], n.parts[1]
	}
	c, err := r.b.names.catalog(catalog)
	if err != nil {
		return nil, err
	}
	if n.kind != "CATALOG" {
		if _, err := r.b.names.schema(catalog, schema); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catalog, s.schema = c.name, schema
	return done(), nil
}

func (r *run) set(n *set) (*Result, error) {
	s := r.session
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.ToLower(n.key)
	switch {
	case n.key == "":
		var rows [][]any
		for _, k := range sortedKeys(s.conf) {
			rows = append(rows, []any{k, s.conf[k]})
		}
		return tableResult([]string{"key", "value"}, rows...), nil
	case n.has:
		if key == "timezone" {
			if _, ok := location(n.value); !ok {
				return nil, errTimeZone(n.value)
			}
		}
		if (key == "ansi_mode" || key == "spark.sql.ansi.enabled") && !strings.EqualFold(n.value, "true") {
			return nil, errUnsupported("SETTING", n.key+" = "+n.value)
		}
		s.conf[key] = n.value
	}
	value, ok := s.conf[key]
	if !ok {
		value = "<undefined>"
	}
	return tableResult([]string{"key", "value"}, []any{n.key, value}), nil
}

func (r *run) reset(n *reset) (*Result, error) {
	s := r.session
	s.mu.Lock()
	defer s.mu.Unlock()
	if n.key == "" {
		s.conf = maps.Clone(s.initial)
		return done(), nil
	}
	key := strings.ToLower(n.key)
	delete(s.conf, key)
	if v, ok := s.initial[key]; ok {
		s.conf[key] = v
	}
	return done(), nil
}
