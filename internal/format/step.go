package format

import "math"

// RoundStep is the smallest of 1, 2, 5, 10, 20, 50 and so on that is not below least.
func RoundStep(least float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(least)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= least*0.9999 {
			return m * power
		}
	}
	return 10 * power
}
