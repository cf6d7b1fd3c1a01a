package debugpage

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
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

func TestPagesMatchTheirGoldenFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := populated()
		for name, path := range everyPage {
			golden(t, name+".html", strings.ReplaceAll(strings.Replace(f.html(t, path), style, "/* style.css */", 1), "><", ">\n<"))
			var indented bytes.Buffer
			require.NoError(t, json.Indent(&indented, f.get(t, with(path, "format=json")).Body.Bytes(), "", "  "))
			golden(t, name+".json", indented.String())
		}
	})
}

var everyPage = map[string]string{
	"overview": "/", "statements": "/statements", "statement": "/statement?id=" + "01f0a1b2-0000-1000-8000-000000000001",
	"failed": "/statement?id=01f0a1b2-0000-1000-8000-000000000002", "telemetry": "/telemetry", "shapes": "/shapes", "errors": "/errors?window=all",
}

// populated is a fixture with one of everything.
func populated() *fixture {
	f := newFixture()
	f.all = []telemetry.Connector{
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
	f.db = []telemetry.Pool{{Name: "orders", Stats: func() (sql.DBStats, bool) { return waited, true }}}
	f.memory.pools.sample(time.Now(), f.memory.registeredPools)
	time.Sleep(10 * time.Second)
	waited.WaitCount, waited.WaitDuration = 12, 12*ms(40)
	f.stats = telemetry.ExportStats{Recorded: 20, Sent: 12, Requests: 3, Pending: 3, Dropped: map[string]int64{export.DropQueueFull: 5}, Pipelines: []telemetry.PipelineStats{
		{Server: "https://dbc.example.com:443", Connectors: 1, Pending: 3, PendingBytes: 4000, Breaker: "open", Flag: "on", LoggedIn: true, LastError: "503", NotBefore: time.Now().UTC().Add(time.Minute)},
	}}
	f.sent = []export.Document{{At: time.Now(), Endpoint: "/telemetry-ext", Outcome: "503", JSON: `{"frontend_log_event_id":"2","entry":{"sql_driver_log":{"sql_statement_id":"` + failed().StatementID + `"}}}`}}
	for n := range 30 {
		f.memory.StatementFinished(quick(n + 1))
	}
	f.memory.StatementFinished(failed())
	f.memory.StatementFinished(downloaded())
	f.memory.SessionOpened(&telemetry.SessionOpened{Started: time.Now(), Latency: ms(12)})
	f.memory.SessionOpened(&telemetry.SessionOpened{Started: time.Now(), Server: "dbc.example.com:443", Latency: ms(30), FailedStatus: 401, Failure: &telemetry.Failure{Category: telemetry.CategoryAuth, Message: "invalid credentials"}})
	return f
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

func TestEmptyPagesSayWhatToDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		for _, path := range []string{"/", "/statements", "/telemetry"} {
			body := f.html(t, path)
			require.Contains(t, body, "No wrapped driver is in use yet")
			require.Contains(t, body, `sql.Open("databricks-telemetry", dsn)`, path)
		}
		require.Contains(t, f.html(t, "/"), "telemetry.RegisterPool")
		f.all = []telemetry.Connector{&connector{info: telemetry.ConnectorInfo{ID: 1}}}
		require.Contains(t, f.html(t, "/"), "No statement was recorded yet")
		require.Contains(t, f.html(t, "/statements"), "No statement was recorded yet")
	})
}

func TestClosedConnectorsWereInUse(t *testing.T) {
	const unused = "No wrapped driver is in use yet"
	synctest.Test(t, func(t *testing.T) {
		refused, ran := newFixture(), newFixture() // their connectors are closed
		refused.memory.SessionOpened(&telemetry.SessionOpened{Started: time.Now(), Failure: &telemetry.Failure{Category: telemetry.CategoryAuth}})
		ran.memory.StatementFinished(quick(3))
		for _, path := range []string{"/", "/statements", "/statements?q=nothing", "/shapes", "/shapes?window=5m", "/telemetry"} {
			require.NotContains(t, refused.html(t, path), unused, path)
			require.NotContains(t, ran.html(t, path), unused, path)
		}
		require.Contains(t, ran.html(t, "/statements?q=nothing"), "No statement matches")
	})
}

func TestListsOfTheOverviewLeadToTheSameStretchOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := populated()
		for _, window := range []string{"5m", "1h", "all"} {
			body := f.html(t, "/?window="+window)
			require.Contains(t, body, `href="shapes?window=`+window+`">all shapes`)
			require.Contains(t, body, `href="errors?window=`+window+`">all errors`)
		}
	})
}

