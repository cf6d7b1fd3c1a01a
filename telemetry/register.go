package telemetry

import (
	"slices"
	"sync"
)

// register is a list that anybody may add to. The zero value is ready.
type register[T any] struct {
	mu  sync.Mutex
	all []T // guarded by mu
}

func (r *register[T]) add(x T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, x)
}

func (r *register[T]) remove(gone func(T) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = slices.DeleteFunc(r.all, gone)
}

// list returns a copy, in the order of add.
func (r *register[T]) list() []T {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}
