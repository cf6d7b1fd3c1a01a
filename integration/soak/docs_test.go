package soak

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// updating makes the tests write their measurements into docs/SCALE.md. The figures differ a little
// from run to run, so without it the tests only check the bounds.
var updating = os.Getenv("UPDATE_SCALE") != ""

// generate writes the part of docs/SCALE.md between two markers.
func generate(t *testing.T, name, text string) {
	t.Helper()
	const file = "../../docs/SCALE.md"
	begin, end := fmt.Sprintf("<!-- generated: %s -->\n", name), fmt.Sprintf("<!-- end: %s -->", name)
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(raw), begin)
	require.True(t, ok, "%s has no %q", file, begin)
	_, after, ok := strings.Cut(rest, end)
	require.True(t, ok, "%s has no %q", file, end)
	t.Logf("%s:\n%s", name, text)
	if updating && !raceEnabled {
		require.NoError(t, os.WriteFile(file, []byte(before+begin+text+end+after), 0o644))
	}
}

// thousands writes a number with a comma between every three digits.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
