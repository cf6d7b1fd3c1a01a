package engine

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestChangesReportTheirRows(t *testing.T) {
	s := shop(t)
	for _, c := range []struct {
		sql     string
		updated int64
		headers string
		row     string
	}{
		{"INSERT INTO item (id, name) SELECT id + 10, concat('n', id) FROM range(4)", 4, "num_affected_rows|num_inserted_rows", "4|4"},
		{"UPDATE item SET price = price * 2, name = upper(name) WHERE id <= 2", 2, "num_affected_rows", "2"},
		{"DELETE FROM item i WHERE i.id > 11", 2, "num_affected_rows", "2"},
		{"UPDATE default.item SET w = id", 5, "num_affected_rows", "5"},
		{"INSERT OVERWRITE sale SELECT item, n + 1 FROM sale WHERE item = 1", 2, "num_affected_rows|num_inserted_rows", "2|2"},
		{`MERGE INTO sale t USING (SELECT 1 AS item, 6 AS n UNION ALL SELECT 8, 80) s ON t.item = s.item AND t.n = s.n
			WHEN MATCHED AND s.n > 100 THEN DELETE
			WHEN MATCHED THEN UPDATE SET n = s.n * 10
			WHEN NOT MATCHED THEN INSERT *
			WHEN NOT MATCHED BY SOURCE THEN DELETE`, 3, "num_affected_rows|num_updated_rows|num_deleted_rows|num_inserted_rows", "3|1|1|1"},
	} {
		res := run1(t, s, c.sql)
		assert.Equal(t, c.updated, res.Updated, c.sql)
		assert.True(t, res.Query)
		assert.Equal(t, c.headers, headers(res))
		assert.Equal(t, []string{c.row}, cells(res), c.sql)
	}
	assert.Equal(t, []string{"1|APPLE|19.00|1.0", "2|PEAR|25.00|2.0", "3|fig|100.00|3.0", "10|n0|NULL|10.0", "11|n1|NULL|11.0"},
		cells(run1(t, s, "SELECT id, name, price, w FROM item ORDER BY id")))
	assert.Equal(t, []string{"1|60", "8|80"}, cells(run1(t, s, "SELECT * FROM sale ORDER BY n")))
	fails(t, s, "ARITHMETIC_OVERFLOW", "UPDATE sale SET n = n + 2147483647")
	fails(t, s, "ARITHMETIC_OVERFLOW", "INSERT INTO sale SELECT id + 9223372036854775807, 1 FROM range(2)")
	fails(t, s, "DELTA_NOT_NULL_CONSTRAINT_VIOLATED", "INSERT INTO item (name) VALUES ('x')")
	fails(t, s, "DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE",
		"MERGE INTO sale t USING (SELECT 1 AS item FROM range(2)) s ON t.item = s.item WHEN MATCHED THEN UPDATE SET n = 0")
	assert.Equal(t, []string{"1|60", "8|80"}, cells(run1(t, s, "SELECT * FROM sale ORDER BY n")), "a failed change is undone")
}

