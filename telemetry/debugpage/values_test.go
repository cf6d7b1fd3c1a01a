package debugpage

import (
	"encoding/json"
	"log/slog"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAValueIsInJSONAsNDJSONHasIt(t *testing.T) {
	for want, v := range map[string]slog.Value{
		`0.875`:                       slog.Float64Value(0.875),
		`"NaN"`:                       slog.Float64Value(math.NaN()),
		`{}`:                          slog.GroupValue(),
		`{"team":"data","attempt":2}`: slog.GroupValue(slog.String("team", "data"), slog.Int("attempt", 2)),
	} {
		got, err := json.Marshal(value{v})
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
}
