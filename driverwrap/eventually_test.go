package driverwrap_test

import (
	"runtime"
	"testing"
)

// eventually returns when the condition holds. How long that takes depends on the machine:
// a condition that never holds ends with the time limit of go test.
func eventually(t *testing.T, condition func() bool, _ ...string) {
	t.Helper()
	for !condition() {
		runtime.Gosched()
	}
}
