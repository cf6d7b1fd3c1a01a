package driverwrap_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"

	"github.com/databricks/databricks-sql-go/driverctx"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// taggedConn keeps the query tags that reach the driver, as the native one reads them.
type taggedConn struct {
	minimalConn

	tags *sentTags
}

type sentTags struct {
	mu  sync.Mutex
	all []map[string]string
}

func (s *sentTags) add(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, maps.Clone(driverctx.QueryTagsFromContext(ctx)))
}

func (c *taggedConn) ExecContext(ctx context.Context, _ string, _ []driver.NamedValue) (driver.Result, error) {
	c.tags.add(ctx)
	return driver.ResultNoRows, nil
}

func (c *taggedConn) QueryContext(ctx context.Context, _ string, _ []driver.NamedValue) (driver.Rows, error) {
	c.tags.add(ctx)
	return &idleRows{}, nil
}

func (c *taggedConn) Ping(ctx context.Context) error {
	c.tags.add(ctx)
	return nil
}

func (c *taggedConn) Prepare(string) (driver.Stmt, error) { return taggedStmt{c}, nil }

type taggedStmt struct{ on *taggedConn }

func (taggedStmt) Close() error                               { return nil }
func (taggedStmt) NumInput() int                              { return 0 }
func (taggedStmt) Exec([]driver.Value) (driver.Result, error) { return nil, io.ErrClosedPipe }
func (taggedStmt) Query([]driver.Value) (driver.Rows, error)  { return nil, io.ErrClosedPipe }
func (s taggedStmt) ExecContext(ctx context.Context, _ []driver.NamedValue) (driver.Result, error) {
	return s.on.ExecContext(ctx, "", nil)
}

func (s taggedStmt) QueryContext(ctx context.Context, _ []driver.NamedValue) (driver.Rows, error) {
	return s.on.QueryContext(ctx, "", nil)
}

// taggedDB is a database whose driver keeps the tags that it gets.
func taggedDB(t *testing.T, config driverwrap.Config) (*sql.DB, *sentTags) {
	sent := &sentTags{}
	db := sql.OpenDB(config.Wrap(&fakeConnector{calls: &calls{}, conn: func(c *calls) driver.Conn {
		return &taggedConn{minimalConn{calls: c}, sent}
	}}))
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	return db, sent
}

func tracing(settings telemetry.Settings) (driverwrap.Config, *tracer) {
	spans := &tracer{name: "outer", notes: &notes{}}
	return driverwrap.Config{Settings: settings, Sinks: []telemetry.Sink{spans}}, spans
}

// outerSpan is the traceparent of a span of the tracer "outer".
var outerSpan = fmt.Sprintf("00-%x%s-%x-01", "outer", strings.Repeat("00", 11), "outer\x00\x00\x00")

func TestAStatementCarriesWhatItsContextSays(t *testing.T) {
	sink := &memory{}
	db, sent := taggedDB(t, driverwrap.Config{Sinks: []telemetry.Sink{sink}})
	tags := map[string]string{"team": "data", "": "x"}
	ctx := driverctx.NewContextWithCorrelationId(driverctx.NewContextWithQueryTags(t.Context(), tags), "c-1")
	ctx = telemetry.WithAttributes(ctx, slog.String("route", "/orders"))
	_, err := db.ExecContext(ctx, "x")
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), "x")
	require.NoError(t, err)
	tags["team"] = "changed later"
	require.NoError(t, db.Close())

	got := sink.statements[0]
	require.Equal(t, "c-1", got.CorrelationID)
	require.Equal(t, map[string]string{"team": "data", "": "x"}, got.QueryTags)
	require.Equal(t, []slog.Attr{slog.String("route", "/orders")}, got.Attributes)
	require.Equal(t, []map[string]string{{"team": "data", "": "x"}, nil}, sent.all, "the driver gets what the application said")

	got = sink.statements[1]
	require.Empty(t, got.CorrelationID)
	require.Nil(t, got.QueryTags)
	require.Nil(t, got.Attributes)
}

func TestWhatAContextSaysIsBounded(t *testing.T) {
	sink := &memory{}
	db, sent := taggedDB(t, driverwrap.Config{Sinks: []telemetry.Sink{sink}})
	tags := map[string]string{}
	for i := range 100 {
		tags[fmt.Sprintf("key %03d", i)] = strings.Repeat("ü", 1000)
	}
	ctx := driverctx.NewContextWithCorrelationId(driverctx.NewContextWithQueryTags(t.Context(), tags), strings.Repeat("c", 1000)+"\xff")
	_, err := db.ExecContext(ctx, "x")
	require.NoError(t, err)
	require.NoError(t, db.Close())
	got := sink.statements[0]
	require.Len(t, got.QueryTags, 32)
	require.Equal(t, strings.Repeat("ü", 128), got.QueryTags["key 031"])
	require.Equal(t, strings.Repeat("c", 256), got.CorrelationID)
	require.Equal(t, []map[string]string{tags}, sent.all)
}

// callersSpan is a context with a span, as a handler's of the application, and its traceparent.
func callersSpan(ctx context.Context, flags trace.TraceFlags) (context.Context, trace.SpanContext) {
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: [16]byte{1}, SpanID: [8]byte{2}, TraceFlags: flags})
	return trace.ContextWithSpanContext(ctx, span), span
}

