package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestANumberIsNotTornFromItsUnit(t *testing.T) {
	require.Equal(t, []string{"slowest", "14 ms, Photon", "88 %"}, wrap("slowest 14 ms, Photon 88 %", 13))
	require.Equal(t, []string{"takes 12 min", "03 s of an s"}, wrap("takes 12 min 03 s of an s", 12))
}

func TestTextIsMeasuredInColumns(t *testing.T) {
	for text, width := range map[string]int{"orders": 6, "日本語": 6, "한국어": 6, "ｶﾅ": 2, "カナ": 4, "e\u0301": 1, "a\u200bb": 2, "📦": 2, "サーバー": 8, "✅": 2, "㈱": 2, "👍🏽": 2, "・": 2, "ÄÖÜ ▓░": 6, "！": 2} {
		require.Equal(t, width, textWidth(text), text)
	}
	require.Equal(t, "日…", truncate("日本語", 4))
	require.Equal(t, []string{"日本", "語 ab"}, wrap("日本語 ab", 5))
}

// If each line looked at the whole rest of the word, this test would not end.
func TestALongWordIsWrappedInOnePass(t *testing.T) {
	require.Len(t, wrap(strings.Repeat("x", 16<<20), 80), (16<<20)/80+1)
}

func TestNoLineOfAnyRecordIsWiderThanTheScreen(t *testing.T) {
	for _, columns := range []int{50, 80, 132} {
		t.Setenv("COLUMNS", fmt.Sprint(columns))
		for _, total := range []int{1, 119_000, 125_000, 725_000, 40_000_000, 360_000_000} { // ms
			record := fmt.Sprintf(`{"event":"statement","started":"2026-03-01T11:30:00Z","statement_id":"a","kind":"QUERY","outcome":"completed","execute_ms":%[1]d,"total_ms":%[1]d,"time_server_ms":%[1]d,"query_text":"SELECT '注文番号' FROM 注文 %[2]s"}`+"\n", total, strings.Repeat("注文 📦 ", 60))
			for _, args := range [][]string{{"show", "last"}, {"top"}, {"summary", "--by", "shape"}} {
				for line := range strings.Lines(dbtel(t, record, args...).out) {
					require.LessOrEqual(t, textWidth(strings.TrimSuffix(line, "\n")), columns, line)
				}
			}
		}
	}
}
