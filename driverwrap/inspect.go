package driverwrap

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/export"
)

func init() { telemetry.RegisterConnectors(connectors.list) }

// connectors are those of the process. Being listed keeps nothing alive: an application may
// forget a sql.DB without closing it.
var connectors directory

type directory struct {
	mu    sync.Mutex
	made  int64                     // guarded by mu
	all   []weak.Pointer[connector] // in the order they were made; guarded by mu
	sweep int                       // how many make it worthwhile to look for dead ones; guarded by mu
}

// enter lists a connector and numbers it.
func (d *directory) enter(c *connector) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.made++
	c.id = d.made
	if len(d.all) >= d.sweep {
		d.all = slices.DeleteFunc(d.all, func(p weak.Pointer[connector]) bool { return p.Value() == nil })
		d.sweep = 2*len(d.all) + 16
	}
	d.all = append(d.all, weak.Make(c))
}

func (d *directory) leave(c *connector) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = slices.DeleteFunc(d.all, func(p weak.Pointer[connector]) bool { return p.Value() == c })
}

func (d *directory) list() []telemetry.Connector {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]telemetry.Connector, 0, len(d.all))
	for _, p := range d.all {
		if c := p.Value(); c != nil {
			all = append(all, inspector{c})
		}
	}
	return all
}

// inspector is a connector to those who show what it is doing.
type inspector struct{ of *connector }

var _ telemetry.Connector = inspector{}

// Info describes the connector as it is now.
func (i inspector) Info() telemetry.ConnectorInfo {
	c := i.of
	info := telemetry.ConnectorInfo{
		ID: c.id, Door: c.door, Server: c.server, Created: c.created, Driver: c.native, Settings: c.inForce,
		Sessions: len(c.conns.list()), Reports: "nobody",
	}
	switch {
	case c.report.Recording():
		info.Reports = "us"
	case c.wire == nil && c.settings.Enabled != telemetry.Off:
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
