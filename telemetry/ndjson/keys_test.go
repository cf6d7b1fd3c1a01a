package ndjson

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestEveryFieldThatIsWrittenIsRead(t *testing.T) {
	require.Equal(t, []string{"rpc_retries"}, unread(telemetry.StatementFields), "it is the sum of retried")
	require.Empty(t, unread(telemetry.CallFields))
	require.Empty(t, unread(telemetry.FileFields))
	require.Empty(t, unread(telemetry.SessionOpenedFields))
	require.Empty(t, unread(telemetry.SessionClosedFields))
}

func unread[R any](fields []telemetry.Field[R]) (names []string) {
	for _, f := range fields {
		if f.Set == nil {
			names = append(names, f.Name)
		}
	}
	return names
}
