package cloudfetch

// boundedMap is a map in order of arrival: adding to a full one drops the
// oldest. A node is memory of the value it holds. A boundedMap is not safe for concurrent use.
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

func (b *boundedMap[K, V]) get(key K) (v V, ok bool) {
	if p := b.nodes[key]; p != nil {
		return p.val, true
	}
	return v, false
}

// add puts a key that is not present into a node that is free, and returns the value that was
// dropped for it.
func (b *boundedMap[K, V]) add(key K, v V, p *node[K, V]) (old V, dropped bool) {
	if b.nodes == nil {
		b.nodes = make(map[K]*node[K, V])
	}
	if len(b.nodes) >= b.bound && b.first != nil {
		old, dropped = b.first.val, true
		b.remove(b.first.key)
	}
	*p = node[K, V]{key: key, val: v, prev: b.last}
	if b.last != nil {
		b.last.next = p
	} else {
		b.first = p
	}
	b.last = p
	b.nodes[key] = p
	return old, dropped
}

func (b *boundedMap[K, V]) remove(key K) {
	p := b.nodes[key]
	if p == nil {
		return
	}
	delete(b.nodes, key)
	if p.prev != nil {
		p.prev.next = p.next
	} else {
		b.first = p.next
	}
	if p.next != nil {
		p.next.prev = p.prev
	} else {
		b.last = p.prev
	}
	*p = node[K, V]{} // releases its references
}
