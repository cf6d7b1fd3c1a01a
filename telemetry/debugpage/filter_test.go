package debugpage

import (
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestStatementsAreFilteredByEveryParameter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := populated()
		for query, want := range map[string]int{
			"":                                       33,
			"outcome=running":                        1,
			"outcome=problem":                        1,
			"outcome=completed":                      31,
			"kind=UPDATE":                            1,
			"result=EXTERNAL_LINKS":                  1,
			"category=syntax_error":                  1,
			"bound=file-bound":                       1,
			"bound=server-bound":                     2,
			"bound=unknown":                          30,
			"min=300ms":                              3,
			"min=300":                                3, // a plain number is milliseconds
			"q=ORDERS":                               1, // in the query, in any case
			"q=ab01":                                 1, // the trace id
			"q=00000000000000000000000000000000":     0, // most have no trace
			"q=8001-000000000002":                    1,
			"q=req-1":                                1, // the correlation id
			"q=abc123":                               1, // the warehouse
			"q=0a1b2c3d-0000":                        1, // a request
			"q=0a1b2c3d-0000-4000-8000-000000000001": 1, // the first attempt of one
			"q=parse_syntax":                         1,
			"kind=QUERY&outcome=problem":             0,
			"q=in+no+statement&all=1":                0,
			"kind=QUERY&min=1s&outcome=":             2,
			"result=INLINE_ARROW&min=30ms":           1,
		} {
			var l listed
			f.json(t, "/statements?format=json&"+query, &l)
			require.Equal(t, want, l.Found, query)
			require.Equal(t, 33, l.Kept)
			require.Empty(t, l.Problem)
		}
	})
}

func TestInvalidMinimumIsReportedInTheForm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := populated()
		body := f.html(t, "/statements?min=soon")
		require.Contains(t, body, `not a duration`)
		require.Contains(t, body, `aria-invalid="true"`)
		require.Contains(t, body, `value="soon"`)
		require.Contains(t, body, "33 of 33")
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

func TestStatementsAreFoundByTheSpellingThatPagesShow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		s := failed()
		s.Outcome, s.Failure = telemetry.OutcomeCanceled, &telemetry.Failure{Category: telemetry.CategoryStatementCanceled}
		f.memory.StatementFinished(s)
		for _, query := range []string{
			"category=execute_statement_canceled", "category=execute_statement_cancelled", "q=statement_canceled", "q=statement_cancelled", "q=cancell",
		} {
			var l listed
			f.json(t, "/statements?format=json&"+query, &l)
			require.Equal(t, 1, l.Found, query)
		}
	})
}
