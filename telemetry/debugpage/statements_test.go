package debugpage

import (
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func urlEscaped(s string) string { return url.QueryEscape(s) }

type listed struct {
	Problem    string
	Sort       string
	Found      int
	Kept       int
	Statements []struct {
		Key     string
		Outcome string
		Total   float64 `json:"total_ms"`
	}
}

func TestStatementsAreFilteredByEveryParameter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := populated()
		for query, want := range map[string]int{
			"":                             33,
			"outcome=running":              1,
			"outcome=problem":              1,
			"outcome=completed":            31,
			"kind=UPDATE":                  1,
			"result=EXTERNAL_LINKS":        1,
			"category=syntax_error":        1,
			"bound=download-bound":         1,
			"min=300ms":                    3,
			"min=300":                      3, // a plain number is milliseconds
			"q=ORDERS":                     1, // in the query, in any case
			"q=ab01":                       1, // the trace id
			"q=000000000002":               2,
			"q=parse_syntax":               1,
			"kind=QUERY&outcome=problem":   0,
			"q=in+no+statement&all=1":     0,
			"kind=QUERY&min=1s&outcome=":   2,
			"result=INLINE_ARROW&min=30ms": 1,
		} {
			var l listed
			w.json(t, "/statements?format=json&"+query, &l)
			require.Equal(t, want, l.Found, query)
			require.Equal(t, 33, l.Kept)
			require.Empty(t, l.Problem)
		}
	})
}

func TestInvalidMinimumIsReportedInTheForm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := populated()
		body := w.html(t, "/statements?min=soon")
		require.Contains(t, body, `not a duration`)
		require.Contains(t, body, `aria-invalid="true"`)
		require.Contains(t, body, "33 of 33")
	})
}

func TestStatementsAreSortedBothWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := populated()
		var l listed
		w.json(t, "/statements?format=json", &l)
		require.Equal(t, "running", l.Statements[0].Outcome, "running statements come first")
		w.json(t, "/statements?format=json&sort=total", &l)
		require.InDelta(t, 90000, l.Statements[0].Total, 0.1)
		require.InDelta(t, 4200, l.Statements[1].Total, 0.1)
		w.json(t, "/statements?format=json&sort=-total", &l)
		require.InDelta(t, 1, l.Statements[0].Total, 0.1)
		w.json(t, "/statements?format=json&sort=rows", &l)
		require.InDelta(t, 4200, l.Statements[0].Total, 0.1)
		w.json(t, "/statements?format=json&sort=nonsense", &l)
		require.Equal(t, "started", l.Sort)

		body := w.html(t, "/statements?sort=total")
		require.Contains(t, body, `aria-sort="descending"><a href="statements?sort=-total">`)
	})
}

func TestStatementIsFoundByIdAndByLocalKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := populated()
		s := w.all[0].(*connector).running[0]
		require.Contains(t, w.html(t, "/statement?id="+localKey(s)), "So far")
		ended := *s
		ended.StatementID, ended.Outcome = "01f0a1b2-0000-1000-8000-000000000009", telemetry.OutcomeCompleted
		w.all[0].(*connector).running = nil
		w.memory.StatementFinished(&ended)
		require.Contains(t, w.html(t, "/statement?id="+localKey(s)), ended.StatementID)
		require.Equal(t, 404, w.get(t, "/statement?id=gone").Code)
		require.Equal(t, 404, w.get(t, "/statement").Code)
	})
}

func TestLongListShowsTheFirstRowsAndLinksToAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newFixture()
		for n := range 150 {
			w.memory.StatementFinished(quick(n))
		}
		body := w.html(t, "/statements?kind=QUERY")
		require.Equal(t, rowsShown, strings.Count(body, `class="id"`))
		require.Contains(t, body, `<a href="statements?all=1&amp;kind=QUERY">Show all 150</a>`)
		require.Equal(t, 150, strings.Count(w.html(t, "/statements?all=1"), `class="id"`))
	})
}

// FuzzFilter: any address gives a filter, and writing that filter into an address and reading it
// again gives the same filter.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{"", "min=1s", "min=-1s", "min=1e400", "min=NaN", "min=9e8", "q=%zz", "outcome=problem&q=+x+", "min=5&min=6", "kind=%00&sort=-"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		values, _ := url.ParseQuery(query)
		got, err := filterOf(values)
		if got.minTotal < 0 || err != nil && got.minTotal != 0 {
			t.Fatalf("%q: minTotal is %s, error %v", query, got.minTotal, err)
		}
		again, againErr := filterOf(url.Values{
			"outcome": {got.Outcome}, "kind": {got.Kind}, "result": {got.Result}, "category": {got.Category}, "bound": {got.Bound}, "min": {got.Min}, "q": {got.Text},
		})
		if again != got || (err == nil) != (againErr == nil) {
			t.Fatalf("%q: %+v became %+v", query, got, again)
		}
		s := &telemetry.Statement{Total: time.Second, Query: "x"}
		_ = got.matches(s)
	})
}
