package contain

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Place names the code that was running when a fault was contained.
type Place string

// The places.
const (
	Statement     Place = "statement"     // measuring calls, in driverwrap
	Wire          Place = "wire"          // reading requests and answers, in cloudfetch
	Export        Place = "export"        // reporting to Databricks
	History       Place = "history"       // asking the query history
	Page          Place = "page"          // the debug page
	Sink          Place = "sink"          // user-supplied: telemetry.Sink
	Tracer        Place = "tracer"        // user-supplied: telemetry.Tracer
	Authenticator Place = "authenticator" // user-supplied: authentication of requests to Databricks
	Transport     Place = "transport"     // user-supplied: http.RoundTripper of those requests
	Pool          Place = "pool"          // user-supplied: statistics of a registered pool
	Spans         Place = "spans"         // user-supplied: filters, samplers and span processors
)

// Incidents counts the faults that were contained at one place.
type Incidents struct {
	Place   Place
	Panics  int64
	Goexits int64  // runtime.Goexit
	Hangs   int64  // calls that did not return in time
	First   string // type of the first panic value, and the stack; empty without panics and Goexits
}

// Log counts contained faults by place, and keeps the first stack of each place. The zero value is
// ready to use; its methods may be called concurrently. A Log must not be copied.
type Log struct {
	// Parent also counts every fault; it may be nil. Set it before the first use.
	Parent *Log

	mu     sync.Mutex
	places map[Place]*Incidents // guarded by mu
}

// Process is the log of the process.
var Process Log

// Recover contains a panic of the function that defers it:
//
//	defer log.Recover(contain.Statement)
func (l *Log) Recover(p Place) {
	if v := recover(); v != nil {
		l.Panicked(p, v)
	}
}

// Panicked counts a panic that the caller has recovered. It keeps only the type of the value, because
// the text may contain anything.
func (l *Log) Panicked(p Place, value any) {
	l.add(p, fmt.Sprintf("panic of type %T", value), func(i *Incidents) { i.Panics++ })
}

// Call runs user-supplied code on the caller's goroutine and reports whether it returned. A Goexit is
// counted, but Call does not return then, because a goroutine that exits cannot be kept.
func (l *Log) Call(p Place, f func()) (returned bool) {
	defer func() {
		if returned {
			return
		}
		if v := recover(); v != nil {
			l.Panicked(p, v)
		} else {
			l.add(p, "runtime.Goexit", func(i *Incidents) { i.Goexits++ })
		}
	}()
	f()
	return true
}

// Each calls f(0) to f(n-1), in order. f runs user-supplied code, which may end the goroutine
// (runtime.Goexit). Each then makes the remaining calls while the goroutine ends.
func Each(n int, f func(i int)) { each(0, n, f) }

func each(i, n int, f func(i int)) {
	defer func() {
		if i < n {
			each(i+1, n, f)
		}
	}()
	for ; i < n; i++ {
		f(i)
	}
}

// Guard is Call for code with state to restore: after a panic or a Goexit of f, it calls cleanUp.
func (l *Log) Guard(p Place, f, cleanUp func()) {
	returned := false
	defer func() {
		if !returned {
			cleanUp()
		}
	}()
	returned = l.Call(p, f)
}

// grace is how long code has to return after its context is done.
const grace = 50 * time.Millisecond

// Supplied runs one piece of user-supplied code with a time bound. Code that has not returned is not
// called again, so it blocks at most one goroutine.
type Supplied struct {
	place Place
	log   *Log
	busy  atomic.Bool // a call has not returned
}

// NewSupplied returns a Supplied that counts in a log.
func NewSupplied(l *Log, p Place) *Supplied { return &Supplied{place: p, log: l} }

// Run calls f on a separate goroutine and reports whether it returned before ctx was done. It does not call f
// while an earlier call has not returned. After a late call, the goroutine lives on until f returns, so f
// must not use anything that the caller goes on using.
func (s *Supplied) Run(ctx context.Context, f func()) (returned bool) {
	if s.busy.Swap(true) {
		return false
	}
	done := make(chan bool, 1)
	go func() {
		ok := false
		defer func() {
			s.busy.Store(false)
			done <- ok
		}()
		ok = s.log.Call(s.place, f)
	}()
	select {
	case returned = <-done:
		return returned
	case <-ctx.Done():
	}
	select {
	case returned = <-done:
		return returned
	case <-time.After(grace):
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		s.log.add(s.place, "", func(i *Incidents) { i.Hangs++ })
	}
	return false
}

// add counts an incident, also in the parents. what is the line above the stack that is kept. It is empty
// for a hang, which the stack of this goroutine does not show.
func (l *Log) add(p Place, what string, count func(*Incidents)) {
	if l.Parent != nil {
		l.Parent.add(p, what, count)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.places == nil {
		l.places = map[Place]*Incidents{}
	}
	i := l.places[p]
	if i == nil {
		i = &Incidents{Place: p}
		l.places[p] = i
	}
	count(i)
	if what != "" && i.First == "" {
		stack := debug.Stack()
		if len(stack) > maxStack {
			stack = append(stack[:maxStack], "\n..."...)
		}
		i.First = what + "\n" + string(stack)
	}
}

// maxStack bounds a stack, in bytes.
const maxStack = 8 << 10

// List returns the counts, sorted by place.
func (l *Log) List() []Incidents {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]Incidents, 0, len(l.places))
	for _, p := range slices.Sorted(maps.Keys(l.places)) {
		all = append(all, *l.places[p])
	}
	return all
}
