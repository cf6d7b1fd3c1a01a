package telemetry

import (
	"slices"
	"sync"
)

// list is a list that may be changed concurrently. The zero value is ready.
type list[T any] struct {
	mu    sync.Mutex
	items []T // guarded by mu
}

func (l *list[T]) add(x T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.items = append(l.items, x)
}

func (l *list[T]) remove(matches func(T) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.items = slices.DeleteFunc(l.items, matches)
}

// all returns a copy, in the order of add.
func (l *list[T]) all() []T {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.items)
}
