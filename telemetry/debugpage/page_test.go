package debugpage

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// world is what a page is asked to show.
type world struct {
	page
	all   []telemetry.Connector
	db    []telemetry.Pool
	stats export.Stats
	sent  []export.Document

	process telemetry.Stats
}

func newWorld() *world {
	w := &world{}
	w.page = page{
		memory:     newMemory(func() []telemetry.Pool { return w.db }),
		connectors: func() []telemetry.Connector { return w.all },
		exporter:   w,
		process:    func() telemetry.Stats { return w.process },
	}
	return w
}

func (w *world) Stats() export.Stats       { return w.stats }
func (w *world) Recent() []export.Document { return w.sent }

func (w *world) get(t *testing.T, target string) *httptest.ResponseRecorder {
	t.Helper()
	answer := httptest.NewRecorder()
	w.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, target, nil))
	return answer
}

func (w *world) html(t *testing.T, target string) string {
	t.Helper()
	answer := w.get(t, target)
	require.Equal(t, http.StatusOK, answer.Code, answer.Body.String())
	return answer.Body.String()
}

func (w *world) json(t *testing.T, target string, into any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(w.get(t, target).Body.Bytes(), into))
}

// connector is one that answers what it is told to.
type connector struct {
	info    telemetry.ConnectorInfo
	running []*telemetry.Statement
	docs    []string
	broken  bool
}

func (c *connector) Info() telemetry.ConnectorInfo {
	if c.broken {
		panic("no info")
	}
	return c.info
}

func (c *connector) Running() []*telemetry.Statement {
	if c.broken {
		panic("nothing runs")
	}
	return c.running
}

func (c *connector) Documents(any) []string { return c.docs }

// The records of the tests. Times are relative to the bubble's clock, so that pages come out
// the same every time.

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// downloaded waited for its files, of which one failed twice before it came.
func downloaded() *telemetry.Statement {
	at := telemetry.Known[time.Duration]
	s := &telemetry.Statement{
		Started: time.Now().Add(-ms(4200)), Connector: 1, Server: "dbc.example.com:443", TraceID: [16]byte{0xab, 1}, SpanID: [8]byte{2},
		SessionID: "01f0a1b2-0000-1000-8000-00000000000a", StatementID: "01f0a1b2-0000-1000-8000-000000000001",
		Kind: telemetry.KindQuery, Outcome: telemetry.OutcomeCompleted, Query: "SELECT * FROM orders WHERE note = '<b>'",
		Execute: ms(700), FirstRow: at(ms(900)), Consume: at(ms(2550)), Close: at(ms(50)), Total: ms(4200),
		RowsRead: telemetry.Known[int64](24000), WorkspaceID: "123",
		Result: telemetry.Result{Evidence: telemetry.EvidenceWire, Format: telemetry.FormatExternalLinks, Pages: telemetry.Known[int64](1), Rows: telemetry.Known[int64](24000)},
		RPCs: []telemetry.RPC{
			{Method: "ExecuteStatement", Calls: 1, Retries: 1, Latency: ms(600), Backoff: ms(100), BytesOut: 300, BytesIn: 2300, LastStatus: 200},
			{Method: "FetchResults", Calls: 1, Latency: ms(20), BytesOut: 200, BytesIn: 3600, LastStatus: 200},
		},
		Calls: []telemetry.Call{
			{Method: "ExecuteStatement", End: at(ms(690))},
			{Method: "FetchResults", Start: ms(700), End: at(ms(720)), Rows: telemetry.Known[int64](24000), Files: 6},
		},
		CloudFetch: &telemetry.CloudFetch{Present: 6, Downloaded: 5, Failed: 1, Bytes: 6 << 20, Received: 5 << 20, Attempts: 8, Retries: 2, First: ms(800), Slowest: ms(1500), Sum: ms(5000)},
		Split:      telemetry.Split{Server: at(ms(550)), Retries: at(ms(100)), Pages: at(ms(20)), Files: at(ms(2980)), Reading: at(ms(450))},
	}
	for i := range int64(6) {
		start := ms(720 + int(i/2)*1100)
		f := telemetry.File{Index: i, State: "DOWNLOADED", Rows: 4000, Bytes: 1 << 20, Received: 1 << 20, Attempts: 1,
			Queued: at(ms(720)), Start: at(start), FirstByte: at(start + ms(300)), End: at(start + ms(1000))}
		if i == 4 {
			f.State, f.Status, f.Attempts = "FAILED", 403, 3
		}
		s.CloudFetch.Files = append(s.CloudFetch.Files, f)
	}
	return s
}

