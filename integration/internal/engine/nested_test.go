package engine

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNestedValues(t *testing.T) {
	s := newSession(t, newDatabase(t))
	for _, c := range []struct{ sql, types, want string }{
		{"array(1, 2, NULL)", "ARRAY<INT>", "[1, 2, null]"},
		{"array()", "ARRAY<VOID>", "[]"},
		{"array(1, 2.5)", "ARRAY<DECIMAL(11,1)>", "[1.0, 2.5]"},
		{"array('a,b', 'c\"d', 'e]')", "ARRAY<STRING>", "[a,b, c\"d, e]]"},
		{"array(array(1), array())", "ARRAY<ARRAY<INT>>", "[[1], []]"},
		{"array(DATE '2024-01-02', NULL)", "ARRAY<DATE>", "[2024-01-02, null]"},
		{"array(true, false)", "ARRAY<BOOLEAN>", "[true, false]"},
		{"array(1.5D, 1e300, 2F)", "ARRAY<DOUBLE>", "[1.5, 1.0E300, 2.0]"},
		{"map('a', 1, 'b', NULL)", "MAP<STRING, INT>", "{a -> 1, b -> null}"},
		{"named_struct('a', 1, 'b', 'x')", "STRUCT<a: INT, b: STRING>", "{1, x}"},
		{"struct(1, 'x')", "STRUCT<col1: INT, col2: STRING>", "{1, x}"},
		{"struct(id, id * 2 AS twice, id + 1)", "STRUCT<id: BIGINT, twice: BIGINT, col3: BIGINT>", "{7, 14, 8}"},
		{"(1, 'x')", "STRUCT<col1: INT, col2: STRING>", "{1, x}"},
		{"array(1, 2, 3)[1]", "INT", "2"},
		{"get(array(1, 2), 5)", "INT", "NULL"},
		{"map('a', 1)['a']", "INT", "1"},
		{"map('a', 1)['z']", "INT", "NULL"},
		{"map(1, array('x', 'y'))[1][1]", "STRING", "y"},
		{"named_struct('a', named_struct('b', 5)).a.b", "INT", "5"},
		{"array(named_struct('a', 1), named_struct('a', 2)).a", "ARRAY<INT>", "[1, 2]"},
		{"array(named_struct('a', 1))[0].a", "INT", "1"},
		{"named_struct('a', 1)['a']", "INT", "1"},
		{"size(array(1, 2)) + size(map(1, 2)) + cardinality(array())", "INT", "3"},
		{"size(CAST(NULL AS ARRAY<INT>))", "INT", "NULL"},
		{"element_at(array(1, 2, 3), -1)", "INT", "3"},
		{"try_element_at(array(1), 9)", "INT", "NULL"},
		{"element_at(map('k', 'v'), 'k')", "STRING", "v"},
		{"split('a1b22c', '[0-9]+')", "ARRAY<STRING>", "[a, b, c]"},
		{"split('a,b,c', ',', 2)", "ARRAY<STRING>", "[a, b,c]"},
		{"split('a b', ' ')[0]", "STRING", "a"},
		{"array_contains(array(1, 2), 2)", "BOOLEAN", "true"},
		{"array_contains(array(1, NULL), 2)", "BOOLEAN", "NULL"},
		{"array_contains(array(1.50, 2), 1.5)", "BOOLEAN", "true"},
		{"array_position(array('a', 'b'), 'b')", "BIGINT", "2"},
		{"array_distinct(array(1, 1, NULL, 2, NULL))", "ARRAY<INT>", "[1, null, 2]"},
		{"sort_array(array(3, NULL, 1), false)", "ARRAY<INT>", "[3, 1, null]"},
		{"array_sort(array('b', NULL, 'a'))", "ARRAY<STRING>", "[a, b, null]"},
		{"array_max(array(1, 30, 2)) - array_min(array(10, 4))", "INT", "26"},
		{"array_join(array('a', NULL, 'b'), '-')", "STRING", "a-b"},
		{"array_join(array('a', NULL), '-', '?')", "STRING", "a-?"},
		{"array_union(array(1, 2), array(2, 3))", "ARRAY<INT>", "[1, 2, 3]"},
		{"array_intersect(array(1, 2, 2), array(2, 3))", "ARRAY<INT>", "[2]"},
		{"array_except(array(1, 2, 1), array(2))", "ARRAY<INT>", "[1]"},
		{"arrays_overlap(array(1, 2), array(2))", "BOOLEAN", "true"},
		{"array_remove(array(1, 2, 1), 1)", "ARRAY<INT>", "[2]"},
		{"array_append(array(1), 2L)", "ARRAY<BIGINT>", "[1, 2]"},
		{"array_compact(array(1, NULL))", "ARRAY<INT>", "[1]"},
		{"array_repeat('x', 2)", "ARRAY<STRING>", "[x, x]"},
		{"arrays_zip(array(1, 2), array('a'))", "ARRAY<STRUCT<`0`: INT, `1`: STRING>>", "[{1, a}, {2, null}]"},
		{"array(1) || array(2)", "ARRAY<INT>", "[1, 2]"},
		{"struct(*)", "STRUCT<id: BIGINT>", "{7}"},
		{"concat(array(1), array(2L))", "ARRAY<BIGINT>", "[1, 2]"},
		{"reverse(array(1, 2))", "ARRAY<INT>", "[2, 1]"},
		{"flatten(array(array(1), array(2, 3)))", "ARRAY<INT>", "[1, 2, 3]"},
		{"slice(array(1, 2, 3), -2, 5)", "ARRAY<INT>", "[2, 3]"},
		{"sequence(1, 7, 3)", "ARRAY<INT>", "[1, 4, 7]"},
		{"sequence(3, 1)", "ARRAY<INT>", "[3, 2, 1]"},
		{"sequence(DATE '2024-01-31', DATE '2024-03-31', INTERVAL 1 MONTH)", "ARRAY<DATE>", "[2024-01-31, 2024-02-29, 2024-03-31]"},
		{"size(sequence(TIMESTAMP '2024-01-01', TIMESTAMP '2024-01-02', INTERVAL 6 HOURS))", "INT", "5"},
		{"map_keys(map('a', 1, 'b', 2))", "ARRAY<STRING>", "[a, b]"},
		{"map_values(map('a', 1, 'b', 2))", "ARRAY<INT>", "[1, 2]"},
		{"map_entries(map('a', 1))", "ARRAY<STRUCT<key: STRING, value: INT>>", "[{a, 1}]"},
		{"map_contains_key(map('a', 1), 'a')", "BOOLEAN", "true"},
		{"map_concat(map('a', 1), map('b', 2L))", "MAP<STRING, BIGINT>", "{a -> 1, b -> 2}"},
		{"map_from_arrays(array(1, 2), array('x', 'y'))", "MAP<INT, STRING>", "{1 -> x, 2 -> y}"},
		{"map_from_entries(array(struct(1, 'x')))", "MAP<INT, STRING>", "{1 -> x}"},
		{"str_to_map('a:1,b')", "MAP<STRING, STRING>", "{a -> 1, b -> null}"},
		{"regexp_extract_all('a1b22', '([0-9]+)', 1)", "ARRAY<STRING>", "[1, 22]"},
		{"CAST(array('1', '2') AS ARRAY<INT>)", "ARRAY<INT>", "[1, 2]"},
		{"CAST(array(1) AS STRING) || '!'", "STRING", "[1]!"},
		{"try_cast(array('x') AS ARRAY<INT>)", "ARRAY<INT>", "NULL"},
		{"CAST(struct(1, '2') AS STRUCT<a: STRING, b: INT>).b", "INT", "2"},
		{"array(1, 2) = array(1L, 2L)", "BOOLEAN", "true"},
		{"array(1, 2) < array(1, 10)", "BOOLEAN", "true"},
		{"struct(1, 2) IN (struct(1, 2), struct(3, 4))", "BOOLEAN", "true"},
		{"if(true, array(1), array())", "ARRAY<INT>", "[1]"},
		{"coalesce(NULL, array(1))", "ARRAY<INT>", "[1]"},
		{"typeof(named_struct('aB', array(1), 'c', map('x', 1.5)))", "STRING", "struct<aB:array<int>,c:map<string,decimal(2,1)>>"},
		{"transform(array(1, 2, NULL), x -> x * 10)", "ARRAY<INT>", "[10, 20, null]"},
		{"transform(array('a', 'b'), (x, i) -> x || i || id)", "ARRAY<STRING>", "[a07, b17]"},
		{"transform(array(array(1, 2)), a -> aggregate(a, 0, (s, x) -> s + x))", "ARRAY<INT>", "[3]"},
		{"transform(CAST(NULL AS ARRAY<INT>), x -> x)", "ARRAY<INT>", "NULL"},
		{"filter(array(1, 2, 3), x -> x > 1)", "ARRAY<INT>", "[2, 3]"},
		{"filter(array(), x -> true)", "ARRAY<VOID>", "[]"},
		{"exists(array(1, NULL), x -> x > 1)", "BOOLEAN", "NULL"},
		{"exists(array(1, 2), x -> x > 1)", "BOOLEAN", "true"},
		{"forall(array(1, 2), x -> x > 1)", "BOOLEAN", "false"},
		{"forall(array(), x -> false)", "BOOLEAN", "true"},
		{"aggregate(array(1, 2, 3), 0L, (acc, x) -> acc + x)", "BIGINT", "6"},
		{"reduce(array('a', 'b'), '', (acc, x) -> acc || x, acc -> upper(acc))", "STRING", "AB"},
		{"zip_with(array(1, 2), array(10, 20), (a, b) -> a + b)", "ARRAY<INT>", "[11, 22]"},
		{"transform_values(map('a', 1), (k, v) -> k || v)", "MAP<STRING, STRING>", "{a -> a1}"},
		{"transform_keys(map('a', 1), (k, v) -> upper(k))", "MAP<STRING, INT>", "{A -> 1}"},
		{"map_filter(map('a', 1, 'b', 2), (k, v) -> v > 1)", "MAP<STRING, INT>", "{b -> 2}"},
		{`get_json_object('{"a":{"b":[1,{"c":"x"}]}}', '$.a.b[1].c')`, "STRING", "x"},
		{`get_json_object('{"a":[{"b":1},{"b":"y"}]}', '$.a[*].b')`, "STRING", `[1,"y"]`},
		{`get_json_object('{"z":1,"a": {"k" : null}}', '$')`, "STRING", `{"z":1,"a":{"k":null}}`},
		{`get_json_object('not json', '$.a')`, "STRING", "NULL"},
		{`from_json('{"a":1,"b":["x"],"c":{"k":2.5}}', 'a INT, b ARRAY<STRING>, c MAP<STRING,DOUBLE>')`, "STRUCT<a: INT, b: ARRAY<STRING>, c: MAP<STRING, DOUBLE>>", "{1, [x], {k -> 2.5}}"},
		{`from_json('{"a":"no","d":"2024-01-02"}', 'a INT, d DATE, e STRING')`, "STRUCT<a: INT, d: DATE, e: STRING>", "{null, 2024-01-02, null}"},
		{`from_json('[1,2]', 'ARRAY<BIGINT>')[1]`, "BIGINT", "2"},
		{`from_json('oops', 'a INT').a`, "INT", "NULL"},
		{`to_json(named_struct('a', 1, 'b', array(1.5, NULL), 'n', NULL, 's', 'x"y', 'd', DATE '2024-01-02'))`, "STRING", `{"a":1,"b":[1.5,null],"s":"x\"y","d":"2024-01-02"}`},
		{`to_json(map('k', true))`, "STRING", `{"k":true}`},
		{"array_insert(array(1, 3), 2, 2)", "ARRAY<INT>", "[1, 2, 3]"},
		{"array_insert(array(1), 3, 3)", "ARRAY<INT>", "[1, null, 3]"},
		{"array_insert(array(1, 2), -1, 3)", "ARRAY<INT>", "[1, 2, 3]"},
		{`json_array_length('[1,2]')`, "INT", "2"},
		{`json_object_keys('{"b":1,"a":2}')`, "ARRAY<STRING>", "[b, a]"},
	} {
		t.Run(c.sql, func(t *testing.T) {
			res, err := s.Execute(t.Context(), "SELECT "+c.sql+" AS x FROM range(7, 8)", nil)
			if !assert.NoError(t, err) {
				return
			}
			assert.Equal(t, c.types, typesOf(res))
			assert.Equal(t, []string{c.want}, cells(res))
		})
	}
}

