package adopt

import (
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

// program is one run of an example: what it needs, and how it ends.
type program struct {
	name string   // of the example
	as   string   // of this run, where an example has several
	env  []string // in addition to the variables that say how to reach the workspace

	workspace workspace.Options
	prepare   []string // statements that put its tables in place
	logsIn    bool     // it opens a browser for its user

	exit int
	says string // somewhere in what it prints, at the end if possible
	kept string // a file it leaves behind

	// note is what a reader should know about this run: why it ends early, or what is simulated.
	note string
}

func (p program) String() string {
	if p.as == "" {
		return p.name
	}
	return p.name + ", " + p.as
}

// programs are the runs of all examples, of every supported version of the driver.
var programs = []program{
	{name: "arrrowbatches", prepare: diamonds("main"), workspace: workspace.Options{PageRows: 400}, says: "NRows: 1000\n"},
	{name: "browser_oauth_federation", logsIn: true, says: "✓ Logged in as: user@example.com\n"},
	{name: "catalog", prepare: quickstart, says: "hello\nworld\n"},
	{name: "cloudfetch", prepare: stocks, workspace: workspace.Options{CloudFetchThreshold: 1, FileRows: 200}},
	{name: "createdrop", prepare: diamonds("hive_metastore"), says: "ExecContext elapsed time"},
	{name: "error", prepare: intervals, says: "-0-1, 0 00:00:00.000000001\n"},
	{name: "error", as: "its table missing", exit: 2, says: "sqlState: 42P01\n"},
	{name: "ipcstreams", prepare: trips, says: "Stream 1, Record 1: 1000 rows, 3 columns\n"},
	{name: "kernel", exit: 1, says: "kernel backend not compiled in", note: "needs a build with the kernel; without, its first connection fails"},
	{name: "oauth", logsIn: true, says: "1\n1\n"},
	{name: "parameters", says: "true 1234 3.14 3.14 2017-07-23T00:00:00Z\n"},
	{name: "query_tags", says: "=== Different statement-level query tags ===\n3\n"},
	{name: "queryrow", prepare: diamonds("main"), says: "5\n"},
	{name: "queryrows", prepare: intervals, says: "-0-1, 0 00:00:00.000000001\n"},
	{name: "queryrows", as: "its table missing", says: "[TABLE_OR_VIEW_NOT_FOUND]"},
	{name: "staging", prepare: []string{"CREATE SCHEMA main.staging_test"}, kept: "staging/newfile.csv"},
	{name: "timeout", workspace: workspace.Options{ExecutionTime: sortingTakesAMinute, DirectResultWait: time.Second}, says: "context deadline exceeded\n"},
	{name: "timezone", says: " +0100 CET\n"},
	{name: "token_federation", as: "static", env: []string{"TOKEN_EXAMPLE=static"}, says: "✓ Connected, SELECT 1 = 1\n"},
	{name: "token_federation", as: "external", env: []string{"TOKEN_EXAMPLE=external"}, says: "✓ Connected, SELECT 1 = 1\n"},
	{name: "token_federation", as: "custom", env: []string{"TOKEN_EXAMPLE=custom"}, says: "Token expires: "},
	{
		name: "workflow", prepare: diamonds("hive_metastore"), workspace: workspace.Options{Rewrite: nestedAsText},
		says: `{arrayVal:[1,2,3] mapVal:{"key1":1} structVal:{"string_field":"string_val","array_field":[4,5,6]}}`,
		note: "STRING stands in for ARRAY, MAP and STRUCT",
	},
}

// The tables that the examples read: few rows, with the real columns.
var (
	quickstart = []string{
		"CREATE CATALOG quickstart_catalog1",
		"CREATE SCHEMA quickstart_catalog1.quickstart_schema1",
		"CREATE TABLE quickstart_catalog1.quickstart_schema1.quickstart_table1 (word STRING)",
		"INSERT INTO quickstart_catalog1.quickstart_schema1.quickstart_table1 VALUES ('hello'), ('world')",
	}
	intervals = []string{
		"CREATE TABLE main.default.intervals (months STRING, days STRING)",
		"INSERT INTO main.default.intervals VALUES ('1-2', '3 04:05:06.000000000'), ('-0-1', '0 00:00:00.000000001')",
	}
	trips = []string{
		"CREATE CATALOG samples",
		"CREATE SCHEMA samples.nyctaxi",
		`CREATE TABLE samples.nyctaxi.trips AS
			SELECT timestampadd(MINUTE, id, TIMESTAMP'2016-02-13 21:47:53') AS tpep_pickup_datetime,
				id / 10 AS trip_distance, CAST(10000 + id AS INT) AS pickup_zip
			FROM range(1200)`,
	}
	stocks = []string{
		`CREATE TABLE hive_metastore.default.stock_data AS
			SELECT concat('SYM', id % 50) AS symbol, concat('Company ', id % 50) AS company_name, 'Mining' AS industry,
				date_add(DATE'2020-01-01', CAST(id / 50 AS INT)) AS date,
				10 + id / 7 AS open, 11 + id / 7 AS high, 9 + id / 7 AS low, 10.5D + id / 7 AS close,
				1000 + id AS volume, 0.5D AS change, 0.05D AS change_percentage, id % 2 = 0 AS up_trend, id % 3 = 0 AS volatile
			FROM range(1000)`,
	}
)

func diamonds(catalog string) []string {
	return []string{"CREATE TABLE " + catalog + `.default.diamonds AS
		SELECT CAST(id AS INT) AS _c0, 0.2D + (id % 481) / 100 AS carat, 'Ideal' AS cut, 'E' AS color, 'SI2' AS clarity,
			61.5D AS depth, 55D AS ` + "`table`" + `, CAST(326 + id AS INT) AS price, 3.95D AS x, 3.98D AS y, 2.43D AS z
		FROM range(1000)`}
}

// sortingTakesAMinute simulates the time of sorting a hundred million rows.
func sortingTakesAMinute(sql string) time.Duration {
	if strings.Contains(sql, "ORDER BY RANDOM()") {
		return time.Minute
	}
	return 0
}

// nestedAsText replaces nested types with the text that the driver makes of them.
func nestedAsText(sql string) string {
	switch {
	case strings.HasPrefix(sql, "create table if not exists array_map_struct"):
		return "CREATE TABLE IF NOT EXISTS array_map_struct (array_col STRING, map_col STRING, struct_col STRING)"
	case strings.HasPrefix(sql, "insert into table array_map_struct"):
		return `INSERT INTO array_map_struct VALUES ('[1,2,3]', '{"key1":1}', '{"string_field":"string_val","array_field":[4,5,6]}')`
	}
	return sql
}
