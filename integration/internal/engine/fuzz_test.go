package engine

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// FuzzExecute feeds arbitrary text to a session. Whatever it is, the answer is a result that
// is consistent in itself, an *Error that is not an internal one, or the context's error.
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
		if took := time.Since(began); took > time.Minute { // far beyond what a busy machine makes of 50 ms
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
				n := len(c.Bools) + len(c.Ints) + len(c.Floats) + len(c.Strings) + len(c.Bytes)
				if c.Type.ID != Void && n != res.Rows || c.Nulls != nil && len(c.Nulls) != res.Rows {
					t.Fatalf("%q: column %d has %d values and %d null marks for %d rows", sql, i, n, len(c.Nulls), res.Rows)
				}
			}
		}
	})
}
