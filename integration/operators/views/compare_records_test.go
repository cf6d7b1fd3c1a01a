package views

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// facts are the workspaces' facts of each step; a step that did not reach its workspace has none. If the server had
// ended a session, database/sql has run the statement again.
func (l *ledger) facts() map[int]workspace.StatementFacts {
	all := map[int]workspace.StatementFacts{}
	for _, s := range l.servers {
		for _, f := range s.Statements() {
			var n int
			if _, err := fmt.Sscanf(f.SQL, "/* step %d.", &n); err == nil {
				require.Empty(l.t, all[n].ID, "ran twice")
				all[n] = f
			}
		}
	}
	return all
}

// categories are those of the SQLSTATEs of programs.
var categories = map[string]string{"42601": "syntax_error", "42P01": "not_found"}

// category is that of a step's failure; empty if the step does not decide it.
func (s *step) category(f workspace.StatementFacts) string {
	switch {
	case s.Do == "deadline":
		return "timeout"
	case s.Outcome == "canceled":
		return "cancelled"
	case f.SQLState != "":
		return cmp.Or(categories[f.SQLState], f.SQLState)
	case s.pool.wrapped:
		return ""
	case s.Do == "unreadable" && s.pool.on.files:
		return "chunk_download_error"
	case s.Do == "unreadable":
		return "not_found"
	}
	return "execute_statement_failed" // a file is missing, here or there
}

// compareRecords compares NDJSON with the ledger.
func (l *ledger) compareRecords() {
	t := l.t
	facts := l.facts()
	by := map[int][]fields{}
	for _, f := range l.of("statement") {
		n := int(f.object("attributes").number("step"))
		by[n] = append(by[n], f)
	}
	for _, s := range l.steps {
		if !s.Called() {
			require.NotContains(t, by, s.Number, "%s", s.Do)
			continue
		}
		by[s.Number] = slices.DeleteFunc(by[s.Number], func(f fields) bool { return f.text("error_category") == "session_closed" && !f.has("statement_id") })
		require.Len(t, by[s.Number], 1, "step %d %s %v", s.Number, s.Do, by[s.Number])
		f, seen := by[s.Number][0], facts[s.Number]
		what := fmt.Sprintf("step %d %s: %v\n%v", s.Number, s.Do, s.Err, f)
		kind := s.Kind
		if s.pool.wrapped && kind == "VOLUME" {
			kind = "UPDATE" // the wire says what it is
		}
		require.Equal(t, kind, f.text("kind"), what)
		if s.pool.wrapped && s.Do == "row" && f.text("outcome") == "closed_early" {
			s.Outcome = "closed_early" // it is not known that there are no more rows
		}
		require.Equal(t, s.Outcome, f.text("outcome"), what)
		require.Equal(t, s.Outcome == "failed" || s.Outcome == "canceled", f.failed(), what)
		if c := s.category(seen); f.failed() && c != "" && (!s.pool.wrapped || f.has("sqlstate") || s.Outcome == "canceled") {
			require.Equal(t, c, f.text("error_category"), what)
		}
		require.Equal(t, s.Ping, f["internal"] == true, what)
		require.Equal(t, s.Prepared, f["prepared"] == true, what)
		if s.Do == "held" || s.Kind == "QUERY" && s.Err == nil && !s.Ping {
			require.True(t, f.has("rows_read"), what)
			require.EqualValues(t, s.Read, f.whole("rows_read"), what)
		}
		if s.Affected > 0 {
			require.EqualValues(t, s.Affected, f.whole("rows_affected"), what)
		}
		if !s.Ping {
			require.Equal(t, telemetry.ShapeOf(s.SQL), f.text("query_shape"), what)
		}
		if s.pool.text && !s.Ping {
			require.Equal(t, s.SQL, f.text("query_text"), what)
		} else {
			require.False(t, f.has("query_text"), what)
		}
		if f.has("statement_id") && !s.Ping {
			require.Equal(t, seen.ID, f.text("statement_id"), what)
			require.Equal(t, seen.SessionID, f.text("session_id"), what)
		}
		if !s.pool.wrapped {
			require.Equal(t, s.pool.on.name, f.text("server"), what)
			require.Equal(t, s.pool.warehouse, f.text("warehouse_id"), what)
			if f.has("result_format") && !s.Ping && s.Err == nil && s.Kind != "VOLUME" {
				require.Equal(t, string(seen.Format), f.text("result_format"), what)
			}
		}
		elapsed := float64(s.ended.Sub(s.began)) / 1e6
		require.LessOrEqual(t, f.number("total_ms"), elapsed+0.001, what)
		if s.Outcome == "completed" && seen.CacheResult != "HIT" {
			require.GreaterOrEqual(t, f.number("total_ms"), float64(s.takes)/1e6, what)
		}
		parts := 0.0
		for key := range f {
			if strings.HasPrefix(key, "time_") {
				parts += f.number(key)
			}
		}
		require.InDelta(t, f.number("total_ms"), parts, 0.006, what)
		delete(by, s.Number)
	}
	require.Empty(t, by)

	opened := 0
	for _, s := range l.servers {
		for _, f := range s.Sessions() {
			if f.UserAgent != "" {
				opened++
			}
		}
	}
	require.Equal(t, opened, count(l.of("session_opened"), func(f fields) bool { return !f.failed() }))
	require.Equal(t, l.denied, count(l.of("session_opened"), fields.failed))
	require.Len(t, l.of("session_closed"), opened)
	sum := 0
	for _, f := range l.of("session_closed") {
		sum += f.whole("statements")
	}
	require.Len(t, l.of("statement"), sum)

	ended := map[string]bool{}
	for _, f := range l.of("statement") {
		ended[f.text("statement_id")] = true
	}
	for _, f := range l.of("server_report") {
		require.True(t, ended[f.text("statement_id")], "a report twice, or of no statement: %v", f)
		delete(ended, f.text("statement_id"))
	}
	waits, last := map[string]float64{}, map[string]fields{}
	for _, f := range l.of("pool") {
		waits[f.text("pool")] += f.number("waits")
		last[f.text("pool")] = f
	}
	for _, p := range l.pools {
		if p.unnamed != nil {
			require.Equal(t, p.db.Stats().MaxOpenConnections, last[p.name].whole("max_open"))
			require.LessOrEqual(t, waits[p.name], float64(p.db.Stats().WaitCount))
		} else {
			require.NotContains(t, last, p.name)
		}
	}
}
