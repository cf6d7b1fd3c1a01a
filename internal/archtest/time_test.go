package archtest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// wallTime matches what fails on a slow machine: bounds on the time something took, waits that end
// after a fixed time, and sleeps that stand for an event.
var wallTime = regexp.MustCompile(`Less(OrEqual)?f?\(t, time\.Since|WithinDuration|\.Eventually|\.Never\(|time\.Sleep\(`)

// inFakeTime matches files whose tests run in fake time, where all that is allowed.
var inFakeTime = regexp.MustCompile(`"testing/synctest"|\b(inBubble|onClock)\(`)

// Time is tested in fake time. Tests that cannot run in it wait until their own deadline.
func TestNoTestDependsOnHowFastTheMachineIs(t *testing.T) {
	var seen int
	require.NoError(t, filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") || filepath.Base(path) == "time_test.go" {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		seen++
		if !inFakeTime.Match(source) {
			for i, line := range strings.Split(string(source), "\n") {
				require.NotRegexp(t, wallTime, line, "%s:%d", path, i+1)
			}
		}
		return nil
	}))
	require.Greater(t, seen, 100)
}