func TestNestedValuesInTables(t *testing.T) {
	s := newSession(t, newDatabase(t))
	run1(t, s, "CREATE TABLE n (id INT, a ARRAY<BIGINT>, m MAP<STRING, INT>, s STRUCT<x: INT, y: STRUCT<z: STRING>> COMMENT 'deep')")
	run1(t, s, "INSERT INTO n VALUES (1, array(1, 2), map('k', 1), named_struct('x', 1, 'y', named_struct('z', 'q'))), (2, NULL, map(), NULL), (3, array(), NULL, struct(2, struct('r')))")
	assert.Equal(t, []string{"id|int|NULL", "a|array<bigint>|NULL", "m|map<string,int>|NULL", "s|struct<x:int,y:struct<z:string>>|deep"}, cells(run1(t, s, "DESCRIBE n")))
	for _, a := range []ask{
		{"SELECT * FROM n ORDER BY id", "id|a|m|s", "INT|ARRAY<BIGINT>|MAP<STRING, INT>|STRUCT<x: INT, y: STRUCT<z: STRING>>", []string{"1|[1, 2]|{k -> 1}|{1, {q}}", "2|NULL|{}|NULL", "3|[]|NULL|{2, {r}}"}},
		{"SELECT a[0], m['k'], m.k, s.x, s.y.z, n.s.y.z, default.n.id FROM n WHERE id = 1", "a[0]|m[k]|k|x|z|z|id", "BIGINT|INT|INT|INT|STRING|STRING|INT", []string{"1|1|1|1|q|q|1"}},
		{"SELECT s.* FROM n WHERE id = 3", "x|y", "INT|STRUCT<z: STRING>", []string{"2|{r}"}},
		{"SELECT s.x, count(*) FROM n GROUP BY s.x ORDER BY s.x", "x|count(1)", "INT|BIGINT", []string{"NULL|1", "1|1", "2|1"}},
		{"SELECT id FROM n ORDER BY a DESC", "id", "INT", []string{"1", "3", "2"}},
		{"SELECT collect_list(id), sort_array(collect_set(s.x)), array_agg(DISTINCT id % 2) FROM n", "", "ARRAY<INT>|ARRAY<INT>|ARRAY<INT>", []string{"[1, 2, 3]|[1, 2]|[1, 0]"}},
		{"SELECT id, collect_list(id) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS l FROM n", "", "", []string{"1|[1]", "2|[1, 2]", "3|[2, 3]"}},
		{"SELECT collect_list(a) FROM n", "", "ARRAY<ARRAY<BIGINT>>", []string{"[[1, 2], []]"}},
		{"SELECT transform(a, v -> v + id + s.x) FROM n WHERE id = 1", "", "", []string{"[3, 4]"}},
		{"SELECT id FROM n WHERE exists(a, v -> v = 2)", "", "", []string{"1"}},
		{"SELECT a, count(*) FROM n GROUP BY a HAVING size(a) > 0", "", "", []string{"[1, 2]|1"}},
		{"SELECT max_by(id, a), min_by(m, id) FROM n", "", "INT|MAP<STRING, INT>", []string{"1|{k -> 1}"}},
		{"SELECT transform(collect_list(id), x -> x + 3) FROM n", "", "", []string{"[4, 5, 6]"}},
	} {
		a.run(t, s)
	}
	for _, a := range []ask{
		{"SELECT j:a.b[0], j:a['c'], upper(j:x), j:a.b[*]::STRING FROM (SELECT '{\"a\":{\"b\":[1,2],\"c\":\"d\"},\"x\":\"y\"}' AS j)", "", "STRING|STRING|STRING|STRING", []string{"1|d|Y|[1,2]"}},
		{"SELECT arrays_zip(a, array(id)) FROM n WHERE id = 1", "", "ARRAY<STRUCT<a: BIGINT, `1`: INT>>", []string{"[{1, 1}, {2, null}]"}},
	} {
		a.run(t, s)
	}
	fails(t, s, "UNSUPPORTED_FEATURE.LAMBDA_FUNCTION", "SELECT array_sort(array(1), (l, r) -> 0)")
	run1(t, s, "UPDATE n SET a = array(9), s = named_struct('x', 5, 'y', NULL) WHERE id = 2")
	assert.Equal(t, []string{"[9]|{5, null}"}, cells(run1(t, s, "SELECT a, s FROM n WHERE id = 2")))
	run1(t, s, "CREATE TABLE copy AS SELECT array(struct(id)) AS l FROM n")
	assert.Equal(t, []string{"l|array<struct<id:int>>|NULL"}, cells(run1(t, s, "DESCRIBE copy")))
	for sql, class := range map[string]string{
		"SELECT array(1)[1]":                        "INVALID_ARRAY_INDEX",
		"SELECT element_at(array(1), 2)":            "INVALID_ARRAY_INDEX_IN_ELEMENT_AT",
		"SELECT element_at(array(1), 0)":            "INVALID_INDEX_OF_ZERO",
		"SELECT map('a', 1, 'a', 2)":                "DUPLICATED_MAP_KEY",
		"SELECT map(NULL, 1)":                       "NULL_MAP_KEY",
		"SELECT s.nope FROM n":                      "FIELD_NOT_FOUND",
		"SELECT id.x FROM n":                        "INVALID_EXTRACT_BASE_FIELD_TYPE",
		"SELECT id[0] FROM n":                       "INVALID_EXTRACT_BASE_FIELD_TYPE",
		"SELECT array(1, 'x')":                      "CAST_INVALID_INPUT",
		"SELECT array(1, array(1))":                 "DATATYPE_MISMATCH.DATA_DIFF_TYPES",
		"SELECT CAST(array(1) AS INT)":              "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION",
		"SELECT sequence(1, 100000000)":             "COLLECTION_SIZE_LIMIT_EXCEEDED.FUNCTION",
		"SELECT sequence(1, 5, 0)":                  "INVALID_PARAMETER_VALUE.SEQUENCE",
		"SELECT transform(array(1), 2)":             "UNRESOLVED_ROUTINE",
		"SELECT upper(x -> x)":                      "INVALID_LAMBDA_FUNCTION_CALL.NON_HIGHER_ORDER_FUNCTION",
		"SELECT transform(array(1), (a,b,c)->1)":    "INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH",
		"SELECT from_json('{}', 'a FOO')":           "INVALID_SCHEMA.PARSE_ERROR",
		"SELECT explode(array(1)) + 1":              "UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS",
		"SELECT size(1)":                            "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
		"INSERT INTO n VALUES (1, 'x', NULL, NULL)": "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION",
	} {
		fails(t, s, class, sql)
	}
}

