package driverwrap

import "sync/atomic"

// panics counts the panics of our own that were contained.
var panics atomic.Int64

// Panics returns how many panics inside the measuring layer were contained since the
// process started. It should be 0; a panic there costs its record, never the statement.
func Panics() int64 { return panics.Load() }

// contain goes at the top of every function that measures and calls nobody else's code:
//
//	defer contain()
func contain() {
	if recover() != nil {
		panics.Add(1)
	}
}
