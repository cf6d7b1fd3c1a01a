package privacy

import (
	"bytes"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// serve starts the workspace of a program. It returns its name and the catalog and schema that are there.
func (p *program) serve() (name, catalog, schema string) {
	t := p.t
	ofServer := func(r rule) rule { // behind Wrap only errors tell about it
		if p.entry == wrap {
			return p.setting.may(p.setting.full)
		}
		return r
	}
	if name = oauthHost; p.entry != oauth {
		name = p.plant("host", ofServer(host)) + ".example.com"
	}
	catalog, schema = p.plant("catalog", ofServer(namespaces)), p.plant("schema", ofServer(namespaces))
	query, user := p.plant("text in the history", driverOnly), p.plant("user in the history", driverOnly)
	message, kind := p.plant("error in the history", driverOnly), p.plant("type in the history", driverOnly)
	p.ws = workspace.New(t, workspace.Options{
		Token: "dapi" + p.plant("token", driverOnly), TLS: p.entry == oauth, Hostname: name,
		WarehouseID: p.plant("warehouse", ofServer(rule{in: append(local, server, printed), must: local})),
		ClientID:    p.plant("client id", driverOnly), ClientSecret: p.plant("client secret", driverOnly),
		TelemetryFlag: workspace.FlagOn, CaptureBodies: true,
		FileRows: 100, CloudFetchThreshold: 3000, PageRows: 1000, DirectResultWait: 300 * time.Millisecond,
		LinkHeaders: map[string]string{"X-Canary": p.secret("header of a link")},
		ExecutionTime: func(text string) time.Duration {
			switch {
			case strings.Contains(text, "/*forever*/"):
				return time.Hour
			case strings.Contains(text, "/*slow*/"):
				return 350 * time.Millisecond
			}
			return 0
		},
		History: func(_ workspace.StatementFacts, e *workspace.HistoryEntry) {
			e.QueryText, e.UserName, e.ErrorMessage, e.StatementType = query, user, message, kind
		},
	})
	require.NoError(t, p.ws.Exec(t.Context(), "CREATE CATALOG "+catalog, "CREATE SCHEMA "+catalog+"."+schema,
		"CREATE TABLE main.default.results (t STRING)",
		"INSERT INTO main.default.results VALUES ('"+p.plant("result", driverOnly)+"')"))
	answer := func(path string, first, code int, contentType, body, place string) {
		do := workspace.Answer(code, contentType, fmt.Sprintf(body, p.plant(place, driverOnly)))
		p.ws.Inject(workspace.Fault{On: workspace.Endpoint(path), First: first, Do: do})
	}
	answer("/api/2.0/connector-service", 0, 200, "application/json",
		`{"flags":[{"name":"databricks.partnerplatform.clientConfigsFeatureFlags.enableTelemetryForGoDriver","value":"true"},`+
			`{"name":"%[1]s","value":"%[1]s"}],"ttl_seconds":900}`, "another flag")
	answer("/telemetry-ext", 1, 503, "text/html", "<html>%s</html>", "page of the telemetry endpoint")
	answer("/telemetry-ext", 1, 200, "application/json", `{"errors":["%s"],"numProtoSuccess":1000}`, "error of the telemetry endpoint")
	if p.setting.name == class.name {
		answer("/api/2.0/sql/history", 0, 403, "text/html", "<html>%s</html>", "page of the history")
	}
	proxy.add(name, p.ws, p.answers("proxied"))
	return name, catalog, schema
}

// start starts the workspace of a program and opens its database.
func (p *program) start(sinks []telemetry.Sink) *sql.DB {
	t := p.t
	name, catalog, schema := p.serve()
	entry := p.plant("user agent entry", driverOnly)
	tag := rule{in: kept.in} // of a session: recorded only if it is sent again with a traceparent
	parameters := append([]string{
		"catalog=" + catalog, "schema=" + schema, "userAgentEntry=" + entry,
		"QUERY_TAGS=" + p.plant("tag of a session", tag) + ":" + p.plant("value of a tag of a session", tag),
		p.plant("unknown parameter", driverOnly) + "=" + p.plant("unknown value", driverOnly),
		"clientSecret=" + p.plant("client secret beside a token", driverOnly), "o=" + p.plant("workspace in the DSN", driverOnly),
		"telemetry_query_history=all", "telemetry_close_timeout=1m", "telemetry_retry_delay=1ms", "telemetry_flush_interval=100ms",
		"telemetry_log_level=info",
	}, p.setting.parameters()...)
	config := driverwrap.Config{Sinks: sinks, Settings: telemetry.Settings{
		CloseTimeout: time.Minute, RetryDelay: time.Millisecond, FlushInterval: 100 * time.Millisecond, QueryHistory: "all",
		QueryText: p.setting.text, ErrorText: p.setting.errors, TraceTags: p.setting.tags,
	}}
	others := []dbsql.ConnOption{dbsql.WithUserAgentEntry(entry), dbsql.WithInitialNamespace(catalog, schema)}
	var c driver.Connector
	var err error
	switch p.entry {
	case open:
		dsn := strings.Replace(p.ws.DSN(parameters...), strings.TrimPrefix(p.ws.URL(), "http://"), name+":80", 1)
		c, err = driverwrap.Config{Sinks: sinks}.OpenConnector(dsn)
	case wrap:
		c, err = dbsql.NewConnector(p.options(name, others...)...)
		c = config.Wrap(c)
	case newConnector:
		c, err = config.NewConnector(p.options(name, others...)...)
	case oauth:
		trusted.AppendCertsFromPEM(p.ws.AuthorityPEM())
		named.Store(oauthHost+":443", strings.TrimPrefix(p.ws.URL(), "https://"))
		c, err = config.NewConnector(append(others,
			dbsql.WithServerHostname(name), dbsql.WithPort(443), dbsql.WithHTTPPath(p.ws.HTTPPath()), dbsql.WithRetries(-1, 0, 0),
			dbsql.WithTransport(http.DefaultTransport), dbsql.WithClientCredentials(p.ws.ClientID(), p.ws.ClientSecret()))...)
	}
	require.NoError(t, err)
	db := sql.OpenDB(c)
	show(c, db)
	return db
}

// options are those of a connector with an authenticator and a transport of the application, which fail now and then.
func (p *program) options(name string, others ...dbsql.ConnOption) []dbsql.ConnOption {
	told := func(place string) error { return &tellingError{p.plant(place, p.setting.may(p.setting.full))} }
	var uploads, logins atomic.Int64
	// fails fails what the program wants to fail, and panics with the first upload.
	fails := func(what string, count *atomic.Int64) func(*http.Request) error {
		err, value := told("error of a "+what), told("panic of a "+what)
		return func(r *http.Request) error {
			switch {
			case strings.HasPrefix(r.URL.Path, "/telemetry"):
				if p.entry == newConnector && count.Add(1) == 1 {
					panic(value)
				}
			case p.broken.Load() == what:
				return err
			}
			return nil
		}
	}
	key, value := p.plant("session parameter", driverOnly), p.plant("value of a session parameter", driverOnly)
	field := p.plant("field of a transport", driverOnly)
	return append([]dbsql.ConnOption{
		dbsql.WithServerHostname("http://" + name), dbsql.WithPort(80), dbsql.WithHTTPPath(p.ws.HTTPPath()),
		dbsql.WithSessionParams(map[string]string{key: value}), dbsql.WithRetries(-1, 0, 0),
		dbsql.WithTransport(ownTransport{field, http.DefaultTransport, p.answers("transported"), fails("transport", &uploads)}),
		dbsql.WithAuthenticator(ownAuthenticator{p.ws.Token(), fails("login", &logins)}),
	}, others...)
}

// answers plants tokens in the headers of answers and in error codes.
func (p *program) answers(from string) func(*http.Response) {
	headers := map[string]string{}
	for _, name := range []string{
		"Server", "X-Request-Id", "Set-Cookie", "X-Databricks-Shard-Debug", "Www-Authenticate", "X-Amz-Request-Id", "Warning",
	} {
		headers[name] = p.plant(from+" header "+name, nowhere)
	}
	// The driver reads these into its errors.
	told := p.setting.may(p.setting.full)
	message, reason := p.plant(from+" error header", told), p.plant(from+" reason header", told)
	again, state, phrase := p.plant(from+" Retry-After", told), p.plant(from+" SQLSTATE", told), p.plant(from+" status", told)
	location, workspaceID := p.plant(from+" Location", nowhere), p.plant(from+" workspace", nowhere)
	return func(r *http.Response) {
		for name, value := range headers {
			r.Header.Set(name, "GUID "+value)
		}
		if r.StatusCode >= 400 {
			r.Header.Set("X-Thriftserver-Error-Message", "token "+message)
			r.Header.Set("X-Databricks-Reason-Phrase", reason)
			r.Header.Set("X-Databricks-Org-Id", workspaceID)
			r.Status = strconv.Itoa(r.StatusCode) + " " + phrase
			if r.StatusCode < 500 {
				r.Header.Set("Retry-After", again)
			}
		}
		if r.StatusCode == 200 {
			r.Header.Set("Location", "http://"+location+".example/")
		}
		body, err := io.ReadAll(r.Body)
		_ = r.Body.Close()
		if strings.Contains(r.Header.Get("Content-Type"), "thrift") {
			body = bytes.ReplaceAll(body, []byte("\x00\x00\x00\x05"+longState), []byte("\x00\x00\x00\x0c"+state))
			r.ContentLength = int64(len(body))
			r.Header.Set("Content-Length", strconv.Itoa(len(body)))
		}
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err}))
	}
}

const longState = "42883" // of a routine that does not exist; it is replaced with a text that is no SQLSTATE

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}

// ownTransport is an application's transport. Its fields are printed with it.
type ownTransport struct {
	secret string
	base   http.RoundTripper
	plant  func(*http.Response)
	fail   func(*http.Request) error // may panic
}

func (t ownTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := t.fail(r); err != nil {
		return nil, err
	}
	resp, err := t.base.RoundTrip(r)
	if err == nil {
		t.plant(resp)
	}
	return resp, err
}

// ownAuthenticator is an application's authenticator.
type ownAuthenticator struct {
	token string
	fail  func(*http.Request) error // may panic
}

func (a ownAuthenticator) Authenticate(r *http.Request) error {
	if err := a.fail(r); err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+a.token)
	return nil
}

// tellingError is an error whose text, type and methods tell something.
type tellingError struct{ text string }

func (e *tellingError) Error() string    { return "no route: " + e.text }
func (e *tellingError) Category() string { return e.text }
func (e *tellingError) SqlState() string { return e.text }
func (e *tellingError) String() string   { return e.text }
