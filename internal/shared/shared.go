// Package shared holds the values that the packages of this module have once per process, one of each type.
package shared

import "sync"

// Values holds at most one value of each type. It has functions instead of methods, because applications can
// reach the Values of a telemetry.Process. The functions may be called concurrently. The zero value is ready to
// use; a Values must not be copied.
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

// All returns pointers to the values, those that implement the interface T, in the order they were made.
func All[T any](v *Values) (all []T) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, one := range v.all {
		if one, ok := one.(T); ok {
			all = append(all, one)
		}
	}
	return all
}
