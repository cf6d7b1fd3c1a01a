package otelsink

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

var summaries = []struct{ text, want string }{
	{"SELECT 1", "SELECT"},
	{"select * from songs", "SELECT songs"},
	{"SELECT a, b FROM main.sales.orders o, customers AS c WHERE o.id = c.id ORDER BY a, b", "SELECT main.sales.orders customers"},
	{"SELECT * FROM a JOIN b ON a.x = b.x LEFT JOIN c USING (x), d", "SELECT a b c d"},
	{"SELECT * FROM (SELECT x FROM inner_t WHERE y = 'secret') t, other", "SELECT SELECT inner_t other"},
	{"SELECT * FROM a UNION ALL SELECT * FROM b", "SELECT a SELECT b"},
	{"WITH x AS (SELECT * FROM a) SELECT * FROM x", "SELECT a SELECT x"},
	{"WITH list AS (SELECT * FROM a) SELECT * FROM list", "SELECT a SELECT list"},
	{"WITH x AS (SELECT * FROM a) INSERT INTO b SELECT * FROM x", "SELECT a INSERT b SELECT x"},
	{"SELECT extract(YEAR FROM ts), trim(BOTH 'x' FROM name) FROM t", "SELECT t"},
	{"SELECT * FROM t WHERE a IS DISTINCT FROM b", "SELECT t"},
	{"SELECT DISTINCT * FROM t", "SELECT t"},
	{"SELECT DISTINCT `a` FROM t", "SELECT t"},
	{"SELECT DISTINCT 1, 'a' FROM t", "SELECT t"},
	{"SELECT count(DISTINCT *) FROM t", "SELECT t"},
	{"SELECT m.from, m.to, list[0].from, m.select FROM mails m WHERE m.join = 1", "SELECT mails"},
	{"SELECT sender AS from, recipient AS to FROM mails", "SELECT mails"},
	{"SELECT a AS `b` FROM t", "SELECT t"},
	{"SELECT id FROM range(10)", "SELECT range"},
	{"SELECT * FROM t LATERAL VIEW explode(xs) e AS x, y", "SELECT t"},
	{"SELECT * FROM t@v3 WHERE a:b.c = 1", "SELECT t"},
	{"SELECT * FROM t VERSION AS OF 3, u", "SELECT t u"},
	{"FROM t SELECT a", "t SELECT"},
	{"FROM orders |> EXTEND a + 1 AS b, secret + 1 AS c", "orders"},
	{"FROM orders |> AGGREGATE sum(a) AS b, secret AS c GROUP BY d", "orders"},
	{"SELECT * FROM orders |> DROP a, secret", "SELECT orders"},
	{"FROM orders |> JOIN lines ON orders.id = lines.id", "orders lines"},

	{"INSERT INTO orders VALUES (1, 'secret', 0.50)", "INSERT orders"},
	{"INSERT OVERWRITE TABLE a SELECT * FROM b", "INSERT a SELECT b"},
	{"INSERT OVERWRITE DIRECTORY '/secret' SELECT * FROM b", "INSERT SELECT b"},
	{"UPDATE orders SET price = 1.25 WHERE id > 1", "UPDATE orders"},
	{"DELETE FROM orders WHERE id = 3", "DELETE orders"},
	{"MERGE INTO a USING b ON a.id = b.id WHEN MATCHED THEN UPDATE SET x = 1 WHEN NOT MATCHED THEN INSERT *", "MERGE a b"},
	{"MERGE INTO a USING (SELECT * FROM b) s ON true WHEN MATCHED THEN DELETE", "MERGE a SELECT b"},
	{"COPY INTO a FROM 's3://secret' FILEFORMAT = CSV", "COPY a"},

	{"CREATE OR REPLACE TABLE IF NOT EXISTS a.b (id BIGINT COMMENT 'secret') USING delta", "CREATE TABLE a.b"},
	{"CREATE TABLE totals AS SELECT sum(x) FROM orders", "CREATE TABLE totals SELECT orders"},
	{"CREATE TEMPORARY VIEW v AS SELECT 1", "CREATE VIEW v SELECT"},
	{"CREATE FUNCTION f(x INT) RETURNS INT LANGUAGE PYTHON AS $$ FROM secret $$", "CREATE FUNCTION f"},
	{"DROP TABLE IF EXISTS a", "DROP TABLE a"},
	{"REFRESH MATERIALIZED VIEW v", "REFRESH v"},
	{"DESCRIBE HISTORY a.b", "DESCRIBE a.b"},
	{"EXPLAIN EXTENDED SELECT * FROM a", "EXPLAIN SELECT a"},
	{"EXPLAIN EXTENDED INSERT INTO a SELECT * FROM b", "EXPLAIN INSERT a SELECT b"},
	{"DESCRIBE QUERY SELECT * FROM a", "DESCRIBE SELECT a"},
	{"OPTIMIZE a ZORDER BY (x)", "OPTIMIZE a"},
	{"USE CATALOG main", "USE main"},
	{"SHOW TABLES IN a", "SHOW"},
	{"REVOKE SELECT ON TABLE t FROM bob", "REVOKE"},
	{"SET x = 'secret'", "SET"},
	{"PUT '/secret' INTO '/Volumes/secret'", "PUT"},
	{"SELECT * FROM a; DELETE FROM b", "SELECT a DELETE b"},

	{"-- FROM secret\nSELECT /* FROM secret /* nested */ */ * FROM a", "SELECT a"},
	{"SELECT * FROM `my cat`.`odd-name`.plain", "SELECT `my cat`.`odd-name`.plain"},
	{"SELECT * FROM `plain`", "SELECT plain"},
	{"SELECT * FROM json.`/mnt/secret/file`", "SELECT json"},
	{"SELECT * FROM `/mnt/secret`", "SELECT"},
	{"SELECT * FROM IDENTIFIER(:secret)", "SELECT"},
	{"SELECT * FROM :secret WHERE a = 1", "SELECT"},
	{"SELECT * FROM ? WHERE a = 1", "SELECT"},
	{"SELECT * FROM 'secret' WHERE a = 1", "SELECT"},
	{"SELECT * FROM ${secret} WHERE a = 1", "SELECT"},
	{`SELECT r'\' FROM a WHERE x = 'it\'s FROM secret' AND y = "FROM secret"`, "SELECT a"},
	{"SELECT x::STRING FROM a", "SELECT a"},
	{"SELECT * FROM größe", "SELECT größe"},

	{"", ""},
	{"SELEC 1 FROM secret", ""},
	{"secret", ""},
	{"'unterminated", ""},
	{"SELECT * FROM `unterminated", "SELECT"},
	{")))(((,;;", ""},
}

