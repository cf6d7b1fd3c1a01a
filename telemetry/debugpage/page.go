package debugpage

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/internal/shared"
	"github.com/seed-01322ee7/databricks-telemetry/internal/sqltext"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// documentsKept is how many of the documents sent to Databricks are kept for the pages.
const documentsKept = 100

func init() {
	http.Handle("GET /debug/databricks/", Handler()) // ServeMux redirects the path without the slash
}

// pageOf returns the debug page of a process. It shows what the process has done since the first call.
func pageOf(p *telemetry.Process) *page {
	exporter := export.Of(p)
	return shared.Of(p.Shared(), func() *page {
		memory := newMemory(p.Pools)
		p.Attach(memory)
		exporter.KeepRecent(documentsKept)
		return &page{memory: memory, connectors: p.Connectors, exporter: exporter, stats: p.Stats}
	})
}

// Handler returns the debug page of the process, for a mux other than http.DefaultServeMux. It works
// under any path that ends in a slash, whether or not the path is stripped from the request:
//
//	mux.Handle("/internal/databricks/", debugpage.Handler())
//
// It answers GET and HEAD, is safe for concurrent use, and shows what wrapped drivers have done since
// this package was initialized.
func Handler() http.Handler { return pageOf(&telemetry.Default) }

// page answers HTTP requests from a memory and from the state of the process.
type page struct {
	memory     *memory
	connectors func() []telemetry.Connector
	exporter   interface{ Recent() []export.Document }
	stats      func() telemetry.Stats
	allowed    atomic.Pointer[[]string] // the names of AllowHosts
}

var _ http.Handler = (*page)(nil)

// ServeHTTP answers one request. The response is complete before any of it is written.
func (p *page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "The debug page is read-only: it answers GET and HEAD.", http.StatusMethodNotAllowed)
		return
	}
	if !p.allows(r.Host) {
		name := shortened(hostName(r.Host), 100, "…")
		http.Error(w, fmt.Sprintf("The debug page is not served under the name %q: debugpage.AllowHosts(%[1]q) allows it.", name), http.StatusMisdirectedRequest)
		return
	}
	name := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	if lacksSlash(r, name) {
		to := url.URL{Path: "./" + name + "/", RawQuery: r.URL.RawQuery}
		h.Set("Location", to.String())
		w.WriteHeader(http.StatusPermanentRedirect)
		return
	}
	resp, ok := contained(func() response { return p.respond(name, r.URL) })
	if !ok {
		http.Error(w, "This page could not be rendered: a panic occurred and was contained.", http.StatusInternalServerError)
		return
	}
	h.Set("Content-Type", resp.contentType)
	h.Set("Content-Length", strconv.Itoa(len(resp.body)))
	w.WriteHeader(resp.status)
	if r.Method == http.MethodGet {
		_, _ = w.Write(resp.body)
	}
}

// lacksSlash reports whether the path is a mount point without its trailing slash, where relative
// links would not work.
func lacksSlash(r *http.Request, name string) bool {
	_, exists := models[name]
	return !exists && !strings.HasSuffix(r.Pattern, "/") && path.Base(r.Pattern) == name
}

// contained calls f and reports whether it returned. A panic is contained and counted, and the
// result is then the zero value.
func contained[T any](f func() T) (result T, ok bool) {
	ok = contain.Process.Call(contain.Page, func() { result = f() })
	return result, ok
}

type response struct {
	status      int
	contentType string
	body        []byte
}

// request is one HTTP request and the time that its answer describes.
type request struct {
	*page
	now   time.Time
	query url.Values
}

// models has the functions that return what a page shows, by the last element of its path. All pages
// are siblings, so the links between them can be relative.
var models = map[string]func(*request) (title string, m model){
	"":           (*request).overview,
	"statements": (*request).statements,
	"statement":  (*request).statement,
	"shapes":     (*request).shapes,
	"errors":     (*request).errors,
	"telemetry":  (*request).telemetry,
}

// respond renders the named page as HTML or, with format=json, as JSON.
func (p *page) respond(name string, u *url.URL) response {
	req := &request{page: p, now: time.Now(), query: known(u.Query())}
	p.memory.pools.sample(req.now, p.memory.registeredPools)
	read, exists := models[name]
	if !exists {
		read = (*request).notFound
	}
	title, m := read(req)
	status := http.StatusOK
	if _, missing := m.(notFound); missing {
		status = http.StatusNotFound
	}
	var b bytes.Buffer
	if req.query.Get("format") == "json" {
		encoder := json.NewEncoder(&b)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(m); err != nil {
			panic(err) // contained
		}
		return response{status, "application/json", b.Bytes()}
	}
	if err := pageView(req.layout(name, title, m)).Render(context.Background(), &b); err != nil {
		panic(err) // contained
	}
	return response{status, "text/html; charset=utf-8", b.Bytes()}
}

// parameters are the names of the parameters that pages understand.
var parameters = []string{"format", "refresh", "window", "sort", "all", "id", "outcome", "kind", "result", "category", "bound", "shape", "min", "q"}

const parameterBytes = 256 // of a value

// known returns the first value of every parameter that pages understand, bounded in length because
// the links of a page repeat it.
func known(values url.Values) url.Values {
	kept := url.Values{}
	for _, name := range parameters {
		if v := values.Get(name); v != "" {
			kept.Set(name, sqltext.Bounded(v, parameterBytes))
		}
	}
	return kept
}

// notFound is the page of a path or a statement that does not exist.
type notFound struct {
	Missing string `json:"missing"`
}

func (req *request) notFound() (string, model) {
	return "Not found", notFound{"There is no such page."}
}
