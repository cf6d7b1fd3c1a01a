package otelsink

import (
	"context"
	"reflect"
	"slices"
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/internal/shared"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// observe registers a callback that observes the state of the process until release is called. It may
// block in the provider.
//
// The state belongs to the process, not to a sink: if two sinks observed it for the same provider, it
// would count twice. So sinks with the same provider and the same attributes share a registration,
// which ends with the last of them.
func observe(process *telemetry.Process, p metric.MeterProvider, i *instruments, attributes []attribute.KeyValue) (release func() error) {
	o := observer{instruments: i, process: process, attributes: attributes, shown: newShownPools(process.Pools)}
	if !reflect.ValueOf(p).Comparable() {
		return o.register()
	}
	set := attribute.NewSet(slices.Clone(attributes)...)
	key := registrationKey{p, set.Equivalent()}
	all := registrationsOf(process)
	all.mu.Lock()
	r := all.all[key]
	if r == nil {
		r = &registration{}
		all.all[key] = r
	}
	r.sinks++
	all.mu.Unlock()
	r.once.Do(func() { r.unregister = o.register() })
	return func() error {
		all.mu.Lock()
		r.sinks--
		last := r.sinks == 0
		if last {
			delete(all.all, key)
		}
		all.mu.Unlock()
		if !last || r.unregister == nil {
			return nil
		}
		return r.unregister()
	}
}

// registrations are the callbacks of a process. No provider is called while mu is held, so that a
// provider that blocks does not delay the sinks of others.
type registrations struct {
	mu  sync.Mutex
	all map[registrationKey]*registration // guarded by mu
}

func registrationsOf(p *telemetry.Process) *registrations {
	return shared.Of(p.Shared(), func() *registrations { return &registrations{all: map[registrationKey]*registration{}} })
}

type registrationKey struct {
	provider   any // comparable
	attributes attribute.Distinct
}

type registration struct {
	sinks      int          // sinks that share the registration; guarded by registrations.mu
	once       sync.Once    // registers
	unregister func() error // set by once; nil when the provider refused or panicked
}

// observer observes the state of the process when a reader collects.
type observer struct {
	*instruments

	process    *telemetry.Process
	attributes []attribute.KeyValue // on every observation
	shown      *shownPools
}

// register returns nil if the provider refuses or panics.
func (o observer) register() (unregister func() error) {
	defer contain.Process.Recover(contain.Spans)
	r, err := o.meter.RegisterCallback(func(_ context.Context, to metric.Observer) error {
		o.connectors(to)
		o.pools(to)
		o.stats(to)
		return nil
	}, o.observed...)
	if err != nil {
		otel.Handle(err)
		return nil
	}
	return r.Unregister
}

// connectors observes running statements and open connections, by server. Running statements are observed
// only for connectors that record them: those of other connectors are not known.
func (o observer) connectors(to metric.Observer) {
	defer contain.Process.Recover(contain.Spans)
	type state struct {
		recorded          bool
		running, sessions int64
	}
	servers := map[string]state{}
	for _, c := range o.process.Connectors() {
		info := c.Info()
		s := servers[info.Server]
		if info.Recording {
			s.recorded = true
			s.running += int64(len(c.Running()))
		}
		s.sessions += int64(info.Sessions)
		servers[info.Server] = s
	}
	for server, s := range servers {
		attributes := append(serverAttributes(splitServer(server)), system())
		if s.recorded {
			o.count(to, o.running, s.running, attributes...)
		}
		o.count(to, o.sessions, s.sessions, attributes...)
	}
}

// stats observes the export to Databricks, and contained panics, Goexits and hangs.
func (o observer) stats(to metric.Observer) {
	defer contain.Process.Recover(contain.Spans)
	all := o.process.Stats()
	s := all.Export
	o.count(to, o.sent, s.Sent)
	for reason, n := range s.Dropped {
		o.count(to, o.dropped, n, dropReasonKey.String(reason))
	}
	o.count(to, o.pending, s.Pending)
	o.count(to, o.requests, s.Requests)
	o.count(to, o.retries, s.Retries)
	o.count(to, o.failures, s.Failures)
	o.count(to, o.sentBytes, s.Bytes)
	o.count(to, o.breaker, s.BreakerOpened)
	for _, c := range all.Contained {
		o.count(to, o.incidents, c.Total(), placeKey.String(c.Place))
	}
}

// count observes an integer.
func (o observer) count(to metric.Observer, of metric.Int64Observable, n int64, attributes ...attribute.KeyValue) {
	to.ObserveInt64(of, n, o.with(attributes...))
}

// with returns the attributes of one observation as an option.
func (o observer) with(attributes ...attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributes(append(attributes, o.attributes...)...)
}
