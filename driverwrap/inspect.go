package driverwrap

import (
	"cmp"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func init() {
	telemetry.Default.Join(telemetry.Part{Connectors: connectors.list, Stats: addWireStats})
}

// connectors are those of the process. Being listed keeps nothing alive: an application may
// let go of a sql.DB without closing it, and its connector leaves the list when the garbage
// collector takes it.
var connectors directory

type directory struct {
	made atomic.Int64
	all  sync.Map // int64, the connector's id → weak.Pointer[connector]
}

// enter lists a connector and numbers it.
func (d *directory) enter(c *connector) {
	c.id = d.made.Add(1)
	d.all.Store(c.id, weak.Make(c))
	runtime.AddCleanup(c, d.leave, c.id)
}

func (d *directory) leave(id int64) { d.all.Delete(id) }

func (d *directory) list() []telemetry.Connector {
	var all []inspector
	for _, p := range d.all.Range {
		if c := p.(weak.Pointer[connector]).Value(); c != nil {
			all = append(all, inspector{c})
		}
	}
	slices.SortFunc(all, func(a, b inspector) int { return cmp.Compare(a.of.id, b.of.id) })
	listed := make([]telemetry.Connector, len(all))
	for i, c := range all {
		listed[i] = c
	}
	return listed
}

// inspector is a connector to those who show what it is doing.
type inspector struct{ of *connector }

var _ telemetry.Connector = inspector{}

// Info describes the connector as it is now.
func (i inspector) Info() telemetry.ConnectorInfo {
	c := i.of
	info := telemetry.ConnectorInfo{
		ID: c.id, OpenedVia: c.openedVia, Server: c.server, Created: c.created, Driver: c.native, Settings: c.inForce,
		Sessions: len(c.conns.list()), Reports: "none",
	}
	switch {
	case c.report.Recording():
		info.Reports = "wrapper"
	case c.wire == nil && c.settings.Enabled != telemetry.SwitchOff:
		info.Reports = "driver"
	}
	return info
}

// Running returns the statements that are not finished, oldest first.
func (i inspector) Running() []*telemetry.Statement {
	now := time.Now()
	var running []*telemetry.Statement
	for _, c := range i.of.conns.list() {
		for _, st := range c.unfinished() {
			if r := st.soFar(now); r != nil {
				running = append(running, r)
			}
		}
	}
	slices.SortStableFunc(running, func(a, b *telemetry.Statement) int {
		if order := a.Started.Compare(b.Started); order != 0 {
			return order
		}
		return strings.Compare(a.StatementID, b.StatementID)
	})
	return running
}

// Documents returns what Databricks is, or would be, told about a record.
func (i inspector) Documents(record any) []string {
	switch c := i.of; {
	case c.report != nil:
		return c.report.Preview(record)
	case c.wire != nil:
		return export.Preview(c.to, record)
	}
	return nil
}

// conns are the open connections of a connector.
type conns struct {
	closed  atomic.Bool  // the connector is closed; connections that are in use live on
	opening atomic.Int64 // connections that are being opened

	mu  sync.Mutex
	all map[*conn]struct{} // guarded by mu
}

func (s *conns) add(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[*conn]struct{}{}
	}
	s.all[c] = struct{}{}
}

func (s *conns) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, c)
}

// over reports whether the connector is closed, and none of its connections can have anything
// to record any more.
func (s *conns) over() bool {
	if !s.closed.Load() || s.opening.Load() > 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.all {
		if !c.isLost() {
			return false
		}
	}
	return true
}

func (s *conns) list() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.all))
}
