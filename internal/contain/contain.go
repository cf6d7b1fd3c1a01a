// Package contain keeps what goes wrong beside a statement away from the statement.
//
// Two kinds of code run there: code of this module that observes, and code the application
// supplies (sinks, tracers, authenticators, transports). Either may panic, and supplied code
// may also end its goroutine with runtime.Goexit or never return. A [Log] contains and counts
// each case by [Place], and keeps the first stack of each place.
//
//	observing code        defer log.Recover(contain.Statement)
//	supplied, must not    ok := log.Call(contain.Sink, func() { sink.StatementFinished(r) })
//	  leave this goroutine
//	supplied, may hang    token, err := contain.Within(ctx, log, contain.Authenticator, ask)
package contain

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Place says what was running when something had to be contained.
type Place string

// The places.
const (
	Statement     Place = "statement"     // measuring calls, in driverwrap
	Wire          Place = "wire"          // reading requests and answers, in cloudfetch
	Export        Place = "export"        // reporting to Databricks
	Page          Place = "page"          // the debug page
	Sink          Place = "sink"          // supplied: telemetry.Sink
	Tracer        Place = "tracer"        // supplied: telemetry.Tracer
	Authenticator Place = "authenticator" // supplied: authentication of our own requests
	Transport     Place = "transport"     // supplied: http.RoundTripper of our own requests
	Pool          Place = "pool"          // supplied: statistics of a registered pool
	Spans         Place = "spans"         // supplied: filters, samplers and span processors
)

// Incidents is what was contained at one place.
type Incidents struct {
	Place   Place
	Panics  int64
	Goexits int64  // runtime.Goexit
	Hangs   int64  // did not return in time
	First   string // type of the first panic value, and the stack; empty without panics and Goexits
}

// Log counts what was contained. The zero value is ready; its methods may be called
// concurrently. It must not be copied.
type Log struct {
	// Parent is told everything, too; nil for none. Set it before the first use.
	Parent *Log

	mu     sync.Mutex
	places map[Place]*Incidents // guarded by mu
}

// Process is the log of everything in the process that has none of its own.
var Process Log

// Recover contains a panic of the function that defers it:
//
//	defer log.Recover(contain.Statement)
func (l *Log) Recover(p Place) {
	if v := recover(); v != nil {
		l.Panicked(p, v)
	}
}

// Panicked notes a panic that the caller has recovered. Of the value only the type is kept:
// its text may be about anything.
func (l *Log) Panicked(p Place, value any) {
	l.note(p, fmt.Sprintf("panic of type %T", value), func(i *Incidents) { i.Panics++ })
}

// Call runs supplied code on the caller's goroutine and reports whether it returned. After a
// Goexit, which is counted, Call does not return: nothing can keep the goroutine alive.
func (l *Log) Call(p Place, f func()) (returned bool) {
	defer func() {
		if returned {
			return
		}
		if v := recover(); v != nil {
			l.Panicked(p, v)
		} else {
			l.exited(p)
		}
	}()
	f()
	return true
}

func (l *Log) exited(p Place) {
	l.note(p, "runtime.Goexit", func(i *Incidents) { i.Goexits++ })
}

// Why code did not return a value.
var (
	ErrPanicked = errors.New("it panicked")
	ErrExited   = errors.New("it called runtime.Goexit")
)

// grace is how long code that heeds its context has to return once that is done.
const grace = 50 * time.Millisecond

// Within runs supplied code on a goroutine of its own and returns its value, ErrPanicked,
// ErrExited, or the error of ctx when that is done before f has returned. Then the goroutine
// lives on until f returns; f must not touch what the caller goes on using.
func Within[T any](ctx context.Context, l *Log, p Place, f func() T) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		o := outcome{err: ErrExited}
		defer func() { done <- o }()
		if !l.Call(p, func() { o.value = f() }) {
			o.err = ErrPanicked
			return
		}
		o.err = nil
	}()
	select {
	case o := <-done:
		return o.value, o.err
	case <-ctx.Done():
	}
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case o := <-done:
		return o.value, o.err
	case <-late.C:
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		l.note(p, "", func(i *Incidents) { i.Hangs++ })
	}
	var none T
	return none, ctx.Err()
}

// Supplied runs one piece of code that the application supplied, with a time bound. Code that
// did not return in time is not called again until it has: it holds up one goroutine at most.
type Supplied struct {
	place Place
	log   *Log
	busy  atomic.Bool // a call has not returned
}

// NewSupplied returns a Supplied that notes what it contains in a log.
func NewSupplied(l *Log, p Place) *Supplied { return &Supplied{place: p, log: l} }

// ErrBusy says that an earlier call has not returned.
var ErrBusy = errors.New("an earlier call has not returned")

// Run calls f on a goroutine of its own. The error says what kept f from returning: ErrBusy,
// ErrPanicked, ErrExited, or the error of ctx.
func (s *Supplied) Run(ctx context.Context, f func()) error {
	if s.busy.Swap(true) {
		return ErrBusy
	}
	_, err := Within(ctx, s.log, s.place, func() struct{} {
		defer s.busy.Store(false)
		f()
		return struct{}{}
	})
	return err
}

func (l *Log) note(p Place, what string, count func(*Incidents)) {
	stack := ""
	if what != "" && l.wantsStack(p) {
		stack = what + "\n" + clip(string(debug.Stack()))
	}
	for ; l != nil; l = l.Parent {
		l.mu.Lock()
		i := l.at(p)
		count(i)
		if i.First == "" {
			i.First = stack
		}
		l.mu.Unlock()
	}
}

// wantsStack reports whether this log or one above it has none of the place yet.
func (l *Log) wantsStack(p Place) bool {
	for ; l != nil; l = l.Parent {
		l.mu.Lock()
		wants := l.at(p).First == ""
		l.mu.Unlock()
		if wants {
			return true
		}
	}
	return false
}

// at returns the incidents of a place. l.mu is held.
func (l *Log) at(p Place) *Incidents {
	if l.places == nil {
		l.places = map[Place]*Incidents{}
	}
	i := l.places[p]
	if i == nil {
		i = &Incidents{Place: p}
		l.places[p] = i
	}
	return i
}

// maxStack is enough for the frames that matter.
const maxStack = 8 << 10

func clip(stack string) string {
	if len(stack) <= maxStack {
		return stack
	}
	return stack[:maxStack] + "\n..."
}

// List returns what was contained, by place.
func (l *Log) List() []Incidents {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]Incidents, 0, len(l.places))
	for _, i := range l.places {
		if i.Panics+i.Goexits+i.Hangs > 0 {
			all = append(all, *i)
		}
	}
	slices.SortFunc(all, func(a, b Incidents) int { return strings.Compare(string(a.Place), string(b.Place)) })
	return all
}

// Total sums all incidents.
func (l *Log) Total() (n int64) {
	for _, i := range l.List() {
		n += i.Panics + i.Goexits + i.Hangs
	}
	return n
}
