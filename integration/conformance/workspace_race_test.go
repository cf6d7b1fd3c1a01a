//go:build race

package conformance

// manyRows is what "a million rows" means where every memory access is watched.
const manyRows = 100_000