func TestOneIsSingular(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := populated()
		require.Contains(t, f.html(t, "/telemetry"), "the latest 1 document<")
		f.sent = nil
		require.NotContains(t, f.html(t, "/telemetry"), "the latest 0")
		for n := range poolsKept + 1 {
			f.db = append(f.db, telemetry.Pool{ID: int64(n + 1), Name: "p", Stats: func() (sql.DBStats, bool) { return sql.DBStats{}, true }})
		}
		f.db = f.db[1:]
		time.Sleep(fineEvery)
		require.Contains(t, f.html(t, "/"), "1 more is not shown.")

		f = newFixture()
		f.memory.StatementFinished(quick(3))
		require.Contains(t, f.html(t, "/statements"), "1 of 1 statement that is running or kept")
		f.refuse(1, telemetry.CategoryCanceled)
		require.Contains(t, f.html(t, "/"), "1 of 1 attempt to open a connection was canceled")
	})
}

func TestOnlyGetAndHeadAreAnswered(t *testing.T) {
	f := newFixture()
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, "TRACE", "NONSENSE"} {
		response := httptest.NewRecorder()
		f.ServeHTTP(response, httptest.NewRequest(method, "http://localhost/statements", strings.NewReader("q=x")))
		require.Equal(t, http.StatusMethodNotAllowed, response.Code, method)
		require.Equal(t, "GET, HEAD", response.Header().Get("Allow"))
	}
	response := httptest.NewRecorder()
	f.ServeHTTP(response, httptest.NewRequest(http.MethodHead, "http://localhost/statements", nil))
	require.Equal(t, http.StatusOK, response.Code)
	require.Empty(t, response.Body.Bytes())
	require.NotEmpty(t, response.Header().Get("Content-Length"))
}

func TestEveryResponseHasSecurityHeaders(t *testing.T) {
	f := newFixture()
	for _, path := range []string{"/", "/statements", "/nowhere", "/?format=json", "/statement?id=x"} {
		h := f.get(t, path).Header()
		require.Equal(t, "no-store", h.Get("Cache-Control"))
		require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
		require.Equal(t, "no-referrer", h.Get("Referrer-Policy"))
		require.Equal(t, "same-origin", h.Get("Cross-Origin-Resource-Policy"))
		require.Equal(t, "same-origin", h.Get("Cross-Origin-Opener-Policy"))
		policy := h.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"} {
			require.Contains(t, policy, part)
		}
		require.NotContains(t, policy, "unsafe")
		require.NotContains(t, policy, "script")
	}
}

func TestPagesHaveNoScriptAndNoForeignResources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := populated()
		foreign := regexp.MustCompile(`(?i)<script|<iframe|<object|<embed|<base|javascript:| on[a-z]+=| style=|(src|href|action)="(https?:)?//`)
		for _, path := range everyPage {
			body := f.html(t, path)
			body = strings.ReplaceAll(body, `href="https://dbc.example.com/sql/history?`, `href="query-profile?`) // a link that a person may follow
			require.Empty(t, foreign.FindString(body), path)
		}
	})
}

func TestLinksAreRelative(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := populated()
		links := regexp.MustCompile(`(?:href|action)="([^"]*)"`)
		for _, path := range everyPage {
			for _, link := range links.FindAllStringSubmatch(f.html(t, path), -1) {
				require.NotRegexp(t, `^/`, link[1], path)
			}
		}
	})
}

func TestHandlerWorksUnderAnyPath(t *testing.T) {
	mux := http.NewServeMux()
	h := Handler()
	mux.Handle("/a/b/", h)
	mux.Handle("/stripped/", http.StripPrefix("/stripped", h))
	mux.Handle("/exact", h)
	get := func(path string) *httptest.ResponseRecorder {
		response := httptest.NewRecorder()
		mux.ServeHTTP(response, httptest.NewRequest(http.MethodGet, "http://localhost"+path, nil))
		return response
	}
	for _, path := range []string{"/a/b/", "/a/b/statements", "/stripped/", "/stripped/telemetry"} {
		require.Equal(t, http.StatusOK, get(path).Code, path)
	}
	require.Equal(t, http.StatusNotFound, get("/a/b/nowhere").Code)
	require.Equal(t, http.StatusPermanentRedirect, get("/exact").Code)
	require.Equal(t, "./exact/", get("/exact").Header().Get("Location"))
	require.Equal(t, "./exact/?format=json&window=5m", get("/exact?format=json&window=5m").Header().Get("Location"))

	response := httptest.NewRecorder()
	http.DefaultServeMux.ServeHTTP(response, httptest.NewRequest(http.MethodGet, "http://localhost/debug/databricks/statements", nil))
	require.Equal(t, http.StatusOK, response.Code, "importing the package mounts it")
	response = httptest.NewRecorder()
	http.DefaultServeMux.ServeHTTP(response, httptest.NewRequest(http.MethodGet, "http://localhost/debug/databricks", nil))
	require.Contains(t, response.Header().Get("Location"), "/debug/databricks/")
}

