package ondemand

import (
	"errors"
	"sync"
)

// Each calls f with every item, all at once, and returns when all calls have: one that takes long takes
// no time from the others. The errors are joined in the order of the items.
func Each[T any](items []T, f func(T) error) error {
	errs := make([]error, len(items))
	var calls sync.WaitGroup
	for i, item := range items {
		calls.Go(func() { errs[i] = f(item) })
	}
	calls.Wait()
	return errors.Join(errs...)
}
