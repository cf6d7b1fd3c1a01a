package engine

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// shop is a small schema most query tests use.
func shop(t testing.TB) *Session {
	t.Helper()
	s := newSession(t, newDatabase(t))
	run1(t, s, "CREATE TABLE item (id BIGINT NOT NULL, name STRING COMMENT 'label', price DECIMAL(10,2), ok BOOLEAN, made DATE, at TIMESTAMP, raw BINARY, w DOUBLE) USING DELTA TBLPROPERTIES ('a'='b')")
	run1(t, s, `INSERT INTO item VALUES
		(1, 'apple', 9.50, true, DATE '2024-01-01', TIMESTAMP '2024-01-01 10:00:00', X'01', 0.5),
		(2, 'pear', 12.5, false, '2024-02-01', '2024-02-01 00:00:00', X'', 1),
		(3, 'fig', 100, NULL, NULL, NULL, NULL, NULL)`)
	run1(t, s, "CREATE TABLE sale (item BIGINT, n INT)")
	run1(t, s, "INSERT INTO sale (n, item) VALUES (5, 1), (7, 1), (1, 2), (9, 4)")
	return s
}

func TestQueriesOverTables(t *testing.T) {
	s := shop(t)
	for _, c := range []struct {
		sql, headers, types string
		want                []string
	}{
		{"SELECT * FROM item ORDER BY id", "id|name|price|ok|made|at|raw|w", "BIGINT|STRING|DECIMAL(10,2)|BOOLEAN|DATE|TIMESTAMP|BINARY|DOUBLE", []string{
			"1|apple|9.50|true|2024-01-01|2024-01-01 10:00:00|01|0.5",
			"2|pear|12.50|false|2024-02-01|2024-02-01 00:00:00||1.0",
			"3|fig|100.00|NULL|NULL|NULL|NULL|NULL"}},
		{"SELECT i.name AS N, s.n FROM main.default.item i JOIN `sale` s ON i.id = s.item ORDER BY s.n DESC", "N|n", "STRING|INT", []string{"apple|7", "apple|5", "pear|1"}},
		{"SELECT name, price FROM item ORDER BY price DESC", "name|price", "STRING|DECIMAL(10,2)", []string{"fig|100.00", "pear|12.50", "apple|9.50"}},
		{"SELECT name FROM item WHERE price > 9.6 AND price < 99.99", "name", "STRING", []string{"pear"}},
		{"SELECT count(*), count(ok), sum(price), avg(price), min(price), max(price), sum(id), avg(id) FROM item", "count(1)|count(ok)|sum(price)|avg(price)|min(price)|max(price)|sum(id)|avg(id)",
			"BIGINT|BIGINT|DECIMAL(20,2)|DECIMAL(14,6)|DECIMAL(10,2)|DECIMAL(10,2)|BIGINT|DOUBLE", []string{"3|2|122.00|40.666667|9.50|100.00|6|2.0"}},
		{"SELECT item, sum(n) AS total FROM sale GROUP BY item HAVING sum(n) > 1 ORDER BY total", "item|total", "BIGINT|BIGINT", []string{"4|9", "1|12"}},
		{"SELECT item % 2 AS odd, count(*) c FROM sale GROUP BY 1 ORDER BY odd", "odd|c", "BIGINT|BIGINT", []string{"0|2", "1|2"}},
		{"SELECT item AS k, max(n) FROM sale GROUP BY k ORDER BY k", "k|max(n)", "BIGINT|INT", []string{"1|7", "2|1", "4|9"}},
		{"SELECT item, count(*) FROM sale GROUP BY ALL ORDER BY ALL_ITEMS", "", "", nil},
		{"SELECT s.item, name FROM sale s LEFT JOIN item i ON s.item = i.id WHERE name IS NULL", "item|name", "BIGINT|STRING", []string{"4|NULL"}},
		{"SELECT id, n FROM item FULL OUTER JOIN sale ON id = item WHERE id IS NULL OR n IS NULL ORDER BY id", "id|n", "BIGINT|INT", []string{"NULL|9", "3|NULL"}},
		{"SELECT name FROM item LEFT SEMI JOIN sale ON id = item ORDER BY 1", "name", "STRING", []string{"apple", "pear"}},
		{"SELECT name FROM item ANTI JOIN sale ON id = item", "name", "STRING", []string{"fig"}},
		{"SELECT * FROM (SELECT 1 k, 'a' x) a JOIN (SELECT 1 k, 'b' y) b USING (k)", "k|x|y", "INT|STRING|STRING", []string{"1|a|b"}},
		{"SELECT name, (SELECT sum(n) FROM sale WHERE item = id) AS sold FROM item ORDER BY id", "name|sold", "STRING|BIGINT", []string{"apple|12", "pear|1", "fig|NULL"}},
		{"SELECT name FROM item i WHERE EXISTS (SELECT 1 FROM sale s WHERE s.item = i.id AND n > 6)", "name", "STRING", []string{"apple"}},
		{"SELECT n, row_number() OVER (ORDER BY n) r, sum(n) OVER (PARTITION BY item ORDER BY n) run FROM sale ORDER BY n", "n|r|run", "INT|INT|BIGINT", []string{"1|1|1", "5|2|5", "7|3|12", "9|4|9"}},
		{"SELECT id, sum(price) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) s FROM item", "id|s", "BIGINT|DECIMAL(20,2)", []string{"1|9.50", "2|22.00", "3|112.50"}},
		{"SELECT name, lag(name, 1, 'none') OVER w AS prev FROM item WINDOW w AS (ORDER BY id)", "name|prev", "STRING|STRING", []string{"apple|none", "pear|apple", "fig|pear"}},
		{"SELECT item, n FROM sale QUALIFY row_number() OVER (PARTITION BY item ORDER BY n DESC) = 1 ORDER BY n", "item|n", "BIGINT|INT", []string{"2|1", "1|7", "4|9"}},
		{"WITH a AS (SELECT 1 AS x UNION ALL SELECT 2), b(y) AS (SELECT x * 10 FROM a) SELECT y FROM b ORDER BY y DESC", "y", "INT", []string{"20", "10"}},
		{"WITH RECURSIVE f(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM f WHERE n < 4) SELECT sum(n) FROM f", "sum(n)", "BIGINT", []string{"10"}},
		{"SELECT 1 UNION SELECT 2.5 UNION SELECT 1 ORDER BY 1", "1", "DECIMAL(11,1)", []string{"1.0", "2.5"}},
		{"SELECT id FROM range(5) INTERSECT SELECT id FROM range(3, 9)", "id", "BIGINT", []string{"3", "4"}},
		{"SELECT id FROM range(3) MINUS SELECT 1", "id", "BIGINT", []string{"0", "2"}},
		{"VALUES (1, 'a'), (2, NULL)", "col1|col2", "INT|STRING", []string{"1|a", "2|NULL"}},
		{"SELECT * FROM VALUES (1, true), (2.5, false) AS v(a, b) WHERE b", "a|b", "DECIMAL(11,1)|BOOLEAN", []string{"1.0|true"}},
		{"SELECT id FROM range(10, 0, -4)", "id", "BIGINT", []string{"10", "6", "2"}},
		{"SELECT r.id FROM range(2, 4) r LIMIT 1 OFFSET 1", "id", "BIGINT", []string{"3"}},
		{"SELECT DISTINCT ok FROM item ORDER BY ok NULLS LAST", "ok", "BOOLEAN", []string{"false", "true", "NULL"}},
		{"SELECT 2 AS a, a * 3 AS b", "a|b", "INT|INT", []string{"2|6"}},
		{"SELECT * EXCEPT (price, at, raw, w, made) FROM item WHERE id = 1", "id|name|ok", "BIGINT|STRING|BOOLEAN", []string{"1|apple|true"}},
		{"SELECT id*2, concat(name, '!') FROM item WHERE id = 1", "(id * 2)|concat(name, !)", "BIGINT|STRING", []string{"2|apple!"}},
		{"SELECT CAST(id AS STRING), /* c */ 'x', 1 -- end\n FROM item WHERE id = 3;", "CAST(id AS STRING)|x|1", "STRING|STRING|INT", []string{"3|x|1"}},
		{"SELECT count(DISTINCT item), count_if(n > 4), string_agg(item, ',') FROM sale WHERE item < 3", "count(DISTINCT item)|count_if((n > 4))|string_agg(item, ,)", "BIGINT|BIGINT|STRING", []string{"2|2|1,1,2"}},
		{"SELECT table_name FROM information_schema.tables ORDER BY table_name", "table_name", "STRING", []string{"item", "sale"}},
	} {
		if c.types == "" {
			fails(t, s, "UNRESOLVED_COLUMN.WITH_SUGGESTION", c.sql)
			continue
		}
		t.Run(c.sql, func(t *testing.T) {
			res, err := s.Execute(t.Context(), c.sql, nil)
			if !assert.NoError(t, err) {
				return
			}
			assert.Equal(t, c.headers, headers(res))
			assert.Equal(t, c.types, typesOf(res))
			assert.Equal(t, c.want, cells(res))
			assert.True(t, res.Query)
			assert.EqualValues(t, -1, res.Updated)
		})
	}
}