func TestDefinitions(t *testing.T) {
	d := newDatabase(t)
	s := newSession(t, d)
	ddl := func(sql string) {
		t.Helper()
		res := run1(t, s, sql)
		assert.Equal(t, &Result{Updated: -1}, res, sql)
	}
	ddl("CREATE CATALOG IF NOT EXISTS lake")
	ddl("CREATE SCHEMA lake.`odd name` COMMENT 'x'")
	ddl("USE CATALOG lake")
	ddl("USE SCHEMA `odd name`")
	ddl("CREATE TABLE `sel``ect` (a INT, `b c` VARCHAR(10) DEFAULT 'dflt', d DECIMAL)")
	ddl("CREATE OR REPLACE TABLE `sel``ect` AS SELECT 1 AS a, 'x' AS `b c`, 2.5 AS d")
	ddl("ALTER TABLE `sel``ect` ADD COLUMN e TIMESTAMP COMMENT 'when'")
	ddl("ALTER TABLE `sel``ect` RENAME COLUMN `b c` TO bc")
	ddl("ALTER TABLE `sel``ect` DROP COLUMN d")
	ddl("ALTER TABLE `sel``ect` RENAME TO t2")
	assert.Equal(t, []string{"1|x|NULL"}, cells(run1(t, s, "SELECT * FROM lake.`odd name`.t2")))
	assert.Equal(t, []string{"a|int|NULL", "bc|string|NULL", "e|timestamp|when"}, cells(run1(t, s, "DESCRIBE TABLE t2")))
	ddl("CREATE VIEW v (x) AS SELECT a + 1 FROM t2")
	ddl("CREATE OR REPLACE TEMP VIEW tv AS SELECT x * 2 AS y FROM v")
	assert.Equal(t, []string{"4"}, cells(run1(t, s, "SELECT y FROM tv")))
	ddl("CREATE TABLE IF NOT EXISTS t2 (other INT)")
	ddl("CREATE TABLE f (a INT, b STRING DEFAULT 'dflt')")
	run1(t, s, "INSERT INTO f (a) VALUES (1)")
	run1(t, s, "INSERT INTO f VALUES (2, DEFAULT)")
	assert.Equal(t, []string{"1|dflt", "2|dflt"}, cells(run1(t, s, "TABLE f")))
	ddl("TRUNCATE TABLE f")
	assert.Equal(t, 0, run1(t, s, "SELECT * FROM f").Rows)
	assert.Equal(t, []string{"a", "b"}, cells(run1(t, s, "SHOW COLUMNS IN f")))
	assert.Contains(t, cells(run1(t, s, "SHOW CREATE TABLE f"))[0], "`b` STRING")
	assert.Contains(t, cells(run1(t, s, "EXPLAIN SELECT * FROM f"))[0], "Physical Plan")
	ddl("OPTIMIZE f ZORDER BY (a)")
	ddl("DROP VIEW v")
	ddl("DROP TABLE IF EXISTS f")
	ddl("DROP TABLE IF EXISTS f")
	ddl("CREATE TABLE c (a INT) USING csv LOCATION '/data/c.csv'")
	ddl("CREATE TABLE IF NOT EXISTS c USING csv LOCATION '/data/c.csv' OPTIONS (header = true, inferSchema = true)")
	fails(t, s, "UNABLE_TO_INFER_SCHEMA", "CREATE TABLE d USING csv LOCATION '/data/d.csv'")
	fails(t, s, "PARSE_SYNTAX_ERROR", "CREATE TABLE d USING csv")
	ddl("DROP CATALOG lake CASCADE")
}

func TestSessionsShareDataButNotState(t *testing.T) {
	d := newDatabase(t)
	a, b := newSession(t, d), newSession(t, d)
	run1(t, a, "CREATE SCHEMA s2")
	run1(t, a, "USE s2")
	run1(t, a, "CREATE TABLE shared AS SELECT 7 AS x")
	run1(t, a, "CREATE TEMPORARY VIEW mine AS SELECT x FROM shared")
	run1(t, a, "SET my.key = some value")
	assert.Equal(t, []string{"s2|shared|false", "|mine|true"}, cells(run1(t, a, "SHOW TABLES")))
	assert.Equal(t, []string{"7"}, cells(run1(t, b, "SELECT x FROM main.s2.shared")))
	assert.Equal(t, []string{"default"}, cells(run1(t, b, "SELECT current_database()")))
	assert.Equal(t, []string{"my.key|<undefined>"}, cells(run1(t, b, "SET my.key")))
	assert.Equal(t, []string{"my.key|some value"}, cells(run1(t, a, "SET my.key")))
	fails(t, b, "TABLE_OR_VIEW_NOT_FOUND", "SELECT * FROM mine")
	run1(t, a, "DROP VIEW mine")
	run1(t, a, "DROP SCHEMA s2 CASCADE")
	fails(t, b, "TABLE_OR_VIEW_NOT_FOUND", "SELECT x FROM main.s2.shared")
	assert.Equal(t, []string{"default"}, cells(run1(t, b, "SHOW SCHEMAS")))
	assert.Equal(t, []string{"hive_metastore", "main"}, cells(run1(t, b, "SHOW CATALOGS")))
}

