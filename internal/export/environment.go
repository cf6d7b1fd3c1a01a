package export

import (
	"cmp"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"runtime"
	"strings"
	"sync"

	"github.com/seed-01322ee7/databricks-telemetry/internal/registry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

var (
	localeName    = regexp.MustCompile(`^[a-z]{2,3}_[A-Z]{2}$`)
	kernelVersion = regexp.MustCompile(`^\d{1,4}(\.\d{1,6}){1,2}`)
	goVersion     = regexp.MustCompile(`^go\d+(\.\d+){0,2}([a-z]+\d+)?`)
)

// process describes the process. It is computed once, because nothing in it changes.
var process = sync.OnceValue(func() *registry.Process {
	p := &registry.Process{RuntimeVersion: goVersion.FindString(runtime.Version()), OSName: cmp.Or(osNames[runtime.GOOS], runtime.GOOS), OSArch: runtime.GOARCH}
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

var osNames = map[string]string{"linux": "Linux", "darwin": "macOS", "windows": "Windows"}

// reportable reduces a connection to what may leave the process.
func (c *Connection) reportable() *registry.Connection {
	r := &registry.Connection{Driver: c.Driver, Port: c.Port, HTTPPath: httpPathKind(c.HTTPPath)}
	_, r.Application = productName(c.UserAgentEntry)
	if u, err := url.Parse(c.endpoint()); err == nil && u.Host != "" && c.Transport == nil { // a user-supplied transport chooses its own proxy
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

// userAgents returns the user agent of requests and events, with and without the part that names
// the application.
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
