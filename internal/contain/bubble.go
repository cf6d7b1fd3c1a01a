package contain

import (
	"bytes"
	"runtime"
)

// InBubble reports whether the goroutine runs in a bubble of testing/synctest, as in a test of the
// application. Cleanups (runtime.AddCleanup) run outside the bubble, and the runtime ends the process
// when one of them uses a context, a timer or a channel of the bubble. Only the header of the
// goroutine's stack shows a bubble; reading it takes some microseconds.
func InBubble() bool {
	header := make([]byte, 128)
	header = header[:runtime.Stack(header, false)]
	header, _, _ = bytes.Cut(header, []byte("\n"))
	return bytes.Contains(header, []byte("synctest bubble"))
}