func TestDecimalsKeepTheirDigits(t *testing.T) {
	s := newSession(t, newDatabase(t))
	run1(t, s, "CREATE TABLE d (x DECIMAL(38,10))")
	run1(t, s, "INSERT INTO d VALUES ('1234567890123456789012345678.0123456789'), (-0.00000000004), (2)")
	assert.Equal(t, []string{"0.0000000000", "2.0000000000", "1234567890123456789012345678.0123456789"}, cells(run1(t, s, "SELECT x FROM d ORDER BY x")))
	assert.Equal(t, []string{"1234567890123456789012345680.0123456789"}, cells(run1(t, s, "SELECT sum(x) FROM d")))
	assert.Equal(t, []string{"1"}, cells(run1(t, s, "SELECT count(*) FROM d WHERE x > 2")))
	fails(t, s, "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", "SELECT CAST(x AS DECIMAL(5,2)) FROM d")
}

func TestTimestampsAreReadInTheSessionsZone(t *testing.T) {
	d := newDatabase(t)
	s, err := d.NewSession("", "", map[string]string{"TimeZone": "America/New_York"})
	assert.NoError(t, err)
	assert.Equal(t, []string{"2024-07-01 16:00:00"}, cells(run1(t, s, "SELECT TIMESTAMP '2024-07-01 12:00:00'")))
	assert.Equal(t, []string{"2024-07-01 12:00:00|12"}, cells(run1(t, s, "SELECT string(TIMESTAMP '2024-07-01 16:00:00Z'), hour(TIMESTAMP '2024-07-01 16:00:00Z')")))
	run1(t, s, "SET TIME ZONE 'UTC'")
	assert.Equal(t, []string{"2024-07-01 12:00:00"}, cells(run1(t, s, "SELECT TIMESTAMP '2024-07-01 12:00:00'")))
	run1(t, s, "RESET")
	assert.Equal(t, []string{"timezone|America/New_York"}, cells(run1(t, s, "SET timezone")))
}
