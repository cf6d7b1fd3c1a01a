package export

import (
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// What comes from outside, such as the environment or the application's user agent, is let
// through by its shape alone: a short list of what is known to be harmless.

// httpPaths are the kinds of HTTP path; what follows them is an id.
var httpPaths = []string{"/sql/1.0/warehouses", "/sql/1.0/endpoints", "/sql/protocolv1/o"}

// httpPathKind cuts a path down to its kind; empty for one of no known kind.
func httpPathKind(path string) string {
	path = "/" + strings.TrimPrefix(path, "/")
	for _, kind := range httpPaths {
		if path == kind || strings.HasPrefix(path, kind+"/") {
			return kind
		}
	}
	return ""
}

// product is vendor+product, product/version, or both: what Databricks asks partners to put
// into the user agent. A bare word could be anything.
var product = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9_-]{1,31}(\+[A-Za-z][A-Za-z0-9_-]{1,31})?)(/v?\d{1,4}\.\d{1,4}(?:\.\d{1,4})?)?$`)

// productName returns the user agent entry and the name in it when it is a product name and
// has no run of letters and digits that could be a key.
func productName(entry string) (whole, name string) {
	m := product.FindStringSubmatch(entry)
	if m == nil || m[2] == "" && m[3] == "" || looksLikeKey(m[1]) {
		return "", ""
	}
	return entry, m[1]
}

var version = regexp.MustCompile(`^(?:go)?\d{1,4}(?:\.\d{1,6}){1,2}(?:-?[a-z]{1,8}\d{0,3})?$`)

// isVersion: two or three numbers, perhaps with a tag such as rc1. Four would be an address.
func isVersion(s string) bool { return version.MatchString(s) }

// keyPrefixes begin the tokens of Databricks and of the clouds it runs on.
var keyPrefixes = []string{"dapi", "dose", "dkea", "akia", "asia", "eyj", "ghp_", "sk-", "xox"}

// looksLikeKey is true for what begins like a token, and where digits and letters take turns
// as in a random string.
func looksLikeKey(s string) bool {
	s = strings.ToLower(s)
	for _, p := range keyPrefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	turns, digits := 0, 0
	for i := range len(s) {
		d := '0' <= s[i] && s[i] <= '9'
		if d {
			digits++
		}
		if i > 0 && d != ('0' <= s[i-1] && s[i-1] <= '9') {
			turns++
		}
	}
	return turns > 3 || digits > 6
}

var (
	localeName    = regexp.MustCompile(`^[a-z]{2,3}_[A-Z]{2}$`)
	kernelVersion = regexp.MustCompile(`^\d{1,4}(\.\d{1,6}){1,2}`)
	goVersion     = regexp.MustCompile(`^go\d+(\.\d+){0,2}([a-z]+\d+)?`)
)

// process describes the process, once: nothing of it changes.
var process = sync.OnceValue(func() *telemetry.Process {
	p := &telemetry.Process{RuntimeVersion: goVersion.FindString(runtime.Version()), OSName: osName(), OSArch: runtime.GOARCH}
	if raw, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		p.OSVersion = kernelVersion.FindString(string(raw))
	}
	for _, variable := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if name, _, _ := strings.Cut(os.Getenv(variable), "."); name != "" {
			p.Locale = localeName.FindString(name)
			break
		}
	}
	return p
})

func osName() string {
	switch runtime.GOOS {
	case "linux":
		return "Linux"
	case "darwin":
		return "macOS"
	case "windows":
		return "Windows"
	}
	return runtime.GOOS
}

// reportable reduces a connection to what may leave the process.
func (c *Connection) reportable() *telemetry.Connection {
	r := &telemetry.Connection{Driver: c.Driver, Port: c.Port, HTTPPath: httpPathKind(c.HTTPPath)}
	_, r.Application = productName(c.UserAgentEntry)
	if u, err := url.Parse(c.endpoint()); err == nil && u.Host != "" {
		proxy, err := http.ProxyFromEnvironment(&http.Request{URL: u})
		if err == nil {
			r.Proxy = telemetry.Known(proxy != nil)
		}
		if proxy != nil {
			r.ProxyAuth = "NONE"
			if proxy.User != nil {
				r.ProxyAuth = "BASIC"
			}
		}
	}
	return r
}

// userAgents returns the user agent of our requests and events, with and without the part
// that names the application.
func (c *Connection) userAgents() (full, bare string) {
	bare = "godatabrickssqlconnector"
	if v := c.Driver.Version; isVersion(v) {
		bare += "/" + v
	}
	bare += " databricks-telemetry/" + telemetry.Version
	full = bare
	if entry, _ := productName(c.UserAgentEntry); entry != "" {
		full += " (" + entry + ")"
	}
	return full, bare
}

// server is host:port, for the application's own eyes.
func (c *Connection) server() string {
	if c.Port != 0 {
		return net.JoinHostPort(c.Host, strconv.Itoa(c.Port))
	}
	return c.Host
}