func TestParametersAreTyped(t *testing.T) {
	s := newSession(t, newDatabase(t))
	for _, c := range []struct{ typ, value, types, want string }{
		{"STRING", "it's", "STRING", "it's"}, {"INT", "-5", "INT", "-5"}, {"BIGINT", "9223372036854775807", "BIGINT", "9223372036854775807"},
		{"SMALLINT", "3", "SMALLINT", "3"}, {"TINYINT", "4", "TINYINT", "4"}, {"DOUBLE", "1.5", "DOUBLE", "1.5"}, {"FLOAT", "0.1", "FLOAT", "0.1"},
		{"DECIMAL(10,3)", "1.5", "DECIMAL(10,3)", "1.500"}, {"DECIMAL", "12.25", "DECIMAL(4,2)", "12.25"}, {"BOOLEAN", "true", "BOOLEAN", "true"},
		{"DATE", "2024-01-02", "DATE", "2024-01-02"}, {"TIMESTAMP", "2024-01-02 03:04:05", "TIMESTAMP", "2024-01-02 03:04:05"},
		{"BINARY", "ab", "BINARY", "6162"},
	} {
		for _, sql := range []string{"SELECT :p", "SELECT ?"} {
			p := Param{Type: c.typ, Value: text(c.value)}
			if sql == "SELECT :p" {
				p.Name = "p"
			}
			res := run1(t, s, sql, p)
			assert.Equal(t, c.types, typesOf(res), c.typ)
			assert.Equal(t, []string{c.want}, cells(res), c.typ)
		}
	}
	assert.Equal(t, []string{"NULL"}, cells(run1(t, s, "SELECT :x", Param{Name: "X", Type: "INT"})))
	assert.Equal(t, []string{"1|2|1"}, cells(run1(t, s, "SELECT ?, ?, :n LIMIT 1", Param{Type: "INT", Value: text("1")}, Param{Type: "INT", Value: text("2")}, Param{Name: "n", Type: "INT", Value: text("1")})))
	assert.Equal(t, 2, run1(t, s, "SELECT id FROM range(9) WHERE id > :a LIMIT :l", Param{Name: "a", Type: "BIGINT", Value: text("3")}, Param{Name: "l", Type: "INT", Value: text("2")}).Rows)
	fails(t, s, "UNBOUND_SQL_PARAMETER", "SELECT :missing")
	fails(t, s, "UNBOUND_SQL_PARAMETER", "SELECT ?, ?", Param{Type: "INT", Value: text("1")})
	assert.Contains(t, fails(t, s, "CAST_INVALID_INPUT", "SELECT :p", Param{Name: "p", Type: "INT", Value: text("secret")}).Message, "'secret'")
}

