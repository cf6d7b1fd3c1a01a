package engine

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRecursionGoesLevelByLevel(t *testing.T) {
	s := newSession(t, newDatabase(t))
	run1(t, s, "CREATE TEMPORARY VIEW routes(origin, destination) AS VALUES ('N','W'), ('N','B'), ('B','N'), ('W','B'), ('W','R')")
	for _, c := range []struct {
		sql  string
		want []string
	}{
		{"WITH RECURSIVE r(n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT * FROM r", []string{"0", "1", "2", "3"}},
		{"WITH RECURSIVE r(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM r WHERE n < 98) SELECT count(*) FROM r", []string{"99"}},
		{"WITH RECURSIVE r(n) MAX RECURSION LEVEL 1000 AS (SELECT 0 UNION ALL SELECT n + 1 FROM r WHERE n < 500) SELECT max(n) FROM r", []string{"500"}},
		{"WITH RECURSIVE r(n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM r) SELECT n * 2 FROM r LIMIT 3 OFFSET 1", []string{"2", "4", "6"}},
		{"WITH t AS (WITH RECURSIVE s AS (VALUES (1) AS t(i) UNION ALL SELECT i + 1 FROM s) SELECT i AS j FROM s LIMIT 2) SELECT * FROM t", []string{"1", "2"}},
		{"WITH RECURSIVE r(s) AS (SELECT 'a' UNION ALL SELECT s || 'b' FROM r WHERE length(s) < 3) SELECT * FROM r", []string{"a", "ab", "abb"}},
		{"WITH RECURSIVE r(n) AS (VALUES (0), (0) UNION ALL SELECT DISTINCT n + 1 FROM r WHERE n < 2) SELECT n FROM r ORDER BY n", []string{"0", "0", "1", "2"}},
		{"WITH RECURSIVE o AS (SELECT 0 AS n UNION ALL (WITH i AS (SELECT * FROM o) SELECT n + 1 FROM i WHERE n < 2)) SELECT * FROM o", []string{"0", "1", "2"}},
		{"WITH RECURSIVE o AS (SELECT 0 AS n UNION ALL SELECT x.m FROM (SELECT n + 1 AS m FROM o) x WHERE m < 3) SELECT * FROM o", []string{"0", "1", "2"}},
		{"WITH RECURSIVE y AS (VALUES (1) AS t(id)), x AS (SELECT * FROM y UNION ALL SELECT id + 1 FROM x WHERE id < 3), z AS (SELECT * FROM x UNION ALL SELECT id + 10 FROM z WHERE id < 10) SELECT count(*), sum(id) FROM z", []string{"6|42"}},
		{"WITH RECURSIVE r(l) AS (WITH RECURSIVE r(l) AS (VALUES (0) UNION ALL SELECT l + 1 FROM r WHERE l < 2) SELECT * FROM r UNION ALL SELECT l + 1 FROM r WHERE l < 2) SELECT count(*) FROM r", []string{"5"}},
		{"WITH RECURSIVE d AS (SELECT 'N' AS x, '-N' AS path UNION ALL SELECT destination, concat(path, '-', destination) FROM routes JOIN d ON x = origin AND NOT contains(path, destination)) SELECT path FROM d ORDER BY path", []string{"-N", "-N-B", "-N-W", "-N-W-B", "-N-W-R"}},
		{"WITH RECURSIVE f AS (VALUES (0, 1) AS t(a, b) UNION ALL SELECT b, a + b FROM f WHERE a < 10) SELECT max(a) FROM f", []string{"13"}},
		{"WITH RECURSIVE plain AS (SELECT 1 AS x UNION ALL SELECT 2) SELECT sum(x) FROM plain", []string{"3"}},
		{"SELECT id, (WITH RECURSIVE r(n) AS (VALUES (1) UNION ALL SELECT n * 2 FROM r WHERE n < 9) SELECT max(n) FROM r) AS m FROM range(2)", []string{"0|16", "1|16"}},
	} {
		assert.Equal(t, c.want, cells(run1(t, s, c.sql)), c.sql)
	}
	run1(t, s, "CREATE VIEW v AS WITH RECURSIVE r(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM r WHERE n < 4) SELECT * FROM r")
	run1(t, s, "CREATE TABLE t AS SELECT * FROM v UNION ALL SELECT * FROM v")
	run1(t, s, "INSERT INTO t WITH RECURSIVE r(n) AS (VALUES (5) UNION ALL SELECT n + 1 FROM r WHERE n < 6) SELECT * FROM r")
	run1(t, s, "INSERT OVERWRITE t SELECT n + 1 FROM t JOIN v USING (n)")
	assert.Equal(t, []string{"8|28"}, cells(run1(t, s, "SELECT count(*), sum(n) FROM t")))
}

