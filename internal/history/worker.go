package history

import (
	"context"
	"sync"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/internal/ondemand"
	"github.com/seed-01322ee7/databricks-telemetry/internal/queue"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// delays say how long after its end a statement is asked about, for the first time and then until the
// server says that its measurements are final.
var delays = [...]time.Duration{2 * time.Second, 10 * time.Second, 60 * time.Second}

// urgent is the stage for questions of connectors that are being closed. These are due at once.
const urgent = len(delays)

const (
	maxWaiting = 500 // statements that wait or are being asked about
	maxBatch   = 50  // statements in one request
	maxAge     = 5 * time.Minute
)

// worker asks one host with one credential. Any goroutine may put statements in. One goroutine asks
// about them, and exists only while a request is due. Between two requests there is only a timer.
type worker struct {
	reader    *Reader
	requester *export.Requester
	pace      *pace
	ctx       context.Context // done when the worker is over
	cancel    context.CancelFunc

	bubble string // the testing/synctest bubble in which the worker was made

	refs int // open handles; guarded by reader.mu

	mu        sync.Mutex                         // guards all below
	stages    [urgent + 1]queue.Queue[*question] // by how many answers left them open; the last stage is urgent
	asking    []queue.Item[*question]            // in the running request
	settling  []*question                        // since mu is held
	unsettled int                                // questions in all of the above, or being settled
	workspace string                             // its number; empty while unknown
	goroutine ondemand.Goroutine
	ended     string // why the worker is over, a drop reason; empty before
}

// question is a statement to ask about.
type question struct {
	target    *target
	id        string
	connector int64
	server    string
	started   time.Time
	ended     time.Time
	failed    bool
	stage     int
	report    *telemetry.ServerReport // from the latest answer; nil if no answer had the statement
	reason    string                  // why it is dropped if there is no report
}

func newWorker(r *Reader, p *pace, c *export.Connection) *worker {
	w := &worker{reader: r, requester: export.NewRequester(c, &contain.Process), pace: p, bubble: contain.Bubble()}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	w.goroutine = ondemand.New(&w.mu, w.due, w.run)
	return w
}

// put takes a statement that has just ended. It blocks no longer than another put takes.
func (w *worker) put(t *target, s *telemetry.Statement) {
	w.reader.counts.statements.Add(1)
	now := time.Now()
	q := &question{target: t, id: s.StatementID, connector: s.Connector, server: s.Server, started: s.Started, ended: now, failed: s.Failed()}
	w.mu.Lock()
	defer w.unlock()
	w.unsettled++
	t.unsettled++
	switch {
	case w.ended != "":
		w.settle(w.ended, q)
		return
	case t.closing:
		w.settle(DropClosed, q)
		return
	case w.pace.quiet(now):
		w.settle(DropRefused, q)
		return
	}
	if s.WorkspaceID != "" {
		w.workspace = s.WorkspaceID
	}
	if w.unsettled > maxWaiting {
		w.evict()
	}
	w.stages[0].Push(q, q.failed)
	w.goroutine.Schedule(now)
}

// evict settles the least important question: the oldest success, or else the oldest failure, among
// those that were asked about least often. w.mu is held.
func (w *worker) evict() {
	for _, failed := range []bool{false, true} {
		for i := range delays {
			if victim := w.stages[i].Victim(); victim != nil && victim.Failed == failed {
				w.settle(DropQueueFull, victim.Value)
				w.stages[i].Evict()
				return
			}
		}
	}
}

// settle ends questions that are no longer in any list. Those without a report are dropped for the given
// reason. w.mu is held, and must be released with unlock.
func (w *worker) settle(reason string, questions ...*question) {
	for _, q := range questions {
		q.reason = reason
	}
	w.settling = append(w.settling, questions...)
}

// unlock releases w.mu. Then it delivers the reports of settled questions, and counts the questions without a
// report.
func (w *worker) unlock() {
	questions := w.settling
	w.settling = nil
	w.mu.Unlock()
	if len(questions) == 0 {
		return
	}
	defer w.settled(questions)
	for _, q := range questions {
		if q.report != nil {
			w.reader.counts.reported.Add(1)
		} else {
			w.reader.counts.drop(q.reason)
		}
	}
	for _, q := range questions {
		if q.report != nil {
			for _, f := range q.target.to {
				f.ServerReported(q.report)
			}
		}
	}
}

func (w *worker) settled(questions []*question) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unsettled -= len(questions)
	for _, q := range questions {
		t := q.target
		t.unsettled--
		t.endClose()
	}
}

// due returns when the next request must be made. ok is false if there is nothing to ask. w.mu is
// held.
func (w *worker) due(time.Time) (at time.Time, ok bool) {
	for i := range w.stages {
		if it := w.stages[i].Oldest(); it != nil {
			if t := it.Value.due(); !ok || t.Before(at) {
				at, ok = t, true
			}
		}
	}
	if earliest := w.pace.earliest(); ok && at.Before(earliest) {
		at = earliest
	}
	return at, ok
}

// due returns when to ask the question, or the zero time if it is urgent.
func (q *question) due() time.Time {
	if q.stage == urgent {
		return time.Time{}
	}
	return q.ended.Add(delays[q.stage])
}
