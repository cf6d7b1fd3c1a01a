package debugpage

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// documentsKept is how many of the documents sent to Databricks can be looked at.
const documentsKept = 100

// shared is the page of the process.
var shared = &page{
	memory: newMemory(telemetry.Default.Pools), connectors: telemetry.Default.Connectors, exporter: &export.Default, process: telemetry.ReadStats,
}

func init() {
	telemetry.Attach(shared.memory)
	export.Default.KeepRecent(documentsKept)
	http.Handle("GET /debug/databricks/", shared) // and, as ServeMux does, a redirect to it
}

// Handler returns the debug page of the process, for a mux other than
// http.DefaultServeMux. It works under any path that ends in a slash, stripped from the
// request or not:
//
//	mux.Handle("/internal/databricks/", debugpage.Handler())
//
// It answers GET and HEAD, is safe for concurrent use, and reads what happened to wrapped
// drivers since this package was initialised.
func Handler() http.Handler { return shared }

// page answers requests from a memory and from what the process can be asked.
type page struct {
	memory     *memory
	connectors func() []telemetry.Connector
	exporter   interface {
		Stats() export.Stats
		Recent() []export.Document
	}
	process func() telemetry.Stats
}

// visit is one request: what it asks for, and the moment it is answered for.
type visit struct {
	*page
	now   time.Time
	query url.Values
}

// models make what a page shows, by the last element of its path. All pages lie beside each
// other, which is what keeps their links relative.
var models = map[string]func(*visit) (title string, model any, status int){
	"":           (*visit).overview,
	"statements": (*visit).statements,
	"statement":  (*visit).statement,
	"telemetry":  (*visit).telemetry,
}

var (
	//go:embed templates
	files embed.FS

	templates = template.Must(template.New("").Funcs(template.FuncMap{"n": func(n int64) count { return count(n) }}).ParseFS(files, "templates/*.gohtml"))
	style     = mustRead("templates/style.css")

	// policy lets a page show itself and nothing else. The style is part of the page, so that
	// one that was saved looks like one that was served; its hash lets that one in.
	policy = "default-src 'none'; style-src '" + hashOf(style) + "'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

func mustRead(name string) string {
	b, err := files.ReadFile(name)
	if err != nil {
		panic(err) // it was embedded by the compiler
	}
	return string(b)
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// ServeHTTP answers one request. The page is complete before any of it is written.
func (p *page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "The debug page changes nothing: it answers GET and HEAD only.", http.StatusMethodNotAllowed)
		return
	}
	name := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	if mountedAs(r, name) {
		h.Set("Location", url.PathEscape(name)+"/")
		w.WriteHeader(http.StatusPermanentRedirect)
		return
	}
	a, ok := contained(func() answer { return p.answer(name, r.URL) })
	if !ok {
		http.Error(w, "This page could not be made: the code behind it panicked.", http.StatusInternalServerError)
		return
	}
	h.Set("Content-Type", a.contentType)
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	if r.Method == http.MethodGet {
		_, _ = w.Write(a.body)
	}
}

// mountedAs reports whether the path is a mount point without its slash, below which no
// relative link would lead anywhere.
func mountedAs(r *http.Request, name string) bool {
	_, exists := models[name]
	return !exists && !strings.HasSuffix(r.Pattern, "/") && path.Base(r.Pattern) == name
}

type answer struct {
	status      int
	contentType string
	body        []byte
}

func (p *page) answer(name string, u *url.URL) answer {
	v := &visit{page: p, now: time.Now(), query: u.Query()}
	p.memory.pools.look(v.now, p.memory.registered)
	show, exists := models[name]
	if !exists {
		show = (*visit).notFound
	}
	title, model, status := show(v)
	if v.query.Get("format") == "json" {
		var b bytes.Buffer
		encoder := json.NewEncoder(&b)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(model); err != nil {
			panic(err) // contained
		}
		return answer{status, "application/json", b.Bytes()}
	}
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, "page.gohtml", v.frame(name, title, model)); err != nil {
		panic(err) // contained
	}
	return answer{status, "text/html; charset=utf-8", b.Bytes()}
}

// contained keeps a mistake in one part from the rest of the page.
func contained[T any](ask func() T) (answer T, ok bool) {
	ok = contain.Process.Call(contain.Page, func() { answer = ask() })
	return answer, ok
}

// frame is what stands around every page.
type frame struct {
	Name, Title string
	Style       template.CSS
	Now         moment
	Refresh     int    // seconds between two looks; 0 is none
	ToggleURL   string // the same page with the refresh on, or off
	JSON        string // the same page as JSON
	Model       any
	Nothing     bool // Model is a nothing
}

func (v *visit) frame(name, title string, model any) frame {
	f := frame{Name: name, Title: title, Style: template.CSS(style), Now: moment{v.now, v.now}, Model: model}
	_, f.Nothing = model.(nothing)
	if n, err := strconv.Atoi(v.query.Get("refresh")); err == nil && n > 0 {
		f.Refresh = min(n, 3600)
	}
	f.JSON = v.link("", "format", "json")
	f.ToggleURL = v.link("", "refresh", "5")
	if f.Refresh > 0 {
		f.ToggleURL = v.link("", "refresh", "")
	}
	return f
}

// link is the page's own address with parameters set, or, where their value is empty, taken
// out. An empty name stays on the page.
func (v *visit) link(name string, set ...string) string {
	values := url.Values{}
	for key, all := range v.query {
		values[key] = all
	}
	for i := 0; i+1 < len(set); i += 2 {
		if set[i+1] == "" {
			values.Del(set[i])
		} else {
			values.Set(set[i], set[i+1])
		}
	}
	if query := values.Encode(); query != "" || name == "" {
		return name + "?" + query
	}
	return name
}

// nothing is the page of an address that leads nowhere.
type nothing struct {
	Missing string `json:"missing"`
}

func (v *visit) notFound() (string, any, int) {
	return "Not found", nothing{"There is no such page."}, http.StatusNotFound
}
