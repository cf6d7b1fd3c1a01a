package otelsink

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// The table of metrics is generated from the definitions: UPDATE_GOLDEN=1 go test
// ./telemetry/otelsink writes it.
func TestTheDocumentationListsEveryMetric(t *testing.T) {
	const file, begin, end = "../../docs/OPENTELEMETRY.md", "<!-- generated: metrics -->\n", "<!-- end: metrics -->"
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(raw), begin)
	require.True(t, ok)
	got, after, ok := strings.Cut(rest, end)
	require.True(t, ok)
	want := table()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(file, []byte(before+begin+want+end+after), 0o644))
		return
	}
	require.Equal(t, want, got, "%s is out of date: UPDATE_GOLDEN=1 go test ./telemetry/otelsink", file)
}

func table() string {
	var b strings.Builder
	b.WriteString("| metric | kind | unit | in Prometheus | attributes | meaning |\n|---|---|---|---|---|---|\n")
	for _, d := range definitions {
		kind, prometheus := kindOf(d)
		fmt.Fprintf(&b, "| `%s` | %s | `%s` | `%s` | %s | %s |\n", d.name, kind, d.unit, prometheus, attributesOf(d), d.doc)
	}
	return b.String()
}

// metricAttributes are the names of the attributes of each metric; "operation", "server" and "error" are several.
// Metrics that are not in the list have none.
var metricAttributes = map[string]string{
	"db.client.operation.duration":               "operation db.namespace error",
	"databricks.client.statement.duration":       "operation databricks.outcome databricks.result.format error",
	"databricks.client.statement.time":           "operation databricks.time.part",
	"databricks.server.statement.time":           "server databricks.time.part",
	"databricks.client.statement.polls":          "operation",
	"databricks.client.statement.pages":          "operation",
	"db.client.response.returned_rows":           "operation",
	"databricks.client.rpc.calls":                "operation databricks.rpc.method",
	"databricks.client.rpc.retries":              "operation databricks.rpc.method",
	"databricks.client.rpc.duration":             "operation databricks.rpc.method",
	"databricks.client.rpc.io":                   "operation network.io.direction",
	"databricks.client.cloudfetch.files":         "operation databricks.file.state",
	"databricks.client.cloudfetch.retries":       "operation",
	"databricks.client.cloudfetch.io":            "operation",
	"databricks.client.cloudfetch.file.duration": "operation",
	"db.client.connection.create_time":           "server error.type",
	"databricks.client.session.lifetime":         "server",
	"databricks.client.statement.running":        "server",
	"databricks.client.session.open":             "server",
	"db.client.connection.count":                 "db.client.connection.pool.name db.client.connection.state",
	"db.client.connection.max":                   "db.client.connection.pool.name",
	"databricks.client.pool.waits":               "db.client.connection.pool.name",
	"databricks.client.pool.wait.duration":       "db.client.connection.pool.name",
	"databricks.client.pool.closed":              "db.client.connection.pool.name databricks.pool.close.reason",
	"databricks.client.telemetry.dropped":        "databricks.drop.reason",
	"databricks.client.telemetry.incidents":      "databricks.telemetry.place",
}

// attributesOf marks the names of attributes as code, and those that stand for several as such.
func attributesOf(d definition) string {
	names := strings.Fields(metricAttributes[d.name])
	for i, name := range names {
		if strings.Contains(name, ".") {
			names[i] = "`" + name + "`"
		} else {
			names[i] = "*" + name + "*"
		}
	}
	return strings.Join(names, " ")
}

// kindOf returns the kind of the instrument and the name of the metric in Prometheus.
func kindOf(d definition) (kind, prometheus string) {
	prometheus = strings.ReplaceAll(d.name, ".", "_")
	switch d.unit {
	case "s":
		prometheus += "_seconds"
	case "By":
		prometheus += "_bytes"
	}
	switch d.field(&instruments{}).(type) {
	case *metric.Float64Histogram, *metric.Int64Histogram:
		return "histogram", prometheus
	case *metric.Int64ObservableUpDownCounter:
		return "up-down counter", prometheus
	}
	return "counter", prometheus + "_total"
}

func TestEveryMetricIsDefinedOnceAndCompletely(t *testing.T) {
	names, fields := map[string]bool{}, map[any]bool{}
	var i instruments
	for _, d := range definitions {
		require.False(t, names[d.name] || fields[d.field(&i)], d.name)
		names[d.name], fields[d.field(&i)] = true, true
		require.NotEmpty(t, d.unit, d.name)
		require.Regexp(t, `^(db\.client|databricks\.client|databricks\.server)\.`, d.name)
		require.True(t, strings.HasSuffix(d.doc, "."), d.name)
		kind, _ := kindOf(d)
		require.Equal(t, kind == "histogram", d.buckets != nil, d.name)
		require.True(t, slices.IsSorted(d.buckets), d.name)
		for _, id := range []attribute.Key{statementIDKey, sessionIDKey} {
			require.NotContains(t, metricAttributes[d.name], string(id), "an id would make each statement a series of its own")
		}
	}
	for name := range metricAttributes {
		require.True(t, names[name], name)
	}
}
