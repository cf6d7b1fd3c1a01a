package engine

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// ask is a query with its expected header, types and cells.
type ask struct {
	sql, headers, types string
	want                []string
}

func (a ask) run(t *testing.T, s *Session) {
	t.Helper()
	t.Run(a.sql, func(t *testing.T) {
		res, err := s.Execute(t.Context(), a.sql, nil)
		if !assert.NoError(t, err) {
			return
		}
		if a.headers != "" {
			assert.Equal(t, a.headers, headers(res))
		}
		if a.types != "" {
			assert.Equal(t, a.types, typesOf(res))
		}
		assert.Equal(t, a.want, cells(res))
	})
}

func TestQueriesInDatabricksSpelling(t *testing.T) {
	s := shop(t)
	for _, a := range []ask{
		{"SELECT .5, .5 + 1, 1.5e-1, v.`1b`.x FROM (SELECT 1) `1b`(y), (SELECT 2 AS x) v", "", "", nil},
		{"SELECT .5 AS a, -.25D AS b,.5F AS c", "a|b|c", "DECIMAL(1,1)|DOUBLE|FLOAT", []string{"0.5|-0.25|0.5"}},
		{"SELECT 1. + .5e1, 5.e-1, -.5, (.5), coalesce(.5,.25), id*.5 FROM item WHERE id=.5*2", "", "DOUBLE|DOUBLE|DECIMAL(1,1)|DECIMAL(1,1)|DECIMAL(2,2)|DECIMAL(22,1)", []string{"6.0|0.5|-0.5|0.5|0.50|0.5"}},
		{"VALUES 1, 2 AS t(x) ORDER BY ALL DESC", "x", "INT", []string{"2", "1"}},
		{"WITH v AS (VALUES (1, 'a') AS t(n, s)) SELECT s, n FROM v", "s|n", "STRING|INT", []string{"a|1"}},
		{"SELECT 1 AS x UNION ALL VALUES (3) AS t(x) UNION ALL SELECT 2 ORDER BY ALL", "x", "INT", []string{"1", "2", "3"}},
		{"SELECT i.id FROM item i WHERE i.price>.5 ORDER BY ALL DESC LIMIT 1", "id", "BIGINT", []string{"3"}},
		{"SELECT ok, id FROM item ORDER BY ALL", "", "", []string{"NULL|3", "false|2", "true|1"}},
		{"SELECT ok, id FROM item ORDER BY ALL DESC NULLS FIRST", "", "", []string{"NULL|3", "true|1", "false|2"}},
		{"VALUES (1, 'x'), (2, 'y') AS t(a, b)", "a|b", "INT|STRING", []string{"1|x", "2|y"}},
		{"VALUES (2), (1) AS t(a) ORDER BY a LIMIT 1", "a", "INT", []string{"1"}},
		{"(VALUES (1) t) UNION ALL VALUES (2)", "col1", "INT", []string{"1", "2"}},
		{"SELECT * FROM (VALUES (1, 2) AS t(a, b)) WHERE a = 1", "a|b", "INT|INT", []string{"1|2"}},
		{"SELECT x FROM VALUES (1), (1), (2), (3) t(x) EXCEPT ALL SELECT x FROM VALUES (1), (3) t(x)", "x", "INT", []string{"1", "2"}},
		{"SELECT x FROM VALUES (1), (1), (NULL), (NULL) t(x) INTERSECT ALL SELECT x FROM VALUES (1), (1), (1), (NULL) t(x) ORDER BY x", "x", "INT", []string{"NULL", "1", "1"}},
		{"SELECT x FROM VALUES (1.0), (1) t(x) MINUS ALL SELECT 1", "x", "DECIMAL(11,1)", []string{"1.0"}},
		{"SELECT (1, 'a') IN ((1, 'b'), (1, 'a')), (1, 2) NOT IN ((3, 4)), (1, NULL) IN ((1, 2)), (1, 2.0) IN ((1L, 2))", "", "BOOLEAN|BOOLEAN|BOOLEAN|BOOLEAN", []string{"true|true|NULL|true"}},
		{"SELECT id FROM item WHERE (id, name) IN (SELECT id, name FROM item WHERE id > 1) ORDER BY id", "id", "BIGINT", []string{"2", "3"}},
		{"SELECT (1, 2) = (1, 2), (1, 2) < (1, 3), (1, 2) <> (2, 2), (1, NULL) <=> (1, NULL)", "", "", []string{"true|true|true|true"}},
		{"SELECT name LIKE ANY ('a%', '%r') AS a, name LIKE ALL ('%p%', '%l%') AS b, name NOT LIKE ALL ('a%', 'p%') AS c, name NOT LIKE ANY ('a%', '%') AS d, name ILIKE SOME ('APP%') AS e FROM item WHERE id = 1", "", "", []string{"true|true|false|false|true"}},
	} {
		if a.want == nil {
			fails(t, s, "UNRESOLVED_COLUMN.WITH_SUGGESTION", a.sql)
			continue
		}
		a.run(t, s)
	}
}

