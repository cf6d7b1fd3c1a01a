package privacy

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/databricks/databricks-sql-go/driverctx"
	dbsqlrows "github.com/databricks/databricks-sql-go/rows"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// program runs statements on a database in a setting, opened in one way.
type program struct {
	t       *testing.T
	setting setting
	entry   string
	ws      *workspace.Workspace
	dir     string
	records *memory
	looked  int          // records whose pages were read
	broken  atomic.Value // what of the application is to fail, a string
}

// The ways to open a database.
const (
	open         = "sql.Open"
	newConnector = "NewConnector"
	wrap         = "Wrap"
	oauth        = "NewConnector with OAuth"
)

func (p *program) plant(place string, r rule) string {
	return planted.token(p.setting.name+", "+p.entry+": "+place, r)
}

// text and error plant what records have if they keep the texts of statements, and of errors.
func (p *program) text(place string) string  { return p.plant(place, p.setting.when(p.setting.text)) }
func (p *program) error(place string) string { return p.plant(place, p.setting.when(p.setting.full)) }

// secret plants what an error may quote.
func (p *program) secret(place string) string { return p.plant(place, p.setting.may(p.setting.full)) }

type contextKey struct{}

// context returns a context with everything that an application can put into one.
func (p *program) context() context.Context {
	ctx := driverctx.NewContextWithStagingInfo(p.t.Context(), []string{p.dir})
	ctx = driverctx.NewContextWithCorrelationId(ctx, p.plant("correlation id", onlyLocal))
	ctx = driverctx.NewContextWithConnId(ctx, p.plant("connection id", nowhere))
	of := slog.Any("it", &spoken{p.plant("value of a type", rule{in: local})})
	ctx = telemetry.WithAttributes(ctx, slog.String("customer", p.plant("attribute", onlyLocal)), slog.Group(p.plant("group", onlyLocal), of))
	ctx = context.WithValue(ctx, contextKey{}, p.plant("value in the context", mine))
	state, err := trace.ParseTraceState("vendor=" + p.plant("trace state", mine))
	require.NoError(p.t, err)
	member := must(baggage.NewMember("customer", p.plant("baggage", mine)))
	ctx = baggage.ContextWithBaggage(ctx, must(baggage.New(member)))
	return trace.ContextWithSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled, TraceState: state,
	}))
}

