package history

import (
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Why a statement has no report; see telemetry.HistoryStats.
const (
	DropNotFound  = "not_found"
	DropRefused   = "refused"
	DropQueueFull = "queue_full"
	DropExpired   = "expired"
	DropClosed    = "closed"
	DropShutDown  = "shut_down"
	DropBroken    = "broken"
)

var reasons = [...]string{DropNotFound, DropRefused, DropQueueFull, DropExpired, DropClosed, DropShutDown, DropBroken}

// counts are the numbers of telemetry.HistoryStats.
type counts struct {
	statements, reported, requests, failures, unavailable atomic.Int64

	dropped [len(reasons)]atomic.Int64
}

func (c *counts) drop(reason string) { c.dropped[slices.Index(reasons[:], reason)].Add(1) }

// AddTo adds the counts to those of a process.
func (r *Reader) AddTo(s *telemetry.Stats) { s.History = r.Stats() }

// Stats counts the statements and requests so far.
func (r *Reader) Stats() telemetry.HistoryStats {
	var clients []telemetry.HistoryClientStats
	waiting := int64(0)
	workers := r.list()
	slices.SortStableFunc(workers, func(a, b *worker) int { return strings.Compare(a.requester.Server(), b.requester.Server()) })
	for _, w := range workers {
		s := w.stats()
		waiting += s.Waiting
		clients = append(clients, s)
	}
	c := &r.counts
	s := telemetry.HistoryStats{
		Statements: c.statements.Load(), Reported: c.reported.Load(), Dropped: map[string]int64{}, Waiting: waiting,
		Requests: c.requests.Load(), Failures: c.failures.Load(), Unavailable: c.unavailable.Load(), Clients: clients,
	}
	for i, reason := range reasons {
		if n := c.dropped[i].Load(); n > 0 {
			s.Dropped[reason] = n
		}
	}
	return s
}

func (w *worker) stats() telemetry.HistoryClientStats {
	r := w.reader
	r.mu.Lock()
	refs := w.refs
	r.mu.Unlock()
	w.mu.Lock()
	s := telemetry.HistoryClientStats{Server: w.requester.Server(), Connectors: refs, Waiting: int64(w.unsettled)}
	w.mu.Unlock()
	p := w.pace
	p.mu.Lock()
	defer p.mu.Unlock()
	s.LastError = p.lastError
	if time.Now().Before(p.quietUntil) {
		s.QuietUntil = p.quietUntil.UTC()
	}
	return s
}
