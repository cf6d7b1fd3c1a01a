package export

import (
	"sync/atomic"

	"github.com/seed-01322ee7/databricks-telemetry/internal/registry"
)

// origin is what all events of one connector have in common. It outlives the connector's
// Handle as long as records wait that need it.
type origin struct {
	connection Connection

	facts                    *registry.Connection
	fixed                    map[string][]byte // encoded objects by path
	userAgent, bareUserAgent string
	pathOrg                  string

	learnedOrg atomic.Pointer[string] // workspace id, from a record
}

func newOrigin(c Connection) *origin {
	o := &origin{connection: c, pathOrg: orgID(c.HTTPPath)}
	o.facts = c.reportable()
	o.userAgent, o.bareUserAgent = c.userAgents()
	o.fixed = constants(&source{connection: o.facts, process: process()})
	return o
}

// learnOrg remembers which workspace the connector's sessions are in.
func (o *origin) learnOrg(id string) {
	if id == "" {
		return
	}
	if known := o.learnedOrg.Load(); known != nil && *known == id {
		return
	}
	if valid := validOrgID(id); valid != "" {
		o.learnedOrg.Store(&valid)
	}
}

// org is the workspace id of the connector, empty while unknown.
func (o *origin) org() string {
	if id := o.learnedOrg.Load(); id != nil {
		return *id
	}
	return o.pathOrg
}

// org is the workspace id of the record, or of its connector.
func (e *entry) org() string {
	id := ""
	switch {
	case e.statement != nil:
		id = e.statement.WorkspaceID
	case e.opened != nil:
		id = e.opened.WorkspaceID
	}
	if id = validOrgID(id); id != "" {
		return id
	}
	return e.origin.org()
}
