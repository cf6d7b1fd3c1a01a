package debugpage

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// What is counted by shape is kept by the minute when it is older than five minutes.
func TestEveryStatementOfAPeriodIsInItsShape(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		for i := range 900 {
			f.memory.StatementFinished(quick(3))
			time.Sleep(7 * time.Second)
			if i%50 != 0 {
				continue
			}
			for _, p := range []period{lastMinutes, lastHour, sinceStart} {
				all := f.memory.counts.over(time.Now(), p.length)
				require.EqualValues(t, all.statements, f.memory.shapes.views(time.Now(), p.length)[0].Statements, "%s after %d", p.key, i)
			}
		}
	})
}

func TestStatementsAreGroupedByTheirTextWithoutLiterals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		for n := range 20 {
			s := quick(10 + n)
			s.Query = fmt.Sprintf("SELECT * FROM orders WHERE id = %d", n)
			f.memory.StatementFinished(s)
		}
		s := failed()
		s.Query = "INSERT INTO exports VALUES ('a')"
		f.memory.StatementFinished(s)
		f.memory.StatementFinished(&telemetry.Statement{Internal: true, Started: time.Now(), Total: ms(1)})
		f.memory.StatementFinished(quick(3))

		views := f.memory.shapes.views(time.Now(), 5*time.Minute)
		require.Len(t, views, 4)
		var shares float64
		byText := map[string]shapeView{}
		for _, v := range views {
			shares += float64(v.Share)
			byText[v.Text] = v
			require.LessOrEqual(t, v.P50, v.P95)
			require.LessOrEqual(t, v.P95, v.Slowest)
		}
		require.InDelta(t, 1, shares, 0.001)
		orders := byText["SELECT * FROM orders WHERE id = ?"]
		require.EqualValues(t, 20, orders.Statements)
		require.Equal(t, duration(ms(29)), orders.Slowest)
		require.Contains(t, byText, "ping")
		require.Contains(t, byText, "QUERY INLINE_ARROW (text is unknown)")
		exports := byText["INSERT INTO exports VALUES (?)"]
		require.EqualValues(t, 1, exports.Failed)
		require.Equal(t, "server-bound", exports.Bound)

		var l listed
		f.json(t, "/statements?format=json&shape="+orders.ID, &l)
		require.Equal(t, 20, l.Found)
		require.Equal(t, 200, f.get(t, "/"+orders.ExampleURL()).Code)
		body := f.html(t, "/shapes?sort=failed")
		require.Less(t, strings.Index(body, "exports"), strings.Index(body, "orders"))

		time.Sleep(30 * time.Minute)
		require.Empty(t, f.memory.shapes.views(time.Now(), 5*time.Minute))
		require.Len(t, f.memory.shapes.views(time.Now(), time.Hour), 4)
		time.Sleep(2 * time.Hour)
		f.memory.StatementFinished(quick(3))
		require.Len(t, f.memory.shapes.views(time.Now(), time.Hour), 1)
		require.Len(t, f.memory.shapes.views(time.Now(), 0), 4)
		f.json(t, "/statements?format=json&window=5m", &l)
		require.Equal(t, 1, l.Found)
	})
}

func TestStatementsWithoutATextAreGroupedByTheHashOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		orders, exports := telemetry.ShapeOf("SELECT * FROM orders WHERE id = 1"), telemetry.ShapeOf("SELECT * FROM exports")
		for n := range 20 {
			s := quick(10 + n)
			s.Shape = orders
			f.memory.StatementFinished(s)
		}
		s := failed()
		s.Shape = exports
		f.memory.StatementFinished(s)
		r := running()
		r.Shape = orders
		f.all = []telemetry.Connector{&connector{running: []*telemetry.Statement{r}}}

		views := f.memory.shapes.views(time.Now(), 5*time.Minute, r)
		require.Len(t, views, 2, "one that runs has no result format, and the same shape")
		require.Equal(t, []string{"shape " + orders, "shape " + exports}, []string{views[0].Text, views[1].Text})
		require.Equal(t, []string{orders, exports}, []string{views[0].ID, views[1].ID}, "the log and files name it the same")
		require.EqualValues(t, 1, views[0].Running)
		require.Equal(t, []duration{duration(ms(29)), duration(r.Total)}, []duration{max(views[0].P95, duration(ms(29))), views[0].Slowest}, "one that runs moves no percentile")

		var l listed
		f.json(t, "/"+views[0].URL()+"&format=json", &l)
		require.Equal(t, 21, l.Found)
		f.json(t, "/statements?format=json&q="+exports, &l)
		require.Equal(t, 1, l.Found)
		require.Contains(t, f.html(t, "/"+views[1].URL()), "Of the shape <code>shape "+exports)
		require.Contains(t, f.html(t, "/"+views[1].ExampleURL()), `<a href="statements?shape=`+exports)
		require.Contains(t, f.html(t, "/shapes"), "shape "+orders)
		require.Contains(t, f.html(t, "/statements"), "shape "+orders, "instead of the text")
	})
}

func TestErrorsAreGroupedByCategoryAndMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := populated()
		f.memory.StatementFinished(failed())
		other := failed()
		other.Failure = &telemetry.Failure{Category: telemetry.CategorySyntax, SQLState: "42601", Message: "another"}
		f.memory.StatementFinished(other)
		views := f.memory.failures.views(time.Now(), time.Hour)
		require.Len(t, views, 3)
		require.EqualValues(t, 2, views[0].Count)
		require.Equal(t, failed().StatementID, views[0].Example)
		body := f.html(t, "/errors")
		require.Contains(t, body, "connection not opened")
		require.Contains(t, body, "invalid credentials")
	})
}

// A page that reloads keeps the order of what is equal.
func TestEqualGroupsKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		for n := range 8 {
			s := failed()
			s.Failure = &telemetry.Failure{Category: telemetry.CategorySyntax, SQLState: fmt.Sprint("4260", n)}
			s.Query = "SELECT " + strings.Repeat("a, ", 100) + string(rune('a'+n)) // as long as a shape shows, they are alike
			f.memory.StatementFinished(s)
		}
		for _, path := range []string{"/errors", "/shapes"} {
			first := f.html(t, path)
			for range 10 {
				require.True(t, first == f.html(t, path), path)
			}
		}
	})
}

func TestGroupsThatWereNotCountedForLongestMakeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &newMemory(nil).shapes
		for n := range 3 * shapesKept {
			s := quick(1)
			s.Query = fmt.Sprintf("SELECT c%d", n)
			g.addStatement(time.Now(), s)
			s = quick(1)
			s.Query = "SELECT 'always'"
			g.addStatement(time.Now(), s)
			time.Sleep(time.Second)
		}
		require.Len(t, g.all, shapesKept)
		require.EqualValues(t, 3*shapesKept, g.all[telemetry.ShapeOf("SELECT ?")].ever.statements)
	})
}

// The list promises that a time leads to the statement that took it.
func TestTheSlowestStatementOfAShapeIsThatOfItsPeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		slowest := func(query string) (of struct {
			Slowest float64 `json:"slowest_ms"`
			Example string  `json:"slowest_statement"`
		}) {
			var l struct{ Shapes []json.RawMessage }
			f.json(t, "/shapes?format=json"+query, &l)
			require.Len(t, l.Shapes, 1)
			require.NoError(t, json.Unmarshal(l.Shapes[0], &of))
			return of
		}
		slow := quick(30_000)
		f.memory.StatementFinished(slow)
		require.Equal(t, keyOf(slow), slowest("").Example)
		time.Sleep(10 * time.Minute)
		f.memory.StatementFinished(quick(20))
		require.Equal(t, keyOf(slow), slowest("").Example)
		require.InDelta(t, 20, slowest("&window=5m").Slowest, .1)
		require.Equal(t, keyOf(quick(20)), slowest("&window=5m").Example)

		time.Sleep(time.Hour)
		for n := range slowestKept + recentKept {
			f.memory.StatementFinished(quick(20 + n%3))
		}
		require.InDelta(t, 22, slowest("").Slowest, .1)
		require.Equal(t, http.StatusOK, f.get(t, link("/statement", "id", slowest("").Example)).Code)
		require.Equal(t, http.StatusNotFound, f.get(t, link("/statement", "id", keyOf(slow))).Code)
		require.InDelta(t, 30_000, slowest("&window=all").Slowest, .1)
		require.Empty(t, slowest("&window=all").Example, "it is no longer kept")
	})
}

func TestShapesOfAPeriodWithoutStatementsAreNotThoseOfANewProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		f.all = []telemetry.Connector{&connector{}}
		require.Contains(t, f.html(t, "/shapes"), "No statement was recorded yet")
		f.memory.StatementFinished(quick(20))
		time.Sleep(10 * time.Minute)
		require.NotContains(t, f.html(t, "/shapes?window=5m"), "No statement was recorded yet")
	})
}

func TestTheSumsOfAShapeAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		for range 3 * time.Hour / intervalLength {
			f.memory.StatementFinished(quick(3))
			time.Sleep(intervalLength)
		}
		require.LessOrEqual(t, len(f.memory.shapes.all[shapeIDOf(quick(3))].stretches), int(fineIntervals)+60+1, "ten seconds each, and before that minutes of the last hour")
	})
}