func TestSummaryHasOperationsAndTargets(t *testing.T) {
	for _, c := range summaries {
		require.Equal(t, c.want, summarize(c.text), c.text)
	}
}

func TestNothingOfAStringIsInASummary(t *testing.T) {
	require.Equal(t, "SELECT t", summarize(`SELECT $m$hello FROM alice_salary$m$ FROM t`))
	require.Equal(t, "SELECT t", summarize(`SELECT r'x''it\'s from alice ' FROM t`))
}

func TestLongSummaryEndsWithWholeTarget(t *testing.T) {
	name := strings.Repeat("n", 60)
	require.Equal(t, "SELECT "+name+" "+name+" "+name+" "+name, summarize("SELECT * FROM "+strings.Repeat(name+", ", 10)+"x"))
}

func TestOnlyTheBeginningOfLongStatementIsRead(t *testing.T) {
	long := "SELECT * FROM a WHERE x IN (" + strings.Repeat("1, ", maxQueryRead) + "1) UNION SELECT * FROM b"
	require.Equal(t, "SELECT a", summarize(long))
	for _, letter := range []string{"n", "ö"} { // a name that may be truncated is left out
		require.Equal(t, "SELECT", summarize("SELECT * FROM "+strings.Repeat(" ", maxQueryRead-17)+strings.Repeat(letter, 10)))
	}
}

func FuzzSummary(f *testing.F) {
	for _, c := range summaries {
		f.Add(c.text, "it's \\ secret")
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		got := summarize(text)
		require.LessOrEqual(t, len(got), maxSummary)
		require.True(t, utf8.ValidString(got))
		for _, part := range strings.Fields(strings.NewReplacer("`", " ", ".", " ").Replace(got)) {
			require.Contains(t, strings.ToUpper(text), strings.ToUpper(part))
		}

		// The summary does not depend on values.
		quotedValue := "'" + strings.NewReplacer("\\", "\\\\", "'", "\\'").Replace(value) + "'"
		if len(quotedValue) < maxQueryRead/2 {
			require.Equal(t, "SELECT a SELECT b", summarize("SELECT * FROM a WHERE x = "+quotedValue+" UNION SELECT y FROM b"))
		}
	})
}
