package main

// latest keeps the latest entries by statement id. It keeps at least limit and at most twice as many,
// so that memory is bounded. The zero value is ready to use.
type latest[V any] struct{ now, before map[string]V }

func (l *latest[V]) put(id string, v V, limit int) {
	if l.now == nil || len(l.now) == limit {
		l.now, l.before = map[string]V{}, l.now
	}
	l.now[id] = v
}

func (l *latest[V]) has(id string) bool {
	_, now := l.now[id]
	_, before := l.before[id]
	return now || before
}

// take returns the entry of a statement, once, or the zero value if there is none.
func (l *latest[V]) take(id string) (v V) {
	for _, entries := range []map[string]V{l.now, l.before} {
		if v, ok := entries[id]; ok {
			delete(entries, id)
			return v
		}
	}
	return v
}
