package ondemand

import (
	"errors"
	"sync"
)

// Each calls f with every item, all at once, and returns when all calls have: one that takes long takes
// no time from the others. The errors are joined in the order of the items.
func Each[T any](items []T, f func(T) error) error {
	return errors.Join(Map(items, f)...)
}

// Map is Each for calls that return something; the results are in the order of the items.
func Map[T, R any](items []T, f func(T) R) []R {
	results := make([]R, len(items))
	var calls sync.WaitGroup
	for i, item := range items {
		calls.Go(func() { results[i] = f(item) })
	}
	calls.Wait()
	return results
}
