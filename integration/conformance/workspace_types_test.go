package conformance

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"testing"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

// paths are the ways a result can take from the engine to a scanned value.
var paths = map[string]struct {
	options workspace.Options
	format  workspace.ResultFormat
	option  []dbsql.ConnOption
}{
	"inline arrow": {workspace.Options{}, workspace.InlineArrow, nil},
	"inline arrow, lz4": {workspace.Options{}, workspace.InlineArrow,
		[]dbsql.ConnOption{configure("UseLz4Compression", true)}},
	"columnar":    {workspace.Options{ProtocolVersion: 42241}, workspace.ColumnarInline, nil},
	"no protocol": {workspace.Options{ProtocolVersion: 7}, workspace.ColumnarInline, nil},
	"cloud fetch": {workspace.Options{CloudFetchThreshold: 1}, workspace.ExternalLinks, nil},
	"cloud fetch, lz4": {workspace.Options{CloudFetchThreshold: 1}, workspace.ExternalLinks,
		[]dbsql.ConnOption{configure("UseLz4Compression", true)}},
	"polled and fetched": {workspace.Options{NoDirectResults: true}, workspace.InlineArrow, nil},
	"timestamps as text": {workspace.Options{}, workspace.InlineArrow,
		[]dbsql.ConnOption{configure("UseArrowNativeTimestamp", false)}},
}

// quickly makes the driver poll often enough for a test.
var quickly = configure("PollInterval", 5*time.Millisecond)

func TestWorkspaceTypesArriveAsTheDriverDocumentsThem(t *testing.T) {
	columns := []struct {
		sql, typeName string
		want          any
	}{
		{"true", "BOOLEAN", true},
		{"CAST(-128 AS TINYINT)", "TINYINT", int8(-128)},
		{"CAST(32767 AS SMALLINT)", "SMALLINT", int16(32767)},
		{"CAST(-2147483648 AS INT)", "INT", int32(-2147483648)},
		{"CAST(9223372036854775807 AS BIGINT)", "BIGINT", int64(9223372036854775807)},
		{"CAST(1.5 AS FLOAT)", "FLOAT", float32(1.5)},
		{"CAST(-2.25 AS DOUBLE)", "DOUBLE", float64(-2.25)},
		{"'Zürich \U0001F9F1'", "STRING", "Zürich \U0001F9F1"},
		{"''", "STRING", ""},
		{"DATE '2024-02-29'", "DATE", time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)},
		{"DATE '1969-12-31'", "DATE", time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC)},
		{"TIMESTAMP '2024-02-29 13:14:15.123456'", "TIMESTAMP", time.Date(2024, 2, 29, 13, 14, 15, 123456000, time.UTC)},
		{"CAST('12345678901234567890.12' AS DECIMAL(22,2))", "DECIMAL", "12345678901234567890.12"},
		{"X'00FF10'", "BINARY", []byte{0, 255, 16}},
		{"NULL", "NULL", nil},
	}
	query := "SELECT "
	for i, c := range columns {
		query += fmt.Sprintf("%s AS c%d, ", c.sql, i)
	}
	query += "1 AS last"
	for name, p := range paths {
		t.Run(name, func(t *testing.T) {
			ws := workspace.New(t, p.options)
			db := connectWorkspace(t, ws, append(p.option, quickly)...)
			rows, err := db.QueryContext(t.Context(), query)
			require.NoError(t, err)
			defer rows.Close()
			types, err := rows.ColumnTypes()
			require.NoError(t, err)
			require.True(t, rows.Next(), rows.Err())
			got := make([]any, len(types))
			dest := make([]any, len(types))
			for i := range got {
				dest[i] = &got[i]
			}
			require.NoError(t, rows.Scan(dest...))
			for i, c := range columns {
				if want, ok := c.want.(time.Time); ok {
					at, ok := got[i].(time.Time)
					assert.True(t, ok && want.Equal(at), "%s: %v", c.sql, got[i])
				} else {
					assert.Equal(t, c.want, got[i], c.sql)
				}
				assert.Equal(t, c.typeName, types[i].DatabaseTypeName(), c.sql)
				assert.Equal(t, fmt.Sprintf("c%d", i), types[i].Name())
			}
			require.False(t, rows.Next())
			require.NoError(t, rows.Err())
			require.NoError(t, rows.Close())
			f := ws.Statements()[0]
			assert.Equal(t, p.format, f.Format)
			assert.Equal(t, len(p.option) > 0 && name != "timestamps as text", f.LZ4)
		})
	}
}

