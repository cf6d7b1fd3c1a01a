package debugpage

import (
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// AllowHosts sets the host names under which a browser may request the debug page, such as the name of a
// proxy in front of it or the machine's DNS name. A name that begins with a dot allows all names that
// end in it; "*" allows all names. Each call replaces the names of the previous call. AllowHosts may be
// called concurrently.
//
// IP addresses, localhost, names without a dot and the machine's own name are always allowed. All
// other names are refused, because another site could make its own name resolve to this server and
// then read the debug page (DNS rebinding).
func AllowHosts(names ...string) { pageOf(&telemetry.Default).allow(names...) }

func (p *page) allow(names ...string) {
	names = slices.Clone(names)
	for i, name := range names {
		if u, err := url.Parse(name); err == nil && u.Host != "" {
			name = u.Host // name is an address
		}
		names[i] = hostName(name)
	}
	p.allowed.Store(&names)
}

// allows reports whether requests with this Host header are answered.
func (p *page) allows(header string) bool {
	host := hostName(header)
	if _, err := netip.ParseAddr(host); err == nil || !strings.Contains(host, ".") || strings.HasSuffix(host, ".localhost") || host == ownName() {
		return true
	}
	names := p.allowed.Load()
	return names != nil && slices.ContainsFunc(*names, func(name string) bool {
		return name == "*" || name == host || strings.HasPrefix(name, ".") && strings.HasSuffix(host, name)
	})
}

// hostName returns the name in a Host header, without a port.
func hostName(header string) string {
	if name, _, err := net.SplitHostPort(header); err == nil {
		header = name
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(header, "[]"), "."))
}

func ownName() string {
	name, _ := os.Hostname() // empty on failure, which matches no host
	return strings.ToLower(name)
}
