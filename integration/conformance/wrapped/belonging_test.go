package wrapped

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/databricks/databricks-sql-go/driverctx"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// spans is a tracer that makes a span of every statement, and a sink that keeps the records.
type spans struct {
	memory
	started atomic.Uint32
}

var _ telemetry.Tracer = (*spans)(nil)

func (s *spans) Tracing() bool { return true }

func (s *spans) StatementStarting(ctx context.Context, _ telemetry.StatementStart) (context.Context, telemetry.StatementSpan) {
	return ctx, spanNumber(s.started.Add(1))
}

func (s *spans) SessionStarting(ctx context.Context, _ telemetry.SessionStart) (context.Context, telemetry.SessionSpan) {
	return ctx, nil
}

type spanNumber byte

func (n spanNumber) Context() (traceID [16]byte, spanID [8]byte) {
	return [16]byte{0xab, 15: byte(n)}, [8]byte{0xcd, 7: byte(n)}
}

func (spanNumber) StatementExecuted(*telemetry.Statement) {}

// openings are the entry points of the wrapped driver, with parameters of the session.
func openings(config driverwrap.Config, parameters map[string]string) map[string]func(*testing.T, *workspace.Workspace) *sql.DB {
	var dsn []string
	for key, value := range parameters {
		dsn = append(dsn, key+"="+value)
	}
	return map[string]func(*testing.T, *workspace.Workspace) *sql.DB{
		"OpenConnector": func(t *testing.T, ws *workspace.Workspace) *sql.DB {
			c, err := config.OpenConnector(ws.DSN(dsn...))
			require.NoError(t, err)
			return sql.OpenDB(c)
		},
		"NewConnector": func(t *testing.T, ws *workspace.Workspace) *sql.DB {
			c, err := config.NewConnector(append(options(ws), dbsql.WithSessionParams(parameters))...)
			require.NoError(t, err)
			return sql.OpenDB(c)
		},
		"Wrap": func(t *testing.T, ws *workspace.Workspace) *sql.DB {
			return sql.OpenDB(config.Wrap(nativeConnector(t, ws.DSN(append(dsn, "enableTelemetry=false")...))))
		},
	}
}

func TestAStatementSaysWhatItBelongsTo(t *testing.T) {
	sink := &memory{}
	for name, open := range openings(listening(sink), nil) {
		t.Run(name, func(t *testing.T) {
			sink.statements = nil
			ws := workspace.New(t, workspace.Options{WorkspaceID: 42, WarehouseID: "0a1b2c3d4e5f6789"})
			db := open(t, ws)
			db.SetMaxOpenConns(1)
			ctx := driverctx.NewContextWithCorrelationId(t.Context(), "c-1")
			ctx = driverctx.NewContextWithQueryTags(ctx, map[string]string{"team": "data"})
			ctx = telemetry.WithAttributes(ctx, slog.String("route", "/orders"), slog.Int("attempt", 2))
			_ = transcript(db.QueryContext(ctx, "SELECT 1"))
			require.NoError(t, execError(db, "CREATE SCHEMA elsewhere"))
			require.NoError(t, execError(db, "USE SCHEMA elsewhere"))
			_ = transcript(db.Query("SELECT current_schema()"))
			require.NoError(t, db.Close())

			first, last := sink.statements[0], sink.statements[3]
			require.Equal(t, "c-1", first.CorrelationID)
			require.Equal(t, map[string]string{"team": "data"}, first.QueryTags)
			require.Equal(t, []slog.Attr{slog.String("route", "/orders"), slog.Int64("attempt", 2)}, first.Attributes)
			require.Empty(t, last.CorrelationID)
			require.Nil(t, last.QueryTags)
			require.Nil(t, last.Attributes)
			if name == "Wrap" {
				require.Empty(t, first.WarehouseID+first.InitialCatalog+first.InitialSchema+first.ProfileURL(), "none of it is seen")
				return
			}
			for _, r := range []*telemetry.Statement{first, last} {
				require.Equal(t, "0a1b2c3d4e5f6789", r.WarehouseID)
				require.Equal(t, "main", r.InitialCatalog)
				require.Equal(t, "default", r.InitialSchema, "where the session began, also after USE")
				require.Equal(t, fmt.Sprintf("https://%s/sql/history?queryId=%s&o=42", r.Server, r.StatementID), r.ProfileURL())
			}
		})
	}
}

func TestTheNamespaceIsTheOneTheSessionWasOpenedWith(t *testing.T) {
	sink := &memory{}
	ws := workspace.New(t, workspace.Options{})
	require.NoError(t, ws.Exec(t.Context(), "CREATE CATALOG shop", "CREATE SCHEMA shop.orders"))
	c, err := listening(sink).OpenConnector(ws.DSN("catalog=shop", "schema=orders"))
	require.NoError(t, err)
	db := sql.OpenDB(c)
	_ = transcript(db.Query("SELECT 1"))
	require.NoError(t, db.Close())
	require.Equal(t, "shop", sink.statements[0].InitialCatalog)
	require.Equal(t, "orders", sink.statements[0].InitialSchema)
}

