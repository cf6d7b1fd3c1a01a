package ndjson_test

import (
	"bytes"
	"log/slog"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/ndjson"
)

func TestANumberOfAnAttributeIsReadAsItsKind(t *testing.T) {
	for want, f := range map[string]float64{
		"1.0": 1, "-0.5": -0.5, "1e+21": 1e21, "5e-324": math.SmallestNonzeroFloat64, `"NaN"`: math.NaN(), `"-Inf"`: math.Inf(-1),
	} {
		var out bytes.Buffer
		ndjson.New(&out).StatementFinished(&telemetry.Statement{Attributes: []slog.Attr{slog.Float64("f", f), slog.Int64("i", 1)}})
		require.Contains(t, out.String(), `"attributes":{"f":`+want+`,"i":1}`)
		written := out.String()
		read, broken := copyOf(t, &out)
		require.Empty(t, broken)
		require.Equal(t, written, read)
	}
}
