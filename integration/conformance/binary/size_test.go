// Package binary measures what this module adds to the binary of an application.
package binary

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	_ "github.com/seed-01322ee7/databricks-telemetry/driverwrap"          // so that a result is not reused
	_ "github.com/seed-01322ee7/databricks-telemetry/telemetry/debugpage" // after either has changed
)

const megabyte = 1_000_000

// TestBinaryGrowsLittle builds with the newest native driver, whatever this test is built with:
// older ones reach html/template, which keeps unused code in every binary, and hide what adds it.
func TestBinaryGrowsLittle(t *testing.T) {
	drivers, err := filepath.Glob("../driver-*.mod")
	require.NoError(t, err)
	require.NotEmpty(t, drivers)
	newest := drivers[len(drivers)-1]
	native, wrapped, page := size(t, newest, "native"), size(t, newest, "wrapped"), size(t, newest, "page")
	t.Logf("%s: %d bytes, driverwrap %+d, debug page %+d", filepath.Base(newest), native, wrapped-native, page-wrapped)
	require.Less(t, wrapped-native, int64(2*megabyte), "docs/DESIGN.md says what it is made of")
	require.Less(t, page-wrapped, int64(2*megabyte), "the debug page must reach neither html/template nor what else keeps unused code in a binary")
}

// size is the size of a program of this directory without symbols. The names of folders and the state of
// the repository are left out of it, because they differ from one clone to the next.
func size(t *testing.T, modfile, program string) int64 {
	t.Helper()
	file := filepath.Join(t.TempDir(), program)
	out, err := exec.CommandContext(t.Context(), "go", "build", "-modfile="+modfile, "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", file, "./"+program).CombinedOutput()
	require.NoError(t, err, "%s", out)
	info, err := os.Stat(file)
	require.NoError(t, err)
	return info.Size()
}
