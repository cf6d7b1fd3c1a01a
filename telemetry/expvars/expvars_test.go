package expvars_test

import (
	"encoding/json"
	"expvar"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/expvars"
)

func TestTheCountersArePublished(t *testing.T) {
	v := expvar.Get(expvars.Name)
	require.NotNil(t, v)
	want, err := json.Marshal(telemetry.ReadStats())
	require.NoError(t, err)
	require.JSONEq(t, string(want), v.String())
}
