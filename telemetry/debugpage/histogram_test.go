package debugpage

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestBarsOfTheHistogramCoverWhatTheyCount(t *testing.T) {
	c := &counts{timeline: newTimeline(time.Now()), since: time.Now()}
	for _, took := range []time.Duration{30 * time.Microsecond, 300 * time.Hour} {
		c.addStatement(time.Now(), &telemetry.Statement{Total: took})
	}
	w := c.over(time.Now(), time.Hour)
	bars := histogramOf(&w).Bars
	require.Equal(t, "0 s to 100 µs: 1 statement", bars[0].Title)
	require.Equal(t, 300*time.Hour, time.Duration(bars[len(bars)-1].UpTo))
}
