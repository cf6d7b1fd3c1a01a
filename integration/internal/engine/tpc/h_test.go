package tpc

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/engine"
)

func newSession(t *testing.T, statements []string) *engine.Session {
	t.Helper()
	d, err := engine.New()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	s, err := d.NewSession("", "", nil)
	require.NoError(t, err)
	for _, sql := range statements {
		_, err := s.Execute(t.Context(), sql, nil)
		require.NoError(t, err, sql[:min(len(sql), 200)])
	}
	return s
}

func TestHGivesWhatGoComputes(t *testing.T) {
	t.Parallel()
	d := makeH()
	s := newSession(t, d.statements())
	require.Len(t, hQueries, 23)
	require.Len(t, hExpected, 23)
	right := 0
	for n := 1; n <= 22; n++ {
		t.Run(fmt.Sprint("Q", n), func(t *testing.T) {
			res, err := s.Execute(t.Context(), hQueries[n], nil)
			require.NoError(t, err)
			want := hExpected[n](d)
			require.NotEmpty(t, want, "a query that selects nothing proves nothing")
			require.Equal(t, len(want), res.Rows)
			for r, row := range want {
				require.Len(t, res.Columns, len(row))
				for c, v := range row {
					requireCell(t, v, &res.Columns[c], r)
				}
			}
			right++
		})
	}
	t.Logf("TPC-H: %d of 22", right)
	assert.Equal(t, 22, right)
}

// requireCell compares exactly; a number is rounded half up to the scale the column has.
func requireCell(t *testing.T, want any, c *engine.Column, r int) {
	t.Helper()
	switch x := want.(type) {
	case int:
		require.EqualValues(t, x, c.Ints[r], "%s in row %d", c.Name, r)
	case *big.Rat:
		require.Equal(t, engine.Decimal, c.Type.ID, c.Name)
		require.Equal(t, rounded(x, int(c.Type.Scale)), c.Strings[r], "%s in row %d", c.Name, r)
	case string:
		if c.Type.ID == engine.Date {
			require.Equal(t, x, time.Unix(c.Ints[r]*86_400, 0).UTC().Format(time.DateOnly), "%s in row %d", c.Name, r)
			return
		}
		require.Equal(t, x, c.Strings[r], "%s in row %d", c.Name, r)
	}
}

func rounded(x *big.Rat, scale int) string {
	text := x.FloatString(scale) // rounds half away from zero
	if strings.Trim(text, "-0.") == "" {
		text = strings.TrimPrefix(text, "-")
	}
	return text
}
