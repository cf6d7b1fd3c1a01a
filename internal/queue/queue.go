// Package queue holds what waits for a slow receiver: in the order of arrival, with a number
// for each item, and with the rule of what goes when there is no room. Every operation takes
// the same short time however much waits, because it may run on an application's goroutine.
package queue

// Item is a value that waits.
type Item[T any] struct {
	Value  T
	Seq    uint64 // its place among all that were ever pushed, from 1
	Failed bool   // tells of a failure: evicted last
}

// Queue keeps items in the order of arrival. Successes and failures wait in two lists, so
// that the oldest success can be found at once; together they keep the order. The zero value
// is ready. A Queue is not safe for concurrent use and sets no bound: its owner evicts.
type Queue[T any] struct {
	successes, failures list[Item[T]]
	last                uint64
}

// Len is the number of items that wait.
func (q *Queue[T]) Len() int { return q.successes.n + q.failures.n }

// Last is the number of the latest item ever pushed; 0 before the first.
func (q *Queue[T]) Last() uint64 { return q.last }

// Push adds an item at the end.
func (q *Queue[T]) Push(v T, failed bool) {
	q.last++
	q.listOf(failed).pushBack(Item[T]{Value: v, Seq: q.last, Failed: failed})
}

// Return puts items back that were popped in this order and are to be popped again.
func (q *Queue[T]) Return(items []Item[T]) {
	for i := len(items) - 1; i >= 0; i-- {
		q.listOf(items[i].Failed).pushFront(items[i])
	}
}

// Oldest returns the first item, nil when none waits. It is valid until the next call.
func (q *Queue[T]) Oldest() *Item[T] {
	l := q.first()
	if l == nil {
		return nil
	}
	return l.front()
}

// Pop takes the oldest item; there must be one.
func (q *Queue[T]) Pop() Item[T] { return q.first().popFront() }

// Evict takes the item that can be missed most, the oldest success or else the oldest
// failure; there must be one.
func (q *Queue[T]) Evict() Item[T] {
	if q.successes.n > 0 {
		return q.successes.popFront()
	}
	return q.failures.popFront()
}

// LastOf returns the number of the latest waiting item that matches, 0 when none does. It
// looks at all of them.
func (q *Queue[T]) LastOf(matches func(*T) bool) (seq uint64) {
	for _, l := range []*list[Item[T]]{&q.successes, &q.failures} {
		l.each(func(i *Item[T]) {
			if i.Seq > seq && matches(&i.Value) {
				seq = i.Seq
			}
		})
	}
	return seq
}

func (q *Queue[T]) listOf(failed bool) *list[Item[T]] {
	if failed {
		return &q.failures
	}
	return &q.successes
}

// first is the list the oldest item is in, nil when none waits.
func (q *Queue[T]) first() *list[Item[T]] {
	s, f := &q.successes, &q.failures
	switch {
	case s.n == 0 && f.n == 0:
		return nil
	case f.n == 0, s.n > 0 && s.front().Seq < f.front().Seq:
		return s
	}
	return f
}
