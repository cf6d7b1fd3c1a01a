package ndjson

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/registry"
)

func TestEveryFieldThatIsWrittenIsRead(t *testing.T) {
	equal(t, registry.StatementFields, statementKeys, "rpc_retries") // the sum of retried
	equal(t, registry.CallFields, callKeys)
	equal(t, registry.FileFields, fileKeys)
	equal(t, registry.SessionOpenedFields, openedKeys)
	equal(t, registry.SessionClosedFields, closedKeys)
}

// equal holds keys against the registry.
func equal[R any](t *testing.T, fields []registry.Field[R], known keys[R], derived ...string) {
	var written, read []string
	for _, f := range fields {
		if !slices.Contains(derived, f.Name) {
			written = append(written, f.Name)
		}
	}
	for name := range known {
		if name != "calls" && name != "file_list" {
			read = append(read, name)
		}
	}
	require.ElementsMatch(t, written, read)
}
