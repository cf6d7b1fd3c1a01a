package uuid_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/uuid"
)

func TestANewIdentifierIsOfVersion4(t *testing.T) {
	a, b := uuid.New(), uuid.New()
	require.NotEqual(t, a, b)
	require.Regexp(t, "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", a.String())
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "01F0a1b2-0000-1000-8000-00000000000a", "01f0a1b2x0000-1000-8000-00000000000a", "01f0a1b2-0000-1000-8000-00000000000g", "01f0a1b200001000800000000000000a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, ok := uuid.Parse(s)
		if !ok {
			require.Zero(t, id)
			return
		}
		require.Equal(t, strings.ToLower(s), id.String())
	})
}
