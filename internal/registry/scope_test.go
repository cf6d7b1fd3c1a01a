package registry_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/registry"
)

// What a statement says, and what it belongs to, is the application's and the workspace's own business.
func TestWhatAStatementBelongsToIsLocal(t *testing.T) {
	local := map[string]bool{
		"query_profile": true, "warehouse_id": true, "initial_catalog": true, "initial_schema": true,
		"correlation_id": true, "query_tags": true, "attributes": true, "query_text": true, "query_shape": true, "trace_id": true, "span_id": true,
	}
	for _, f := range registry.StatementFields {
		if local[f.Name] {
			require.Equal(t, registry.ScopeLocal, f.Scope, f.Name)
			require.Equal(t, registry.Payload{}, f.Payload, f.Name)
			delete(local, f.Name)
		}
	}
	require.Empty(t, local)
}
