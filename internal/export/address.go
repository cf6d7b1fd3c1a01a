package export

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// address returns the host and port that the driver dials, empty when unknown. Like the driver, it
// parses the given host as part of a URL, so user information and a path in it are not part of the
// host.
func (c *Connection) address() (host, port string) {
	if c.Port != 0 {
		port = strconv.Itoa(c.Port)
	}
	if isAddress(c.Host) {
		return c.Host, port
	}
	given := c.Host
	if port != "" {
		given += ":" + port
	}
	u, err := url.Parse(c.scheme() + "://" + given)
	if err != nil {
		return "", ""
	}
	host = u.Hostname()
	if strings.Contains(host, ":") && !isAddress(host) {
		return "", "" // a second port
	}
	return host, u.Port()
}

// endpoint returns scheme://host:port, for requests; empty when the host is unknown.
func (c *Connection) endpoint() string {
	host, port := c.address()
	if host == "" {
		return ""
	}
	return c.scheme() + "://" + strings.TrimSuffix(net.JoinHostPort(host, port), ":")
}

// Server returns host:port for records, pages and logs. It is empty when either is unknown, and when
// the given host does not look like one, because it may be a token.
func (c *Connection) Server() string {
	host, port := c.address()
	if port == "" && host != "" && c.Port != 0 {
		port = defaultPorts[c.scheme()] // the given host had the port after a path
	}
	if port == "" || !c.shows(host) {
		return ""
	}
	return net.JoinHostPort(host, port)
}

var defaultPorts = map[string]string{"https": "443", "http": "80"}

// shownEndpoint returns the endpoint as Stats shows it, or "unknown" for a host that does not look
// like one.
func (c *Connection) shownEndpoint() string {
	if host, _ := c.address(); !c.shows(host) {
		return c.scheme() + "://unknown"
	}
	return c.endpoint()
}

var (
	hostLabel = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$`)
	topLevel  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]$`)
	plainHost = regexp.MustCompile(`^(?:[A-Z]{1,20}|[A-Za-z][a-z]{0,19})(?:[-_](?:[A-Z]{1,20}|[A-Za-z][a-z]{0,19})){0,3}$`)
	longHex   = regexp.MustCompile(`(?i)^[0-9a-f]{24,}$`)
)

// shows reports whether the address may be shown. If an @ follows the end of the host, the text before it
// may be part of a password.
func (c *Connection) shows(host string) bool {
	end := strings.IndexAny(c.Host, "/?#")
	return plausibleHost(host) && (end < 0 || !strings.Contains(c.Host[end:], "@"))
}

// plausibleHost reports whether host is an IP address or looks like a host name. A name without a dot
// must be plain; in a name with dots, no part may look like a token.
func plausibleHost(host string) bool {
	if isAddress(host) {
		return true
	}
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	if len(host) > 253 || len(labels) == 1 && (len(host) > 40 || !plainHost.MatchString(host)) || !topLevel.MatchString(labels[len(labels)-1]) {
		return false
	}
	for _, label := range labels {
		if !hostLabel.MatchString(label) || hasKeyPrefix(label) || longHex.MatchString(label) || mixesCases(label) {
			return false
		}
	}
	return true
}

func isAddress(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.Zone() == ""
}

// mixesCases reports whether s has lower-case and upper-case letters and digits, as random strings
// do.
func mixesCases(s string) bool {
	return strings.ContainsAny(s, "0123456789") && strings.ToLower(s) != s && strings.ToUpper(s) != s
}