func TestGroupingSets(t *testing.T) {
	s := newSession(t, newDatabase(t))
	run1(t, s, "CREATE TABLE g AS SELECT * FROM VALUES ('a', 1, 10.5), ('a', 2, 1), ('b', 1, 2), (NULL, 1, 4) AS v(k, n, x)")
	for _, a := range []ask{
		{"SELECT k, n, sum(x) AS s FROM g GROUP BY ROLLUP(k, n) ORDER BY k NULLS LAST, n NULLS LAST, s", "k|n|s", "STRING|INT|DECIMAL(21,1)",
			[]string{"a|1|10.5", "a|2|1.0", "a|NULL|11.5", "b|1|2.0", "b|NULL|2.0", "NULL|1|4.0", "NULL|NULL|4.0", "NULL|NULL|17.5"}},
		{"SELECT k, count(*) FROM g GROUP BY k WITH ROLLUP ORDER BY 2, 1", "", "", []string{"NULL|1", "b|1", "a|2", "NULL|4"}},
		{"SELECT k, n, grouping(k) AS gk, grouping(n) AS gn, grouping_id() AS id, grouping_id(n) AS i2, count(*) AS c FROM g WHERE k = 'a' GROUP BY CUBE(k, n) ORDER BY id, n", "k|n|gk|gn|id|i2|c", "STRING|INT|TINYINT|TINYINT|BIGINT|BIGINT|BIGINT",
			[]string{"a|1|0|0|0|0|1", "a|2|0|0|0|0|1", "a|NULL|0|1|1|1|2", "NULL|1|1|0|2|0|1", "NULL|2|1|0|2|0|1", "NULL|NULL|1|1|3|1|2"}},
		{"SELECT upper(k) AS u, sum(n) FROM g GROUP BY GROUPING SETS ((upper(k)), ()) ORDER BY u NULLS LAST, 2", "", "", []string{"A|3", "B|1", "NULL|1", "NULL|5"}},
		{"SELECT k, n FROM g GROUP BY k, n GROUPING SETS ((k), (n)) ORDER BY ALL", "", "", []string{"NULL|NULL", "NULL|1", "NULL|2", "a|NULL", "b|NULL"}},
		{"SELECT k, n, count(*) FROM g GROUP BY k, ROLLUP(n) HAVING count(*) > 1", "", "", []string{"a|NULL|2"}},
		{"SELECT k, count(*) FROM g GROUP BY GROUPING SETS (k, k, ROLLUP(k)) HAVING k = 'a'", "", "", []string{"a|2", "a|2", "a|2"}},
		{"SELECT k, sum(x), rank() OVER (PARTITION BY grouping(k) ORDER BY sum(x) DESC) AS r FROM g GROUP BY ROLLUP(k) ORDER BY grouping(k), r", "", "", []string{"a|11.5|1", "NULL|4.0|2", "b|2.0|3", "NULL|17.5|1"}},
		{"SELECT n + 1 AS m, sum(n) FROM g GROUP BY CUBE(m) ORDER BY m", "", "", []string{"NULL|5", "2|3", "3|2"}},
		{"SELECT n, n * 10 AS t, count(DISTINCT k) FROM g GROUP BY ROLLUP(1) ORDER BY n", "", "", []string{"NULL|NULL|2", "1|10|2", "2|20|1"}},
		{"SELECT k, n, k || n AS c, count(*) FROM g GROUP BY ROLLUP((k, n)) ORDER BY c LIMIT 2", "", "", []string{"NULL|1|NULL|1", "NULL|NULL|NULL|4"}},
		{"SELECT a.k, count(*) FROM g a JOIN g b USING (n) WHERE a.x > 1 GROUP BY ROLLUP(a.k) ORDER BY 2, 1", "", "", []string{"NULL|3", "a|3", "b|3", "NULL|9"}},
	} {
		a.run(t, s)
	}
	fails(t, s, "MISSING_AGGREGATION", "SELECT x FROM g GROUP BY ROLLUP(k)")
	fails(t, s, "UNSUPPORTED_GROUPING_EXPRESSION", "SELECT grouping(k) FROM g GROUP BY k")
	fails(t, s, "GROUPING_COLUMN_MISMATCH", "SELECT grouping(x) FROM g GROUP BY CUBE(k)")
	fails(t, s, "UNSUPPORTED_FEATURE.GROUPING_SETS", "SELECT 1 GROUP BY CUBE(1,1,1,1,1,1,1,1,1,1,1,1,1)")
}

