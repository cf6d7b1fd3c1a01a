// Package guide runs what docs/TESTING.md tells readers to copy.
package guide

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

// goFiles are the fenced Go files of a Markdown text, without fragments.
func goFiles(text string) (files []string) {
	for block := range strings.SplitSeq(text, "\n```go\n") {
		if file, _, closed := strings.Cut(block, "\n```\n"); closed && strings.HasPrefix(file, "package ") {
			files = append(files, file+"\n")
		}
	}
	return files
}

// TestTheFilesOfTheGuideRun copies the Go files out of docs/TESTING.md and runs them.
func TestTheFilesOfTheGuideRun(t *testing.T) {
	guide, err := os.ReadFile("../../../docs/TESTING.md")
	require.NoError(t, err)
	files := goFiles(string(guide))
	require.Len(t, files, 2)
	for _, file := range files {
		path := filepath.Join(t.TempDir(), "workspace_test.go")
		require.NoError(t, os.WriteFile(path, []byte(file), 0o600))
		cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-vet=off", "-ldflags=-w", "-v", path)
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		for line := range strings.Lines(file) {
			if name, _, ok := strings.Cut(strings.TrimPrefix(line, "func Test"), "("); ok && strings.HasPrefix(line, "func Test") {
				require.Contains(t, string(out), "--- PASS: Test"+name)
			}
		}
	}
}

// TestTheGuideNamesEveryOption compares the guide's table with the options that exist.
func TestTheGuideNamesEveryOption(t *testing.T) {
	guide, err := os.ReadFile("../../../docs/TESTING.md")
	require.NoError(t, err)
	_, table, found := strings.Cut(string(guide), "| options | what they choose |\n")
	require.True(t, found)
	table, _, _ = strings.Cut(table, "\n\n")
	var named []string
	for i, cell := range strings.Split(table, "`") {
		if i%2 == 1 {
			named = append(named, cell)
		}
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[workspace.Options]()) {
		require.Contains(t, named, f.Name)
	}
}
