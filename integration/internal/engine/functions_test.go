package engine

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFurtherFunctions(t *testing.T) {
	s := newSession(t, newDatabase(t))
	for _, c := range []struct{ sql, types, want string }{
		{"try_add(2147483647, 1)", "INT", "NULL"},
		{"try_add(1, 2L)", "BIGINT", "3"},
		{"try_add(1.5, 2)", "DECIMAL(3,1)", "3.5"},
		{"try_add(1.5D, 2)", "DOUBLE", "3.5"},
		{"try_subtract(-9223372036854775808, 1)", "BIGINT", "NULL"},
		{"try_multiply(100000, 100000)", "INT", "NULL"},
		{"try_multiply(3, 4)", "INT", "12"},
		{"try_mod(5, 0)", "INT", "NULL"},
		{"make_timestamp(2024, 2, 29, 1, 2, 3.5)", "TIMESTAMP", "2024-02-29 01:02:03.5"},
		{"make_timestamp(2024, 2, 29, 1, 2, 3, 'Europe/Berlin')", "TIMESTAMP", "2024-02-29 00:02:03"},
		{"next_day(DATE '2024-05-06', 'Mon')", "DATE", "2024-05-13"},
		{"next_day('2024-05-06', 'TU')", "DATE", "2024-05-07"},
		{"DATE '2024-05-06' - DATE '2024-05-01' = INTERVAL 5 DAYS", "BOOLEAN", "true"},
		{"CAST(DATE '2024-05-06' - DATE '2024-05-01' AS INT)", "INT", "5"},
		{"string(DATE '2024-05-06' - DATE '2024-05-07')", "STRING", "INTERVAL '-1' DAY"},
		{"string(TIMESTAMP '2024-05-06 01:00:00' - TIMESTAMP '2024-05-05')", "STRING", "INTERVAL '1 01:00:00' DAY TO SECOND"},
		{"DATE '2024-05-06' + (DATE '2024-05-03' - DATE '2024-05-01')", "DATE", "2024-05-08"},
		{"TIMESTAMP '2024-05-06' - 2 * INTERVAL 1 HOUR", "TIMESTAMP", "2024-05-05 22:00:00"},
		{"INTERVAL 2 DAYS > INTERVAL 47 HOURS", "BOOLEAN", "true"},
		{"regexp_count('a1b22', '[0-9]')", "INT", "3"},
		{"regexp_substr('a1b22', '[0-9]+$')", "STRING", "22"},
		{"regexp_instr('é1', '[0-9]')", "INT", "2"},
		{"encode('aé', 'UTF-8')", "BINARY", "61C3A9"},
		{"encode('a', 'utf-16')", "BINARY", "FEFF0061"},
		{"decode(encode('aé€', 'UTF-16LE'), 'UTF-16LE')", "STRING", "aé€"},
		{"decode(2, 1, 'one', 2, 'two', 'other')", "STRING", "two"},
		{"decode(3, 1, 'one')", "STRING", "NULL"},
		{"bit_count(7) + bit_count(-1L) + bit_count(true)", "INT", "68"},
		{"substring_index('a.b.c', '.', -2)", "STRING", "b.c"},
		{"levenshtein('kitten', 'sitting')", "INT", "3"},
		{"overlay('Spark SQL', '_', 6)", "STRING", "Spark_SQL"},
		{"find_in_set('b', 'a,b')", "INT", "2"},
		{"soundex('Robert')", "STRING", "R163"},
		{"bin(13)", "STRING", "1101"},
		{"conv('ff', 16, 10)", "STRING", "255"},
		{"factorial(5)", "BIGINT", "120"},
		{"format_number(1234567.891, 2)", "STRING", "1,234,567.89"},
		{"format_string('%s=%05d %.2f', 'x', 42, 1.5)", "STRING", "x=00042 1.50"},
		{"months_between('2024-03-31', '2024-02-29')", "DOUBLE", "1.0"},
		{"months_between('1997-02-28 10:30:00', '1996-10-30')", "DOUBLE", "3.94959677"},
		{"date_part('YEAR', DATE '2024-05-06')", "INT", "2024"},
		{"dayname(DATE '2024-05-06') || monthname(DATE '2024-05-06')", "STRING", "MonMay"},
		{"try_to_timestamp('nope')", "TIMESTAMP", "NULL"},
		{"try_to_date('06.05.2024', 'dd.MM.yyyy')", "DATE", "2024-05-06"},
		{"equal_null(NULL, NULL)", "BOOLEAN", "true"},
		{"nullifzero(0)", "INT", "NULL"},
		{"zeroifnull(NULL)", "INT", "0"},
	} {
		t.Run(c.sql, func(t *testing.T) {
			res, err := s.Execute(t.Context(), "SELECT "+c.sql, nil)
			if !assert.NoError(t, err) {
				return
			}
			assert.Equal(t, c.types, typesOf(res))
			assert.Equal(t, []string{c.want}, cells(res))
		})
	}
	fails(t, s, "ILLEGAL_DAY_OF_WEEK", "SELECT next_day(DATE '2024-01-01', 'someday')")
	fails(t, s, "DATETIME_FIELD_OUT_OF_BOUNDS", "SELECT make_timestamp(2024, 2, 30, 0, 0, 0)")
	fails(t, s, "INVALID_PARAMETER_VALUE.CHARSET", "SELECT encode('a', 'ebcdic')")
	fails(t, s, "UNSUPPORTED_FEATURE.DATA_TYPE", "SELECT DATE '2024-01-02' - DATE '2024-01-01'")
	fails(t, s, "UNSUPPORTED_FEATURE.DATA_TYPE", "CREATE TABLE i AS SELECT INTERVAL 1 DAY AS x")
}

