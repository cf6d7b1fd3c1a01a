package testenv_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/testenv"
)

func TestVariablesOfSettingsAreRemoved(t *testing.T) {
	removed := []string{"DATABRICKS_TELEMETRY", "DO_NOT_TRACK", "OTEL_SERVICE_NAME"}
	kept := []string{"DO_NOT_TRACK_ME", "MY_DATABRICKS_HOST", "HOTEL_NAME"}
	for _, name := range append(removed, kept...) {
		t.Setenv(name, "x")
	}
	testenv.Prepare("OTEL_")
	for _, name := range removed {
		_, set := os.LookupEnv(name)
		require.False(t, set, name)
	}
	for _, name := range kept {
		require.Equal(t, "x", os.Getenv(name), name)
	}
}
