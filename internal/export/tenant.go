package export

import (
	"cmp"
	"reflect"
	"strings"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
)

// tenant is one credential at one workspace, reached through one transport.
type tenant struct {
	flagKey
	asker
}

// flagKey identifies a flag. A host that several workspaces share has one flag for each. Nothing is
// shared between a test of the application in a bubble of testing/synctest and what is outside.
type flagKey struct{ endpoint, org, bubble string }

// asker is who makes a request. Either half may be why the request fails: a transport that cannot reach the
// host, a credential that the host refuses.
type asker struct{ transport, credential any }

func (c *Connection) tenant() tenant {
	return tenant{flagKey{strings.ToLower(c.endpoint()), orgID(c.HTTPPath), contain.Bubble()}, c.asker()}
}

// Tenant returns a comparable value that is equal for connections whose requests may be made by one
// [Requester]: they have the same host, workspace, credential and transport. ok is false when the
// host is unknown.
func (c *Connection) Tenant() (key any, ok bool) { return c.tenant(), c.endpoint() != "" }

// asker returns a value that is equal for connections with equal credentials whose requests may use one
// transport.
func (c *Connection) asker() asker {
	transport := any(c.TLS)
	if c.Transport != nil {
		transport = identity(c.Transport)
	}
	return asker{transport, identity(cmp.Or(c.Credential, any(c.Authenticator)))}
}

// identity returns v where it can be compared, and otherwise a value that is equal to no other.
func identity(v any) any {
	if v == nil || reflect.ValueOf(v).Comparable() {
		return v
	}
	return new(byte)
}
