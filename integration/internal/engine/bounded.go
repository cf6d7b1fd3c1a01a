package engine

import "sync"

// bounded caches values that are costly to derive from a text: patterns, zones, types. It is
// emptied when it is full, so that statements that never repeat cannot fill the memory. It may be
// used concurrently.
type bounded[V any] struct {
	mu     sync.RWMutex
	values map[string]V // guarded by mu
}

const maxRemembered = 1000

func (c *bounded[V]) get(key string) (V, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	v, ok := c.values[key]
	return v, ok
}

func (c *bounded[V]) put(key string, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.values == nil || len(c.values) >= maxRemembered {
		c.values = map[string]V{}
	}
	c.values[key] = v
}