// tagsOf are the query tags with which a statement reached the warehouse, each as it was written.
func tagsOf(t *testing.T, ws *workspace.Workspace, id string) []string {
	truth, ok := ws.Statement(id)
	require.True(t, ok)
	if truth.Overlay["query_tags"] == "" {
		return nil
	}
	return strings.Split(truth.Overlay["query_tags"], ",")
}

func parentOf(r *telemetry.Statement) string {
	return "traceparent:00-" + hex.EncodeToString(r.TraceID[:]) + "-" + hex.EncodeToString(r.SpanID[:]) + "-01"
}

func TestTheTagsOfAStatementLeadToItsSpan(t *testing.T) {
	for name, test := range map[string]struct {
		session map[string]string
		own     map[string]string // the statement's
		want    []string          // besides the span
	}{
		"no other tags":          {},
		"the statement's tags":   {own: map[string]string{"team": "data", "x": ""}, want: []string{"team:data", "x"}},
		"the session's tags":     {session: map[string]string{"QUERY_TAGS": "team:data"}, want: []string{"team:data"}},
		"both: the statement's":  {session: map[string]string{"QUERY_TAGS": "team:data"}, own: map[string]string{"app": "etl"}, want: []string{"app:etl"}},
		"other session settings": {session: map[string]string{"ansi_mode": "true"}},
	} {
		traced := &spans{}
		config := listening(traced)
		config.Settings.TraceTags = true
		for entry, open := range openings(config, test.session) {
			t.Run(name+" "+entry, func(t *testing.T) {
				traced.statements = nil
				ws := workspace.New(t, workspace.Options{})
				db := open(t, ws)
				ctx := t.Context()
				if test.own != nil {
					ctx = driverctx.NewContextWithQueryTags(ctx, test.own)
				}
				_ = transcript(db.QueryContext(ctx, "SELECT 1"))
				require.NoError(t, execErrorContext(ctx, db, "CREATE TABLE t (id INT)"))
				require.NoError(t, db.PingContext(ctx))
				require.NoError(t, db.Close())
				require.Len(t, traced.statements, 3)
				for _, r := range traced.statements {
					require.NotZero(t, r.TraceID)
					require.ElementsMatch(t, append(test.want, parentOf(r)), tagsOf(t, ws, r.StatementID))
				}
			})
		}
	}
}

func TestATraceparentOfTheApplicationsOwnIsLeftAlone(t *testing.T) {
	traced := &spans{}
	config := listening(traced)
	config.Settings.TraceTags = true
	for name, open := range openings(config, nil) {
		t.Run(name, func(t *testing.T) {
			traced.statements = nil
			ws := workspace.New(t, workspace.Options{})
			db := open(t, ws)
			_ = transcript(db.QueryContext(driverctx.NewContextWithQueryTags(t.Context(), map[string]string{"traceparent": "mine"}), "SELECT 1"))
			require.NoError(t, db.Close())
			require.Equal(t, []string{"traceparent:mine"}, tagsOf(t, ws, traced.statements[0].StatementID))
		})
	}
}

// With the setting off, or on with nothing to add, requests are byte for byte those of the native driver,
// however much the wrapper knows about a statement.
func TestContextOfAStatementChangesNoRequest(t *testing.T) {
	session := map[string]string{"QUERY_TAGS": "team:data"}
	requests := func(t *testing.T, open func(*testing.T, *workspace.Workspace) *sql.DB) (out []string) {
		ws := workspace.New(t, workspace.Options{CaptureBodies: true, WarehouseID: "w", Token: "dapi0", WorkspaceID: 1})
		db := open(t, ws)
		db.SetMaxOpenConns(1)
		ctx := driverctx.NewContextWithCorrelationId(t.Context(), "c-1")
		ctx = telemetry.WithAttributes(ctx, slog.String("route", "/orders"))
		tagged := driverctx.NewContextWithQueryTags(ctx, map[string]string{"app": "etl"})
		for _, ctx := range []context.Context{t.Context(), ctx, tagged} {
			_ = transcript(db.QueryContext(ctx, "SELECT id FROM range(20) WHERE id < ?", 15))
			_ = execErrorContext(ctx, db, "CREATE TABLE IF NOT EXISTS x (id INT)")
			_ = db.PingContext(ctx)
		}
		require.NoError(t, db.Close())
		for _, r := range ws.Requests() {
			if r.Thrift != "" {
				header := r.Header.Clone()
				header.Del("Host")
				out = append(out, fmt.Sprintf("%s %s %s %d %v %x", r.Method, r.Path, r.Thrift, r.Seq, header, maskIDs(r)))
			}
		}
		return out
	}
	want := requests(t, func(t *testing.T, ws *workspace.Workspace) *sql.DB {
		return sql.OpenDB(nativeConnector(t, ws.DSN("QUERY_TAGS=team:data", "enableTelemetry=false")))
	})
	require.NotEmpty(t, want)

	silent := listening(&memory{})
	silent.Settings.TraceTags = true
	for name, config := range map[string]driverwrap.Config{"off": listening(&spans{}), "on, without a span": silent} {
		for entry, open := range openings(config, session) {
			t.Run(name+" "+entry, func(t *testing.T) { require.Equal(t, want, requests(t, open)) })
		}
	}
}
