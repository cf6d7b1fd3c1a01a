//go:build race

package soak

// raceEnabled reports whether the race detector is on, which makes everything slower and take more
// memory.
const raceEnabled = true
