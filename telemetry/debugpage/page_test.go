package debugpage

import (
	"bytes"
	"database/sql"
	"encoding/json"
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
		w := populated()
		for name, path := range everyPage {
			golden(t, name+".html", strings.Replace(w.html(t, path), style, "\n/* style.css */\n", 1))
			var indented bytes.Buffer
			require.NoError(t, json.Indent(&indented, w.get(t, with(path, "format=json")).Body.Bytes(), "", "  "))
			golden(t, name+".json", indented.String())
		}
	})
}

var everyPage = map[string]string{
	"overview": "/", "statements": "/statements", "statement": "/statement?id=" + "01f0a1b2-0000-1000-8000-000000000001",
	"failed": "/statement?id=01f0a1b2-0000-1000-8000-000000000002", "telemetry": "/telemetry",
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
		w := newFixture()
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

func TestOnlyGetAndHeadAreAnswered(t *testing.T) {
	w := newFixture()
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

func TestEveryResponseHasSecurityHeaders(t *testing.T) {
	w := newFixture()
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

func TestPagesHaveNoScriptAndNoForeignResources(t *testing.T) {
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

func TestHandlerWorksUnderAnyPath(t *testing.T) {
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

func TestRefreshIsAParameterOfTheAddress(t *testing.T) {
	w := newFixture()
	require.NotContains(t, w.html(t, "/statements?kind=QUERY"), "http-equiv")
	require.Contains(t, w.html(t, "/statements?kind=QUERY"), `href="?kind=QUERY&amp;refresh=5"`)
	body := w.html(t, "/statements?kind=QUERY&refresh=7")
	require.Contains(t, body, `<meta http-equiv="refresh" content="7">`)
	require.Contains(t, body, `href="?kind=QUERY"`)
}

func TestHostileTextIsEscaped(t *testing.T) {
	const hostile = `</title></text></svg><script>alert(1)</script>"'><img src=x onerror=alert(1)>{{.}}`
	synctest.Test(t, func(t *testing.T) {
		w := newFixture()
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
		query := "?q=" + url.QueryEscape(hostile) + "&min=" + url.QueryEscape(hostile) + "&outcome=" + url.QueryEscape(hostile)
		for _, path := range []string{"/", "/statements", "/statements" + query, "/telemetry", "/statement?id=" + url.QueryEscape(list.Statements[0].Key)} {
			body := w.html(t, path)
			require.NotContains(t, body, "<script")
			require.NotContains(t, body, "<img")
			require.True(t, json.Valid(w.get(t, with(path, "format=json")).Body.Bytes()), path)
		}
	})
}

func TestNoFieldOfAPageIsACredential(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := populated()
		secret := regexp.MustCompile(`(?i)"[a-z_]*(token|password|secret|credential|authorization|dsn|presigned|signature)[a-z_]*":`)
		for _, path := range everyPage {
			require.Empty(t, secret.FindString(w.get(t, with(path, "format=json")).Body.String()), path)
		}
	})
}

func TestPagesSurvivePanickingConnectorsAndPools(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := populated()
		w.all = append(w.all, &connector{broken: true})
		w.db = append(w.db, telemetry.Pool{Name: "broken", Stats: func() (sql.DBStats, bool) { return sql.DBStats{}, false }})
		w.memory.pools.sampled = time.Time{}
		body := w.html(t, "/")
		require.Contains(t, body, "dbc.example.com:443")
		require.NotContains(t, body, "broken")
		for _, path := range everyPage {
			w.html(t, path)
		}
	})
}

func TestPanicWhileRenderingIsAnInternalServerError(t *testing.T) {
	w := newFixture()
	w.connectors = func() []telemetry.Connector { panic("for the test") }
	require.Equal(t, http.StatusInternalServerError, w.get(t, "/").Code)
}

func TestPagesAreReadWhileRecordsArrive(t *testing.T) {
	w := newFixture()
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

func BenchmarkOverview(b *testing.B) {
	w := newFixture()
	for n := range 400 {
		w.memory.StatementFinished(quick(n))
		w.memory.StatementFinished(downloaded())
	}
	b.ReportAllocs()
	for b.Loop() {
		w.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	}
}