func TestCommentsAndInsertsByName(t *testing.T) {
	s := newSession(t, newDatabase(t))
	run1(t, s, "CREATE TABLE t (a INT, b STRING DEFAULT 'x', c DECIMAL(4,2))")
	run1(t, s, "COMMENT ON TABLE t IS 'all of it'")
	run1(t, s, "COMMENT ON COLUMN t.a IS 'first'")
	run1(t, s, "COMMENT ON COLUMN main.default.t.b IS NULL")
	run1(t, s, "COMMENT ON SCHEMA default IS 's'")
	run1(t, s, "COMMENT ON CATALOG main IS ''")
	assert.Equal(t, "a|int|first", cells(run1(t, s, "DESCRIBE t"))[0])
	assert.Contains(t, cells(run1(t, s, "SHOW CREATE TABLE t"))[0], "COMMENT 'all of it'")
	fails(t, s, "UNRESOLVED_COLUMN.WITH_SUGGESTION", "COMMENT ON COLUMN t.z IS 'no'")
	fails(t, s, "TABLE_OR_VIEW_NOT_FOUND", "COMMENT ON TABLE z IS 'no'")
	fails(t, s, "UNSUPPORTED_FEATURE.STATEMENT", "COMMENT ON VOLUME v IS 'no'")

	res := run1(t, s, "INSERT INTO t BY NAME SELECT 2.5 AS c, 1 AS A")
	assert.EqualValues(t, 1, res.Updated)
	run1(t, s, "INSERT INTO t BY NAME VALUES (7) AS v(a)")
	assert.Equal(t, []string{"1|x|2.50", "7|x|NULL"}, cells(run1(t, s, "SELECT * FROM t ORDER BY a")))
	fails(t, s, "UNRESOLVED_COLUMN.WITH_SUGGESTION", "INSERT INTO t BY NAME SELECT 1 AS z")
	fails(t, s, "COLUMN_ALREADY_EXISTS", "INSERT INTO t BY NAME SELECT 1 AS a, 2 AS a")
	run1(t, s, "INSERT OVERWRITE t BY NAME SELECT 9 AS a")
	assert.Equal(t, []string{"9|x|NULL"}, cells(run1(t, s, "SELECT * FROM t")))
}
