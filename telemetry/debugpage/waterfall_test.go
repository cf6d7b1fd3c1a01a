package debugpage

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestBarsStayWithinThePicture(t *testing.T) {
	for _, s := range []*telemetry.Statement{started(), downloaded(), retried(), failed(), running(), {}, {Total: 3, Execute: 2}, {Total: 100 * time.Hour, Outcome: telemetry.OutcomeRunning}} {
		w := waterfallOf(s, reportOf(started()))
		for _, l := range w.Lanes {
			for _, b := range l.Bars {
				var x, width float64
				_, err := fmt.Sscanf(b.X+" "+b.W, "%f%% %f%%", &x, &width)
				require.NoError(t, err)
				require.GreaterOrEqual(t, x, 0.0)
				require.LessOrEqual(t, x+width, 100.01)
				require.Less(t, b.Y+b.H, w.Height)
			}
		}
		require.LessOrEqual(t, len(w.Ticks), 20)
	}
}
