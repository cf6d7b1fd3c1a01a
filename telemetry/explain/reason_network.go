package explain

import (
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func networkReason(s *telemetry.Statement, took time.Duration) reason {
	var waited time.Duration
	for _, r := range s.RPCs {
		if r.Method != "GetOperationStatus" && r.Retries == 0 { // otherwise the time may be in PartServer or PartRetry
			waited += r.Connecting
		}
	}
	switch {
	case most(waited, took):
		return reason{
			"waiting for a network connection to the workspace, for " + format.Duration(waited),
			keepConnections,
		}
	case len(s.RPCs) == 0 && s.RPCs != nil, len(s.Calls) > 0 && most(s.Calls[0].Start, took):
		return reason{"in the driver, before its first request", unsentAdvice(s, inspectSigningIn)}
	case s.RPCs != nil && most(took-requesting(s), took):
		return reason{"in the driver, between its requests", unsentAdvice(s, inspectSigningIn)}
	}
	return reason{
		"in none of the other parts: the network, and the driver itself",
		"Look at the way to the workspace: distance, proxies, TLS handshakes of new connections (SetMaxIdleConns). Where the driver signs in with OAuth, look at the identity provider, too.",
	}
}

// requesting returns how long calls were under way.
func requesting(s *telemetry.Statement) (sum time.Duration) {
	for _, r := range s.RPCs {
		sum += r.Latency
	}
	for i := range s.Calls {
		if c := &s.Calls[i]; c.End == (telemetry.Maybe[time.Duration]{}) {
			sum += lastAttempt(s, c) // not part of Latency yet
		}
	}
	return sum
}

const inspectSigningIn = "Where the driver signs in with OAuth, it does so before a request: look at the identity provider, and at how long its tokens live."

const keepConnections = "Look at DNS, firewalls, TLS and proxies on the way to the workspace, and keep connections (SetMaxIdleConns, SetConnMaxIdleTime). The driver's own transport opens at most 100 at a time."
