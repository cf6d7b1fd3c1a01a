package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const page = "../../docs/DBTEL.md"

func TestTheDocumentationShowsWhatIsPrinted(t *testing.T) {
	t.Setenv("COLUMNS", "80")
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	shown := 0
	for block := range strings.SplitSeq(string(text), "```\n") {
		command, output, ok := strings.Cut(block, "\n")
		args, is := strings.CutPrefix(command, "$ dbtel ")
		if !ok || !is {
			continue
		}
		shown++
		got := dbtel(t, "", strings.Fields(strings.ReplaceAll(args, "app.ndjson", sample))...)
		require.True(t, strings.HasPrefix(got.out, strings.TrimSuffix(output, "…\n")), "%s:\n%s", command, got.out)
	}
	require.Equal(t, 3, shown)
}

func TestEveryKeyOfTheJSONIsDocumented(t *testing.T) {
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	var check func(v any)
	check = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				check(e)
			}
		case map[string]any:
			if _, record := v["event"]; record {
				return // documented elsewhere
			}
			for key, e := range v {
				require.Contains(t, string(text), "`"+key+"`")
				check(e)
			}
		}
	}
	for _, args := range [][]string{{"show", "0875aa72", "--json", sample}, {"show", "195200bf", "--json", sample}, {"summary", "--json", sample}, {"show", "slowest", "--json", reports}, {"summary", "--json", reports}} {
		var document any
		require.NoError(t, json.Unmarshal([]byte(dbtel(t, "", args...).out), &document))
		check(document)
	}
}