func failed() *telemetry.Statement {
	return &telemetry.Statement{
		Started: time.Now().Add(-ms(320)), Connector: 1, Server: "dbc.example.com:443", StatementID: "01f0a1b2-0000-1000-8000-000000000002",
		Kind: telemetry.KindUpdate, Outcome: telemetry.OutcomeFailed, Execute: ms(320), Total: ms(320),
		Failure: &telemetry.Failure{Category: telemetry.CategorySyntax, SQLState: "42601", Message: "[PARSE_SYNTAX_ERROR] near <sql>"},
	}
}

// quick is one of many, told apart by its number.
func quick(n int) *telemetry.Statement {
	return &telemetry.Statement{
		Started: time.Now().Add(-ms(n)), Connector: 2, StatementID: fmt.Sprintf("01f0a1b2-0000-1000-8001-%012d", n),
		Kind: telemetry.KindQuery, Outcome: telemetry.OutcomeCompleted, Execute: ms(n), Total: ms(n), RowsRead: telemetry.Known(int64(n)),
		Result: telemetry.Result{Format: telemetry.FormatInlineArrow},
	}
}

func running() *telemetry.Statement {
	return &telemetry.Statement{
		Started: time.Now().Add(-90 * time.Second), Connector: 1, Kind: telemetry.KindQuery, Outcome: telemetry.OutcomeRunning, Total: 90 * time.Second,
		RPCs:  []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1}},
		Calls: []telemetry.Call{{Method: "ExecuteStatement", Start: ms(1)}},
	}
}

// populated is a world with one of everything.
func populated() *world {
	w := newWorld()
	w.all = []telemetry.Connector{
		&connector{
			info: telemetry.ConnectorInfo{
				ID: 1, OpenedVia: "sql.Open", Server: "dbc.example.com:443", Created: time.Now().Add(-time.Hour), Sessions: 3, Reports: "wrapper", Driver: telemetry.DriverConfig{Version: "1.13.1"},
				Settings: []telemetry.SettingInForce{{Name: "enableTelemetry", Value: "true", By: "DSN"}, {Name: "telemetry_batch_size", Value: "100", By: "default"}},
			},
			running: []*telemetry.Statement{running()},
			docs:    []string{`{"frontend_log_event_id":"1","entry":{"sql_driver_log":{"sql_operation":{"operation_detail":{"operation_type":"EXECUTE_STATEMENT"}}}}}`},
		},
		&connector{info: telemetry.ConnectorInfo{
			ID: 2, OpenedVia: "Wrap", Created: time.Now(), Reports: "none",
			Settings: []telemetry.SettingInForce{{Name: "enableTelemetry", Value: "false", By: "DATABRICKS_TELEMETRY_ENABLED"}},
		}},
	}
	waited := sql.DBStats{MaxOpenConnections: 4, OpenConnections: 4, InUse: 4}
	w.db = []telemetry.Pool{{Name: "orders", Stats: func() (sql.DBStats, bool) { return waited, true }}}
	w.memory.pools.look(time.Now(), w.memory.registered)
	time.Sleep(10 * time.Second)
	waited.WaitCount, waited.WaitDuration = 12, 12*ms(40)
	w.stats = export.Stats{Recorded: 20, Sent: 12, Requests: 3, Pending: 3, Dropped: map[string]int64{export.DropQueueFull: 5}, Pipelines: []export.PipelineStats{
		{Server: "https://dbc.example.com:443", Connectors: 1, Pending: 3, PendingBytes: 4000, Breaker: "open", Flag: "on", LoggedIn: true, LastError: "503", NotBefore: time.Now().Add(time.Minute)},
	}}
	w.sent = []export.Document{{At: time.Now(), Endpoint: "/telemetry-ext", Outcome: "503", JSON: `{"frontend_log_event_id":"2","entry":{"sql_driver_log":{"sql_statement_id":"` + failed().StatementID + `"}}}`}}
	for n := range 30 {
		w.memory.StatementFinished(quick(n + 1))
	}
	w.memory.StatementFinished(failed())
	w.memory.StatementFinished(downloaded())
	w.memory.SessionOpened(&telemetry.SessionOpened{Started: time.Now(), Latency: ms(12)})
	w.memory.SessionOpened(&telemetry.SessionOpened{Started: time.Now(), Server: "dbc.example.com:443", Latency: ms(30), Failure: &telemetry.Failure{Category: telemetry.CategoryAuth, Message: "invalid credentials"}})
	return w
}

