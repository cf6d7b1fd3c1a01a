package adoption

import "github.com/seed-01322ee7/databricks-telemetry/integration/workspace"

const ownModule = "github.com/seed-01322ee7/databricks-telemetry"

// module is a module with programs.
type module struct {
	folder   string
	tags     string
	forks    []string // dependencies whose own code is changed
	programs []program
}

// program is one program, and how it ends.
type program struct {
	pkg string

	args, prepare []string
	stdin         string
	workspace     workspace.Options

	exit int
	says []string // texts that its output contains

	// wraps is set if the program adopts with Wrap: the native driver keeps reporting.
	wraps bool
}

var modules = []module{
	{
		folder: ".", forks: []string{"github.com/apache/arrow-adbc/go/adbc"},
		programs: []program{
			{pkg: "./sqlx", says: []string{"1 Ada true\n3 Ada false\n2 of three\n", "transaction: databricks: driver error: not implemented", "missing: sql: no rows", "unknown: databricks: execution error"}},
			{pkg: "./gorm", says: []string{"[{1 Ada 10.5} {3 Ada 8}]\n22.5\n1 deleted\nmissing: record not found\ntransaction: databricks: driver error: not implemented"}},
			{pkg: "./sqlc", says: []string{"[{1 Ada {a gift true}}] <nil>\n1 <nil>\n1 <nil>\ntransaction: databricks: driver error: not implemented"}},
			{pkg: "./goose", says: []string{"00001_orders.sql up <nil>\n", "00002_notes.sql down <nil>\n1 <nil>\n"}},
			{pkg: "./otelsql", says: []string{"sql.conn.query "}},
			{pkg: "./otelsqlinside", says: []string{"sql.conn.query "}, wraps: true},
			{pkg: "./hooks", says: []string{"query: SELECT count(*) FROM range(?) 1\n<nil> 3\n", "exec: INSERT INTO missing"}},
			{pkg: "./adbc", says: []string{"<nil>"}},
		},
	},
	{
		folder: "usql", tags: "no_base,databricks",
		forks: []string{"github.com/xo/usql"},
		programs: []program{{
			pkg:  "github.com/xo/usql",
			args: []string{"--no-password", "--no-psqlrc", "databricks://dapi-local:simulated.cloud@0123456789abcdef"},
			stdin: "CREATE TABLE orders (id BIGINT, customer STRING);\n" +
				"INSERT INTO orders VALUES (1, 'Ada'), (2, 'Bob');\n" +
				"SELECT * FROM orders ORDER BY id;\n" +
				"SELECT * FROM missing;\n",
			workspace: workspace.Options{Token: "dapi-local"},
			exit:      1, // its last statement failed
			says:      []string{"  2 | Bob \n(2 rows)\n", "42P01"},
		}},
	},
}
