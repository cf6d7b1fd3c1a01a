package cloudfetch

// boundedMap is a map that keeps the order of insertion; adding to a full map drops its oldest entry.
// The caller provides the nodes, so adding does not allocate them. A boundedMap is not safe for
// concurrent use.
type boundedMap[K comparable, V any] struct {
	nodes       map[K]*node[K, V]
	first, last *node[K, V]
	bound       int
}

type node[K comparable, V any] struct {
	key        K
	val        V
	prev, next *node[K, V]
}

// get returns the value of a key, or the zero value if the key is not present.
func (b *boundedMap[K, V]) get(key K) (v V) {
	if n := b.nodes[key]; n != nil {
		v = n.val
	}
	return v
}

// add puts a key that is not present, with its value, into a free node. It returns the value that was
// dropped to make room.
func (b *boundedMap[K, V]) add(key K, v V, n *node[K, V]) (old V, dropped bool) {
	if b.nodes == nil {
		b.nodes = make(map[K]*node[K, V])
	}
	if len(b.nodes) >= b.bound && b.first != nil {
		old, dropped = b.first.val, true
		b.remove(b.first)
	}
	*n = node[K, V]{key: key, val: v, prev: b.last}
	if b.last != nil {
		b.last.next = n
	} else {
		b.first = n
	}
	b.last = n
	b.nodes[key] = n
	return old, dropped
}

// remove takes a node out, unless it is free.
func (b *boundedMap[K, V]) remove(n *node[K, V]) {
	if b.nodes[n.key] != n {
		return
	}
	delete(b.nodes, n.key)
	if n.prev != nil {
		n.prev.next = n.next
	} else {
		b.first = n.next
	}
	if n.next != nil {
		n.next.prev = n.prev
	} else {
		b.last = n.prev
	}
	*n = node[K, V]{} // releases its references
}