func TestRecursionThatCannotEndFails(t *testing.T) {
	s := newSession(t, newDatabase(t))
	run1(t, s, "CREATE TABLE t (id INT)")
	for sql, class := range map[string]string{
		"WITH RECURSIVE r(n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM r) SELECT * FROM r":                                                                                                "RECURSION_LEVEL_LIMIT_EXCEEDED",
		"WITH RECURSIVE r(n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM r) SELECT * FROM r ORDER BY n LIMIT 5":                                                                             "RECURSION_LEVEL_LIMIT_EXCEEDED",
		"WITH RECURSIVE r(n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM r) SELECT * FROM r LIMIT 500":                                                                                      "RECURSION_LEVEL_LIMIT_EXCEEDED",
		"INSERT INTO t WITH RECURSIVE r(n) AS (VALUES (0) UNION ALL SELECT n FROM r) SELECT * FROM r":                                                                                      "RECURSION_LEVEL_LIMIT_EXCEEDED",
		"WITH RECURSIVE r(n) AS (VALUES (0) UNION SELECT (n + 1) % 10 FROM r) SELECT * FROM r":                                                                                             "UNION_NOT_SUPPORTED_IN_RECURSIVE_CTE",
		"WITH RECURSIVE r(n) AS (SELECT n + 1 FROM r WHERE n < 3) SELECT * FROM r":                                                                                                         "INVALID_RECURSIVE_CTE",
		"WITH RECURSIVE r(n) AS (SELECT n + 1 FROM r UNION ALL VALUES (0)) SELECT * FROM r":                                                                                                "INVALID_RECURSIVE_CTE",
		"WITH RECURSIVE r(n) AS (VALUES (0) INTERSECT SELECT n FROM r) SELECT * FROM r":                                                                                                    "INVALID_RECURSIVE_CTE",
		"WITH RECURSIVE r(n) AS (VALUES (0) UNION ALL SELECT n FROM r WHERE n < 1 UNION ALL SELECT n FROM r WHERE n < 2) SELECT * FROM r":                                                  "INVALID_RECURSIVE_CTE",
		"WITH RECURSIVE r(n) AS (VALUES (0) UNION ALL SELECT n FROM r WHERE (SELECT sum(n) FROM r) < 9) SELECT * FROM r":                                                                   "INVALID_RECURSIVE_REFERENCE.PLACE",
		"WITH RECURSIVE r(n) AS (VALUES (0) UNION ALL SELECT a.n FROM r a JOIN r b ON a.n = b.n) SELECT * FROM r":                                                                          "INVALID_RECURSIVE_REFERENCE.NUMBER",
		"WITH RECURSIVE r(n) AS (VALUES (0) UNION ALL SELECT r.n FROM range(1) LEFT JOIN r ON n = id) SELECT * FROM r":                                                                     "INVALID_RECURSIVE_REFERENCE.PLACE",
		"WITH RECURSIVE r(n) AS (VALUES (0) UNION ALL SELECT r.n FROM r RIGHT JOIN range(1) ON n = id) SELECT * FROM r":                                                                    "INVALID_RECURSIVE_REFERENCE.PLACE",
		"WITH RECURSIVE r(n) AS (VALUES (0L) UNION ALL SELECT sum(n) FROM r WHERE n < 10) SELECT * FROM r":                                                                                 "INVALID_RECURSIVE_REFERENCE.PLACE",
		"WITH RECURSIVE t AS (WITH RECURSIVE s AS (SELECT j, 1 AS i FROM t UNION ALL SELECT j, i + 1 FROM s) VALUES (1) AS t(j) UNION ALL SELECT j FROM s) SELECT * FROM t":                "INVALID_RECURSIVE_CTE",
		"WITH RECURSIVE r(n) AS (VALUES (0) UNION ALL SELECT i FROM (WITH RECURSIVE q(i) AS (SELECT n FROM r UNION ALL SELECT i + 1 FROM q WHERE i < 2) SELECT i FROM q)) SELECT * FROM r": "UNSUPPORTED_FEATURE.RECURSIVE_CTE",
		"WITH r(n) AS (VALUES (0) UNION ALL SELECT n FROM r) SELECT * FROM r":                                                                                                              "TABLE_OR_VIEW_NOT_FOUND",
	} {
		fails(t, s, class, sql)
	}
	assert.Equal(t, []string{"0"}, cells(run1(t, s, "SELECT count(*) FROM t")), "a failed recursion changes nothing")
}

