//go:build !race

package soak

// raceEnabled says that the race detector is on: all is slower, and takes more memory.
const raceEnabled = false
