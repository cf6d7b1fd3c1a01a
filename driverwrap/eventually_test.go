package driverwrap_test

import (
	"runtime"
	"testing"
)

// eventually returns when the condition holds. How long that takes is the machine's business:
// a test that waits in vain ends with the time limit of go test.
func eventually(t *testing.T, condition func() bool, _ ...string) {
	t.Helper()
	for !condition() {
		runtime.Gosched()
	}
}