var everyPage = map[string]string{
	"overview": "/", "statements": "/statements", "statement": "/statement?id=" + "01f0a1b2-0000-1000-8000-000000000001",
	"failed": "/statement?id=01f0a1b2-0000-1000-8000-000000000002", "telemetry": "/telemetry",
}

func TestPagesAreTheSameForTheSameRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := populated()
		for name, path := range everyPage {
			golden(t, name+".html", strings.Replace(w.html(t, path), style, "\n/* style.css */\n", 1))
			var indented bytes.Buffer
			require.NoError(t, json.Indent(&indented, w.get(t, with(path, "format=json")).Body.Bytes(), "", "  "))
			golden(t, name+".json", indented.String())
		}
	})
}

func with(path, parameter string) string {
	if strings.Contains(path, "?") {
		return path + "&" + parameter
	}
	return path + "?" + parameter
}

// golden compares with a file of testdata, or writes it with UPDATE_GOLDEN=1.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if os.Getenv("UPDATE_GOLDEN") == "1" {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got, file)
}

func TestAnEmptyProcessSaysWhatToDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		for _, path := range []string{"/", "/statements", "/telemetry"} {
			body := w.html(t, path)
			require.Contains(t, body, "No wrapped driver is in use yet")
			require.Contains(t, body, `sql.Open("databricks-telemetry", dsn)`, path)
		}
		require.Contains(t, w.html(t, "/"), "telemetry.RegisterPool")
		w.all = []telemetry.Connector{&connector{info: telemetry.ConnectorInfo{ID: 1}}}
		require.Contains(t, w.html(t, "/"), "No statement was recorded yet")
		require.Contains(t, w.html(t, "/statements"), "No statement was recorded yet")
	})
}

func TestOnlyReadingIsAnswered(t *testing.T) {
	w := newWorld()
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, "TRACE", "NONSENSE"} {
		answer := httptest.NewRecorder()
		w.ServeHTTP(answer, httptest.NewRequest(method, "/statements", strings.NewReader("q=x")))
		require.Equal(t, http.StatusMethodNotAllowed, answer.Code, method)
		require.Equal(t, "GET, HEAD", answer.Header().Get("Allow"))
	}
	answer := httptest.NewRecorder()
	w.ServeHTTP(answer, httptest.NewRequest(http.MethodHead, "/statements", nil))
	require.Equal(t, http.StatusOK, answer.Code)
	require.Empty(t, answer.Body.Bytes())
	require.NotEmpty(t, answer.Header().Get("Content-Length"))
}

