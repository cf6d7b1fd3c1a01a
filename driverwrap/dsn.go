package driverwrap

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/databricks/databricks-sql-go/auth"

	"github.com/seed-01322ee7/databricks-telemetry/internal/settings"
)

// splitDSN takes the wrapper's parameters out of a DSN and returns the rest, byte for byte, for the
// native driver. A DSN that is not a URL is left for the native driver to refuse.
func splitDSN(dsn string) (native string, parameters url.Values) {
	parameters = url.Values{}
	body, fragment, hasFragment := strings.Cut(dsn, "#")
	path, query, hasQuery := strings.Cut(body, "?")
	if !hasQuery {
		return dsn, parameters
	}
	kept := make([]string, 0, strings.Count(query, "&")+1)
	for _, pair := range strings.Split(query, "&") {
		if key, value := unescapePair(pair); settings.IsParameter(key) {
			parameters.Add(key, value)
		} else {
			kept = append(kept, pair)
		}
	}
	if len(parameters) == 0 {
		return dsn, parameters
	}
	native = path
	if len(kept) > 0 {
		native += "?" + strings.Join(kept, "&")
	}
	if hasFragment {
		native += "#" + fragment
	}
	return native, parameters
}

// unescapePair reads a parameter. Malformed text stays as it is, for an error to quote.
func unescapePair(pair string) (key, value string) {
	rawKey, rawValue, _ := strings.Cut(pair, "=")
	return orRaw(url.QueryUnescape, rawKey), orRaw(url.QueryUnescape, rawValue)
}

func orRaw(unescape func(string) (string, error), raw string) string {
	if text, err := unescape(raw); err == nil {
		return text
	}
	return raw
}

// Patterns of a parameter with a value. assignment is for text that should have no parameters; assignedInValue is
// for the value of another parameter, where a colon may belong to a query tag. separated finds a name after a
// separator, followed by a space and a value, or by no value, as in disableTelemetry.
var (
	assignment      = regexp.MustCompile(`([\w.-]+)["'\])}]*[ \t]*[=:]`)
	assignedInValue = regexp.MustCompile(`([\w.-]+)["'\])}]*[ \t]*=|[;&#?][ \t]*([\w.-]+)[ \t]*:`)
	separated       = regexp.MustCompile(`[;&#?][ \t]*([\w.-]+)([ \t]+\w)?`)
)

// misplaced returns an error for a parameter of the wrapper that splitDSN did not recognize: after the path
// without a ?, after a separator other than &, with an escaped =, or in the fragment. Such a parameter would
// become part of the path, of another parameter or of the fragment, and either cause no error or one that blames
// the wrong text.
func misplaced(native string, parameters map[string][]string) error {
	body, fragment, _ := strings.Cut(native, "#")
	address, query, _ := strings.Cut(body, "?")
	if _, after, ok := strings.Cut(address, "://"); ok {
		address = after
	}
	_, path, _ := strings.Cut(address, "/") // without the user and host before it
	names, values := unescaped(query)
	for _, name := range slices.Sorted(maps.Keys(parameters)) { // in order, so that the error is always the same
		values += strings.Join(parameters[name], "\n") + "\n"
	}
	for _, part := range []struct {
		text, place string
		form        *regexp.Regexp
	}{
		{unescapeAll(url.PathUnescape, path), "in the path of the DSN", assignment},
		{values, "in the value of another parameter of the DSN", assignedInValue},
		{query, "in the value of another parameter of the DSN", assignedInValue},
		{"#" + unescapeAll(url.PathUnescape, fragment), "in the fragment of the DSN", assignment},
		{names, "in the name of another parameter of the DSN", assignment},
	} {
		for _, m := range part.form.FindAllStringSubmatch(part.text, -1) {
			if name := strings.Join(m[1:], ""); settings.IsParameter(name) {
				return settings.MisplacedParameter(name, part.place)
			}
		}
		for _, m := range separated.FindAllStringSubmatch(part.text, -1) {
			if name, value := m[1], m[2]; settings.SaysOff(name) || value != "" && settings.IsParameter(name) {
				return settings.MisplacedParameter(name, part.place)
			}
		}
	}
	return nil
}

