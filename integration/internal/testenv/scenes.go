package testenv

import (
	"os"
	"strconv"
)

// Scenes returns how many random scenes or programs a test has: n, or the percentage of n in the environment variable
// SCENES, at least one. A test has the same first scenes whatever the percentage.
func Scenes(n uint64) uint64 {
	if percent, err := strconv.ParseUint(os.Getenv("SCENES"), 10, 32); err == nil {
		return max(1, n*percent/100)
	}
	return n
}
