package telemetry

import (
	"context"
	"sync"
	"time"
)

// queue delivers records to one sink, in order, on a goroutine that exists only while there
// is something to deliver. It gathers records for a moment first: waking a goroutine costs
// more than handing over a record.
type queue struct {
	sink     Sink
	recorder Recorder // sink, where it is one
	size     int      // most records that wait

	mu      sync.Mutex
	waiting []record      // oldest first; guarded by mu
	room    []record      // the array waiting slides along in, for the next burst; guarded by mu
	running bool          // a goroutine delivers; guarded by mu
	armed   bool          // the timer will start one; guarded by mu
	timer   *time.Timer   // nil until first needed; guarded by mu
	idle    chan struct{} // closed when it stops; nil while nobody asks; guarded by mu
	stats   QueueStats    // guarded by mu
}

// QueueStats counts what became of the records offered to one sink.
type QueueStats struct {
	Delivered int64 // handed to the sink
	Dropped   int64 // pushed out because the sink was too slow
	Panics    int64 // deliveries in which the sink panicked
	Waiting   int   // not delivered yet
}

const (
	gatherFor = 5 * time.Millisecond // how long the first of several records waits at most
	gathered  = 64                   // records that are enough to begin with
	roomKept  = 2 * gathered         // records an idle queue keeps room for
)

func newQueue(sink Sink, size int) *queue {
	recorder, _ := sink.(Recorder)
	return &queue{sink: sink, recorder: recorder, size: size}
}

// recording asks the sink whether it wants records. It is somebody else's code, on the
// application's goroutine: a panic means no.
func (q *queue) recording() (wants bool) {
	if q.recorder == nil {
		return true
	}
	defer func() { _ = recover() }()
	return q.recorder.Recording()
}

// put takes the record and returns at once. A full queue loses its oldest success, or its
// oldest record when all of them are failures.
func (q *queue) put(r record) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) >= q.size {
		q.dropOne()
	}
	q.waiting = append(q.waiting, r)
	switch {
	case q.running:
	case len(q.waiting) >= gathered:
		q.start()
		go q.run()
	case !q.armed:
		q.armed = true
		if q.timer == nil {
			q.timer = time.AfterFunc(gatherFor, q.alarm)
		} else {
			q.timer.Reset(gatherFor)
		}
	}
}

// start says that a goroutine delivers from now on. Call it with mu held.
func (q *queue) start() {
	if q.armed {
		q.timer.Stop()
		q.armed = false
	}
	q.running = true
	q.room = q.waiting[:0]
}

// alarm delivers what was gathered, on the timer's goroutine.
func (q *queue) alarm() {
	q.mu.Lock()
	q.armed = false
	mine := !q.running && len(q.waiting) > 0
	if mine {
		q.start()
	}
	q.mu.Unlock()
	if mine {
		q.run()
	}
}

func (q *queue) dropOne() {
	victim := 0
	for i, r := range q.waiting {
		if !r.Failed() {
			victim = i
			break
		}
	}
	copy(q.waiting[1:], q.waiting[:victim])
	q.waiting[0] = nil
	q.waiting = q.waiting[1:]
	q.stats.Dropped++
}

// run delivers until nothing waits.
func (q *queue) run() {
	for {
		q.mu.Lock()
		if len(q.waiting) == 0 {
			q.rest()
			q.mu.Unlock()
			return
		}
		next := q.waiting[0]
		q.waiting[0] = nil
		q.waiting = q.waiting[1:]
		q.mu.Unlock()

		panicked := q.deliver(next)

		q.mu.Lock()
		q.stats.Delivered++
		if panicked {
			q.stats.Panics++
		}
		q.mu.Unlock()
	}
}

// rest ends the delivery. A burst's array is let go, a usual one kept. Call it with mu held.
func (q *queue) rest() {
	q.waiting, q.room = nil, q.room[:cap(q.room)]
	if len(q.room) <= roomKept {
		clear(q.room) // nothing delivered may live on here
		q.waiting = q.room[:0]
	}
	q.room = nil
	q.running = false
	if q.idle != nil {
		close(q.idle)
		q.idle = nil
	}
}

// deliver contains whatever the sink does: a sink is somebody else's code.
func (q *queue) deliver(r record) (panicked bool) {
	panicked = true
	defer func() {
		if panicked {
			_ = recover()
		}
	}()
	r.deliver(q.sink)
	return false
}

// settle waits until everything put so far is delivered, and reports whether it was before
// ctx was done.
func (q *queue) settle(ctx context.Context) bool {
	q.mu.Lock()
	if !q.running {
		if len(q.waiting) == 0 { // even when ctx is done already
			q.mu.Unlock()
			return true
		}
		q.start()
		go q.run()
	}
	if q.idle == nil {
		q.idle = make(chan struct{})
	}
	idle := q.idle
	q.mu.Unlock()
	select {
	case <-idle:
		return true
	case <-ctx.Done():
		return false
	}
}

func (q *queue) snapshot() QueueStats {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.stats
	s.Waiting = len(q.waiting)
	return s
}
