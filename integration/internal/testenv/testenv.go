// Package testenv prepares a test process, so that its tests do not depend on where they run, and has what tests of
// several packages use.
package testenv

import (
	"os"
	"strings"

	"github.com/apache/arrow/go/v12/arrow"
)

// Prepare removes the variables that settings are read from, and those with one of the prefixes, from the
// environment. It also initializes the time zone of Arrow timestamps, which the driver does without a lock. Call it
// in TestMain.
func Prepare(prefixes ...string) {
	prefixes = append(prefixes, "DATABRICKS_", "DO_NOT_TRACK=")
	for _, v := range os.Environ() {
		for _, prefix := range prefixes {
			if strings.HasPrefix(v, prefix) {
				name, _, _ := strings.Cut(v, "=")
				_ = os.Unsetenv(name)
			}
		}
	}
	_, _ = arrow.FixedWidthTypes.Timestamp_us.(*arrow.TimestampType).GetZone()
}
