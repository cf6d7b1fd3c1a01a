package debugpage

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

func TestLargestPartIsThatOfTheVerdict(t *testing.T) {
	for _, s := range []*telemetry.Statement{downloaded(), failed(), quick(7), running()} {
		parts, verdict := splitOf(breakdown.SplitOf(s)), explain.Of(s)
		require.Equal(t, verdict.Bound, parts.Largest().Bound)
		require.EqualValues(t, verdict.Time, parts.Largest().Time)
	}
	require.Nil(t, split{}.Largest())
}

func TestPartsAddUpToTheTotal(t *testing.T) {
	for _, s := range []*telemetry.Statement{downloaded(), failed(), quick(7), running(), retried()} {
		shown, sum := splitOf(breakdown.SplitOf(s)), duration(0)
		for _, p := range shown.Parts {
			sum += p.Time
		}
		require.Equal(t, duration(s.Total), sum)
		require.Equal(t, sum, shown.Total)
	}
}

func TestEveryPartAndKindOfBarHasAColorOfItsOwn(t *testing.T) {
	light, dark, _ := strings.Cut(style, "prefers-color-scheme: dark")
	colors := map[string]string{}
	for _, p := range telemetry.Parts {
		require.Contains(t, style, ".fill."+p.String()+" { fill: var(--"+p.String()+"); }")
		for name, theme := range map[string]string{"light": light, "dark": dark} {
			_, color, ok := strings.Cut(theme, "--"+p.String()+": ")
			require.True(t, ok)
			color = name + color[:len("#000000")]
			require.Empty(t, colors[color], "%s and %s", p, colors[color])
			colors[color] = p.String()
		}
	}
	for _, k := range barKinds {
		require.Contains(t, style, ".fill."+k.class+" ")
	}
}
