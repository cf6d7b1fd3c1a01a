package conformance

import (
	"database/sql/driver"
	"testing"

	"github.com/apache/arrow/go/v12/arrow"
	"github.com/apache/arrow/go/v12/arrow/array"
	dbsqlrows "github.com/databricks/databricks-sql-go/rows"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

var nestedColumns = []struct{ sql, typeName, want string }{
	{"array(1, NULL, 3)", "ARRAY", "[1,null,3]"},
	{"array('a', 'b\"c')", "ARRAY", `["a","b\"c"]`},
	{"array()", "ARRAY", "[]"},
	{"array(array(1.5D), array())", "ARRAY", "[[1.5],[]]"},
	{"map('k', 1, 'l', NULL)", "MAP", `{"k":1,"l":null}`},
	{"map(1, array(true, false))", "MAP", `{"1":[true,false]}`},
	{"named_struct('a', 1L, 's', 'x', 'n', CAST(NULL AS INT))", "STRUCT", `{"a":1,"s":"x","n":null}`},
	{"array(named_struct('m', map('z', named_struct('q', 7S))))", "ARRAY", `[{"m":{"z":{"q":7}}}]`},
}

func TestNestedValuesArriveAsJSONText(t *testing.T) {
	query := "SELECT "
	for _, c := range nestedColumns {
		query += c.sql + ", "
	}
	query += "CAST(NULL AS ARRAY<INT>) FROM range(3)"
	for name, p := range paths {
		t.Run(name, func(t *testing.T) {
			ws := workspace.New(t, p.options)
			rows, err := connectWorkspace(t, ws, append(p.option, quickly)...).QueryContext(t.Context(), query)
			require.NoError(t, err)
			defer rows.Close()
			types, err := rows.ColumnTypes()
			require.NoError(t, err)
			n := 0
			for ; rows.Next(); n++ {
				got := make([]any, len(types))
				dest := make([]any, len(types))
				for i := range got {
					dest[i] = &got[i]
				}
				require.NoError(t, rows.Scan(dest...))
				for i, c := range nestedColumns {
					assert.Equal(t, c.want, got[i], c.sql)
					assert.Equal(t, c.typeName, types[i].DatabaseTypeName(), c.sql)
				}
				assert.Nil(t, got[len(got)-1])
			}
			require.NoError(t, rows.Err())
			assert.Equal(t, 3, n)
			assert.Equal(t, p.format, ws.Statements()[0].Format)
		})
	}
}

func TestNestedValuesAreArrowLists(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	require.NoError(t, ws.Exec(t.Context(), "CREATE TABLE n (id BIGINT, a ARRAY<BIGINT>, m MAP<STRING, STRUCT<x: INT>>)",
		"INSERT INTO n SELECT id, IF(id = 1, NULL, sequence(0L, id)), map('k', named_struct('x', int(id))) FROM range(3)"))
	withRows(t, openWorkspace(t, ws), "SELECT a, m FROM n ORDER BY id", func(rows driver.Rows) {
		batches, err := rows.(dbsqlrows.Rows).GetArrowBatches(t.Context())
		require.NoError(t, err)
		defer batches.Close()
		require.True(t, batches.HasNext())
		record, err := batches.Next()
		require.NoError(t, err)
		defer record.Release()
		list := record.Column(0).(*array.List)
		assert.True(t, list.IsNull(1))
		assert.Equal(t, []int64{0, 0, 1, 2}, list.ListValues().(*array.Int64).Int64Values())
		maps := record.Column(1).(*array.Map)
		assert.Equal(t, []int32{0, 1, 2}, maps.Items().(*array.Struct).Field(0).(*array.Int32).Int32Values())
		field := record.Schema().Field(0)
		assert.Equal(t, arrow.LIST, field.Type.ID())
		name, _ := field.Metadata.GetValue("Spark:DataType:SqlName")
		assert.Equal(t, "ARRAY<BIGINT>", name)
		spark, _ := field.Metadata.GetValue("Spark:DataType:JsonType")
		assert.JSONEq(t, `{"type":"array","elementType":"long","containsNull":true}`, spark)
	})
}

func TestNestedValuesAsText(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	db := connectWorkspace(t, ws, configure("UseArrowNativeComplexTypes", false))
	var a, s string
	require.NoError(t, db.QueryRow("SELECT array(DATE '2024-01-02'), named_struct('t', TIMESTAMP '2024-01-02 03:04:05', 'd', 1.50)").Scan(&a, &s))
	assert.Equal(t, `["2024-01-02"]`, a)
	assert.Equal(t, `{"t":"2024-01-02 03:04:05","d":1.50}`, s) //nolint:testifylint // to the byte
}