func TestFurtherAggregates(t *testing.T) {
	s := newSession(t, newDatabase(t))
	run1(t, s, "CREATE TABLE a AS SELECT * FROM VALUES ('x', 1, 1.50, DATE '2024-01-01'), ('x', 2, 2.50, NULL), ('y', 3, 2.50, DATE '2024-01-03'), ('y', NULL, NULL, NULL) v(k, n, d, t)")
	for _, a := range []ask{
		{"SELECT max_by(k, n), min_by(k, d), max_by(n, t) FROM a", "", "STRING|STRING|INT", []string{"y|x|3"}},
		{"SELECT median(n), median(d), percentile(n, 0.25), percentile(n, array(0, 1)) FROM a", "", "DOUBLE|DOUBLE|DOUBLE|ARRAY<DOUBLE>", []string{"2.0|2.5|1.5|[1.0, 3.0]"}},
		{"SELECT percentile_approx(d, 0.5), approx_percentile(n, array(0.1, 0.9), 100), percentile_cont(0.5) WITHIN GROUP (ORDER BY n DESC), percentile_disc(0.5) WITHIN GROUP (ORDER BY k) FROM a", "", "DECIMAL(3,2)|ARRAY<INT>|DOUBLE|STRING", []string{"2.50|[1, 3]|2.0|x"}},
		{"SELECT sum(DISTINCT d), avg(DISTINCT d), count(DISTINCT d), sum(d) FILTER (WHERE k = 'x') FROM a", "", "DECIMAL(13,2)|DECIMAL(7,6)|BIGINT|DECIMAL(13,2)", []string{"4.00|2.000000|2|4.00"}},
		{"SELECT n, sum(d) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s, avg(d) OVER (PARTITION BY k) AS v FROM a WHERE n > 0 ORDER BY n", "", "", []string{"1|1.50|2.000000", "2|4.00|2.000000", "3|5.00|2.500000"}},
		{"SELECT try_sum(x), try_avg(x) FROM VALUES (9223372036854775807), (1) v(x)", "", "BIGINT|DOUBLE", []string{"NULL|4.611686018427388E18"}},
		{"SELECT mode(d), bit_and(n), bit_or(n), bit_xor(n) FROM a", "", "", []string{"2.50|0|3|0"}},
		{"SELECT corr(n, n * 2), covar_pop(n, n), covar_samp(n, n) FROM a", "", "", []string{"1.0|0.6666666666666666|1.0"}},
		{"SELECT first(t), first(t, true), last(n, true), any_value(k) FROM (SELECT * FROM a ORDER BY n)", "", "", []string{"NULL|2024-01-01|3|x"}},
		{"SELECT listagg(k, '-') WITHIN GROUP (ORDER BY n DESC), string_agg(DISTINCT k) FROM a WHERE n > 0", "", "", []string{"y-x-x|xy"}},
	} {
		a.run(t, s)
	}
	for _, a := range []ask{
		{"SELECT first_value(t) IGNORE NULLS, last(n) IGNORE NULLS, first(t) RESPECT NULLS, last_value(k) FROM (SELECT * FROM a ORDER BY n)", "", "", []string{"2024-01-01|3|NULL|y"}},
		{"SELECT n, first(n) OVER (PARTITION BY k ORDER BY n), last_value(n) OVER (PARTITION BY k ORDER BY n ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING) FROM a WHERE n > 0 ORDER BY n", "", "", []string{"1|1|2", "2|1|2", "3|3|3"}},
		{"SELECT (SELECT n FROM a WHERE n = 2), (SELECT n FROM a WHERE n > 5), (SELECT max(n) FROM a), (SELECT DISTINCT k FROM a WHERE k = o.k) FROM (SELECT 'x' AS k) o", "", "INT|INT|INT|STRING", []string{"2|NULL|3|x"}},
	} {
		a.run(t, s)
	}
	fails(t, s, "SCALAR_SUBQUERY_TOO_MANY_ROWS", "SELECT (SELECT n FROM a)")
	fails(t, s, "SCALAR_SUBQUERY_TOO_MANY_ROWS", "SELECT k FROM a o WHERE n = (SELECT n FROM a WHERE k = o.k AND n IS NOT NULL)")
	fails(t, s, "UNSUPPORTED_FEATURE.IGNORE_NULLS", "SELECT lag(n) IGNORE NULLS OVER (ORDER BY n) FROM a")
	fails(t, s, "ARITHMETIC_OVERFLOW", "SELECT sum(x) FROM VALUES (9223372036854775807), (1) v(x)")
	fails(t, s, "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "SELECT percentile(n, 2) FROM a")
}

func TestFunctionsThatAnsweredWrongly(t *testing.T) {
	s := newSession(t, newDatabase(t))
	for _, c := range []struct{ sql, types, want string }{
		{"bround(2.5), bround(3.5), bround(-2.5), bround(2.51), round(2.5)", "", "2|4|-2|3|3"},
		{"bround(2.5D), bround(1.25D, 1), bround(25, -1), round(25, -1)", "DOUBLE|DOUBLE|INT|INT", "2.0|1.2|20|30"},
		{"shiftleft(1, 3), shiftleft(1, 31), shiftleft(1, 33), shiftleft(1L, 33), shiftright(-8, 33)", "INT|INT|INT|BIGINT|INT", "8|-2147483648|2|8589934592|-4"},
		{"ln(0), ln(-1), log10(0), log2(0), log(0), log(2, 0), log(2, 8)", "", "NULL|NULL|NULL|NULL|NULL|NULL|3.0"},
		{"extract(SECOND FROM TIMESTAMP '2024-01-01 00:00:01.5'), date_part('SECONDS', TIMESTAMP '2024-01-01 00:00:59.123456')", "DECIMAL(8,6)|DECIMAL(8,6)", "1.500000|59.123456"},
		{"extract(DOW FROM DATE '2024-12-30'), extract(DOW_ISO FROM DATE '2024-12-29'), extract(YEAROFWEEK FROM DATE '2024-12-30'), extract(doy FROM DATE '2024-12-31'), extract(mins FROM TIMESTAMP '2024-01-01 00:07:00')", "INT|INT|INT|INT|INT", "2|7|2025|366|7"},
		{"timestamp_seconds(1.5), timestamp_seconds(1), timestamp_seconds(0.25D), unix_timestamp('2024-03-05', 'yyyy-MM-dd'), to_unix_timestamp('05.03.2024', 'dd.MM.yyyy')", "", "1970-01-01 00:00:01.5|1970-01-01 00:00:01|1970-01-01 00:00:00.25|1709596800|1709596800"},
		{"DATE '2024-01-01' + 2 * INTERVAL 1 HOUR, DATE '2024-01-01' + (TIMESTAMP '2024-01-02 06:00:00' - TIMESTAMP '2024-01-01'), DATE '2024-01-01' - (INTERVAL 1 DAY + INTERVAL 1 WEEK)", "TIMESTAMP|TIMESTAMP|DATE", "2024-01-01 02:00:00|2024-01-02 06:00:00|2023-12-24"},
		{"trunc(DATE '2024-03-15', 'DAY'), trunc(DATE '2024-03-15', 'HOUR'), trunc(DATE '2024-03-15', 'week'), trunc(DATE '1969-03-15', 'mm')", "", "NULL|NULL|2024-03-11|1969-03-01"},
		{"try_cast('1.9' AS INT), try_cast('1.' AS BIGINT), try_cast('-7' AS TINYINT), CAST(1.9 AS INT)", "", "NULL|NULL|-7|1"},
	} {
		res := run1(t, s, "SELECT "+c.sql)
		if c.types != "" {
			assert.Equal(t, c.types, typesOf(res), c.sql)
		}
		assert.Equal(t, []string{c.want}, cells(res), c.sql)
	}
	assert.Equal(t, "extract(YEAR FROM DATE '2024-03-15')", headers(run1(t, s, "SELECT extract(YEAR FROM DATE '2024-03-15')")))
	fails(t, s, "CAST_INVALID_INPUT", "SELECT '1.0' = 1")
	fails(t, s, "INVALID_EXTRACT_FIELD", "SELECT extract(upper FROM 'x')")
	fails(t, s, "INVALID_INTERVAL_FORMAT.INVALID_VALUE", "SELECT DATE '2024-01-01' + INTERVAL '1.5' DAY")
	fails(t, s, "INVALID_INTERVAL_FORMAT.INVALID_VALUE", "SELECT DATE '2024-01-01' + INTERVAL '1.5 months'")
}

func TestTrimTakesWhatToTrimFirst(t *testing.T) {
	s := newSession(t, newDatabase(t))
	for sql, want := range map[string]string{
		"ltrim('Sp', 'SSparkSQLS')":                                   "arkSQLS",
		"rtrim('LQSa', 'SSparkSQLS')":                                 "SSpark",
		"trim('x', 'xaxx')":                                           "a",
		"btrim('SSparkSQLS', 'SL')":                                   "parkSQ",
		"trim('x' FROM 'xaxx') || trim(BOTH 'x' FROM 'xaxx')":         "aa",
		"trim(LEADING 'x' FROM 'xaxx') || trim(TRAILING FROM 'a  ')":  "axxa",
		"ltrim('  a ') || rtrim(' b ')":                               "a  b",
		"substr('Spark SQL' FROM 7 FOR 2) || substring('abc' FROM 2)": "SQbc",
		"overlay('Spark SQL' PLACING 'ANSI ' FROM 7 FOR 0)":           "Spark ANSI SQL",
		"1 << 3 | 256 >> 4":                                           "24",
	} {
		assert.Equal(t, []string{want}, cells(run1(t, s, "SELECT "+sql)), sql)
	}
}

func TestWhatDatabricksHasAndTheEngineLacksIsNamed(t *testing.T) {
	s := newSession(t, newDatabase(t))
	run1(t, s, "CREATE TABLE base (g STRING, x INT)")
	for sql, class := range map[string]string{
		"SELECT from_utc_timestamp(now(), 'UTC')":                             "UNSUPPORTED_FEATURE.FUNCTION",
		"SELECT skewness(x) FROM base":                                        "UNSUPPORTED_FEATURE.FUNCTION",
		"SELECT stack(2, 1, 2)":                                               "UNSUPPORTED_FEATURE.FUNCTION",
		"SELECT * FROM read_files('/x')":                                      "UNSUPPORTED_FEATURE.FUNCTION",
		"SELECT no_such_function(1)":                                          "UNRESOLVED_ROUTINE",
		"SELECT * FROM (SELECT g, x FROM base) PIVOT (sum(x) FOR g IN ('a'))": "UNSUPPORTED_FEATURE.TABLE_OPERATION",
		"SELECT * FROM VALUES (1, 2) t(a, b) UNPIVOT (v FOR n IN (a, b))":     "UNSUPPORTED_FEATURE.TABLE_OPERATION",
		"SELECT * FROM base b UNPIVOT INCLUDE NULLS (v FOR n IN (g))":         "UNSUPPORTED_FEATURE.TABLE_OPERATION",
		"SELECT * FROM base TABLESAMPLE (10 ROWS)":                            "UNSUPPORTED_FEATURE.TABLE_OPERATION",
		"SELECT * FROM base@v1":                                               "UNSUPPORTED_FEATURE.TABLE_OPERATION",
		"SELECT sum(x) OVER (ORDER BY x RANGE BETWEEN INTERVAL 1 DAY PRECEDING AND CURRENT ROW) FROM base": "UNSUPPORTED_FEATURE.WINDOW_FRAME",
		"SELECT * FROM information_schema.views":                                                           "UNSUPPORTED_FEATURE.INFORMATION_SCHEMA",
		"SELECT * FROM system.information_schema.tables":                                                   "UNSUPPORTED_FEATURE.INFORMATION_SCHEMA",
		"SELECT x FROM base LIMIT 1 + 1":                                                                   "UNSUPPORTED_FEATURE.LIMIT",
		"SELECT sum(x) OVER (ORDER BY x * 1.5 RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) FROM base":        "UNSUPPORTED_FEATURE.WINDOW_FRAME",
		"SELECT sum(x) OVER (ORDER BY g RANGE 1 PRECEDING) FROM base":                                      "UNSUPPORTED_FEATURE.WINDOW_FRAME",
		"SELECT ceil(1.25, 1)": "UNSUPPORTED_FEATURE.FUNCTION",
		"MERGE WITH SCHEMA EVOLUTION INTO base USING base b ON true WHEN MATCHED THEN DELETE": "UNSUPPORTED_FEATURE.STATEMENT",
		"COMMIT":                       "UNSUPPORTED_FEATURE.STATEMENT",
		"ROLLBACK":                     "UNSUPPORTED_FEATURE.STATEMENT",
		"START TRANSACTION":            "UNSUPPORTED_FEATURE.STATEMENT",
		"LIST '/Volumes/a/b/c'":        "UNSUPPORTED_FEATURE.STATEMENT",
		"SHOW TABLE EXTENDED LIKE 'b'": "UNSUPPORTED_FEATURE.STATEMENT",
		"DESCRIBE DETAIL base":         "UNSUPPORTED_FEATURE.STATEMENT",
	} {
		fails(t, s, class, sql)
	}
	assert.Equal(t, []string{"1", "3", "4"}, cells(run1(t, s,
		"SELECT sum(x) OVER (ORDER BY d RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) FROM VALUES (DATE '2024-01-01', 1), (DATE '2024-01-02', 2), (DATE '2024-01-04', 4) t(d, x)")))
	run1(t, s, "SELECT sum(x) OVER (ORDER BY x * 1.5 RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM base")
	run1(t, s, "SELECT pivot.x, base.x AS unpivot FROM base pivot, base")
	assert.Equal(t, []string{"NULL"}, cells(run1(t, s, "SELECT max(tablesample) FROM (SELECT x AS tablesample FROM base)")))
}

func TestInformationSchemaSaysWhatColumnsAre(t *testing.T) {
	s := newSession(t, newDatabase(t))
	run1(t, s, "CREATE TABLE c (id BIGINT NOT NULL COMMENT 'key', d DECIMAL(10,2), s STRUCT<a:INT>) COMMENT 'rows'")
	assert.Equal(t, []string{"id|1|NO|bigint|BIGINT|key", "d|2|YES|decimal(10,2)|DECIMAL|NULL", "s|3|YES|struct<a:int>|STRUCT|NULL"}, cells(run1(t, s,
		"SELECT column_name, ordinal_position, is_nullable, full_data_type, data_type, comment FROM information_schema.columns WHERE table_name = 'c' ORDER BY ordinal_position")))
	assert.Equal(t, []string{"c|MANAGED|rows"}, cells(run1(t, s, "SELECT table_name, table_type, comment FROM information_schema.tables")))
}

func TestLikeRefusesAMisplacedEscape(t *testing.T) {
	s := newSession(t, newDatabase(t))
	for sql, class := range map[string]string{
		`'abc' LIKE r'a\bc'`:                            "INVALID_FORMAT.ESC_IN_THE_MIDDLE",
		`'abc' ILIKE 'aéc' ESCAPE 'é'`:                  "INVALID_FORMAT.ESC_IN_THE_MIDDLE",
		`'abc' LIKE r'abc\'`:                            "INVALID_FORMAT.ESC_AT_THE_END",
		`x LIKE p FROM VALUES ('abc', r'a\bc') t(x, p)`: "INVALID_FORMAT.ESC_IN_THE_MIDDLE",
		`'abc' LIKE 'abc!' ESCAPE '!'`:                  "INVALID_FORMAT.ESC_AT_THE_END",
	} {
		fails(t, s, class, "SELECT "+sql)
	}
	assert.Equal(t, []string{"true|true|true|false|true"}, cells(run1(t, s,
		`SELECT r'a\b' LIKE r'a\\b', 'a_b' LIKE r'a\_b', 'a!%' LIKE 'a!!!%' ESCAPE '!', 'axb' LIKE r'a\_b', r'a\' LIKE r'a\\'`)))
}

func TestAnErrorOfAComputedValueNamesIt(t *testing.T) {
	s := newSession(t, newDatabase(t))
	for _, pattern := range []string{"\x01\\", "\"q\" 'q' \n`\\", "\\\x01engine\x01", "é\\\u0301"} {
		var known, computed *Error
		_, err := s.Execute(t.Context(), "SELECT 'x' LIKE ?", []Param{{Type: "STRING", Value: &pattern}})
		require.ErrorAs(t, err, &known, "%q", pattern)
		_, err = s.Execute(t.Context(), "SELECT 'x' LIKE p FROM (SELECT ? AS p)", []Param{{Type: "STRING", Value: &pattern}})
		require.ErrorAs(t, err, &computed, "%q", pattern)
		assert.Equal(t, known, computed, "%q", pattern)
		assert.Contains(t, computed.Message, pattern)
	}
}

func TestArraysAreNoTextsExceptWhereTheyAreJoined(t *testing.T) {
	s := newSession(t, newDatabase(t))
	run1(t, s, "CREATE TABLE j AS SELECT * FROM VALUES ('x', 1), ('x', 2), ('y', NULL) v(k, n)")
	assert.Equal(t, []string{"x|1,2", "y|"}, cells(run1(t, s, "SELECT k, concat_ws(',', collect_list(string(n))) FROM j GROUP BY k ORDER BY k")))
	assert.Equal(t, []string{"a-b-c|a|a-|a|NULL|1;2"}, cells(run1(t, s,
		"SELECT concat_ws('-', 'a', array('b', NULL, 'c')), concat_ws('-', 'a', array()), concat_ws('-', 'a', array('')), concat_ws('-', 'a', CAST(NULL AS ARRAY<STRING>)), concat_ws(NULL, array('a')), concat_ws(';', array(1, 2))")))
	for _, sql := range []string{"upper(array('a'))", "length(map('a', 1))", "concat('a', array(1))", "'a' || struct(1)", "array('a') LIKE 'a'", "concat_ws(',', map('a', 1))"} {
		fails(t, s, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "SELECT "+sql)
	}
	assert.Equal(t, []string{"[a, b]"}, cells(run1(t, s, "SELECT CAST(array('a', 'b') AS STRING)")))
}