func drain(rows *sql.Rows, err error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var v any
		if err := rows.Scan(&v); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (p *program) inject(on workspace.Target, do workspace.Action) func() {
	return p.ws.Inject(workspace.Fault{On: on, Do: do}).Remove
}

// run runs statements of every kind and outcome.
func (p *program) run(db *sql.DB) {
	t, ctx := p.t, p.context()
	tagged := driverctx.NewContextWithQueryTags(ctx, map[string]string{p.plant("key of a tag", kept): p.plant("tag", kept)})
	query := func(ctx context.Context, text string, args ...any) error {
		return drain(db.QueryContext(ctx, text, args...))
	}

	// Connections that cannot be opened.
	p.misconfigure()
	if p.entry == oauth {
		body := fmt.Sprintf(`{"error":"invalid_client","error_description":"%s"}`, p.secret("error of the login"))
		remove := p.inject(workspace.Endpoint("/oidc/v1/token"), workspace.Answer(401, "application/json", body))
		require.Error(t, db.PingContext(ctx))
		remove()
	}
	remove := p.inject(workspace.Method("OpenSession"), workspace.Answer(403, "text/html", p.secret("body of a refused session")))
	require.Error(t, db.PingContext(ctx))
	remove()

	// What succeeds.
	require.NoError(t, query(tagged, "SELECT '"+p.text("literal")+"' AS `"+p.text("column")+"` /* "+p.text("comment")+" */ -- "+
		p.text("comment of a line")))
	require.NoError(t, query(ctx, "SELECT ? AS p", p.plant("positional parameter", nowhere)))
	require.NoError(t, query(ctx, "SELECT :name AS p", sql.Named("name", p.plant("named parameter", nowhere))))
	name := p.plant("name of a parameter", p.setting.may(p.setting.text))
	require.NoError(t, query(ctx, "SELECT :"+name+" AS p", sql.Named(name, 1)))
	typed := dbsql.Parameter{Name: "p", Type: dbsql.SqlString, Value: p.plant("typed parameter", nowhere)}
	require.NoError(t, query(ctx, "SELECT :p AS p", typed))
	require.NoError(t, query(ctx, "SELECT concat('/*files*/', id, t) FROM range(300) CROSS JOIN (SELECT max(t) AS t FROM main.default.results)"))
	show(must(db.ExecContext(ctx, "CREATE TABLE main.default.`"+p.text("table")+"` "+
		"(`"+p.text("column of a table")+"` STRING COMMENT '"+p.text("comment of a column")+"')")))
	must(db.ExecContext(ctx, "INSERT INTO main.default.results VALUES (?)", p.plant("inserted value", nowhere)))
	show(must(db.Conn(ctx)).Close())
	require.NoError(t, db.PingContext(ctx))
	if p.entry == newConnector {
		require.NoError(t, query(ctx, "SELECT /*slow*/ 1")) // it is polled, once a second
	}

	p.look()

	// Prepared, early, abandoned, a transaction; and what is printed of them.
	c := must(db.Conn(ctx))
	require.ErrorIs(t, c.Raw(func(native any) error {
		conn := native.(driver.Conn)
		stmt := must(conn.(driver.ConnPrepareContext).PrepareContext(ctx, "SELECT '"+p.text("prepared statement")+"' AS x"))
		rows := must(stmt.(driver.StmtQueryContext).QueryContext(ctx, nil))
		p.crawl("statements")
		show(conn, rows, native)
		require.NoError(t, rows.Next(make([]driver.Value, 1)))
		require.NoError(t, rows.Close())
		require.NoError(t, stmt.Close())
		tx, err := conn.(driver.ConnBeginTx).BeginTx(ctx, driver.TxOptions{})
		if show(err); err == nil {
			show(tx)
			require.NoError(t, tx.Rollback())
		}
		arrow := must(conn.(driver.QueryerContext).QueryContext(ctx, "SELECT '"+p.text("read as Arrow")+"' AS x", nil))
		batches := must(arrow.(dbsqlrows.Rows).GetArrowBatches(ctx))
		for batches.HasNext() {
			must(batches.Next()).Release()
		}
		require.NoError(t, arrow.Close())
		abandoned := must(conn.(driver.QueryerContext).QueryContext(ctx, "SELECT /* "+p.text("abandoned")+" */ id FROM range(300)", nil))
		show(abandoned)
		return driver.ErrBadConn // the pool closes the connection
	}), driver.ErrBadConn)
	early := must(db.QueryContext(ctx, "SELECT /* "+p.text("closed early")+" */ id FROM range(300)"))
	early.Next()
	require.NoError(t, early.Close())

	p.look()

	// What fails in the server.
	fails := func(err error) {
		t.Helper()
		require.Error(t, err)
	}
	both := func(place string) string { return p.plant(place, p.setting.when(p.setting.text || p.setting.full)) }
	fails(query(ctx, "SELECT * FROM `"+both("missing table")+"`"))
	fails(query(ctx, "SELECT CAST('"+both("bad date")+"' AS DATE)"))
	fails(query(ctx, "SELEC "+both("syntax")))
	fails(query(ctx, "SELECT "+both("missing function")+"(1)"))
	fails(query(ctx, "SELECT * FROM `["+strings.ToUpper(both("like a class"))+"] SQLSTATE: 42P01`"))
	fails(query(ctx, "SELECT CAST(? AS DATE)", p.error("parameter that the server quotes")))
	_, err := db.ExecContext(ctx, "DROP TABLE `"+both("missing table of an update")+"`")
	fails(err)

	p.look()

	// What fails on its way.
	execute := workspace.Method("ExecuteStatement")
	for code, body := range map[int]string{
		400: `{"error_description":"%s"}`, 401: "<html>%s</html>", 403: `{"message":"%s"}`, 404: "%s", 500: "<html>%s</html>",
	} {
		body = fmt.Sprintf(body, p.secret(fmt.Sprint("body of ", code)))
		remove := p.inject(execute, workspace.Answer(code, "text/html", body))
		fails(query(ctx, "SELECT 1"))
		remove()
	}
	remove = p.inject(execute, workspace.StatusRetryAfter(503, 0))
	fails(query(ctx, "SELECT 1"))
	remove()
	remove = p.inject(workspace.Method("FetchResults"), workspace.Answer(403, "text/html", p.secret("body of a page")))
	fails(query(ctx, "SELECT id /*pages*/ FROM range(5000)"))
	remove()
	xml := "<Error><Message>" + p.secret("error of the storage") + "</Message></Error>"
	remove = p.inject(workspace.ResultDownloads(), workspace.Answer(403, "application/xml", xml))
	fails(query(ctx, "SELECT concat('/*files*/', id) FROM range(300)"))
	remove()

	if p.entry == newConnector || p.entry == wrap {
		for _, what := range []string{"transport", "login"} {
			p.broken.Store(what)
			fails(query(ctx, "SELECT 1"))
			p.broken.Store("")
		}
	}

	// What ends with its context.
	for _, ends := range []string{"canceled", "deadline"} {
		cause := errors.New("because of " + p.secret("cause of "+ends))
		ending, end := context.WithCancelCause(ctx)
		if ends == "deadline" {
			end(nil)
			var release context.CancelFunc
			ending, release = context.WithTimeoutCause(ctx, 50*time.Millisecond, cause)
			defer release()
		}
		watch := p.ws.Inject(workspace.Fault{On: func(r workspace.Request) bool {
			if r.Thrift == "ExecuteStatement" && ends == "canceled" {
				end(cause)
			}
			return false
		}})
		_, err := db.ExecContext(ending, "SELECT /*forever*/ '"+p.plant(ends, p.setting.may(p.setting.text))+"'")
		fails(err)
		watch.Remove()
	}

	p.look()

	// Volumes.
	file := filepath.Join(p.dir, p.text("local file"))
	require.NoError(t, os.WriteFile(file, []byte(p.plant("content of a file", nowhere)), 0o600))
	path := "/Volumes/main/default/v/" + p.text("path of a volume")
	must(db.ExecContext(ctx, "PUT '"+file+"' INTO '"+path+"' OVERWRITE"))
	must(db.ExecContext(ctx, "GET '"+path+"' TO '"+file+"2'"))
	for place, text := range map[string]string{
		"missing local file": "PUT '" + p.dir + "/%s' INTO '/Volumes/main/default/v/x' OVERWRITE",
		"missing volume":     "GET '/Volumes/main/default/v/%s' TO '" + p.dir + "/y'",
		"bad volume":         "PUT '" + file + "' INTO '/Volumes/%s'",
		"elsewhere":          "PUT '/etc/%s' INTO '/Volumes/main/default/v/x' OVERWRITE",
	} {
		_, err := db.ExecContext(ctx, fmt.Sprintf(text, p.plant(place, p.setting.may(p.setting.text || p.setting.full))))
		fails(err)
	}
	xml = "<Error>" + p.secret("error of a volume") + "</Error>"
	remove = p.inject(workspace.VolumeTransfers(), workspace.Answer(403, "application/xml", xml))
	_, err = db.ExecContext(ctx, "PUT '"+file+"' INTO '"+path+"' OVERWRITE")
	fails(err)
	remove()
}

// misconfigure opens databases with settings that are not understood.
func (p *program) misconfigure() {
	for _, parameter := range []string{
		"telemetry_log_level=%s", "telemetry_%s=1", "enableTelemetry%s=1", "catalog=c;enableTelemetry=%s", "telemetry_slow_threshold=1s+%s",
	} {
		_, err := driverwrap.Config{}.OpenConnector(p.ws.DSN() + "?" + fmt.Sprintf(parameter, p.plant("parameter "+parameter, mine)))
		require.Error(p.t, err)
		show(err)
	}
	_, err := driverwrap.Config{Settings: telemetry.Settings{ErrorText: p.plant("field of the settings", mine)}}.NewConnector()
	require.Error(p.t, err)
	show(err)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

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
	query, user := p.plant("text in the history", nowhere), p.plant("user in the history", nowhere)
	message, kind := p.plant("error in the history", nowhere), p.plant("type in the history", nowhere)
	p.ws = workspace.New(t, workspace.Options{
		Token: "dapi" + p.plant("token", nowhere), TLS: p.entry == oauth, Hostname: name,
		WarehouseID: p.plant("warehouse", ofServer(rule{in: append(local, server, printed), must: local})),
		ClientID:    p.plant("client id", nowhere), ClientSecret: p.plant("client secret", nowhere),
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
		"INSERT INTO main.default.results VALUES ('"+p.plant("result", nowhere)+"')"))
	answer := func(path string, first, code int, contentType, body, place string) {
		do := workspace.Answer(code, contentType, fmt.Sprintf(body, p.plant(place, nowhere)))
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
	entry := p.plant("user agent entry", nowhere)
	tag := rule{in: kept.in} // of a session: recorded only if it is sent again with a traceparent
	parameters := append([]string{
		"catalog=" + catalog, "schema=" + schema, "userAgentEntry=" + entry,
		"QUERY_TAGS=" + p.plant("tag of a session", tag) + ":" + p.plant("value of a tag of a session", tag),
		p.plant("unknown parameter", nowhere) + "=" + p.plant("unknown value", nowhere),
		"clientSecret=" + p.plant("client secret beside a token", nowhere), "o=" + p.plant("workspace in the DSN", nowhere),
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
	told := func(place string) error { return &spoken{p.plant(place, p.setting.may(p.setting.full))} }
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
	key, value := p.plant("session parameter", nowhere), p.plant("value of a session parameter", nowhere)
	field := p.plant("field of a transport", nowhere)
	return append([]dbsql.ConnOption{
		dbsql.WithServerHostname("http://" + name), dbsql.WithPort(80), dbsql.WithHTTPPath(p.ws.HTTPPath()),
		dbsql.WithSessionParams(map[string]string{key: value}), dbsql.WithRetries(-1, 0, 0),
		dbsql.WithTransport(carrier{field, http.DefaultTransport, p.answers("transported"), fails("transport", &uploads)}),
		dbsql.WithAuthenticator(login{p.ws.Token(), fails("login", &logins)}),
	}, others...)
}

// answers plants tokens in the headers of answers and in error codes.
func (p *program) answers(from string) func(*http.Response) {
	headers := map[string]string{}
	for _, name := range []string{
		"Server", "X-Request-Id", "Set-Cookie", "X-Databricks-Shard-Debug", "Www-Authenticate", "X-Amz-Request-Id", "Warning",
	} {
		headers[name] = p.plant(from+" header "+name, mine)
	}
	// The driver reads these into its errors.
	told := p.setting.may(p.setting.full)
	message, reason := p.plant(from+" error header", told), p.plant(from+" reason header", told)
	again, state, phrase := p.plant(from+" Retry-After", told), p.plant(from+" SQLSTATE", told), p.plant(from+" status", told)
	location, workspaceID := p.plant(from+" Location", mine), p.plant(from+" workspace", mine)
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

// carrier is an application's transport. Its fields are printed with it.
type carrier struct {
	secret string
	base   http.RoundTripper
	plant  func(*http.Response)
	fail   func(*http.Request) error // may panic
}

func (c carrier) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := c.fail(r); err != nil {
		return nil, err
	}
	resp, err := c.base.RoundTrip(r)
	if err == nil {
		c.plant(resp)
	}
	return resp, err
}

// login is an application's authenticator.
type login struct {
	token string
	fail  func(*http.Request) error // may panic
}

func (l login) Authenticate(r *http.Request) error {
	if err := l.fail(r); err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+l.token)
	return nil
}

// spoken is an error whose text, type and methods tell something.
type spoken struct{ text string }

func (e *spoken) Error() string    { return "no route: " + e.text }
func (e *spoken) Category() string { return e.text }
func (e *spoken) SqlState() string { return e.text }
func (e *spoken) String() string   { return e.text }