func TestGenerators(t *testing.T) {
	s := newSession(t, newDatabase(t))
	run1(t, s, "CREATE TABLE g (id INT, a ARRAY<STRING>, m MAP<STRING, INT>, p ARRAY<STRUCT<x: INT, y: STRING>>)")
	run1(t, s, "INSERT INTO g VALUES (1, array('x', 'y'), map('k', 1), array(struct(1, 'p'), struct(2, 'q'))), (2, array(), NULL, NULL), (3, array('z'), map('l', 2, 'm', 3), array())")
	for _, a := range []ask{
		{"SELECT id, e FROM g LATERAL VIEW explode(a) t AS e ORDER BY id, e", "id|e", "INT|STRING", []string{"1|x", "1|y", "3|z"}},
		{"SELECT id, t.e FROM g LATERAL VIEW OUTER explode(a) t AS e WHERE id < 3 ORDER BY ALL", "", "", []string{"1|x", "1|y", "2|NULL"}},
		{"SELECT id, i, e FROM g LATERAL VIEW posexplode(a) AS i, e ORDER BY id, i", "", "INT|INT|STRING", []string{"1|0|x", "1|1|y", "3|0|z"}},
		{"SELECT id, k, v FROM g LATERAL VIEW explode(m) t AS k, v ORDER BY k", "", "INT|STRING|INT", []string{"1|k|1", "3|l|2", "3|m|3"}},
		{"SELECT id, x, y, c FROM g LATERAL VIEW inline(p) LATERAL VIEW explode(array(x, x * 10)) AS c ORDER BY c", "", "", []string{"1|1|p|1", "1|2|q|2", "1|1|p|10", "1|2|q|20"}},
		{"SELECT id, explode(a) FROM g WHERE id = 1", "id|col", "INT|STRING", []string{"1|x", "1|y"}},
		{"SELECT explode(a) AS e, id FROM g ORDER BY e DESC LIMIT 1", "e|id", "STRING|INT", []string{"z|3"}},
		{"SELECT posexplode_outer(a) AS (i, v) FROM g WHERE id = 2", "i|v", "INT|STRING", []string{"NULL|NULL"}},
		{"SELECT explode(map('a', 1, 'b', 2))", "key|value", "STRING|INT", []string{"a|1", "b|2"}},
		{"SELECT inline(array(struct(1, 'a'), struct(2, 'b')))", "col1|col2", "INT|STRING", []string{"1|a", "2|b"}},
		{"SELECT explode_outer(array())", "col", "VOID", []string{"NULL"}},
		{"SELECT explode(collect_list(id)) AS i, count(*) AS n FROM g", "i|n", "INT|BIGINT", []string{"1|3", "2|3", "3|3"}},
		{"SELECT *, explode(sequence(1, id)) AS i FROM (SELECT id FROM g) ORDER BY id, i", "id|i", "INT|INT", []string{"1|1", "2|1", "2|2", "3|1", "3|2", "3|3"}},
		{"SELECT g.id, u.e FROM g, LATERAL explode(g.a) AS u(e) WHERE e > 'x'", "", "", []string{"1|y", "3|z"}},
		{"SELECT g.id, u.col FROM g JOIN LATERAL explode(a) u ON u.col <> 'y'", "", "", []string{"1|x", "3|z"}},
		{"SELECT g.id, u.e FROM g LEFT JOIN LATERAL explode(a) AS u(e) ON true WHERE id > 1", "", "", []string{"2|NULL", "3|z"}},
		{"SELECT * FROM explode(array(3, 4)) AS t(n)", "n", "INT", []string{"3", "4"}},
		{"SELECT count(*), sum(length(w)) FROM (SELECT explode(split('a bb ccc', ' ')) AS w)", "", "", []string{"3|6"}},
		{"SELECT w, count(*) FROM (SELECT 'a b a' AS t) LATERAL VIEW explode(split(t, ' ')) AS w GROUP BY w ORDER BY w", "", "", []string{"a|2", "b|1"}},
	} {
		a.run(t, s)
	}
	fails(t, s, "UNSUPPORTED_GENERATOR.MULTI_GENERATOR", "SELECT explode(a), explode(a) FROM g")
	fails(t, s, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "SELECT explode(id) FROM g")
	fails(t, s, "UNSUPPORTED_FEATURE.TABLE_VALUED_FUNCTION", "SELECT * FROM g LATERAL VIEW json_tuple('{}', 'a') AS x")
	fails(t, s, "UNSUPPORTED_FEATURE.LATERAL_JOIN", "SELECT * FROM g, LATERAL (SELECT id)")
}

