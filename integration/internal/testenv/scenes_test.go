package testenv_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/testenv"
)

func TestScenesAreAPercentage(t *testing.T) {
	for percent, scenes := range map[string]uint64{"": 40, "100": 40, "25": 10, "1": 1, "0": 1, "500": 200, "many": 40} {
		t.Setenv("SCENES", percent)
		require.Equal(t, scenes, testenv.Scenes(40), percent)
	}
}