func TestRefreshIsAParameterOfTheAddress(t *testing.T) {
	f := newFixture()
	require.NotContains(t, f.html(t, "/statements?kind=QUERY"), "http-equiv")
	require.Contains(t, f.html(t, "/statements?kind=QUERY"), `href="?kind=QUERY&amp;refresh=5"`)
	body := f.html(t, "/statements?kind=QUERY&refresh=7")
	require.Contains(t, body, `<meta http-equiv="refresh" content="7">`)
	require.Contains(t, body, `href="?kind=QUERY"`)
}

func TestHostileTextIsEscaped(t *testing.T) {
	const hostile = `</title></text></svg><script>alert(1)</script>"'><img src=x onerror=alert(1)>{{.}}`
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		s := downloaded()
		s.Query, s.Server, s.SessionID, s.StatementID, s.WorkspaceID = hostile, hostile, hostile, hostile, hostile
		s.Outcome, s.Kind, s.Result.Format, s.Result.Cache = hostile, hostile, hostile, hostile
		s.Failure = &telemetry.Failure{Category: hostile, SQLState: hostile, Message: hostile}
		s.WarehouseID, s.InitialCatalog, s.InitialSchema, s.CorrelationID = hostile, hostile, hostile, hostile
		s.QueryTags, s.Attributes = map[string]string{hostile: hostile}, []slog.Attr{slog.String(hostile, hostile)}
		s.CloudFetch.Files[0].State, s.Calls[0].Method, s.RPCs[0].Method = hostile, hostile, hostile
		f.all = []telemetry.Connector{&connector{
			info: telemetry.ConnectorInfo{ID: 1, OpenedVia: hostile, Server: hostile, Reports: hostile, Settings: []telemetry.SettingInForce{{Name: hostile, Value: hostile, By: hostile}}},
			docs: []string{hostile, `{"a":"</script>"}`},
		}}
		f.db = []telemetry.Pool{{Name: hostile, Stats: func() (sql.DBStats, bool) { return sql.DBStats{}, true }}}
		f.stats.Pipelines = []telemetry.PipelineStats{{Server: hostile, Breaker: "open", Flag: hostile, LastError: hostile}}
		f.sent = []export.Document{{Endpoint: hostile, Outcome: hostile, JSON: hostile}}
		f.memory.StatementFinished(s)
		f.memory.SessionOpened(&telemetry.SessionOpened{Server: hostile, Failure: s.Failure})

		var list struct{ Statements []struct{ Key string } }
		f.json(t, "/statements?format=json", &list)
		query := "?q=" + url.QueryEscape(hostile) + "&min=" + url.QueryEscape(hostile) + "&outcome=" + url.QueryEscape(hostile)
		for _, path := range []string{"/", "/statements", "/statements" + query, "/shapes" + query, "/errors" + query, "/?window=" + url.QueryEscape(hostile), "/telemetry", "/statement?id=" + url.QueryEscape(list.Statements[0].Key)} {
			body := f.html(t, path)
			require.NotContains(t, body, "<script")
			require.NotContains(t, body, "<img")
			require.True(t, json.Valid(f.get(t, with(path, "format=json")).Body.Bytes()), path)
		}
	})
}

// TestHostileIdsMakeNoHarmfulLinks: what a server calls a statement is in addresses.
func TestHostileIdsMakeNoHarmfulLinks(t *testing.T) {
	links := regexp.MustCompile(`(?:href|action)="([^"]*)"`)
	for _, hostile := range []string{"javascript:alert(1)", "//evil.example/x", "data:text/html,x", " java\tscript:alert(1)", "x\" onclick=\"alert(1)", "..%2f"} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture()
			s := failed()
			s.StatementID, s.Server, s.WorkspaceID, s.Failure.Category = hostile, hostile, hostile, telemetry.Category(hostile)
			f.memory.StatementFinished(s)
			for _, path := range []string{"/", "/statements", "/shapes", "/errors", "/statement?id=" + url.QueryEscape(hostile)} {
				for _, found := range links.FindAllStringSubmatch(f.html(t, path), -1) {
					require.Regexp(t, `^(\./|#|data:image/svg|(statements?|shapes|errors|telemetry|\./)?(\?|$)|telemetry#)`, found[1], path)
				}
				require.NotContains(t, f.html(t, path), " onclick=\"")
			}
		})
	}
}

