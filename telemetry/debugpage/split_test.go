package debugpage

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

func TestLargestPartIsThatOfTheVerdict(t *testing.T) {
	for _, s := range []*telemetry.Statement{downloaded(), failed(), quick(7), running()} {
		parts, verdict := splitOf(timesOf(s), s.Total), explain.Of(s)
		require.Equal(t, verdict.Bound, parts.Largest().Bound)
		require.EqualValues(t, verdict.Time, parts.Largest().Time)
	}
	require.Nil(t, split{}.Largest())
}

func TestEveryKindOfPartAndBarHasAColour(t *testing.T) {
	seen := map[explain.Bound]bool{}
	for _, k := range explain.PartKinds {
		require.False(t, seen[k.Bound])
		seen[k.Bound] = true
		require.Contains(t, style, ".fill."+classOf(k.Bound)+" ")
	}
	for _, k := range barKinds {
		require.Contains(t, style, ".fill."+k.class+" ")
	}
}
