package tpc

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// dsQueries reads the queries of TPC-DS: its 99, of which four have two parts. Some have shortened
// lists of constants, of alternatives of the same form and of columns (8, 13, 18, 41, 48, 53, 64, 85,
// 89), but every clause, function and kind of join.
func dsQueries(t *testing.T) (names []string, queries map[string]string) {
	t.Helper()
	queries = map[string]string{}
	files, err := filepath.Glob("testdata/ds_*.sql")
	require.NoError(t, err)
	for _, f := range files {
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		for _, part := range strings.Split("\n"+string(text), "\n-- ")[1:] {
			name, sql, _ := strings.Cut(part, "\n")
			names = append(names, name)
			queries[name] = sql
		}
	}
	return names, queries
}

func TestDSRuns(t *testing.T) {
	t.Parallel()
	s := newSession(t, dsStatements())
	names, queries := dsQueries(t)
	require.Len(t, queries, 103)
	run, filled := 0, 0
	var failed []string
	for _, name := range names {
		res, err := s.Execute(t.Context(), queries[name], nil)
		if err != nil {
			failed = append(failed, fmt.Sprintf("%s: %v", name, err))
			continue
		}
		run++
		if res.Rows > 0 {
			filled++
		}
	}
	t.Logf("TPC-DS: %d of 103 run, %d of them give rows", run, filled)
	assert.Empty(t, failed)
	assert.GreaterOrEqual(t, filled, 60, "queries over tables in which they find nothing prove little")
}
