package privacy

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
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
	return planted.add(p.setting.name+", "+p.entry+": "+place, r)
}

// text and error plant what records have if they keep the texts of statements, and of errors.
func (p *program) text(place string) string { return p.plant(place, p.setting.when(p.setting.text)) }

func (p *program) error(place string) string { return p.plant(place, p.setting.when(p.setting.full)) }

// secret plants what an error may quote.
func (p *program) secret(place string) string { return p.plant(place, p.setting.may(p.setting.full)) }

type contextKey struct{}

// context returns a context with everything that an application can put into one.
func (p *program) context() context.Context {
	ctx := driverctx.NewContextWithStagingInfo(p.t.Context(), []string{p.dir})
	ctx = driverctx.NewContextWithCorrelationId(ctx, p.plant("correlation id", onlyLocal))
	ctx = driverctx.NewContextWithConnId(ctx, p.plant("connection id", driverOnly))
	of := slog.Any("it", &tellingError{p.plant("value of a type", rule{in: local})})
	ctx = telemetry.WithAttributes(ctx, slog.String("customer", p.plant("attribute", onlyLocal)), slog.Group(p.plant("group", onlyLocal), of))
	ctx = context.WithValue(ctx, contextKey{}, p.plant("value in the context", nowhere))
	state, err := trace.ParseTraceState("vendor=" + p.plant("trace state", nowhere))
	require.NoError(p.t, err)
	member := must(baggage.NewMember("customer", p.plant("baggage", nowhere)))
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
	require.NoError(t, query(ctx, "SELECT ? AS p", p.plant("positional parameter", driverOnly)))
	require.NoError(t, query(ctx, "SELECT :name AS p", sql.Named("name", p.plant("named parameter", driverOnly))))
	name := p.plant("name of a parameter", p.setting.may(p.setting.text))
	require.NoError(t, query(ctx, "SELECT :"+name+" AS p", sql.Named(name, 1)))
	typed := dbsql.Parameter{Name: "p", Type: dbsql.SqlString, Value: p.plant("typed parameter", driverOnly)}
	require.NoError(t, query(ctx, "SELECT :p AS p", typed))
	require.NoError(t, query(ctx, "SELECT concat('/*files*/', id, t) FROM range(300) CROSS JOIN (SELECT max(t) AS t FROM main.default.results)"))
	show(must(db.ExecContext(ctx, "CREATE TABLE main.default.`"+p.text("table")+"` "+
		"(`"+p.text("column of a table")+"` STRING COMMENT '"+p.text("comment of a column")+"')")))
	must(db.ExecContext(ctx, "INSERT INTO main.default.results VALUES (?)", p.plant("inserted value", driverOnly)))
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
	require.NoError(t, os.WriteFile(file, []byte(p.plant("content of a file", driverOnly)), 0o600))
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
		_, err := driverwrap.Config{}.OpenConnector(p.ws.DSN() + "?" + fmt.Sprintf(parameter, p.plant("parameter "+parameter, nowhere)))
		require.Error(p.t, err)
		show(err)
	}
	_, err := driverwrap.Config{Settings: telemetry.Settings{ErrorText: p.plant("field of the settings", nowhere)}}.NewConnector()
	require.Error(p.t, err)
	show(err)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
