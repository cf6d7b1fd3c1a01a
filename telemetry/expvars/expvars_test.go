package expvars_test

import (
	"encoding/json"
	"expvar"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	_ "github.com/seed-01322ee7/databricks-telemetry/telemetry/expvars"
)

func TestStatsArePublished(t *testing.T) {
	v := expvar.Get("databricks_telemetry")
	require.NotNil(t, v)
	want, err := json.Marshal(telemetry.ReadStats())
	require.NoError(t, err)
	require.JSONEq(t, string(want), v.String())
}
