package debugpage

import (
	"crypto/sha256"
	_ "embed" // for the style sheet
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
	"strconv"

	"github.com/a-h/templ"
)

//go:generate go run github.com/a-h/templ/cmd/templ@v0.3.833 generate -include-version=false

var (
	//go:embed style.css
	style string

	// policy allows a page to load nothing but itself. The style sheet is part of the page, so that a
	// saved page looks like a served one; the policy allows that style sheet by its hash.
	policy = "default-src 'none'; style-src '" + hashOf(style) + "'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// model is what a page shows, as JSON or through its template.
type model interface{ view() templ.Component }

// layout is the model of a page and the frame that all pages share.
type layout struct {
	Name, Title string
	Now         moment
	Refresh     int    // seconds between two loads; 0 means never
	ToggleURL   string // the same page with the refresh on, or off
	JSON        string // the same page as JSON
	Model       model
}

// navigation has the links at the top of every page, each with the names of the pages below it.
var navigation = []struct {
	title, address string
	names          []string
}{
	{"Overview", "./", []string{""}},
	{"Statements", "statements", []string{"statements", "statement"}},
	{"By shape", "shapes", []string{"shapes"}},
	{"Errors", "errors", []string{"errors"}},
	{"Telemetry", "telemetry", []string{"telemetry"}},
}

func (req *request) layout(name, title string, m model) layout {
	l := layout{Name: name, Title: title, Now: moment{req.now, req.now}, Model: m}
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

// link returns the address of the named page with the parameters of the request. set has pairs of a
// parameter and its new value; an empty value removes the parameter. An empty name means the page of
// the request.
func (req *request) link(name string, set ...string) string {
	values := url.Values{}
	maps.Copy(values, req.query)
	for pair := range slices.Chunk(set, 2) {
		if pair[1] == "" {
			values.Del(pair[0])
		} else {
			values.Set(pair[0], pair[1])
		}
	}
	return name + "?" + values.Encode()
}

// link returns the address of the named page with the parameters in set, pairs of a name and a value.
func link(name string, set ...string) string { return (&request{}).link(name, set...) }
