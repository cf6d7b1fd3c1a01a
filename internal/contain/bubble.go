package contain

import (
	"bytes"
	"runtime"
	"time"
)

// Bubble returns the number of the testing/synctest bubble that the goroutine runs in, as in a test of
// the application; empty outside of bubbles. The runtime ends the process when a goroutine outside a
// bubble uses a context, a timer or a channel of the bubble, so an object that has one must not be
// shared. Only the header of the goroutine's stack shows a bubble; reading it takes some microseconds.
func Bubble() string {
	header := make([]byte, 128)
	header = header[:runtime.Stack(header, false)]
	header, _, _ = bytes.Cut(header, []byte("\n"))
	_, number, _ := bytes.Cut(header, []byte("synctest bubble "))
	return string(number[:len(number)-len(bytes.TrimLeft(number, "0123456789"))]) // labels of the goroutine may follow
}

// BubbleAt is Bubble for code that runs often. now is the time that time.Now has just returned on the
// goroutine. The clock of a bubble begins in the year 2000, so a time after 2020 is outside of bubbles,
// unless a test has slept for twenty years.
func BubbleAt(now time.Time) string {
	const year2020 = 1577836800 // seconds since 1970
	if now.Unix() >= year2020 {
		return ""
	}
	return Bubble()
}

// InBubble reports whether the goroutine runs in a bubble. Cleanups (runtime.AddCleanup) run outside
// of bubbles.
func InBubble() bool { return Bubble() != "" }
