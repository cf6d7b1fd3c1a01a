package telemetry

import (
	"context"
	"database/sql"
	"errors"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/internal/ondemand"
	"github.com/seed-01322ee7/databricks-telemetry/internal/shared"
)

// Process is everything that the wrapped drivers of a process share: their sinks, the registered pools, and
// what other packages of this module keep in it, which are the connectors, the report to Databricks, the
// clients of query histories, the debug page and the callbacks of OpenTelemetry. The functions of this
// package work on [Default]. The zero value is ready to use; a Process must not be copied. All methods may be
// called concurrently.
type Process struct {
	Fanout // the sinks of every wrapped driver

	pools  registeredPools
	shared shared.Values
}

// Default is the process that every wrapped driver belongs to.
var Default Process

// Shared is for the other packages of this module, which keep their values of the process in it. A value takes
// part in the methods of the Process by having one or more of these methods:
//
//   - Connectors() []Connector returns wrapped connectors, in the order they were made.
//   - FlushSinks(context.Context) error flushes sinks that are not attached to the Process, such as those of a
//     connector.
//   - Flush(context.Context) error sends what was recorded before the call, and passes nothing to sinks. The
//     error says what could not be sent.
//   - Shutdown(context.Context) error flushes and ends: nothing is sent after it.
//   - AddTo(*Stats) adds counts to those of the process.
func (p *Process) Shared() *shared.Values { return &p.shared }

// Connectors returns the wrapped connectors of the process, in the order they were made. A connector
// that nothing else refers to may be missing.
func (p *Process) Connectors() []Connector {
	var all []Connector
	for _, v := range shared.All[interface{ Connectors() []Connector }](&p.shared) {
		all = append(all, v.Connectors()...)
	}
	return all
}

// RegisterPool is [RegisterPool] for this process.
func (p *Process) RegisterPool(name string, pool interface{ Stats() sql.DBStats }) (unregister func()) {
	return p.pools.add(name, pool)
}

// Pools returns the registered pools, sorted by name. A sql.DB that is registered twice under the same name
// is returned once.
func (p *Process) Pools() []Pool { return p.pools.list() }

// Flush is [Flush] for this process.
func (p *Process) Flush(ctx context.Context) error {
	var flushes []func(context.Context) error
	for _, v := range shared.All[interface{ Flush(context.Context) error }](&p.shared) {
		flushes = append(flushes, v.Flush)
	}
	_, err := p.flushSinksAnd(ctx, flushes)
	return err
}

// Shutdown is [Shutdown] for this process. While they shut down, the values of Shared may pass more records to
// sinks, such as the last server reports, so Shutdown finally flushes again the sinks whose first flush
// succeeded. Flush does not, because records that the application made meanwhile would prolong it.
func (p *Process) Shutdown(ctx context.Context) error {
	var shutdowns []func(context.Context) error
	for _, v := range shared.All[interface{ Shutdown(context.Context) error }](&p.shared) {
		shutdowns = append(shutdowns, v.Shutdown)
	}
	inTime, err := p.flushSinksAnd(ctx, shutdowns)
	return errors.Join(err, ondemand.Each(len(inTime), func(i int) error { return inTime[i](ctx) }))
}

// flushSinksAnd flushes the sinks and calls the other functions, all concurrently, so that a sink that blocks
// does not delay the report to Databricks. It returns the functions that flush sinks and succeeded.
func (p *Process) flushSinksAnd(ctx context.Context, others []func(context.Context) error) (inTime []func(context.Context) error, err error) {
	all := []func(context.Context) error{p.Fanout.Flush}
	for _, v := range shared.All[interface{ FlushSinks(context.Context) error }](&p.shared) {
		all = append(all, v.FlushSinks)
	}
	sinks := len(all)
	all = append(all, others...)
	errs := make([]error, len(all))
	err = ondemand.Each(len(all), func(i int) error {
		errs[i] = all[i](ctx)
		return errs[i]
	})
	for i, flush := range all[:sinks] {
		if errs[i] == nil {
			inTime = append(inTime, flush)
		}
	}
	return inTime, err
}

// Stats is [ReadStats] for this process.
func (p *Process) Stats() Stats {
	s := Stats{Sinks: p.Fanout.Stats()}
	for _, v := range shared.All[interface{ AddTo(*Stats) }](&p.shared) {
		v.AddTo(&s)
	}
	for _, i := range contain.Process.List() {
		s.Contained = append(s.Contained, Contained{string(i.Place), i.Panics, i.Goexits, i.Hangs, i.First})
	}
	return s
}

// Attach adds a sink to [Default], so that it receives the records of every wrapped driver of the process. The
// returned detach removes it, see [Fanout.Attach]. Attach before the first pool is opened and detach after the
// last one is closed; otherwise the sink misses records. With defer, write two pairs of parentheses: defer
// Attach(sink)() attaches now and detaches when the function returns, but defer Attach(sink) only attaches then.
func Attach(sink Sink) (detach func()) { return Default.Attach(sink) }

// RegisterPool adds a pool, usually a *sql.DB, to metrics, pool samples and the debug page. Only the pool's
// statistics show the wait for a connection, which happens in database/sql, before any driver is called. Up to
// 256 bytes of name are kept, as valid UTF-8. Call unregister when the pool is closed: defer
// RegisterPool("orders", db)(), with two pairs of parentheses.
func RegisterPool(name string, pool interface{ Stats() sql.DBStats }) (unregister func()) {
	return Default.RegisterPool(name, pool)
}

// Flush waits until everything recorded before the call has reached the sinks of [Default] and of open connectors,
// and Databricks, or until ctx is done; the error says what still waits. It does not flush OpenTelemetry's
// providers, which belong to the application. A serverless function should call Flush before it returns, because
// its process may be frozen afterwards. Give ctx a deadline: if the endpoint hangs, all retries of a request take
// the better part of a minute. A sink that calls Flush must bound its time, because Flush waits for the record
// that the sink is receiving.
func Flush(ctx context.Context) error { return Default.Flush(ctx) }

// Shutdown flushes like [Flush], and ends reporting to Databricks for good: nothing is sent after it
// returns. Statements go on working, and sinks go on receiving their records.
func Shutdown(ctx context.Context) error { return Default.Shutdown(ctx) }

// ReadStats returns the state of the process. It may be called at any time and concurrently, takes
// microseconds, and does no I/O.
func ReadStats() Stats { return Default.Stats() }