// unescaped returns the names of the parameters, joined, and their values, joined. A name with a =, a : or a
// space is an assignment that was escaped, once or twice, or written another way: enableTelemetry%3Dfalse,
// enableTelemetry:false, enableTelemetry+false.
func unescaped(query string) (names, values string) {
	var allNames, allValues strings.Builder
	for _, pair := range strings.Split(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name = strings.ReplaceAll(strings.TrimSpace(unescapeAll(url.QueryUnescape, name)), " ", "=")
		allNames.WriteString(name + "&")
		allValues.WriteString(unescapeAll(url.QueryUnescape, value) + "\n")
	}
	return allNames.String(), allValues.String()
}

// unescapeAll unescapes a text that may have been escaped twice.
func unescapeAll(unescape func(string) (string, error), text string) string {
	return orRaw(unescape, orRaw(unescape, text))
}

// parsedDSN is a DSN split as the native parser splits it.
type parsedDSN struct {
	url   *url.URL
	port  int
	query query
}

// parseDSN reports false for a DSN the native parser refuses before it reads parameters.
func parseDSN(dsn string) (parsedDSN, bool) {
	if !strings.HasPrefix(dsn, "https://") && !strings.HasPrefix(dsn, "http://") {
		dsn = "https://" + dsn
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return parsedDSN{}, false
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		return parsedDSN{}, false
	}
	return parsedDSN{url: u, port: port, query: query{u.Query()}}, true
}

// interactive reports whether the DSN asks for a login in the browser (OAuth U2M). Building
// the authenticator asks the workspace for its endpoints, so it must happen only once.
func (d parsedDSN) interactive() bool {
	return d.url.User.Username() == "" && auth.ParseAuthType(d.query.values.Get("authType")) == auth.AuthTypeOauthU2M
}

// kernel reports whether the DSN asks for the kernel backend.
func (d parsedDSN) kernel() bool {
	on, _ := strconv.ParseBool(d.url.Query().Get("useKernel"))
	return on
}

// withToken returns the DSN with its authentication replaced by a token, so that the native parser
// checks everything else.
func (d parsedDSN) withToken() string {
	u, values := *d.url, d.url.Query()
	for _, k := range authParameters {
		values.Del(k)
	}
	values.Set("accessToken", "none")
	u.RawQuery = values.Encode()
	return u.String()
}

var authParameters = []string{"authType", "clientId", "clientID", "clientSecret", "accessToken"}

// options rebuilds a DSN, which the native driver has accepted, through the driver's public options.
// It reports false for a DSN that cannot be rebuilt with certainty; the native connector is used
// then.
//
// options follows the native parser step by step, because every parameter that the native parser does
// not recognize becomes a session parameter on the server. An interactive DSN needs the authenticator
// with which it was checked.
func (d parsedDSN) options(interactive auth.Authenticator) ([]dbsql.ConnOption, bool) {
	u, q := d.url, d.query

	opts := []dbsql.ConnOption{
		dbsql.WithServerHostname(u.Scheme + "://" + u.Hostname()),
		dbsql.WithPort(d.port),
	}
	if u.Path != "" {
		opts = append(opts, dbsql.WithHTTPPath(u.Path))
	}

	if authenticate := d.authOption(interactive); authenticate != nil {
		opts = append(opts, authenticate)
	}

	if n, ok := q.takeInt("maxRows"); ok && n > 0 {
		opts = append(opts, dbsql.WithMaxRows(n))
	}
	if n, ok := q.takeInt("timeout"); ok {
		opts = append(opts, dbsql.WithTimeout(time.Duration(n)*time.Second))
	}
	catalog, _ := q.take("catalog")
	if entry, ok := q.take("userAgentEntry"); ok {
		opts = append(opts, dbsql.WithUserAgentEntry(entry))
	}
	schema, _ := q.take("schema")
	if catalog != "" || schema != "" {
		opts = append(opts, dbsql.WithInitialNamespace(catalog, schema))
	}
	if b, ok := q.takeBool("useCloudFetch"); ok {
		opts = append(opts, dbsql.WithCloudFetch(b))
	}
	if n, ok := q.takeInt("maxDownloadThreads"); ok {
		opts = append(opts, dbsql.WithMaxDownloadThreads(n))
	}
	if b, ok := q.takeBool("enableMetricViewMetadata"); ok {
		opts = append(opts, dbsql.WithEnableMetricViewMetadata(b))
	}
	if b, ok := q.takeBool("useArrowNativeDecimal"); ok {
		opts = append(opts, dbsql.WithArrowNativeDecimal(b))
	}

	if d.asksForKernel() {
		return nil, false
	}

	// Accepted by the native driver and ignored.
	q.take("telemetry_retry_count")

	if newerDriver(dbsql.DriverVersion) && !q.onlySessionParameters() {
		return nil, false
	}
	if len(q.values) > 0 {
		session := make(map[string]string, len(q.values))
		for k := range q.values {
			session[k] = q.values.Get(k)
		}
		opts = append(opts, dbsql.WithSessionParams(session)) // sets the location by timezone, too
	}
	return opts, true
}

