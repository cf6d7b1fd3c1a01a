package debugpage

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestStatementsAreSortedBothWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := populated()
		var l listed
		f.json(t, "/statements?format=json", &l)
		require.Equal(t, "running", l.Statements[0].Outcome, "running statements come first")
		f.json(t, "/statements?format=json&sort=total", &l)
		require.InDelta(t, 90000, l.Statements[0].Total, 0.1)
		require.InDelta(t, 4200, l.Statements[1].Total, 0.1)
		f.json(t, "/statements?format=json&sort=-total", &l)
		require.InDelta(t, 1, l.Statements[0].Total, 0.1)
		f.json(t, "/statements?format=json&sort=rows", &l)
		require.InDelta(t, 4200, l.Statements[0].Total, 0.1)
		f.json(t, "/statements?format=json&sort=nonsense", &l)
		require.Equal(t, "started", l.Sort)

		body := f.html(t, "/statements?sort=total")
		require.Contains(t, body, `aria-sort="descending"><a href="statements?sort=-total">`)
	})
}

// A tab is marked only if the list is what its name says.
func TestTheMarkedTabNamesTheList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := populated()
		for query, tab := range map[string]string{
			"": "Latest", "?sort=started": "Latest", "?sort=nonsense": "Latest", "?kind=QUERY": "Latest", "?sort=total": "Slowest", "?outcome=running": "Running",
			"?outcome=problem&sort=rows": "Failed", "?sort=-started": "", "?sort=-total": "", "?sort=rows": "", "?sort=bytes": "", "?outcome=completed": "",
		} {
			_, tabs, _ := strings.Cut(f.html(t, "/statements"+query), `aria-label="Views">`)
			tabs, _, _ = strings.Cut(tabs, "</nav>")
			_, marked, found := strings.Cut(tabs, `aria-current="true">`)
			require.Equal(t, tab != "", found, query)
			require.True(t, strings.HasPrefix(marked, tab), "%s: %s", query, marked)
		}
	})
}

// In JSON, fields have the names and meanings that they have in NDJSON.
func TestAffectedRowsWereNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		insert := quick(3)
		insert.Kind, insert.RowsRead, insert.RowsAffected = telemetry.KindUpdate, telemetry.Maybe[int64]{}, telemetry.Known[int64](7)
		f.memory.StatementFinished(insert)
		var l struct{ Statements []map[string]any }
		f.json(t, "/statements?format=json", &l)
		require.EqualValues(t, 7, l.Statements[0]["rows_affected"])
		require.NotContains(t, l.Statements[0], "rows_read")
		require.Contains(t, f.html(t, "/statements"), `data-label="Rows">7</td>`)
	})
}

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

func TestLongListShowsTheFirstRowsAndLinksToAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		for n := range 150 {
			f.memory.StatementFinished(quick(n))
		}
		body := f.html(t, "/statements?kind=QUERY")
		require.Equal(t, rowsShown, strings.Count(body, `class="id"`))
		require.Contains(t, body, `<a href="statements?all=1&amp;kind=QUERY">Show all 150</a>`)
		require.Equal(t, 150, strings.Count(f.html(t, "/statements?all=1"), `class="id"`))
	})
}

func TestStatementSaysWhatItBelongsTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := populated()
		var p struct {
			Profile string      `json:"query_profile"`
			Belongs []reference `json:"belongs_to"`
		}
		f.json(t, "/statement?format=json&id="+downloaded().StatementID, &p)
		require.Equal(t, downloaded().ProfileURL(), p.Profile)
		for _, want := range []reference{{"warehouse", "abc123"}, {"session began in", "main.sales"}, {"correlation id", "req-1"}, {"query tag team", "orders"}, {"http.route", "/orders"}} {
			require.Contains(t, p.Belongs, want)
		}
		require.Contains(t, f.html(t, "/statement?id="+downloaded().StatementID), `rel="noopener noreferrer">query profile</a>`)
	})
}

func TestStatementIsFoundByIdAndByLocalKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := populated()
		s := f.all[0].(*connector).running[0]
		require.Contains(t, f.html(t, "/statement?id="+localKey(s)), "So far")
		ended := *s
		ended.StatementID, ended.Outcome = "01f0a1b2-0000-1000-8000-000000000009", telemetry.OutcomeCompleted
		f.all[0].(*connector).running = nil
		f.memory.StatementFinished(&ended)
		require.Contains(t, f.html(t, "/statement?id="+localKey(s)), ended.StatementID)
		require.Equal(t, 404, f.get(t, "/statement?id=gone").Code)
		require.Equal(t, 404, f.get(t, "/statement").Code)
	})
}

func TestAStatementThatBeganAtTheSameTickAsAnotherRunsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // clocks of some systems tick every half millisecond, or less often
		f := newFixture()
		time.Sleep(time.Minute)
		f.run(waitingFor(20*time.Second), 3)
		ended := quick(30)
		ended.Started, ended.Connector = time.Now().Add(-20*time.Second), 1
		f.memory.StatementFinished(ended)
		var o struct {
			Headline string
			Running  int
		}
		f.json(t, "/?format=json", &o)
		require.Equal(t, 3, o.Running)
		require.Contains(t, o.Headline, "3 statements are stuck")
	})
}

// ending is a connector whose statement ends right after the page has asked what runs.
type ending struct {
	connector
	end func()
}

func (e *ending) Running() []*telemetry.Statement {
	all := e.running
	if e.running = nil; all != nil {
		e.end()
	}
	return all
}

func TestAStatementThatEndsMeanwhileIsListedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		now := running()
		now.StatementID = "01f0a1b2-0000-1000-8000-00000000000f"
		f.all = []telemetry.Connector{&ending{connector{running: []*telemetry.Statement{now}}, func() {
			ended := *now
			ended.Outcome = telemetry.OutcomeCompleted
			f.memory.StatementFinished(&ended)
		}}}
		var l struct {
			Found int
			Rows  []struct{ Key, Outcome string } `json:"statements"`
		}
		f.json(t, "/statements?format=json", &l)
		require.Len(t, l.Rows, 1, "%v", l)
	})
}

func TestAShortNameEndsWithACharacter(t *testing.T) {
	require.Equal(t, "01f0a1b2-0000…", row{StatementID: "01f0a1b2-0000-1000-8000-000000000001"}.Name())
	require.Equal(t, "äöüäöüäöüäöüä…", row{StatementID: strings.Repeat("äöü", 10)}.Name())
	require.Equal(t, "no id", row{}.Name())
}

func TestRowsAreSortedAsTheyAreShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		update := quick(20)
		update.Kind, update.RowsRead, update.RowsAffected = telemetry.KindUpdate, telemetry.Maybe[int64]{}, telemetry.Known[int64](1_000_000)
		f.memory.StatementFinished(update)
		f.memory.StatementFinished(quick(10))
		var l struct {
			Statements []struct{ Kind telemetry.Kind }
		}
		f.json(t, "/statements?sort=rows&format=json", &l)
		require.Equal(t, telemetry.KindUpdate, l.Statements[0].Kind)
	})
}

func TestTheSlowestOfAPeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		slow := quick(30_000)
		f.memory.StatementFinished(slow)
		time.Sleep(2 * time.Hour)
		f.memory.StatementFinished(quick(20))
		first := func(query string) string {
			var o struct{ Slowest []struct{ Key string } }
			f.json(t, "/?format=json"+query, &o)
			return o.Slowest[0].Key
		}
		require.Equal(t, keyOf(slow), first("&window=all"))
		require.Equal(t, keyOf(quick(20)), first(""), "of the last hour")
	})
}
