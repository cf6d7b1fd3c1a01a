package sqltext_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/sqltext"
)

func TestATextIsCutBetweenCharacters(t *testing.T) {
	require.Equal(t, "orders", sqltext.Bounded("orders", 6))
	require.Equal(t, "order", sqltext.Bounded("orders", 5))
	require.Equal(t, "日", sqltext.Bounded("日本", 5))
	require.Equal(t, "a\uFFFDb", sqltext.Bounded("a\xffb", 10))
	require.Empty(t, sqltext.Bounded("日", 2))
	for most := range 12 {
		for _, text := range []string{strings.Repeat("\x80", 20), "日本語日本語", "ab\xe6\x97", "📦📦📦📦"} {
			short := sqltext.Bounded(text, most)
			require.LessOrEqual(t, len(short), most)
			require.True(t, utf8.ValidString(short))
		}
	}
}
