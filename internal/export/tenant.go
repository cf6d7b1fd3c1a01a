package export

import (
	"cmp"
	"reflect"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
)

// tenant is one credential at one workspace, reached by one way.
type tenant struct {
	flagKey
	credential any
	transport  any
}

// flagKey identifies a flag. A host that several workspaces share has one flag for each. Nothing is
// shared between a test of the application in a bubble of testing/synctest and what is outside.
type flagKey struct{ endpoint, org, bubble string }

func (c *Connection) tenant() tenant {
	return tenant{flagKey{c.endpoint(), orgID(c.HTTPPath), contain.Bubble()}, c.credentialIdentity(), c.transportIdentity()}
}

// Tenant returns a comparable value that is equal for connections whose requests may be made by one
// [Requester]: they have the same host, workspace, credential and transport. ok is false when the
// host is unknown.
func (c *Connection) Tenant() (key any, ok bool) { return c.tenant(), c.endpoint() != "" }

// credentialIdentity returns a value that is equal for equal credentials.
func (c *Connection) credentialIdentity() any {
	return identity(cmp.Or(c.Credential, any(c.Authenticator)))
}

// transportIdentity returns a value that is equal for connections whose requests may use one
// transport.
func (c *Connection) transportIdentity() any {
	if c.Transport == nil {
		return c.TLS
	}
	return identity(c.Transport)
}

// identity is a value that can be compared. One that cannot is equal to no other.
func identity(v any) any {
	if v == nil || reflect.ValueOf(v).Comparable() {
		return v
	}
	return new(byte)
}
