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

// flagKey identifies a flag. A host that several workspaces share has one flag for each workspace.
// Nothing is shared between a testing/synctest bubble and the outside.
type flagKey struct{ endpoint, org, bubble string }

// asker identifies the transport and the credential of a request. Either may be why the request fails: the
// transport cannot reach the host, or the host refuses the credential.
type asker struct{ transport, credential any }

func (c *Connection) tenant() tenant {
	return tenant{flagKey{strings.ToLower(c.endpoint()), orgID(c.HTTPPath), contain.Bubble()}, c.asker()}
}

// Tenant returns a comparable value that is equal for connections that may share a [Requester],
// because they have the same host, workspace, credential and transport. ok is false if the host is
// unknown.
func (c *Connection) Tenant() (key any, ok bool) { return c.tenant(), c.endpoint() != "" }

// asker returns a value that is equal for connections with equal credentials whose requests may use the
// same transport.
func (c *Connection) asker() asker {
	transport := any(c.TLS)
	if c.Transport != nil {
		transport = identity(c.Transport)
	}
	return asker{transport, identity(cmp.Or(c.Credential, any(c.Authenticator)))}
}

// identity returns v if it is comparable, and otherwise a value that is equal to no other.
func identity(v any) any {
	if v == nil || reflect.ValueOf(v).Comparable() {
		return v
	}
	return new(byte)
}
