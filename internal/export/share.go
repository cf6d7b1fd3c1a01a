package export

import (
	"net/http"
	"net/url"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/seed-01322ee7/databricks-telemetry/internal/registry"
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

// product is what Databricks asks partners to put into the user agent: vendor+product or
// vendor-product, with a version or without, or one word with a version. A word has no digits and no capitals within:
// what has could be a key. A bare word could be anything.
var product = regexp.MustCompile(`^(?:([A-Za-z][a-z]{1,19})[+-])?([A-Za-z][a-z]{1,19})(/v?\d{1,4}\.\d{1,4}(?:\.\d{1,4})?)?$`)

// partners are the vendors whose names may stand in front of a product. Of any other, two words
// may be somebody's name.
var partners = strings.Fields(`airbyte airflow alation alteryx astronomer atscale census collibra dagster databricks datadog
	dataiku datarobot dbt denodo domo fivetran gong grafana hex hightouch immuta informatica looker matillion metabase
	microsoft microstrategy mode monte omni power powerbi prefect preset privacera prophecy qlik retool rivery sap sigma
	snaplogic soda streamlit superset tableau talend thoughtspot tibco`)

// productName returns the user agent entry and the name in it when it is a product name.
func productName(entry string) (whole, name string) {
	m := product.FindStringSubmatch(entry)
	switch {
	case m == nil, hasKeyPrefix(entry):
		return "", ""
	case m[1] == "":
		if m[3] == "" {
			return "", ""
		}
		return entry, m[2]
	case !slices.Contains(partners, strings.ToLower(m[1])):
		return "", ""
	}
	return entry, strings.TrimSuffix(entry, m[3])
}

var version = regexp.MustCompile(`^(?:go)?\d{1,4}(?:\.\d{1,6}){1,2}(?:-?[a-z]{1,8}\d{0,3})?$`)

// isVersion: two or three numbers, perhaps with a tag such as rc1. Four would be an address.
func isVersion(s string) bool { return version.MatchString(s) }

// keyPrefixes begin the tokens of Databricks, of the clouds it runs on and of others that are
// pasted by mistake.
var keyPrefixes = []string{"dapi", "dose", "dkea", "doau", "dsapi", "akia", "asia", "aroa", "eyj", "ghp_", "gho_", "github_pat", "glpat", "sk-", "sk_", "pk_", "xox", "aiza", "ya29"}

// hasKeyPrefix is true for what begins like a token and is long enough to be one.
func hasKeyPrefix(s string) bool {
	s = strings.ToLower(s)
	return len(s) > 8 && slices.ContainsFunc(keyPrefixes, func(p string) bool { return strings.HasPrefix(s, p) })
}

var (
	localeName    = regexp.MustCompile(`^[a-z]{2,3}_[A-Z]{2}$`)
	kernelVersion = regexp.MustCompile(`^\d{1,4}(\.\d{1,6}){1,2}`)
	goVersion     = regexp.MustCompile(`^go\d+(\.\d+){0,2}([a-z]+\d+)?`)
)

// process describes the process, once: nothing of it changes.
var process = sync.OnceValue(func() *registry.Process {
	p := &registry.Process{RuntimeVersion: goVersion.FindString(runtime.Version()), OSName: osName(), OSArch: runtime.GOARCH}
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
func (c *Connection) reportable() *registry.Connection {
	r := &registry.Connection{Driver: c.Driver, Port: c.Port, HTTPPath: httpPathKind(c.HTTPPath)}
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
