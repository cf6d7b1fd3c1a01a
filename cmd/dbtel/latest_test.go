package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestReportsAreFoundWhateverTheOrderOfFiles has a log that was rotated between a statement and its
// report, read in both orders.
func TestReportsAreFoundWhateverTheOrderOfFiles(t *testing.T) {
	dir := t.TempDir()
	older, newer := filepath.Join(dir, "app.ndjson.1"), filepath.Join(dir, "app.ndjson")
	require.NoError(t, os.WriteFile(older, []byte(`{"event":"statement","started":"2026-03-01T11:30:00Z","server":"adb-1:443","statement_id":"a","outcome":"completed","execute_ms":30000,"total_ms":30000,"time_server_ms":30000}`+"\n"), 0o600))
	require.NoError(t, os.WriteFile(newer, []byte(`{"event":"server_report","statement_id":"a","server_total_ms":30000,"waiting_for_compute_ms":29000}`+"\n"), 0o600))
	for _, args := range [][]string{
		{"show", "a"}, {"show", "last"}, {"show", "a", "--since", "2026-03-01"},
		{"top"}, {"top", "--server", "adb-1"}, {"top", "--json"},
		{"summary"}, {"summary", "--server", "adb-1"},
	} {
		want := dbtel(t, "", append(args[:len(args):len(args)], older, newer)...)
		require.NotEmpty(t, want.out, "%v", args)
		got := dbtel(t, "", append(args[:len(args):len(args)], newer, older)...)
		require.Equal(t, want, got, "%v", args)
	}
	require.Contains(t, dbtel(t, "", "summary", "--json", "--server", "adb-1", newer, older, older).out, `"server":{"statements":1,`, "there is one report")
}
