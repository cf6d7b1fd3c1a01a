package contain

import "runtime"

// Watch is a part of an object that notices when the garbage collector finds that nothing refers to the object any
// more. Only the object may refer to its Watch. All objects share this one type with a cleanup, because each such
// type adds more than a kilobyte to a binary.
type Watch struct{ cleanup *runtime.Cleanup } // nil in a bubble; a pointer, so that the allocator puts nothing beside it

// WhenDropped returns a Watch for an object. It calls f on a separate goroutine when the object is dropped. f must
// not refer to the object. In a bubble, the Watch does nothing.
func WhenDropped(f func()) *Watch {
	w := &Watch{}
	if !InBubble() {
		cleanup := runtime.AddCleanup(w, func(f func()) { go f() }, f) // cleanups must not block
		w.cleanup = &cleanup
	}
	return w
}

// Stop ends the Watch: f will not be called.
func (w *Watch) Stop() {
	if w.cleanup != nil {
		w.cleanup.Stop()
	}
}
