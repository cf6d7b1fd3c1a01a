package history

import (
	"io"
	"net/url"
	"strconv"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/internal/queue"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

const path = "/api/2.0/sql/history/queries"

// run makes one request after another until none is due.
func (w *worker) run() {
	contain.Process.Guard(contain.History, func() {
		for w.ask() {
		}
	}, w.recoverRun)
}

// recoverRun cleans up after a panic in run. No such panic is known.
func (w *worker) recoverRun() {
	w.mu.Lock()
	defer w.unlock()
	for _, it := range w.asking {
		w.settle(DropBroken, it.Value)
	}
	w.asking = nil
	now := time.Now()
	w.pace.unanswered(now, DropBroken, 0)
	w.goroutine.Stopped(now)
}

// ask makes one request. It reports false if none is due, and the goroutine must end.
func (w *worker) ask() bool {
	ids, workspace, ok := w.take()
	if len(ids) == 0 {
		return ok
	}
	query := url.Values{"filter_by.statement_ids": ids, "include_metrics": {"true"}, "max_results": {strconv.Itoa(len(ids))}}
	w.reader.counts.requests.Add(1)
	var a answer // read only if the response was accepted; otherwise another goroutine may still write it
	r := w.requester.Get(w.ctx, path+"?"+query.Encode(), workspace, func(body io.Reader) (ok bool, err error) {
		a, ok, err = parse(body, ids)
		return ok, err
	})
	if !r.Accepted {
		if r.Retry || w.ctx.Err() == nil {
			w.reader.counts.failures.Add(1)
		}
		w.unanswered(r)
		return true
	}
	w.answered(a)
	return true
}

// take returns the statements to ask about now. ok is false if no request is due, and the goroutine
// must end.
func (w *worker) take() (ids []string, workspace string, ok bool) {
	w.mu.Lock()
	defer w.unlock()
	now := time.Now()
	if at, ok := w.due(now); !ok || at.After(now) || w.ended != "" {
		w.goroutine.Stopped(now)
		return nil, "", false
	}
	for i := range w.stages {
		stage := &w.stages[urgent-i] // first the questions that have waited longest
		for it := stage.Oldest(); it != nil && len(w.asking) < maxBatch && !it.Value.due().After(now); it = stage.Oldest() {
			if q := stage.Pop(); q.Value.stage != urgent && now.Sub(q.Value.ended) > maxAge {
				w.settle(DropExpired, q.Value)
			} else {
				w.asking = append(w.asking, q)
				ids = append(ids, q.Value.id)
			}
		}
	}
	if len(ids) > 0 {
		w.pace.begin(now)
	}
	return ids, w.workspace, true
}

// answered processes an answer.
func (w *worker) answered(a answer) {
	w.mu.Lock()
	defer w.unlock()
	now := time.Now()
	w.pace.accepted()
	nextPage := a.more && a.found // the next request asks about the remaining statements
	var again []queue.Item[*question]
	for _, it := range w.asking {
		q := it.Value
		e := a.entries[q.id]
		if e != nil {
			q.report = &telemetry.ServerReport{Started: q.started, Reported: now, Connector: q.connector, Server: q.server, StatementID: q.id}
			e.fill(q.report, now.Sub(q.started))
		}
		switch {
		case w.ended != "":
			w.settle(w.ended, q)
		case e == nil && nextPage && q.target.closed:
			w.settle(DropClosed, q)
		case e == nil && nextPage:
			if q.target.closing {
				q.stage = urgent
			}
			again = append(again, it)
		case q.target.closing, q.report != nil && q.report.Final, q.stage == len(delays)-1:
			w.settle(DropNotFound, q)
		default:
			q.stage++
			w.stages[q.stage].Push(q, q.failed)
		}
	}
	w.putBack(again)
}

// putBack ends a request, and puts questions that must be asked again back to the front of their
// stages. w.mu is held.
func (w *worker) putBack(again []queue.Item[*question]) {
	w.asking = nil
	for i := len(again) - 1; i >= 0; i-- {
		w.stages[again[i].Value.stage].Return(again[i : i+1])
	}
}

// unanswered processes a response without an answer.
func (w *worker) unanswered(r export.Response) {
	w.mu.Lock()
	defer w.unlock()
	now := time.Now()
	reason := w.ended
	switch {
	case r.Retry: // also if the request was interrupted after a long wait: see export.Response
		w.pace.unanswered(now, r.Error, r.After)
	case reason == "":
		reason = DropRefused
		w.pace.refused(now, r.Error)
		w.settle(reason, w.remove(nil)...)
	}
	var again []queue.Item[*question]
	for _, it := range w.asking {
		switch q := it.Value; {
		case reason != "":
			w.settle(reason, q)
		case q.target.closing: // a closing target does not wait for another request
			w.settle(DropClosed, q)
		default:
			again = append(again, it)
		}
	}
	w.putBack(again)
	for w.stages[urgent].Len() > 0 {
		w.settle(DropClosed, w.stages[urgent].Pop().Value)
	}
}
