package contain

import (
	"bytes"
	"runtime"
)

// InBubble reports whether the goroutine belongs to a test of the application that runs in a
// bubble of testing/synctest. Cleanups of the collector run outside of it, and the runtime
// ends a process that uses there what was made in the bubble: a context, a timer, a channel.
// Only the goroutine's header tells. It takes some microseconds.
func InBubble() bool {
	header := make([]byte, 128)
	header = header[:runtime.Stack(header, false)]
	header, _, _ = bytes.Cut(header, []byte("\n"))
	return bytes.Contains(header, []byte("synctest bubble"))
}