func TestWithoutATracerTheCallersSpanIsTheOneAroundTheStatement(t *testing.T) {
	recorded, span := callersSpan(t.Context(), trace.FlagsSampled)
	unrecorded, _ := callersSpan(t.Context(), 0)
	wanted := "00-" + span.TraceID().String() + "-" + span.SpanID().String() + "-01"
	for name, sinks := range map[string][]telemetry.Sink{
		"a sink": {&memory{}}, "no sink": nil, "a tracer that refuses": {&tracer{name: "outer", notes: &notes{}, refuses: true}},
	} {
		db, sent := taggedDB(t, driverwrap.Config{Settings: telemetry.Settings{TraceTags: true, Enabled: telemetry.SwitchOff}, Sinks: sinks})
		for _, ctx := range []context.Context{recorded, unrecorded} {
			_, err := db.ExecContext(ctx, "x")
			require.NoError(t, err)
		}
		require.NoError(t, db.Close())
		require.Equal(t, []map[string]string{{"traceparent": wanted}, nil}, sent.all, name)
		for _, s := range sinks {
			if sink, ok := s.(*memory); ok {
				require.EqualValues(t, span.TraceID(), sink.statements[0].TraceID)
				require.EqualValues(t, span.SpanID(), sink.statements[0].SpanID)
				require.Zero(t, sink.statements[1].TraceID, "no backend has that trace")
			}
		}
	}
}

func TestTheSpanIsAmongTheTagsOnlyWhenAskedFor(t *testing.T) {
	for name, test := range map[string]struct {
		settings telemetry.Settings
		tags     map[string]string // the application's
		query    string
		want     map[string]string
	}{
		"off":                    {want: nil},
		"off, with tags":         {tags: map[string]string{"team": "data"}, want: map[string]string{"team": "data"}},
		"on":                     {settings: telemetry.Settings{TraceTags: true}, want: map[string]string{"traceparent": outerSpan}},
		"on, with tags":          {settings: telemetry.Settings{TraceTags: true}, tags: map[string]string{"team": "data"}, want: map[string]string{"team": "data", "traceparent": outerSpan}},
		"a span of its own":      {settings: telemetry.Settings{TraceTags: true}, tags: map[string]string{"traceparent": "mine"}, want: map[string]string{"traceparent": "mine"}},
		"in another case":        {settings: telemetry.Settings{TraceTags: true}, tags: map[string]string{"TraceParent": ""}, want: map[string]string{"TraceParent": ""}},
		"SET of a session's tag": {settings: telemetry.Settings{TraceTags: true}, query: "SET QUERY_TAGS['team'] = 'data'", want: nil},
	} {
		t.Run(name, func(t *testing.T) {
			config, spans := tracing(test.settings)
			db, sent := taggedDB(t, config)
			ctx := t.Context()
			if test.tags != nil {
				ctx = driverctx.NewContextWithQueryTags(ctx, test.tags)
			}
			before := maps.Clone(test.tags)
			_, err := db.ExecContext(ctx, test.query)
			require.NoError(t, err)
			rows, err := db.QueryContext(ctx, test.query)
			require.NoError(t, err)
			require.NoError(t, rows.Close())
			require.NoError(t, db.PingContext(ctx))
			stmt, err := db.PrepareContext(ctx, test.query)
			require.NoError(t, err)
			_, err = stmt.ExecContext(ctx)
			require.NoError(t, err)
			rows, err = stmt.QueryContext(ctx)
			require.NoError(t, err)
			require.NoError(t, rows.Close())
			require.NoError(t, stmt.Close())
			require.NoError(t, db.Close())

			require.Len(t, sent.all, 5)
			for _, tags := range sent.all {
				require.Equal(t, test.want, tags)
			}
			for _, r := range spans.statements {
				require.Equal(t, test.want, r.QueryTags, "the record says what was sent")
			}
			require.Equal(t, before, test.tags, "the application's map is its own")
		})
	}
}

func TestWithoutARecordedSpanThereIsNoTag(t *testing.T) {
	config, spans := tracing(telemetry.Settings{TraceTags: true})
	spans.refuses = true
	db, sent := taggedDB(t, config)
	_, err := db.ExecContext(t.Context(), "x")
	require.NoError(t, err)
	require.Equal(t, []map[string]string{nil}, sent.all)
}

func TestASessionWhoseTagsWereSetBySQLKeepsThem(t *testing.T) {
	for query, set := range map[string]bool{
		"SET QUERY_TAGS['a'] = 'b'": true, "-- x\n set /* y */ query_tags = 'a:b'": true, "SET `QUERY_TAGS` = 'a:b'": true,
		"SET ansi_mode = true": false, "SETQUERY_TAGS": false, "SELECT 'SET QUERY_TAGS'": false, "": false, "SET": false,
	} {
		t.Run(query, func(t *testing.T) {
			config, _ := tracing(telemetry.Settings{TraceTags: true})
			db, sent := taggedDB(t, config)
			own := driverctx.NewContextWithQueryTags(t.Context(), map[string]string{"team": "data"})
			for _, ctx := range []context.Context{t.Context(), own, t.Context()} {
				_, err := db.ExecContext(ctx, query)
				require.NoError(t, err)
			}
			require.Equal(t, map[string]string{"team": "data", "traceparent": outerSpan}, sent.all[1], "tags of a statement take the place of the session's")
			require.Equal(t, set, sent.all[0] == nil)
			require.Equal(t, set, sent.all[2] == nil)
		})
	}
}