func TestErrorsNameWhatTheyAreAbout(t *testing.T) {
	s := shop(t)
	for _, c := range []struct{ sql, class, state, part string }{
		{"SELECT * FROM secret_t", "TABLE_OR_VIEW_NOT_FOUND", "42P01", "`main`.`default`.`secret_t`"},
		{"SELECT * FROM nope.deep.secret_t", "TABLE_OR_VIEW_NOT_FOUND", "42P01", "`nope`.`deep`.`secret_t`"},
		{"select * form t", "PARSE_SYNTAX_ERROR", "42601", "[PARSE_SYNTAX_ERROR] Syntax error at or near 'form'. SQLSTATE: 42601 (line 1, pos 9)\n\n== SQL ==\nselect * form t\n---------^^^"},
		{"SELECT 1,\n  'password'  FROM WHERE x", "PARSE_SYNTAX_ERROR", "42601", "(line 2, pos 19)"},
		{"SELECT (1", "PARSE_SYNTAX_ERROR", "42601", "end of input"},
		{"SELECT 'open", "PARSE_SYNTAX_ERROR", "42601", "open"},
		{"", "PARSE_EMPTY_STATEMENT", "42617", "empty statement"},
		{"SELECT 1; SELECT 2", "PARSE_SYNTAX_ERROR", "42601", "near 'SELECT'"},
		{"SELECT salary FROM item", "UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", "`salary`"},
		{"SELECT salary", "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "42703", "`salary`"},
		{"SELECT id FROM item a, item b", "AMBIGUOUS_REFERENCE", "42704", "`id`"},
		{"CREATE TABLE item (a INT)", "TABLE_OR_VIEW_ALREADY_EXISTS", "42P07", "`main`.`default`.`item`"},
		{"SELECT 1 / 0", "DIVIDE_BY_ZERO", "22012", "Division by zero"},
		{"SELECT id % (id - id) FROM item", "DIVIDE_BY_ZERO", "22012", "Division by zero"},
		{"SELECT price / 0 FROM item", "DIVIDE_BY_ZERO", "22012", "Division by zero"},
		{"SELECT CAST('4111-1111' AS INT)", "CAST_INVALID_INPUT", "22018", "'4111-1111'"},
		{"SELECT CAST(name AS DATE) FROM item", "CAST_INVALID_INPUT", "22018", "'apple'"},
		{"SELECT name = 1 FROM item", "CAST_INVALID_INPUT", "22018", "'apple'"},
		{"SELECT CAST(300 AS TINYINT)", "CAST_OVERFLOW", "22003", "300"},
		{"SELECT 2147483647 + 1", "ARITHMETIC_OVERFLOW", "22003", "int overflow"},
		{"SELECT 9223372036854775807 + 1", "ARITHMETIC_OVERFLOW", "22003", "overflow"},
		{"SELECT sum(x) FROM VALUES (9223372036854775807), (1) v(x)", "ARITHMETIC_OVERFLOW", "22003", "overflow"},
		{"SELECT DATE 'tomorrow'", "INVALID_TYPED_LITERAL", "42604", "'tomorrow'"},
		{"SELECT frobnicate(1)", "UNRESOLVED_ROUTINE", "42883", "`frobnicate`"},
		{"SELECT upper()", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "`upper`"},
		{"SELECT name, count(*) FROM item", "MISSING_AGGREGATION", "42803", "name"},
		{"SELECT id FROM item WHERE count(*) > 1", "INVALID_WHERE_CONDITION", "42903", "count"},
		{"SELECT id FROM item WHERE id", "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN", "42K09", "BOOLEAN"},
		{"SELECT nth_value(id, 0) OVER (ORDER BY id) FROM item", "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "42K09", "out of range"},
		{"USE SCHEMA hidden", "SCHEMA_NOT_FOUND", "42704", "`hidden`"},
		{"USE CATALOG hidden", "NO_SUCH_CATALOG_EXCEPTION", "42704", "'hidden'"},
		{"DROP TABLE hidden", "TABLE_OR_VIEW_NOT_FOUND", "42P01", "`hidden`"},
		{"CREATE SCHEMA default", "SCHEMA_ALREADY_EXISTS", "42P06", "`default`"},
		{"DROP SCHEMA default", "SCHEMA_NOT_EMPTY", "2BP01", "`default`"},
		{"INSERT INTO sale VALUES (1)", "INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS", "21S01", "`sale`"},
		{"INSERT INTO sale (secret) VALUES (1)", "UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", "`secret`"},
		{"UPDATE item SET price = 'abc'", "CAST_INVALID_INPUT", "22018", "'abc'"},
		{"SELECT 1 UNION SELECT 1, 2", "NUM_COLUMNS_MISMATCH", "42826", "1 columns"},
		{"SELECT 1 ORDER BY 2", "ORDER_BY_POS_OUT_OF_RANGE", "42805", "2"},
		{"SELECT variant_get(1)", "UNSUPPORTED_FEATURE.FUNCTION", "0A000", "variant_get"},
		{"GRANT SELECT ON item TO bob", "UNSUPPORTED_FEATURE.STATEMENT", "0A000", "GRANT"},
		{"SELECT * FROM item VERSION AS OF 1", "UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "VERSION"},
		{"CREATE TABLE n (a ARRAY<VARIANT>)", "UNSUPPORTED_FEATURE.DATA_TYPE", "0A000", "VARIANT"},
	} {
		t.Run(c.sql, func(t *testing.T) {
			err := fails(t, s, c.class, c.sql)
			assert.Equal(t, c.state, err.SQLState)
			assert.Contains(t, err.Message, c.part)
			assert.Contains(t, err.Error(), "SQLSTATE: "+c.state)
		})
	}
}

func TestSessionsStartWhereTheyAreTold(t *testing.T) {
	d := newDatabase(t)
	s, err := d.NewSession("hive_metastore", "default", nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"hive_metastore.default"}, cells(run1(t, s, "SELECT concat(current_catalog(), '.', current_schema())")))
	var own *Error
	_, err = d.NewSession("nowhere", "", nil)
	require.ErrorAs(t, err, &own)
	assert.Equal(t, "NO_SUCH_CATALOG_EXCEPTION", own.Class)
	_, err = d.NewSession("", "nowhere", nil)
	require.ErrorAs(t, err, &own)
	assert.Equal(t, "SCHEMA_NOT_FOUND", own.Class)
	_, err = d.NewSession("", "", map[string]string{"timezone": "Moon/Crater"})
	require.ErrorAs(t, err, &own)

	require.NoError(t, s.Close())
	fails(t, s, "INVALID_HANDLE.SESSION_CLOSED", "SELECT 1")
}

func TestAssignmentsMeanTheColumnTheyName(t *testing.T) {
	s := newSession(t, newDatabase(t))
	run1(t, s, "CREATE TABLE n (id INT, s STRUCT<id:INT>)")
	run1(t, s, "INSERT INTO n VALUES (1, struct(2))")
	fails(t, s, "UNSUPPORTED_FEATURE.ASSIGNMENT", "UPDATE n SET s.id = 5")
	fails(t, s, "UNSUPPORTED_FEATURE.ASSIGNMENT", "UPDATE n x SET x.s.id = 5")
	fails(t, s, "UNRESOLVED_COLUMN.WITH_SUGGESTION", "UPDATE n SET other.id = 5")
	fails(t, s, "UNRESOLVED_COLUMN.WITH_SUGGESTION", "UPDATE n x SET n.id = 5")
	fails(t, s, "UNSUPPORTED_FEATURE.ASSIGNMENT", "MERGE INTO n USING (SELECT 1 AS id) o ON n.id = o.id WHEN MATCHED THEN UPDATE SET s.id = 7")
	fails(t, s, "UNRESOLVED_COLUMN.WITH_SUGGESTION", "MERGE INTO n USING (SELECT 1 AS id) o ON n.id = o.id WHEN MATCHED THEN UPDATE SET o.id = 7")
	assert.Equal(t, []string{"1|{2}"}, cells(run1(t, s, "SELECT * FROM n")))
	run1(t, s, "UPDATE n SET n.id = 3")
	run1(t, s, "UPDATE n SET default.n.id = id + 1")
	run1(t, s, "UPDATE n x SET x.id = id + 1, s = struct(9)")
	run1(t, s, "MERGE INTO n t USING (SELECT 5 AS id) o ON t.id = o.id WHEN MATCHED THEN UPDATE SET t.id = 6")
	assert.Equal(t, []string{"6|{9}"}, cells(run1(t, s, "SELECT * FROM n")))
}

func TestWhatHasNoEffectIsRefused(t *testing.T) {
	s := newSession(t, newDatabase(t))
	fails(t, s, "UNSUPPORTED_FEATURE.SETTING", "SET ansi_mode = false")
	fails(t, s, "UNSUPPORTED_FEATURE.SETTING", "SET spark.sql.ansi.enabled = FALSE")
	run1(t, s, "SET ANSI_MODE = true")
	fails(t, s, "UNSUPPORTED_FEATURE.PARAMETER_TYPE", "SELECT :i", Param{Name: "i", Type: "INTERVAL MONTH", Value: text("1")})
	fails(t, s, "UNSUPPORTED_FEATURE.IDENTIFIER", "SELECT * FROM IDENTIFIER(:t)", Param{Name: "t", Type: "STRING", Value: text("x")})
	fails(t, s, "UNSUPPORTED_FEATURE.IDENTIFIER", "SELECT * FROM IDENTIFIER('a' || 'b')")
	fails(t, s, "UNSUPPORTED_FEATURE.FILES", "SELECT * FROM delta.`/x/y`")
}

func TestMergeDeletesARowThatSeveralSourceRowsMatch(t *testing.T) {
	s := newSession(t, newDatabase(t))
	run1(t, s, "CREATE TABLE md AS SELECT id FROM range(3)")
	const twice = "MERGE INTO md USING (SELECT 1 AS id UNION ALL SELECT 1) o ON md.id = o.id "
	fails(t, s, "DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE", twice+"WHEN MATCHED AND md.id > 0 THEN DELETE")
	fails(t, s, "DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE", twice+"WHEN MATCHED AND md.id > 5 THEN UPDATE SET id = 9 WHEN MATCHED THEN DELETE")
	assert.Equal(t, []string{"1|0|1|0"}, cells(run1(t, s, twice+"WHEN MATCHED THEN DELETE")))
	assert.Equal(t, []string{"0", "2"}, cells(run1(t, s, "SELECT id FROM md ORDER BY id")))
}