func TestRecursionThatMultipliesFails(t *testing.T) {
	d := newDatabase(t)
	assert.EqualValues(t, 1_000_000, d.recursionRows)
	d.recursionRows = 1000 // few enough for the race detector
	s := newSession(t, d)
	err := fails(t, s, "RECURSION_ROW_LIMIT_EXCEEDED", "WITH RECURSIVE r(n) AS (SELECT id FROM range(20) UNION ALL SELECT r.n FROM r, range(80)) SELECT count(*) FROM r")
	assert.Contains(t, err.Message, "1000")
	assert.Equal(t, []string{"1000"}, cells(run1(t, s, "WITH RECURSIVE r(n) AS (SELECT id FROM range(500) UNION ALL SELECT n + 500 FROM r WHERE n < 500) SELECT count(*) FROM r")))
}

func TestRecursionEndsWithItsContext(t *testing.T) {
	s := newSession(t, newDatabase(t))
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Millisecond)
	defer cancel()
	_, err := s.Execute(ctx, "WITH RECURSIVE r(n) AS (SELECT 0 UNION ALL SELECT n + sleep(1) FROM r) SELECT * FROM r", nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Equal(t, []string{"1"}, cells(run1(t, s, "SELECT 1")))
}

func TestStatementTimeoutOfTheSession(t *testing.T) {
	s := newSession(t, newDatabase(t))
	run1(t, s, "SET STATEMENT_TIMEOUT = 1")
	err := fails(t, s, "STATEMENT_TIMEOUT", "SELECT sleep(60)")
	assert.Equal(t, "57KD0", err.SQLState)
	run1(t, s, "SET statement_timeout = 0")
	assert.Equal(t, []string{"0"}, cells(run1(t, s, "SELECT sleep(0.001)")))
}

func TestUnsupportedFeaturesSayWhatAndWhere(t *testing.T) {
	s := newSession(t, newDatabase(t))
	run1(t, s, "CREATE TABLE t (x INT)")
	for _, c := range []struct{ sql, class, near string }{
		{"GRANT SELECT ON t TO bob", "STATEMENT", "GRANT"},
		{"SELECT *\nFROM t VERSION AS OF 1", "TABLE_OPERATION", "VERSION"},
		{"SELECT * FROM t JOIN LATERAL (SELECT x)", "LATERAL_JOIN", "LATERAL"},
		{"SELECT 1,\n  INTERVAL 1 DAY", "DATA_TYPE", "INTERVAL"},
		{"ALTER TABLE t ADD CONSTRAINT c CHECK (x > 1)", "STATEMENT", "ADD"},
		{"SELECT x FROM t |> WHERE x = 1", "PIPE_SYNTAX", "|>"},
		{"SELECT 'a' COLLATE UNICODE", "COLLATION", "COLLATE"},
		{"SELECT DATE '2024-01-01' + INTERVAL 1 DAY 2 HOURS", "INTERVAL", "INTERVAL"},
		{"SELECT DATE '2024-01-01' + INTERVAL '1 02:03:04' DAY TO SECOND", "INTERVAL", "INTERVAL"},
		{"SELECT DATE '2024-01-01' + INTERVAL '1-2' YEAR TO MONTH", "INTERVAL", "INTERVAL"},
		{"FROM t SELECT x", "STATEMENT", "FROM"},
		{"EXECUTE IMMEDIATE 'SELECT 1'", "STATEMENT", "EXECUTE"},
		{"BEGIN SELECT 1; END", "STATEMENT", "BEGIN"},
		{"SELECT first_value(x) IGNORE NULLS OVER (ORDER BY x) FROM t", "IGNORE_NULLS", "IGNORE"},
		{"CREATE FUNCTION f() RETURNS INT RETURN 1", "STATEMENT", "FUNCTION"},
		{"SELECT stddev(x) OVER (ORDER BY x ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM VALUES (1), (2), (3) t(x)", "WINDOW_FRAME", ""},
	} {
		err := fails(t, s, "UNSUPPORTED_FEATURE."+c.class, c.sql)
		assert.Equal(t, "0A000", err.SQLState)
		lines := strings.Split(err.Message, "\n")
		require.Greater(t, len(lines), 3, err.Message)
		assert.Contains(t, lines[0], "(line ", c.sql)
		for i, l := range lines {
			if at := strings.Index(l, "^^^"); at >= 0 {
				assert.True(t, strings.HasPrefix(lines[i-1][at:], c.near), err.Message)
			}
		}
	}
}
