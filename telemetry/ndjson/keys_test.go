package ndjson

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/registry"
)

func TestEveryFieldThatIsWrittenIsRead(t *testing.T) {
	require.Equal(t, []string{"query_profile", "rpc_retries"}, unread(registry.StatementFields), "they follow from others")
	require.Empty(t, unread(registry.RPCFields))
	require.Empty(t, unread(registry.CallFields))
	require.Empty(t, unread(registry.AttemptFields))
	require.Empty(t, unread(registry.FileFields))
	require.Empty(t, unread(registry.SessionOpenedFields))
	require.Empty(t, unread(registry.SessionClosedFields))
	require.Empty(t, unread(registry.ServerReportFields))
	require.Empty(t, unread(registry.PoolSampleFields))
}

func unread[R any](fields []registry.Field[R]) (names []string) {
	for _, f := range fields {
		if f.Computed() {
			names = append(names, f.Name)
		}
	}
	return names
}
