package telemetry

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/internal/ondemand"
)

// Process is the state that the wrapped drivers of a process share: their sinks, the registered
// pools, and the members of this module that have state of their own. The functions of this
// package work on [Default]. The zero value is ready; all methods may be called concurrently.
type Process struct {
	Fanout // the sinks of every wrapped driver

	members list[Member]
	pools   list[*Pool]
}

// Default is the process that every wrapped driver belongs to.
var Default Process

// Member is a package of this module that has state of its own and takes part in Flush, Shutdown
// and ReadStats. Any of its functions may be nil.
type Member struct {
	// Connectors returns the wrapped connectors, in the order they were made.
	Connectors func() []Connector
	// Sinks flushes the sinks that are not those of the process.
	Sinks func(context.Context) error
	// Flush sends what was recorded before the call, and gives sinks nothing; the error says what could not be.
	Flush func(context.Context) error
	// Shutdown flushes and ends: nothing is sent after it.
	Shutdown func(context.Context) error
	// Stats adds to the state of the process.
	Stats func(*Stats)
}

// Join adds a member to the process.
func (p *Process) Join(member Member) { p.members.add(member) }

// Connectors returns the wrapped connectors of the process, in the order they were made. One
// that nothing else refers to may be missing.
func (p *Process) Connectors() []Connector {
	var all []Connector
	for _, member := range p.members.all() {
		if member.Connectors != nil {
			all = append(all, member.Connectors()...)
		}
	}
	return all
}

// RegisterPool is [RegisterPool] for this process.
func (p *Process) RegisterPool(name string, pool interface{ Stats() sql.DBStats }) (unregister func()) {
	registered := newPool(name, pool)
	p.pools.add(registered)
	return func() { p.pools.remove(func(other *Pool) bool { return other == registered }) }
}

// Pools returns the registered pools, by name. A sql.DB that is registered twice by one name is one of them.
func (p *Process) Pools() []Pool {
	pools := p.pools.all()
	slices.SortStableFunc(pools, func(a, b *Pool) int { return strings.Compare(a.Name, b.Name) })
	all := make([]Pool, 0, len(pools))
	for _, pool := range pools {
		if !slices.ContainsFunc(all, pool.Same) {
			all = append(all, *pool)
		}
	}
	return all
}

// Flush is [Flush] for this process.
func (p *Process) Flush(ctx context.Context) error {
	_, err := p.flushAnd(ctx, func(member Member) func(context.Context) error { return member.Flush })
	return err
}

// Shutdown is [Shutdown] for this process. Members may deliver more to sinks meanwhile, namely the last
// server reports, so at the end it flushes those sinks again that were not behind. Flush does not: records that
// the application made meanwhile would prolong it.
func (p *Process) Shutdown(ctx context.Context) error {
	inTime, err := p.flushAnd(ctx, func(member Member) func(context.Context) error { return member.Shutdown })
	return errors.Join(err, ondemand.Each(len(inTime), func(i int) error { return inTime[i](ctx) }))
}

// flushAnd flushes the sinks and calls one function of every member, all at once: a sink that blocks
// takes no time from the report to Databricks. It returns how to flush the sinks that were not behind.
func (p *Process) flushAnd(ctx context.Context, of func(Member) func(context.Context) error) (inTime []func(context.Context) error, err error) {
	all := []func(context.Context) error{p.Fanout.Flush}
	var others []func(context.Context) error
	for _, member := range p.members.all() {
		if member.Sinks != nil {
			all = append(all, member.Sinks)
		}
		if f := of(member); f != nil {
			others = append(others, f)
		}
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
	for _, member := range p.members.all() {
		if member.Stats != nil {
			member.Stats(&s)
		}
	}
	for _, i := range contain.Process.List() {
		s.Contained = append(s.Contained, Contained{string(i.Place), i.Panics, i.Goexits, i.Hangs, i.First})
	}
	return s
}

// Attach adds a sink to [Default], so that it receives the records of every wrapped driver of
// the process. Detach removes it, as [Fanout.Attach] says. Attach before the first pool is opened and detach
// after the last one is closed: a sink that is detached before that misses what comes in between. Deferred, it
// takes two pairs of parentheses: defer Attach(sink)() attaches now, defer Attach(sink) when the function returns.
func Attach(sink Sink) (detach func()) { return Default.Attach(sink) }

// RegisterPool shows a pool's statistics in metrics and on the debug page: the wait for a
// connection happens in database/sql, before any driver is called. The usual pool is a *sql.DB. Up to 256 bytes
// of name are kept, as valid UTF-8. Call unregister when the pool is closed: defer RegisterPool("orders", db)(),
// with two pairs of parentheses.
func RegisterPool(name string, pool interface{ Stats() sql.DBStats }) (unregister func()) {
	return Default.RegisterPool(name, pool)
}

// Flush waits until everything recorded before the call has reached the sinks of [Default] and of
// open connectors, and Databricks, or until ctx is done; the error says what still waits. It does not
// flush OpenTelemetry's providers, which belong to the application. A serverless function calls it before it returns, because its process may be frozen then.
// Give ctx a deadline: where the endpoint hangs, all retries of a request take the better part of a minute.
// A sink must not call it without a time bound: it would wait for its own delivery.
func Flush(ctx context.Context) error { return Default.Flush(ctx) }

// Shutdown is Flush, and ends reporting to Databricks for good: nothing is sent after it.
// Statements go on working, and sinks go on receiving their records.
func Shutdown(ctx context.Context) error { return Default.Shutdown(ctx) }

// ReadStats returns the state of the process. It may be called at any time, concurrently; it
// takes microseconds and does no I/O.
func ReadStats() Stats { return Default.Stats() }