func TestWorkspaceNullsArriveInEveryType(t *testing.T) {
	types := []string{"BOOLEAN", "TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "STRING",
		"DATE", "TIMESTAMP", "DECIMAL(10,2)", "BINARY"}
	table := "CREATE TABLE nulls (n INT"
	row, nulls := "", ""
	for i, typ := range types {
		table += fmt.Sprintf(", c%d %s", i, typ)
		row += ", NULL"
		nulls += fmt.Sprintf(", c%d", i)
	}
	for name, p := range paths {
		t.Run(name, func(t *testing.T) {
			ws := workspace.New(t, p.options)
			require.NoError(t, ws.Exec(t.Context(), table+")",
				"INSERT INTO nulls VALUES (0"+row+"), (1, true, 1, 1, 1, 1, 1, 1, 'x', DATE '2024-01-01', TIMESTAMP '2024-01-01 00:00:00', 1.50, X'01'), (2"+row+")"))
			db := connectWorkspace(t, ws, append(p.option, quickly)...)
			rows, err := db.QueryContext(t.Context(), "SELECT n"+nulls+" FROM nulls ORDER BY n")
			require.NoError(t, err)
			defer rows.Close()
			for n := range int32(3) {
				require.True(t, rows.Next(), rows.Err())
				got := make([]any, len(types)+1)
				dest := make([]any, len(got))
				for i := range got {
					dest[i] = &got[i]
				}
				require.NoError(t, rows.Scan(dest...))
				assert.Equal(t, n, got[0])
				for i, v := range got[1:] {
					assert.Equal(t, n != 1, v == nil, "row %d %s: %v", n, types[i], v)
				}
			}
		})
	}
}

func TestWorkspaceDecimalsAreExactAsArrowDecimals(t *testing.T) {
	for _, threshold := range []int64{-1, 1} {
		ws := workspace.New(t, workspace.Options{CloudFetchThreshold: threshold})
		db := connectWorkspace(t, ws, dbsql.WithArrowNativeDecimal(true))
		var a, b, c string
		require.NoError(t, db.QueryRow(`SELECT CAST('12345678901234567890123456789012345.678' AS DECIMAL(38,3)),
			CAST('-0.05' AS DECIMAL(10,2)), CAST('7' AS DECIMAL(5,0))`).Scan(&a, &b, &c))
		assert.Equal(t, []string{"12345678901234567890123456789012345.678", "-0.05", "7"}, []string{a, b, c})
	}
}

func TestWorkspaceTimestampsRespectTheSessionsTimeZone(t *testing.T) {
	for name, p := range paths {
		t.Run(name, func(t *testing.T) {
			ws := workspace.New(t, p.options)
			zurich, err := time.LoadLocation("Europe/Zurich")
			require.NoError(t, err)
			db := connectWorkspace(t, ws, append(p.option, quickly, dbsql.WithSessionParams(map[string]string{"timezone": "Europe/Zurich"}))...)
			var at time.Time
			require.NoError(t, db.QueryRow("SELECT TIMESTAMP '2024-07-01 12:00:00'").Scan(&at))
			assert.True(t, time.Date(2024, 7, 1, 12, 0, 0, 0, zurich).Equal(at), at)
		})
	}
}

func TestWorkspaceEmptyResults(t *testing.T) {
	for name, p := range paths {
		t.Run(name, func(t *testing.T) {
			ws := workspace.New(t, p.options)
			db := connectWorkspace(t, ws, append(p.option, quickly)...)
			rows, err := db.Query("SELECT id, 'x' AS s FROM range(10) WHERE id > 100")
			require.NoError(t, err)
			columns, err := rows.Columns()
			require.NoError(t, err)
			assert.Equal(t, []string{"id", "s"}, columns)
			assert.False(t, rows.Next())
			require.NoError(t, rows.Err())
			require.NoError(t, rows.Close())
			assert.ErrorIs(t, db.QueryRow("SELECT id FROM range(0)").Scan(new(int64)), sql.ErrNoRows)
		})
	}
}

func TestWorkspaceParametersReachTheEngine(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	db := openWorkspace(t, ws)
	var a int64
	var b string
	var c float64
	var d sql.NullString
	require.NoError(t, db.QueryRow("SELECT ?, ?, ?, ?", int64(7), "x'y", 1.5, nil).Scan(&a, &b, &c, &d))
	assert.Equal(t, int64(7), a)
	assert.Equal(t, "x'y", b)
	assert.InDelta(t, 1.5, c, 0)
	assert.False(t, d.Valid)

	require.NoError(t, db.QueryRow("SELECT :n, :s", sql.Named("s", "named"), sql.Named("n", int64(9))).Scan(&a, &b))
	assert.Equal(t, int64(9), a)
	assert.Equal(t, "named", b)

	var decimal string
	var at time.Time
	var yes bool
	require.NoError(t, db.QueryRow("SELECT :d, :t, :b",
		dbsql.Parameter{Name: "d", Type: dbsql.SqlDecimal, Value: "123.45"},
		dbsql.Parameter{Name: "t", Type: dbsql.SqlTimestamp, Value: "2024-01-02 03:04:05"},
		dbsql.Parameter{Name: "b", Value: true}).Scan(&decimal, &at, &yes))
	assert.Equal(t, "123.45", decimal)
	assert.True(t, time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC).Equal(at))
	assert.True(t, yes)
}

func TestWorkspaceRowsAreExactlyWhatTheDriverPromises(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	withRows(t, openWorkspace(t, ws), "SELECT id FROM range(3)", func(rows driver.Rows) {
		dest := make([]driver.Value, 1)
		for i := range int64(3) {
			require.NoError(t, rows.Next(dest))
			assert.Equal(t, i, dest[0])
		}
		assert.Equal(t, io.EOF, rows.Next(dest))
	})
}
