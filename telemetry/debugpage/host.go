package debugpage

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync/atomic"
)

// allowedHosts are those of AllowHosts.
var allowedHosts atomic.Pointer[[]string]

// AllowHosts names the hosts, beside those that are always allowed, by which a browser may ask for
// the debug page: those of a proxy in front of it, or of the machine in a name service. A name
// that begins with a dot stands for all names that end so; "*" allows all. Every call replaces
// the names of the call before. It may be called concurrently.
//
// Always allowed are addresses, localhost, names without a dot, and the machine's own name. Other
// names are refused, because a page elsewhere could have its own name resolve to this server and
// then read the debug page (DNS rebinding).
func AllowHosts(names ...string) {
	names = slices.Clone(names)
	for i := range names {
		names[i] = strings.ToLower(strings.TrimSuffix(names[i], "."))
	}
	allowedHosts.Store(&names)
}

// hostAllowed reports whether a page may be asked for by that Host header.
func hostAllowed(header string) bool {
	host := header
	if name, _, err := net.SplitHostPort(header); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if _, err := netip.ParseAddr(host); err == nil || !strings.Contains(host, ".") || strings.HasSuffix(host, ".localhost") || host == ownName() {
		return true
	}
	names := allowedHosts.Load()
	return names != nil && slices.ContainsFunc(*names, func(name string) bool {
		return name == "*" || name == host || strings.HasPrefix(name, ".") && strings.HasSuffix(host, name)
	})
}

func ownName() string {
	name, _ := os.Hostname() // without one, no host has it
	return strings.ToLower(name)
}
