package export

import (
	"sync/atomic"

	"github.com/seed-01322ee7/databricks-telemetry/internal/registry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// origin is what all events of one connector share. Waiting records refer to the origin and not to
// the connector's Handle, so that they do not keep the Handle alive.
type origin struct {
	connection Connection

	reportable               *registry.Connection
	constants                map[string][]byte // encoded objects by path
	userAgent, bareUserAgent string
	pathOrg                  string

	recordOrg atomic.Pointer[string] // workspace id, from a record
}

func newOrigin(c Connection) *origin {
	o := &origin{connection: c, pathOrg: orgID(c.HTTPPath)}
	o.reportable = c.reportable()
	o.userAgent, o.bareUserAgent = c.userAgents()
	o.constants = encodeConstants(&source{connection: o.reportable, process: process()})
	return o
}

// noteOrg keeps the workspace id of the connector's sessions.
func (o *origin) noteOrg(id string) {
	if id == "" {
		return
	}
	if known := o.recordOrg.Load(); known != nil && *known == id {
		return
	}
	if valid := validOrgID(id); valid != "" {
		o.recordOrg.Store(&valid)
	}
}

// org returns the workspace id of the connector, empty while unknown.
func (o *origin) org() string {
	if id := o.recordOrg.Load(); id != nil {
		return *id
	}
	return o.pathOrg
}

// org returns the workspace id of the record or, if that is unknown, of its connector.
func (e *entry) org() string {
	id := ""
	switch r := e.record.(type) {
	case *telemetry.Statement:
		id = r.WorkspaceID
	case *telemetry.SessionOpened:
		id = r.WorkspaceID
	}
	if id = validOrgID(id); id != "" {
		return id
	}
	return e.origin.org()
}