func TestOnlyHostsThatBelongHereAreAnswered(t *testing.T) {
	f := newFixture()
	status := func(host string) int {
		request := httptest.NewRequest(http.MethodGet, "http://localhost/", nil)
		request.Host = host
		response := httptest.NewRecorder()
		f.ServeHTTP(response, request)
		return response.Code
	}
	for _, host := range []string{"localhost", "localhost:6060", "127.0.0.1:80", "[::1]:80", "::1", "10.1.2.3", "orders", "orders:80", "app.localhost", ""} {
		require.Equal(t, http.StatusOK, status(host), host)
	}
	for _, host := range []string{"evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example", "a.b"} {
		require.Equal(t, http.StatusMisdirectedRequest, status(host), host)
	}
	f.allow("Admin.example.com", ".internal.example")
	require.Equal(t, http.StatusOK, status("admin.example.com:443"))
	require.Equal(t, http.StatusOK, status("a.b.internal.example"))
	require.Equal(t, http.StatusMisdirectedRequest, status("internal.example.evil.example"))
	f.allow("https://Admin.example.com/", "other.example.com:8080")
	require.Equal(t, http.StatusOK, status("admin.example.com"), "of an address")
	require.Equal(t, http.StatusOK, status("other.example.com"), "of a host with a port")
	f.allow("*")
	require.Equal(t, http.StatusOK, status("evil.example"))
}

func TestParametersAreBounded(t *testing.T) {
	f := newFixture()
	long := strings.Repeat("x", 100_000)
	empty, full := len(f.html(t, "/statements")), len(f.html(t, "/statements?q="+long+"&nonsense="+long+"&kind="+long+"&shape="+long+"&window="+long+"&min="+long))
	require.Less(t, full-empty, 40_000)
}

func TestNoFieldOfAPageIsACredential(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := populated()
		secret := regexp.MustCompile(`(?i)"[a-z_]*(token|password|secret|credential|authorization|dsn|presigned|signature)[a-z_]*":`)
		for _, path := range everyPage {
			require.Empty(t, secret.FindString(f.get(t, with(path, "format=json")).Body.String()), path)
		}
	})
}

func TestPagesSurvivePanickingConnectorsAndPools(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := populated()
		f.all = append(f.all, &connector{broken: true})
		f.db = append(f.db, telemetry.Pool{Name: "broken", Stats: func() (sql.DBStats, bool) { return sql.DBStats{}, false }})
		f.memory.pools.sampled = time.Time{}
		body := f.html(t, "/")
		require.Contains(t, body, "dbc.example.com:443")
		require.NotContains(t, body, "broken")
		var o struct{ Connectors []struct{ ID int64 } }
		f.json(t, "/?format=json", &o)
		for _, c := range o.Connectors {
			require.NotZero(t, c.ID, "nothing is known of the broken one")
		}
		for _, path := range everyPage {
			f.html(t, path)
		}
	})
}

func TestPanicWhileRenderingIsAnInternalServerError(t *testing.T) {
	f := newFixture()
	f.connectors = func() []telemetry.Connector { panic("for the test") }
	require.Equal(t, http.StatusInternalServerError, f.get(t, "/").Code)
}

func TestPagesAreReadWhileRecordsArrive(t *testing.T) {
	f := newFixture()
	f.all = []telemetry.Connector{&connector{info: telemetry.ConnectorInfo{ID: 1}}}
	f.db = []telemetry.Pool{{Name: "p", Stats: func() (sql.DBStats, bool) { return sql.DBStats{}, true }}}
	var all sync.WaitGroup
	for writer := range 4 {
		all.Go(func() {
			for n := range 150 {
				f.memory.StatementFinished(quick(writer*1000 + n))
				f.memory.StatementFinished(failed())
			}
		})
	}
	for range 8 {
		all.Go(func() {
			for _, path := range []string{"/", "/statements", "/telemetry", "/statement?id=" + failed().StatementID, "/?format=json"} {
				f.get(t, path)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 1200, f.memory.counts.over(time.Now(), time.Hour).statements)
}

func BenchmarkOverview(b *testing.B) {
	f := newFixture()
	for n := range 400 {
		f.memory.StatementFinished(quick(n))
		f.memory.StatementFinished(downloaded())
	}
	b.ReportAllocs()
	for b.Loop() {
		f.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "http://localhost/", nil))
	}
}

// Of two processes, each has a page that shows its own statements.
func TestAPageShowsItsOwnProcess(t *testing.T) {
	var one, other telemetry.Process
	pages := []*page{pageOf(&one), pageOf(&other)}
	require.Same(t, pages[0], pageOf(&one))
	one.Statement(&telemetry.Statement{StatementID: "of-one"})
	require.NoError(t, one.Flush(t.Context()))
	for i, shown := range []int{1, 0} {
		response := httptest.NewRecorder()
		pages[i].ServeHTTP(response, httptest.NewRequest(http.MethodGet, "http://localhost/statements", nil))
		require.Equal(t, shown, strings.Count(response.Body.String(), "id=of-one"))
	}
}
