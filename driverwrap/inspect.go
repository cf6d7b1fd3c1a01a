package driverwrap

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

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
