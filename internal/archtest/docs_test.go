package archtest

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/registry"
	"github.com/seed-01322ee7/databricks-telemetry/internal/settings"
)

// The tables in the documentation are generated. UPDATE_GOLDEN=1 go test ./internal/archtest writes
// them; otherwise this test fails when they differ from the code.
func TestTheDocumentationSaysWhatTheCodeSays(t *testing.T) {
	generated(t, "../../docs/TELEMETRY.md", "statement", table(registry.StatementFields))
	generated(t, "../../docs/TELEMETRY.md", "rpc", table(registry.RPCFields))
	generated(t, "../../docs/TELEMETRY.md", "call", table(registry.CallFields))
	generated(t, "../../docs/TELEMETRY.md", "attempt", table(registry.AttemptFields))
	generated(t, "../../docs/TELEMETRY.md", "file", table(registry.FileFields))
	generated(t, "../../docs/TELEMETRY.md", "session_opened", table(registry.SessionOpenedFields))
	generated(t, "../../docs/TELEMETRY.md", "session_closed", table(registry.SessionClosedFields))
	generated(t, "../../docs/TELEMETRY.md", "server_report", table(registry.ServerReportFields))
	generated(t, "../../docs/TELEMETRY.md", "pool", table(registry.PoolSampleFields))
	generated(t, "../../docs/TELEMETRY.md", "statement_executed", payload(registry.StatementExecutedFields))
	generated(t, "../../docs/TELEMETRY.md", "statement_closed", payload(registry.StatementClosedFields))
	generated(t, "../../docs/TELEMETRY.md", "statement_canceled", payload(registry.StatementCanceledFields))
	generated(t, "../../docs/TELEMETRY.md", "payload_event", payload(registry.EventFields))
	generated(t, "../../docs/TELEMETRY.md", "payload_connection", payload(registry.ConnectionFields))
	generated(t, "../../docs/TELEMETRY.md", "payload_process", payload(registry.ProcessFields))
	generated(t, "../../README.md", "parameters", parameters())
	generated(t, "../../docs/PRIVACY.md", "sent", sent())
	generated(t, "../../docs/CONFIGURATION.md", "parameters", reference())
}

// sent lists what may leave the process.
func sent() string {
	var b strings.Builder
	list(&b, "Of a statement", registry.StatementFields)
	list(&b, "Of its execution", registry.StatementExecutedFields)
	list(&b, "Of its close, where the driver closed it on the server", registry.StatementClosedFields)
	list(&b, "Of its cancellation, where the driver canceled it on the server", registry.StatementCanceledFields)
	list(&b, "Of opening a connection", registry.SessionOpenedFields)
	list(&b, "Of closing one", registry.SessionClosedFields)
	list(&b, "With each event", registry.EventFields)
	list(&b, "Of the connection's configuration", registry.ConnectionFields)
	list(&b, "Of the process", registry.ProcessFields)
	return b.String()
}

func list[R any](b *strings.Builder, title string, fields []registry.Field[R]) {
	fmt.Fprintf(b, "**%s**\n\n", title)
	for _, f := range fields {
		if f.Scope&registry.ScopeDatabricks != 0 {
			fmt.Fprintf(b, "- `%s`: %s\n", f.Name, f.Doc)
		}
	}
	b.WriteString("\n")
}

// reference describes every parameter in the same form.
func reference() string {
	var b strings.Builder
	for _, p := range settings.Parameters {
		fmt.Fprintf(&b, "### `%s`\n\n%s\n\n", p.Name, p.Doc)
		b.WriteString("| | |\n|---|---|\n")
		fmt.Fprintf(&b, "| DSN | `%s=`… |\n", p.Name)
		fmt.Fprintf(&b, "| Environment | `%s` |\n", p.Env())
		fmt.Fprintf(&b, "| Go | `telemetry.Settings.%s` |\n", p.Field)
		fmt.Fprintf(&b, "| Takes | %s |\n", p.Accepts)
		fmt.Fprintf(&b, "| Default | %s |\n\n", p.Default)
	}
	return b.String()
}

func table[R any](fields []registry.Field[R]) string {
	var b strings.Builder
	b.WriteString("| field | unit | who may see it | in the payload | meaning |\n|---|---|---|---|---|\n")
	for _, f := range fields {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", f.Name, f.Unit, f.Scope, path(f.Payload), f.Doc)
	}
	return b.String()
}

// payload is a table of fields that only the payload has.
func payload[R any](fields []registry.Field[R]) string {
	var b strings.Builder
	b.WriteString("| in the payload | type | without authentication | meaning |\n|---|---|---|---|\n")
	for _, f := range fields {
		anonymous := ""
		if f.Payload.Anonymous {
			anonymous = "yes"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", path(f.Payload), f.Payload.Type, anonymous, f.Doc)
	}
	return b.String()
}

// path abbreviates the beginning that the paths have in common.
func path(p registry.Payload) string {
	if p.Path == "" {
		return ""
	}
	return "`" + strings.Replace(p.Path, "entry.sql_driver_log.", "…", 1) + "`"
}

func parameters() string {
	var b strings.Builder
	b.WriteString("| DSN parameter | environment variable | takes | default | meaning |\n|---|---|---|---|---|\n")
	for _, p := range settings.Parameters {
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s | %s |\n", p.Name, p.Env(), p.Accepts, p.Default, p.Doc)
	}
	return b.String()
}

// generated compares the part of a file between the markers of that name with what it should be.
func generated(t *testing.T, file, name, want string) {
	t.Helper()
	begin, end := fmt.Sprintf("<!-- generated: %s -->\n", name), fmt.Sprintf("<!-- end: %s -->", name)
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(raw), begin)
	require.True(t, ok, "%s has no %q", file, begin)
	got, after, ok := strings.Cut(rest, end)
	require.True(t, ok, "%s has no %q", file, end)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(file, []byte(before+begin+want+end+after), 0o644))
		return
	}
	require.Equal(t, want, got, "%s is out of date: UPDATE_GOLDEN=1 go test ./internal/archtest", file)
}
