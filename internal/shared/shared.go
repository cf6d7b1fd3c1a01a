// Package shared holds the values that the packages of this module have once per process, one of each type.
package shared

import (
	"slices"
	"sync"
)

// Values holds at most one value of each type. All methods and [Of] may be called concurrently. The zero
// value is ready to use; a Values must not be copied.
type Values struct {
	mu  sync.Mutex
	all []any // pointers to different types; guarded by mu
}

// Of returns the value of type T, and makes it if there is none. create runs under a lock: it must not use v.
func Of[T any](v *Values, create func() *T) *T {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, one := range v.all {
		if have, ok := one.(*T); ok {
			return have
		}
	}
	made := create()
	v.all = append(v.all, made)
	return made
}

// All returns pointers to the values, in the order they were made.
func (v *Values) All() []any {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.all)
}
