//go:build !race

package conformance

// manyRows makes a result of many pages and files.
const manyRows = 1_000_000
