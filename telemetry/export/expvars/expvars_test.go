package expvars_test

import (
	"encoding/json"
	"expvar"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry/export"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/export/expvars"
)

func TestTheCountersArePublished(t *testing.T) {
	v := expvar.Get(expvars.Name)
	require.NotNil(t, v)
	var s export.Stats
	require.NoError(t, json.Unmarshal([]byte(v.String()), &s))
	require.Equal(t, export.Default.Stats().Recorded, s.Recorded)
}