func TestEveryAnswerIsGuarded(t *testing.T) {
	w := newWorld()
	for _, path := range []string{"/", "/statements", "/nowhere", "/?format=json", "/statement?id=x"} {
		h := w.get(t, path).Header()
		require.Equal(t, "no-store", h.Get("Cache-Control"))
		require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
		require.Equal(t, "no-referrer", h.Get("Referrer-Policy"))
		policy := h.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"} {
			require.Contains(t, policy, part)
		}
		require.NotContains(t, policy, "unsafe")
		require.NotContains(t, policy, "script")
	}
}

func TestPagesLoadAndRunNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := populated()
		foreign := regexp.MustCompile(`(?i)<script|<iframe|<object|<embed|<base|javascript:| on[a-z]+=| style=|(src|href|action)="(https?:)?//`)
		for _, path := range everyPage {
			require.Empty(t, foreign.FindString(w.html(t, path)), path)
		}
	})
}

func TestLinksAreRelative(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := populated()
		links := regexp.MustCompile(`(?:href|action)="([^"]*)"`)
		for _, path := range everyPage {
			for _, link := range links.FindAllStringSubmatch(w.html(t, path), -1) {
				require.NotRegexp(t, `^/`, link[1], path)
			}
		}
	})
}

func TestItWorksUnderAnyPath(t *testing.T) {
	mux := http.NewServeMux()
	h := Handler()
	mux.Handle("/a/b/", h)
	mux.Handle("/stripped/", http.StripPrefix("/stripped", h))
	mux.Handle("/exact", h)
	get := func(path string) *httptest.ResponseRecorder {
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
		return answer
	}
	for _, path := range []string{"/a/b/", "/a/b/statements", "/stripped/", "/stripped/telemetry"} {
		require.Equal(t, http.StatusOK, get(path).Code, path)
	}
	require.Equal(t, http.StatusNotFound, get("/a/b/nowhere").Code)
	require.Equal(t, http.StatusPermanentRedirect, get("/exact").Code)
	require.Equal(t, "exact/", get("/exact").Header().Get("Location"))

	answer := httptest.NewRecorder()
	http.DefaultServeMux.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/debug/databricks/statements", nil))
	require.Equal(t, http.StatusOK, answer.Code, "importing the package mounts it")
	answer = httptest.NewRecorder()
	http.DefaultServeMux.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/debug/databricks", nil))
	require.Contains(t, answer.Header().Get("Location"), "/debug/databricks/")
}

func TestHostileTextStaysText(t *testing.T) {
	const hostile = `</title></text></svg><script>alert(1)</script>"'><img src=x onerror=alert(1)>{{.}}`
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		s := downloaded()
		s.Query, s.Server, s.SessionID, s.StatementID, s.WorkspaceID = hostile, hostile, hostile, hostile, hostile
		s.Outcome, s.Kind, s.Result.Format, s.Result.Cache = hostile, hostile, hostile, hostile
		s.Failure = &telemetry.Failure{Category: hostile, SQLState: hostile, Message: hostile}
		s.CloudFetch.Files[0].State, s.Calls[0].Method, s.RPCs[0].Method = hostile, hostile, hostile
		w.all = []telemetry.Connector{&connector{
			info: telemetry.ConnectorInfo{ID: 1, OpenedVia: hostile, Server: hostile, Reports: hostile, Settings: []telemetry.SettingInForce{{Name: hostile, Value: hostile, By: hostile}}},
			docs: []string{hostile, `{"a":"</script>"}`},
		}}
		w.db = []telemetry.Pool{{Name: hostile, Stats: func() (sql.DBStats, bool) { return sql.DBStats{}, true }}}
		w.stats.Pipelines = []export.PipelineStats{{Server: hostile, Breaker: "open", Flag: hostile, LastError: hostile}}
		w.sent = []export.Document{{Endpoint: hostile, Outcome: hostile, JSON: hostile}}
		w.memory.StatementFinished(s)
		w.memory.SessionOpened(&telemetry.SessionOpened{Server: hostile, Failure: s.Failure})

		var list struct{ Statements []struct{ Key string } }
		w.json(t, "/statements?format=json", &list)
		query := "?q=" + urlEscaped(hostile) + "&min=" + urlEscaped(hostile) + "&outcome=" + urlEscaped(hostile)
		for _, path := range []string{"/", "/statements", "/statements" + query, "/telemetry", "/statement?id=" + urlEscaped(list.Statements[0].Key)} {
			body := w.html(t, path)
			require.NotContains(t, body, "<script")
			require.NotContains(t, body, "<img")
			require.True(t, json.Valid(w.get(t, with(path, "format=json")).Body.Bytes()), path)
		}
	})
}

func TestOthersMayPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := populated()
		w.all = append(w.all, &connector{broken: true})
		w.db = append(w.db, telemetry.Pool{Name: "broken", Stats: func() (sql.DBStats, bool) { return sql.DBStats{}, false }})
		w.memory.pools.looked = time.Time{}
		body := w.html(t, "/")
		require.Contains(t, body, "dbc.example.com:443")
		require.NotContains(t, body, "broken")
		for _, path := range everyPage {
			w.html(t, path)
		}
	})
}

func TestAPanicInsideCostsOneAnswer(t *testing.T) {
	w := newWorld()
	w.connectors = func() []telemetry.Connector { panic("who am I") }
	require.Equal(t, http.StatusInternalServerError, w.get(t, "/").Code)
}

func TestReadersAndWritersShareTheMemory(t *testing.T) {
	w := newWorld()
	w.all = []telemetry.Connector{&connector{info: telemetry.ConnectorInfo{ID: 1}}}
	w.db = []telemetry.Pool{{Name: "p", Stats: func() (sql.DBStats, bool) { return sql.DBStats{}, true }}}
	var all sync.WaitGroup
	for writer := range 4 {
		all.Go(func() {
			for n := range 150 {
				w.memory.StatementFinished(quick(writer*1000 + n))
				w.memory.StatementFinished(failed())
			}
		})
	}
	for range 8 {
		all.Go(func() {
			for _, path := range []string{"/", "/statements", "/telemetry", "/statement?id=" + failed().StatementID, "/?format=json"} {
				w.get(t, path)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 1200, w.memory.counts.over(time.Now(), time.Hour).statements)
}

func TestNothingSecretIsOnAPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := populated()
		secret := regexp.MustCompile(`(?i)"[a-z_]*(token|password|secret|credential|authorization|dsn|presigned|signature)[a-z_]*":`)
		for _, path := range everyPage {
			require.Empty(t, secret.FindString(w.get(t, with(path, "format=json")).Body.String()), path)
		}
	})
}

func TestAConnectorPerTenantIsNoPagePerTenant(t *testing.T) {
	w := newWorld()
	for n := range int64(connectorsShown + 7) {
		w.all = append(w.all, &connector{info: telemetry.ConnectorInfo{ID: n + 1}})
	}
	for _, path := range []string{"/", "/telemetry"} {
		require.Contains(t, w.html(t, path), "7 more are left off")
	}
}

func BenchmarkRemembering(b *testing.B) {
	m, s := newMemory(func() []telemetry.Pool { return nil }), downloaded()
	b.ReportAllocs()
	for b.Loop() {
		m.StatementFinished(s)
	}
}

func BenchmarkOverview(b *testing.B) {
	w := newWorld()
	for n := range 400 {
		w.memory.StatementFinished(quick(n))
		w.memory.StatementFinished(downloaded())
	}
	b.ReportAllocs()
	for b.Loop() {
		w.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	}
}

func TestRefreshIsAMatterOfTheAddress(t *testing.T) {
	w := newWorld()
	require.NotContains(t, w.html(t, "/statements?kind=QUERY"), "http-equiv")
	require.Contains(t, w.html(t, "/statements?kind=QUERY"), `href="?kind=QUERY&amp;refresh=5"`)
	body := w.html(t, "/statements?kind=QUERY&refresh=7")
	require.Contains(t, body, `<meta http-equiv="refresh" content="7">`)
	require.Contains(t, body, `href="?kind=QUERY"`)
}
