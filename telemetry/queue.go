package telemetry

import (
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/internal/queue"
)

// sinkQueue delivers records to one sink, in order, on a goroutine that exists only while there is
// something to deliver. The goroutine starts after a short delay, in which more records may arrive,
// because waking a goroutine costs more than delivering a record.
type sinkQueue struct {
	sink     Sink
	recorder Recorder // sink, where it is one
	size     int      // largest number of waiting records

	mu         sync.Mutex
	waiting    queue.Queue[record] // guarded by mu, like all below
	detached   bool                // the queue takes no further records
	delivering queue.Item[record]  // the record that the sink has now; without a Value, none
	since      time.Time           // when the sink got it
	gaveUp     bool                // a flush gave up on the sink during this delivery; see hanging
	running    bool                // a goroutine delivers
	runner     string              // the testing/synctest bubble that this goroutine runs in
	scheduled  bool                // the timer is set and will start a goroutine
	timer      *time.Timer         // nil until first needed
	bubble     string              // the bubble that the timer belongs to; the timer may be lost when the bubble ends
	flushes    []*flushWaiter
	latest     map[int64]uint64 // the number of each connector's latest record, until it is delivered or dropped
	forgetAt   int              // size of latest at which delivered and dropped records are removed from it
	stats      QueueStats
}

// QueueStats counts the records offered to one sink, by outcome.
type QueueStats struct {
	Sink      string `json:"sink"`      // type of the sink, such as *ndjson.Sink
	Delivered int64  `json:"delivered"` // passed to the sink
	Dropped   int64  `json:"dropped"`   // dropped because the sink was too slow
	Panics    int64  `json:"panics"`    // deliveries in which the sink panicked
	Goexits   int64  `json:"goexits"`   // deliveries in which the sink called runtime.Goexit
	Waiting   int    `json:"waiting"`   // not delivered yet
}

const (
	batchDelay = 5 * time.Millisecond // the longest that the first of several records waits
	batchSize  = 64                   // records that are delivered without that wait
)

func newSinkQueue(sink Sink, size int) *sinkQueue {
	recorder, _ := sink.(Recorder)
	return &sinkQueue{sink: sink, recorder: recorder, size: size, stats: QueueStats{Sink: fmt.Sprintf("%T", sink)}}
}

// recording reports whether the sink wants records. It calls the sink on the application's
// goroutine: a panic means no.
func (q *sinkQueue) recording() (wants bool) {
	if q.recorder == nil {
		return true
	}
	contain.Process.Call(contain.Sink, func() { wants = q.recorder.Recording() })
	return wants
}

// enqueue takes the record and returns at once. A full queue drops its oldest success, or its
// oldest record when all of them are failures.
func (q *sinkQueue) enqueue(r record) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.detached {
		return // enqueue found the queue before detach: the sink's file may be closed by now
	}
	if q.waiting.Len() >= q.size {
		q.waiting.Evict()
		q.stats.Dropped++
		q.endFlushes()
	}
	q.waiting.Push(r, r.Failed())
	q.note(r.connector())
	switch {
	case q.running:
	case q.waiting.Len() >= batchSize:
		q.start()
		go q.run()
	default:
		q.schedule()
	}
}

// detach makes the queue refuse further records.
func (q *sinkQueue) detach() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.detached = true
}

// schedule sets the timer, unless it is already set. A timer of another bubble must not be touched, and
// may never fire, so it is replaced. q.mu is held.
func (q *sinkQueue) schedule() {
	switch here := bubble(); {
	case q.timer == nil || q.bubble != here:
		q.timer, q.bubble = time.AfterFunc(batchDelay, q.onTimer), here
	case !q.scheduled:
		q.timer.Reset(batchDelay)
	}
	q.scheduled = true
}

// bubble returns the testing/synctest bubble that the goroutine runs in; empty outside of such tests.
func bubble() string { return contain.BubbleAt(time.Now()) }

// note notes that the latest record belongs to a connector. q.mu is held.
func (q *sinkQueue) note(connector int64) {
	const least = 64
	if _, known := q.latest[connector]; !known && len(q.latest) >= max(least, q.forgetAt) {
		oldest := q.oldest()
		maps.DeleteFunc(q.latest, func(_ int64, number uint64) bool { return number < oldest })
		q.forgetAt = 2 * len(q.latest) // seldom enough that a record takes constant time on average
	}
	if q.latest == nil {
		q.latest = map[int64]uint64{}
	}
	q.latest[connector] = q.waiting.Last()
}

// start notes that a goroutine delivers records from now on. q.mu is held.
func (q *sinkQueue) start() {
	here := bubble()
	if q.scheduled && q.bubble == here {
		q.timer.Stop()
	}
	q.running, q.runner, q.scheduled = true, here, false
}

// onTimer delivers the waiting records, on the timer's goroutine.
func (q *sinkQueue) onTimer() {
	q.mu.Lock()
	q.scheduled = false
	needed := !q.running && q.waiting.Len() > 0
	if needed {
		q.start()
	}
	q.mu.Unlock()
	if needed {
		q.run()
	}
}

// run delivers records until none waits.
func (q *sinkQueue) run() {
	for q.take() {
		q.deliver()
	}
}

// take takes the oldest waiting record for delivery. It reports false when none waits, and the
// goroutine ends.
func (q *sinkQueue) take() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.waiting.Len() == 0 {
		q.running = false
		return false
	}
	q.delivering, q.since = q.waiting.Pop(), time.Now()
	return true
}

// deliver passes the record to the sink. If the sink ends the goroutine, a new one delivers the
// remaining records.
func (q *sinkQueue) deliver() {
	returned, exited := false, true
	defer func() {
		q.delivered(returned, exited)
		if exited {
			go q.run()
		}
	}()
	returned = contain.Process.Call(contain.Sink, func() { q.delivering.Value.deliver(q.sink) })
	exited = false
}

func (q *sinkQueue) delivered(returned, exited bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stats.Delivered++
	switch {
	case exited:
		q.stats.Goexits++
	case !returned:
		q.stats.Panics++
	}
	if q.gaveUp {
		hanging.remove(q)
	}
	q.delivering, q.gaveUp = queue.Item[record]{}, false
	q.endFlushes()
}

// oldest returns the number of the oldest record that is neither delivered nor dropped. q.mu is held.
func (q *sinkQueue) oldest() uint64 {
	if q.delivering.Value != nil {
		return q.delivering.Seq
	}
	if it := q.waiting.Oldest(); it != nil {
		return it.Seq
	}
	return q.waiting.Last() + 1
}

func (q *sinkQueue) snapshot() QueueStats {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.stats
	s.Waiting = q.waiting.Len()
	if q.delivering.Value != nil {
		s.Waiting++
	}
	return s
}
