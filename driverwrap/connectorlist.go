package driverwrap

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"weak"

	"github.com/seed-01322ee7/databricks-telemetry/cloudfetch"
	"github.com/seed-01322ee7/databricks-telemetry/internal/ondemand"
	"github.com/seed-01322ee7/databricks-telemetry/internal/shared"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// connectorList lists the connectors of a process by weak pointers. When the application drops a
// sql.DB without closing it, the garbage collector frees its connector, which is then removed from
// the list.
type connectorList struct {
	added atomic.Int64
	all   sync.Map            // int64, the connector's id → weak.Pointer[connector]
	wire  cloudfetch.Counters // of all of them, removed ones included
}

// connectorsOf returns the list of a process, which takes part in its Flush, Shutdown and Stats.
func connectorsOf(p *telemetry.Process) *connectorList {
	return shared.Of(p.Shared(), func() *connectorList { return &connectorList{} })
}

// add numbers a connector and lists it.
func (l *connectorList) add(c *connector) {
	c.connectorID, c.list = l.added.Add(1), l
	l.all.Store(c.connectorID, weak.Make(c))
	runtime.AddCleanup(c, l.remove, c.connectorID)
}

func (l *connectorList) remove(id int64) { l.all.Delete(id) }

// existing returns the connectors that have not been collected, in the order they were made.
func (l *connectorList) existing() (all []*connector) {
	for _, p := range l.all.Range {
		if c := p.(weak.Pointer[connector]).Value(); c != nil {
			all = append(all, c)
		}
	}
	slices.SortStableFunc(all, func(a, b *connector) int { return cmp.Compare(a.connectorID, b.connectorID) })
	return all
}

// FlushSinks waits for the connectors' own sinks, all at once; see [telemetry.Fanout.Flush].
func (l *connectorList) FlushSinks(ctx context.Context) error {
	connectors := l.existing()
	return ondemand.Each(len(connectors), func(i int) error {
		if own := connectors[i].ownSinks; own != nil {
			return own.Flush(ctx)
		}
		return nil
	})
}

// Connectors returns the existing connectors.
func (l *connectorList) Connectors() []telemetry.Connector {
	all := l.existing()
	listed := make([]telemetry.Connector, len(all))
	for i, c := range all {
		listed[i] = inspector{c}
	}
	return listed
}

// AddTo adds what was seen on the wire to the counts of the process.
func (l *connectorList) AddTo(s *telemetry.Stats) { s.Wire = l.wire.Stats() }
