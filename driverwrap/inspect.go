package driverwrap

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/internal/ondemand"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func init() {
	telemetry.Default.Join(telemetry.Member{
		Connectors: connectors.list, Sinks: connectors.flush, Stats: addWireStats,
	})
}

// connectors lists the connectors of the process by weak pointers. When the application drops a
// sql.DB without closing it, the garbage collector frees its connector, which is then removed from
// the list.
var connectors connectorList

type connectorList struct {
	added atomic.Int64
	all   sync.Map // int64, the connector's id → weak.Pointer[connector]
}

// add numbers a connector and lists it.
func (l *connectorList) add(c *connector) {
	c.connectorID = l.added.Add(1)
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

// flush waits for the connectors' own sinks, all at once; see [telemetry.Fanout.Flush].
func (l *connectorList) flush(ctx context.Context) error {
	connectors := l.existing()
	return ondemand.Each(len(connectors), func(i int) error {
		if own := connectors[i].ownSinks; own != nil {
			return own.Flush(ctx)
		}
		return nil
	})
}

func (l *connectorList) list() []telemetry.Connector {
	all := l.existing()
	listed := make([]telemetry.Connector, len(all))
	for i, c := range all {
		listed[i] = inspector{c}
	}
	return listed
}

// inspector shows what a connector is doing.
type inspector struct{ of *connector }

var _ telemetry.Connector = inspector{}

// Info describes the connector as it is now.
func (i inspector) Info() telemetry.ConnectorInfo {
	c := i.of
	info := telemetry.ConnectorInfo{
		ID: c.connectorID, OpenedVia: c.openedVia, Server: c.server, Created: c.created, Driver: c.driverConfig, Settings: c.inForce,
		Recording: !c.unrecorded.Load(), Sessions: len(c.sessions.list()), Reports: "none",
	}
	if info.Opening = int(c.sessions.opening.Load()); info.Opening > 0 {
		info.OpeningFor = max(0, time.Since(c.created)-time.Duration(c.sessions.ended.Load()))
	}
	switch {
	case c.report.Recording():
		info.Reports = "wrapper"
	case c.openedVia == "Wrap", c.wire == nil && c.settings.Enabled != telemetry.SwitchOff:
		info.Reports = "driver"
	}
	return info
}

// Running returns the statements that are not finished, oldest first.
func (i inspector) Running() []*telemetry.Statement {
	now := time.Now()
	var running []*telemetry.Statement
	for _, st := range i.of.sessions.unfinished() {
		if r, query := st.soFar(now); r != nil {
			r.Shape = telemetry.ShapeOf(query)
			running = append(running, r)
		}
	}
	slices.SortStableFunc(running, func(a, b *telemetry.Statement) int {
		return cmp.Or(a.Started.Compare(b.Started), strings.Compare(a.StatementID, b.StatementID))
	})
	return running
}

// Documents returns what Databricks receives, or would receive, for a record.
func (i inspector) Documents(record any) []string {
	switch c := i.of; {
	case c.report != nil:
		return c.report.Preview(record)
	case c.wire != nil:
		return export.Preview(*c.reportTo, record)
	}
	return nil
}
