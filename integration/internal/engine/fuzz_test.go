package engine

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// FuzzExecute feeds arbitrary text to a session. The answer must be a consistent result, an *Error that
// is not an internal one, or the context's error.
func FuzzExecute(f *testing.F) {
	for _, sql := range []string{
		"", ";", "--", "/*", "/* /* */ */ 1", "'", "`", "``", "\"", "r'", "x'1'", "X'zz'", ":", ":a", "?", "SELECT", "SELECT 1 AS",
		"SELECT 'a\\", "SELECT '\\u12", "SELECT .5, 5., 1e, 1e+, 0x1F, 1LL", "SELECT -- x\n1", "SELECT 1;;", "SELECT ((((1))))",
		"SELECT * FROM t WHERE s LIKE '%\\' AND x IN ()", "SELECT * FROM t a, t b JOIN t c USING (x)", "SELECT t.*, * EXCEPT (x) FROM t",
		"SELECT count(*) OVER (PARTITION BY x ORDER BY s ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t",
		"SELECT x, sum(d) FROM t GROUP BY x HAVING sum(d) > 1 ORDER BY 2 DESC NULLS LAST LIMIT 1 OFFSET 1",
		"WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM r WHERE n < 3) SELECT * FROM r",
		"SELECT 1 UNION SELECT '2' EXCEPT SELECT NULL INTERSECT VALUES (1),(2)", "VALUES (1, 'a'), (NULL, DEFAULT)",
		"INSERT INTO t VALUES (1, 'a', 2.50), (DEFAULT, NULL, 1e3)", "INSERT OVERWRITE TABLE t SELECT * FROM t",
		"UPDATE t SET x = DEFAULT, s = x::string WHERE d <=> 1.0", "DELETE FROM t WHERE EXISTS (SELECT 1 FROM range(3) WHERE id = x)",
		"MERGE INTO t USING range(3) r ON x = id WHEN MATCHED THEN UPDATE SET s = 'm' WHEN NOT MATCHED THEN INSERT (x) VALUES (id)",
		"CREATE TABLE u (a INT NOT NULL, b DECIMAL(38,38) DEFAULT 0.1) USING delta", "CREATE TABLE u USING csv LOCATION 'x' OPTIONS (header = true)", "CREATE OR REPLACE TEMP VIEW v AS SELECT * FROM v",
		"CREATE VIEW w (a, a) AS SELECT 1, 2", "ALTER TABLE t ADD COLUMN (y INT, z DATE)", "DROP SCHEMA default CASCADE", "USE a.b.c",
		"SET timezone = Europe/Berlin", "SET x = ", "SHOW TABLES LIKE '[a'", "DESCRIBE SELECT 1", "EXPLAIN EXPLAIN SELECT 1",
		"SELECT DATE '2024-13-01', TIMESTAMP '9999-12-31 23:59:59.999999999+18:00'", "SELECT DATE '0001-01-01' - INTERVAL 3 YEARS",
		"SELECT CAST(1e300 AS DECIMAL(38,0)), CAST('1e400' AS DOUBLE), CAST(d AS TIMESTAMP) FROM t", "SELECT round(123.456, -2), round(1, 2147483647)",
		"SELECT repeat('x', 2147483647)", "SELECT 1 a, a+a b, b+b c, c+c d", "SELECT id FROM range(9223372036854775807, -9223372036854775808, -4611686018427387904)",
		"SELECT CASE WHEN x THEN 1 END FROM t", "SELECT if(1,2)", "SELECT nth_value(x, 2) OVER w FROM t WINDOW w AS ()", "SELECT sum(sum(x)) FROM t",
		"SELECT * FROM range(1) LEFT SEMI JOIN t ON true FULL JOIN t b ON true", "SELECT 9223372036854775808 * 1.5 % 0.1 DIV 3", "SELECT \x00'\x00'",
		"SELECT '" + strings.Repeat("é", 40) + "' form t", strings.Repeat("(", 300), "SELECT " + strings.Repeat("NOT ", 300) + "true",
		"WITH RECURSIVE r(n) MAX RECURSION LEVEL 5 AS (SELECT 1 UNION ALL (WITH i AS (SELECT * FROM r) SELECT n + x FROM i JOIN t ON n < x)) SELECT * FROM r LIMIT 2",
		"WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n FROM r UNION ALL SELECT n FROM r), q AS (SELECT * FROM r UNION ALL SELECT n + 1 FROM q) SELECT * FROM q, r",
		"INSERT INTO t (x) WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n * 2 FROM r) SELECT n FROM r", "SELECT .5, t.5, `t`.x FROM t ORDER BY ALL",
		"SELECT x, s, grouping(x), grouping_id(), rank() OVER (PARTITION BY grouping(s) ORDER BY sum(d)) FROM t GROUP BY CUBE(x, (s)), ROLLUP(1), GROUPING SETS ((), (x, s))",
		"SELECT x FROM t GROUP BY x, s GROUPING SETS ((x), ()) HAVING grouping(x) = 1", "SELECT DISTINCT x + 1, (SELECT max(x) FROM t) FROM t GROUP BY x WITH CUBE",
		"SELECT x FROM t EXCEPT ALL SELECT 1 INTERSECT ALL VALUES (1) AS v(x)", "SELECT (x, s) IN ((1, 'a'), (2, NULL)), (1, 2) < (x, 3), (x, s) IN (SELECT x, s FROM t) FROM t", "SELECT s NOT LIKE ANY ('a%', s) FROM t",
		"SELECT transform(array(x, 1), (a, i) -> filter(array(a, i), b -> b > x)) FROM t", "SELECT aggregate(array(1, 2), named_struct('a', 0), (m, v) -> named_struct('a', m.a + v), m -> m.a)",
		"SELECT map('a', x)['a'], array(x)[x], struct(x, s).s, (1, 2).col1 FROM t", "SELECT map_filter(map_from_arrays(array(x), array(s)), (k, v) -> k > 1), exists(array(x), y -> y = x) FROM t",
		"SELECT x, e FROM t LATERAL VIEW OUTER posexplode(split(s, '')) AS p, e", "SELECT explode(collect_list(struct(x, s))), max(x) FROM t GROUP BY d", "SELECT inline(array(struct(1, 'a'))) AS (p, q)",
		"SELECT from_json(s, 'a ARRAY<STRUCT<b: MAP<STRING, DECIMAL(9,2)>>>').a[0].b['k'], get_json_object(s, '$.a[*].b'), to_json(struct(x, d)) FROM t", "SELECT CAST(array(s, '[', '\\\\', '\\0') AS STRING), sort_array(array(s, NULL)) FROM t",
		"SELECT max_by(array(x), d), collect_set(d) OVER (ORDER BY x ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING), median(x), percentile_approx(d, array(0.5, 1)) FROM t",
		"SELECT DATE '2024-01-02' - DATE '2024-01-01' > INTERVAL 1 DAY, sequence(DATE '2024-01-01', DATE '2024-02-01', INTERVAL 1 WEEK)", "SELECT format_string('%s %d %5.1f%%', s, x, d) FROM t", "COMMENT ON COLUMN t.x IS 'c'", "INSERT INTO t BY NAME SELECT 1 AS x",
		"CREATE TABLE u (a ARRAY<MAP<STRING, STRUCT<b: INT>>>, c STRUCT<>)", "SELECT CAST(NULL AS ARRAY<ARRAY<INT>>) = array(), typeof(map())",
		"SELECT " + strings.Repeat("1+", 2000) + "1", "SELECT " + strings.Repeat("x(", 150), "SELECT 1 IN (SELECT 1, 2)", "SELECT (SELECT 1, 2)",
	} {
		f.Add(sql)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		s := newSession(t, newDatabase(t))
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, _ = s.Execute(ctx, "CREATE OR REPLACE TABLE t AS SELECT int(id) x, string(id) s, decimal(id) d FROM range(5)", nil)
		p := Param{Name: "a", Type: "INT", Value: text("1")}
		began := time.Now()
		res, err := s.Execute(ctx, sql, []Param{p, {Type: "STRING", Value: text("q")}})
		if took := time.Since(began); took > time.Minute { // far more than 50 ms can become on a busy machine
			t.Fatalf("%q did not end with its context but took %v", sql, took)
		}
		var own *Error
		switch {
		case errors.As(err, &own):
			if len(own.SQLState) != 5 || !strings.HasPrefix(own.Message, "["+own.Class+"] ") {
				t.Fatalf("malformed error %+v", own)
			}
			if own.Class == "INTERNAL_ERROR" {
				t.Fatalf("%q: %s", sql, own.Message)
			}
		case err != nil:
			if ctx.Err() == nil {
				t.Fatalf("%q: %v", sql, err)
			}
		default:
			for i := range res.Columns {
				c := &res.Columns[i]
				n := len(c.Bools) + len(c.Ints) + len(c.Floats) + len(c.Strings) + len(c.Bytes) + len(c.Nested)
				if c.Type.ID != Void && n != res.Rows || c.Nulls != nil && len(c.Nulls) != res.Rows {
					t.Fatalf("%q: column %d has %d values and %d null marks for %d rows", sql, i, n, len(c.Nulls), res.Rows)
				}
			}
		}
	})
}
