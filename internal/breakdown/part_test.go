package breakdown_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestPartsAddUpToTheTotal(t *testing.T) {
	parts := breakdown.PartsOf(&telemetry.Statement{
		Total: 10 * time.Second,
		Split: telemetry.Split{telemetry.PartNetwork: time.Second, telemetry.PartServer: 2 * time.Second, telemetry.PartPoll: time.Second, telemetry.PartFile: 3 * time.Second, telemetry.PartApplication: 2 * time.Second},
	})
	require.Equal(t, []breakdown.Part{
		{Part: telemetry.PartServer, Time: 2 * time.Second, Share: .2},
		{Part: telemetry.PartPoll, Time: time.Second, Share: .1},
		{Part: telemetry.PartFile, Time: 3 * time.Second, Share: .3},
		{Part: telemetry.PartApplication, Time: 2 * time.Second, Share: .2},
		{Part: telemetry.PartNetwork, Time: time.Second, Share: .1},
		{Part: telemetry.PartUnknown, Time: time.Second, Share: .1},
	}, parts, "in the order of a statement's life; what the record leaves open is unknown")

	parts = breakdown.PartsOf(&telemetry.Statement{Total: time.Second, Split: telemetry.Split{telemetry.PartServer: time.Second - 5*time.Microsecond}})
	require.Equal(t, []breakdown.Part{{Part: telemetry.PartServer, Time: time.Second, Share: 1}}, parts, "rounding is no part")
}

func TestEveryPartHasAMeaning(t *testing.T) {
	for _, p := range telemetry.Parts {
		require.NotEmpty(t, breakdown.Meaning(p), p)
	}
}
