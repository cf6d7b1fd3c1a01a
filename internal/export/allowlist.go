package export

import (
	"regexp"
	"slices"
	"strings"
)

// Text from the environment or from the application, such as its user agent, is sent only if it has
// one of the forms below, which are known to be harmless.

// httpPaths are the kinds of HTTP path; what follows them is an id.
var httpPaths = []string{"/sql/1.0/warehouses", "/sql/1.0/endpoints", "/sql/protocolv1/o"}

// httpPathKind returns the kind of a path; empty for an unknown kind.
func httpPathKind(path string) string {
	path = "/" + strings.TrimPrefix(path, "/")
	for _, kind := range httpPaths {
		if path == kind || strings.HasPrefix(path, kind+"/") {
			return kind
		}
	}
	return ""
}

// warehousePaths are the kinds of HTTP path that end with the id of a SQL warehouse.
var warehousePaths = httpPaths[:2]

// warehouseID matches more than the sixteen hexadecimal digits of today's ids, but no key with capitals.
var warehouseID = regexp.MustCompile(`^[0-9a-z-]{1,32}$`)

// WarehouseID returns the id of the SQL warehouse in the HTTP path, for local records. It is empty
// for a path of another kind, and for text that does not look like an id, because it may be a token.
func (c *Connection) WarehouseID() string {
	path, _, _ := strings.Cut("/"+strings.TrimPrefix(c.HTTPPath, "/"), "?")
	for _, kind := range warehousePaths {
		id, ok := strings.CutPrefix(path, kind+"/")
		if id = strings.TrimSuffix(id, "/"); ok && warehouseID.MatchString(id) && !hasKeyPrefix(id) && !longHex.MatchString(id) {
			return id
		}
	}
	return ""
}

// product matches what Databricks asks partners to put into the user agent: vendor+product or
// vendor-product, with or without a version, or one word with a version. A word has no digits and no
// capitals except the first letter, because a key may have them. One word without a version may be
// anything.
var product = regexp.MustCompile(`^(?:([A-Za-z][a-z]{1,19})[+-])?([A-Za-z][a-z]{1,19})(/v?\d{1,4}\.\d{1,4}(?:\.\d{1,4})?)?$`)

// partners are the vendors that may precede a product. Any other two words may be the name of a
// person.
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

var version = regexp.MustCompile(`^(?:go)?\d{1,4}(?:\.\d{1,6}){1,2}(?:-?(?:alpha|beta|rc|pre|dev|devel|snapshot)\d{0,3})?$`)

// isVersion reports whether s is two or three numbers, possibly with a tag such as rc1. Four numbers
// could be an IP address.
func isVersion(s string) bool { return version.MatchString(s) }

// keyPrefixes are the beginnings of tokens of Databricks, of the clouds that it runs on, and of other
// services.
var keyPrefixes = []string{"dapi", "dose", "dkea", "doau", "dsapi", "akia", "asia", "aroa", "eyj", "ghp_", "gho_", "github_pat", "glpat", "sk-", "sk_", "pk_", "xox", "aiza", "ya29"}

// hasKeyPrefix reports whether s begins like a token and is long enough to be one.
func hasKeyPrefix(s string) bool {
	s = strings.ToLower(s)
	return len(s) > 8 && slices.ContainsFunc(keyPrefixes, func(p string) bool { return strings.HasPrefix(s, p) })
}