// asksForKernel takes the parameters of the kernel backend, on drivers that have one; on older drivers they are
// session parameters like any other. It reports whether a DSN needs the native connector: the kernel does its own
// I/O, which cannot be observed, and tokenCache without the kernel is an error that the native connector returns.
func (d parsedDSN) asksForKernel() bool {
	if !driverKnows("UseKernel") {
		return false
	}
	if on, _ := d.query.takeBool("useKernel"); on {
		return true
	}
	d.query.take("warehouseId") // means nothing to the Thrift backend
	on, _ := d.query.takeBool("tokenCache")
	return on
}

// authOption follows the native rules. A token in the user part takes precedence; the parameters
// about authentication are ordinary session parameters then. authOption returns nil for a DSN without
// authentication.
func (d parsedDSN) authOption(interactive auth.Authenticator) dbsql.ConnOption {
	if d.url.User.Username() == "token" {
		token, _ := d.url.User.Password()
		return dbsql.WithAccessToken(token)
	}
	authType, _ := d.query.take("authType")
	clientID, ok := d.query.take("clientId")
	if !ok {
		clientID, _ = d.query.take("clientID")
	}
	secret, _ := d.query.take("clientSecret")
	token, _ := d.query.take("accessToken")

	switch t := auth.ParseAuthType(authType); {
	case t == auth.AuthTypeOauthU2M:
		return dbsql.WithAuthenticator(interactive)
	case t == auth.AuthTypeOauthM2M:
		return dbsql.WithClientCredentials(clientID, secret)
	case t == auth.AuthTypePat, token != "":
		return dbsql.WithAccessToken(token)
	case clientID != "" || secret != "":
		return dbsql.WithClientCredentials(clientID, secret)
	}
	return nil
}

// query holds the parameters of a DSN that have not been read yet.
type query struct{ values url.Values }

// take removes a parameter and returns its first value. An empty value counts as absent.
func (q query) take(key string) (string, bool) {
	v := q.values.Get(key)
	q.values.Del(key)
	return v, v != ""
}

// takeInt is take for numbers. The native parser has accepted them already.
func (q query) takeInt(key string) (int, bool) {
	v, _ := q.take(key)
	n, err := strconv.Atoi(v)
	return n, err == nil
}

func (q query) takeBool(key string) (bool, bool) {
	v, _ := q.take(key)
	b, err := strconv.ParseBool(v)
	return b, err == nil
}

// sessionParameters are names that Databricks defines for the session. No driver will give them
// another meaning.
var sessionParameters = []string{
	"ansi_mode", "collation", "enable_photon", "legacy_time_parser_policy", "max_file_partition_bytes",
	"query_tags", "read_only_external_metastore", "statement_timeout", "timezone", "use_cached_result", "o",
}

func (q query) onlySessionParameters() bool {
	for k := range q.values {
		k = strings.ToLower(k)
		if !slices.Contains(sessionParameters, k) && !strings.HasPrefix(k, "spark.") {
			return false
		}
	}
	return true
}

// newerDriver reports whether a driver version is newer than newestKnownDriver. An unreadable
// version counts as newer.
func newerDriver(version string) bool {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return true
	}
	major, err1 := strconv.Atoi(parts[0])
	minor, err2 := strconv.Atoi(parts[1])
	if err1 != nil || err2 != nil {
		return true
	}
	return slices.Compare([]int{major, minor}, newestKnownDriver[:]) > 0
}

// newestKnownDriver is the newest driver whose DSN parameters are all known here. On a newer
// one a DSN with unknown parameters is left to the native parser.
var newestKnownDriver = [2]int{1, 15}

// addParameter appends a parameter to a DSN, before its fragment.
func addParameter(dsn, parameter string) string {
	body, fragment, hasFragment := strings.Cut(dsn, "#")
	if strings.Contains(body, "?") {
		body += "&" + parameter
	} else {
		body += "?" + parameter
	}
	if hasFragment {
		body += "#" + fragment
	}
	return body
}