func TestJSONPathsBehindAColon(t *testing.T) {
	s := newSession(t, newDatabase(t))
	const from = ` FROM VALUES ('{"a":{"B":[1,2,{"c":"x"}]},"d":null,"e":1.5,"zip code":"94025","x.y":1,"k":1,"K":2}') t(j)`
	for path, want := range map[string]string{
		"j:a.b[2].C":                          "x",
		"j:E::double + 1":                     "2.5",
		"j:e":                                 "1.5",
		"j:['e']":                             "1.5",
		"j:['E']":                             "NULL",
		"j:A['B'][0]":                         "1",
		"j:A['b'][0]":                         "NULL",
		"j:`Zip Code`":                        "94025",
		"j:['zip code']":                      "94025",
		"j:['x.y']":                           "1",
		"j:`x.y`":                             "1",
		"j:d":                                 "NULL",
		"j:nope.nope":                         "NULL",
		"j:['K']":                             "2",
		"j:a.b[*].c":                          "x",
		`'{"a":1}':a`:                         "1",
		`'[1,2]':[1]`:                         "2",
		`get_json_object(j, '$["zip code"]')`: "94025",
		`get_json_object(j, '$.E')`:           "NULL",
	} {
		assert.Equal(t, []string{want}, cells(run1(t, s, "SELECT "+path+from)), path)
	}
	fails(t, s, "AMBIGUOUS_REFERENCE_TO_FIELDS", "SELECT j:k"+from)
	fails(t, s, "UNSUPPORTED_FEATURE.JSON_PATH", "SELECT j:['a]']"+from)
}

func TestStructsAreWrittenAsUsersWriteThem(t *testing.T) {
	s := newSession(t, newDatabase(t))
	run1(t, s, "CREATE TABLE st (s STRUCT<a:INT,b:ARRAY<STRUCT<c:DECIMAL(10,2),d:MAP<STRING,INT>>>> NOT NULL)")
	res := run1(t, s, "SELECT s, struct(1 a, 'x' b), struct(1 AS a, 2 `b c`, 3) FROM st")
	assert.Equal(t, "STRUCT<a: INT, b: ARRAY<STRUCT<c: DECIMAL(10,2), d: MAP<STRING, INT>>>>|STRUCT<a: INT, b: STRING>|STRUCT<a: INT, `b c`: INT, col3: INT>", typesOf(res))
	assert.Equal(t, []string{"{1, 2}"}, cells(run1(t, s, "SELECT from_json('{\"a\":1,\"b\":2}', 'struct<a:int,b:bigint>')")))
}
