//go:build race

package conformance

// manyRows is smaller under the race detector, which watches every memory access.
const manyRows = 100_000
