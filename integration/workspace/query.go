package workspace

import (
	"context"
	"strconv"
	"strings"
	"sync"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/engine"
	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/wire"
)

// resultCache remembers the newest results of queries until a statement that is not a query.
type resultCache struct {
	mu      sync.Mutex
	results map[string]*engine.Result // guarded by mu; the results are immutable
	order   []string                  // keys of results, oldest first; guarded by mu
	bytes   int64                     // of the results; guarded by mu
	emptied int                       // how often it was emptied; guarded by mu
}

// cacheBytes limits a cache.
const cacheBytes = 64 << 20

func newResultCache() *resultCache { return &resultCache{results: map[string]*engine.Result{}} }

// add remembers a result. c.mu is held.
func (c *resultCache) add(key string, r *engine.Result) {
	if c.results[key] != nil { // another session has added it
		return
	}
	c.results[key] = r
	c.order = append(c.order, key)
	c.bytes += resultBytes(r)
	for c.bytes > cacheBytes {
		oldest := c.order[0]
		c.order = c.order[1:]
		c.bytes -= resultBytes(c.results[oldest])
		delete(c.results, oldest)
	}
}

// empty forgets every result. c.mu is held.
func (c *resultCache) empty() {
	clear(c.results)
	c.order, c.bytes = nil, 0
	c.emptied++
}

// resultBytes is the memory a result takes. It is never 0, so that a cache of empty results is
// limited too.
func resultBytes(r *engine.Result) int64 { return estimateBytes(r.Columns, int64(r.Rows)) + 1024 }

// query runs the statement in the engine, or finds its result in the cache. The second
// value is the outcome of the lookup.
func (w *Workspace) query(ctx context.Context, o *operation) (*engine.Result, int32, error) {
	params := parameters(o.req.Parameters)
	statement := o.req.Statement
	if f := w.opts.Rewrite; f != nil {
		statement = f(statement)
	}
	if w.cache == nil {
		r, err := o.session.sql.Execute(ctx, statement, params)
		return r, wire.CacheIneligible, err
	}
	key := cacheKey(o, params)
	w.cache.mu.Lock()
	r, emptied := w.cache.results[key], w.cache.emptied
	w.cache.mu.Unlock()
	if r != nil {
		return r, wire.CacheLocalHit, nil
	}
	r, err := o.session.sql.Execute(ctx, statement, params)
	if err != nil {
		return nil, wire.CacheIneligible, err
	}
	w.cache.mu.Lock()
	defer w.cache.mu.Unlock()
	if !r.Query || r.Updated >= 0 {
		o.session.altered.Store(true)
		w.cache.empty()
		return r, wire.CacheIneligible, nil
	}
	if r.Volatile {
		return r, wire.CacheIneligible, nil
	}
	if w.cache.emptied == emptied { // otherwise a statement may have changed the data since
		w.cache.add(key, r)
	}
	return r, wire.CacheMiss, nil
}

func cacheKey(o *operation, params []engine.Param) string {
	var b strings.Builder
	b.WriteString(o.session.namespace)
	if o.session.altered.Load() {
		b.WriteString("\x00" + o.session.id)
	}
	for _, p := range params {
		b.WriteString("\x00" + p.Name + "\x00" + p.Type + "\x00")
		if p.Value != nil {
			b.WriteString(strconv.Quote(*p.Value))
		}
	}
	b.WriteString("\x00" + strings.TrimSpace(o.req.Statement))
	return b.String()
}

func parameters(list []*wire.Parameter) []engine.Param {
	params := make([]engine.Param, 0, len(list))
	for _, p := range list {
		if p == nil {
			continue
		}
		params = append(params, engine.Param{Name: deref(p.Name), Type: deref(p.Type), Value: parameterText(p.Value)})
	}
	return params
}

func parameterText(v *wire.ParameterValue) *string {
	switch {
	case v == nil:
		return nil
	case v.StringValue != nil:
		return v.StringValue
	case v.DoubleValue != nil:
		s := strconv.FormatFloat(*v.DoubleValue, 'g', -1, 64)
		return &s
	case v.BooleanValue != nil:
		s := strconv.FormatBool(*v.BooleanValue)
		return &s
	}
	return nil
}
