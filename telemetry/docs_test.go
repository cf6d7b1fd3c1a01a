package telemetry_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// The tables in the documentation are written from the code. UPDATE_GOLDEN=1 go test
// ./telemetry writes them; without it this test fails when they have drifted apart.
func TestTheDocumentationSaysWhatTheCodeSays(t *testing.T) {
	generated(t, "../docs/TELEMETRY.md", "statement", table(telemetry.StatementFields))
	generated(t, "../docs/TELEMETRY.md", "session_opened", table(telemetry.SessionOpenedFields))
	generated(t, "../docs/TELEMETRY.md", "session_closed", table(telemetry.SessionClosedFields))
	generated(t, "../README.md", "parameters", parameters())
}

func table[R any](fields []telemetry.Field[R]) string {
	var b strings.Builder
	b.WriteString("| field | unit | who may see it | meaning |\n|---|---|---|---|\n")
	for _, f := range fields {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.Name, f.Unit, f.Scope, f.Doc)
	}
	return b.String()
}

func parameters() string {
	var b strings.Builder
	b.WriteString("| DSN parameter | environment variable | takes | default | meaning |\n|---|---|---|---|---|\n")
	for _, p := range telemetry.Parameters {
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s | %s |\n", p.Name, p.Env(), p.Accepts, p.Default, p.Doc)
	}
	return b.String()
}

// generated holds the part of a file between two markers against what it should be.
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
	require.Equal(t, want, got, "%s is out of date: UPDATE_GOLDEN=1 go test ./telemetry", file)
}
