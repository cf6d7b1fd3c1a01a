package ondemand

import (
	"errors"
	"sync"
)

// Each calls f with every number below n, all concurrently, so that a slow call does not delay the
// others. It returns when all calls have returned. The errors are joined in the order of the numbers.
func Each(n int, f func(i int) error) error {
	errs := make([]error, n)
	var calls sync.WaitGroup
	for i := range n {
		calls.Go(func() { errs[i] = f(i) })
	}
	calls.Wait()
	return errors.Join(errs...)
}
