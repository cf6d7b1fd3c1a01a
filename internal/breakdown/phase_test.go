package breakdown_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestPhasesAreInTheOrderOfAStatementsLife(t *testing.T) {
	d := telemetry.Known[time.Duration]
	phases := breakdown.PhasesOf(&telemetry.ServerReport{
		Total: d(time.Second), WaitingForCompute: d(1 * time.Second), QueuedAtCapacity: d(2 * time.Second), Compiling: d(3 * time.Second), Executing: d(4 * time.Second), ResultFetch: d(0),
	})
	require.Equal(t, []breakdown.PhaseTime{
		{Phase: breakdown.PhaseCompute, Time: 1 * time.Second, Share: 0.1}, {Phase: breakdown.PhaseCapacity, Time: 2 * time.Second, Share: 0.2},
		{Phase: breakdown.PhaseCompile, Time: 3 * time.Second, Share: 0.3}, {Phase: breakdown.PhaseExecute, Time: 4 * time.Second, Share: 0.4},
	}, phases, "more than the total: they are shares of their sum")
	require.Equal(t, "compile", breakdown.PhaseCompile.String())
}

func TestSharesOfPhasesAreSharesWhateverTheReport(t *testing.T) {
	for _, negative := range []time.Duration{-20 * time.Second, -19 * time.Second, -21 * time.Second} { // as a file may have them
		r := &telemetry.ServerReport{Compiling: telemetry.Known(20 * time.Second), Executing: telemetry.Known(negative)}
		for _, p := range breakdown.PhasesOf(r) {
			require.True(t, p.Share >= 0 && p.Share <= 1, "%s: share %v", p, p.Share)
		}
	}
}

func TestPhasesHaveNames(t *testing.T) {
	require.Equal(t, []string{"fetch", "result fetch", "result_fetch"}, []string{breakdown.PhaseFetch.String(), breakdown.PhaseFetch.Description(), breakdown.PhaseFetch.Bar()})
	none := breakdown.Phase(200)
	require.Equal(t, []string{"unknown", "unknown", ""}, []string{none.String(), none.Description(), none.Bar()})
}
