package debugpage

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"net/url"
	"strconv"
)

var (
	//go:embed templates/*.gohtml
	files     embed.FS
	templates = template.Must(template.New("").Funcs(template.FuncMap{"n": func(n int64) count { return count(n) }}).ParseFS(files, "templates/*.gohtml"))

	//go:embed templates/style.css
	style string

	// policy lets a page show itself and nothing else. The style sheet is part of the page, so
	// that a saved page looks like a served one; the policy allows that style sheet by its hash.
	policy = "default-src 'none'; style-src '" + hashOf(style) + "'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// layout is what page.gohtml renders: the model of a page, and what surrounds every page.
type layout struct {
	Name, Title string
	Style       template.CSS
	Now         moment
	Refresh     int    // seconds between two loads; 0 is none
	ToggleURL   string // the same page with the refresh on, or off
	JSON        string // the same page as JSON
	Model       any
	NotFound    bool // Model is a notFound
}

func (req *request) layout(name, title string, model any) layout {
	l := layout{Name: name, Title: title, Style: template.CSS(style), Now: moment{req.now, req.now}, Model: model}
	_, l.NotFound = model.(notFound)
	if n, err := strconv.Atoi(req.query.Get("refresh")); err == nil && n > 0 {
		l.Refresh = min(n, 3600)
	}
	l.JSON = req.link("", "format", "json")
	l.ToggleURL = req.link("", "refresh", "5")
	if l.Refresh > 0 {
		l.ToggleURL = req.link("", "refresh", "")
	}
	return l
}

// link is the address of the page of that name, with the parameters of the request, except for
// those that set names with a new value; an empty value removes a parameter. An empty name is
// the page of the request.
func (req *request) link(name string, set ...string) string {
	values := url.Values{}
	for key, all := range req.query {
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
