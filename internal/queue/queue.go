package queue

// Item is a value in a queue.
type Item[T any] struct {
	Value  T
	Seq    uint64 // number of the item, from 1, in the order of Push
	Failed bool   // evicted only when there are no successes
}

// Queue keeps items in the order of arrival. Successes and failures wait in two lists, so that the
// oldest success is found at once; Seq gives their common order. The zero value is ready to use. A
// Queue is not safe for concurrent use. It has no bound; its owner must evict.
type Queue[T any] struct {
	successes, failures list[Item[T]]
	last                uint64
}

// Len returns the number of items in the queue.
func (q *Queue[T]) Len() int { return q.successes.n + q.failures.n }

// Last returns the Seq of the latest item ever pushed; 0 before the first.
func (q *Queue[T]) Last() uint64 { return q.last }

// Push adds an item at the end.
func (q *Queue[T]) Push(v T, failed bool) {
	q.last++
	item := q.listOf(failed).extend()
	item.Value, item.Seq, item.Failed = v, q.last, failed
}

// Return puts popped items back at the front. They must be in the order in which they were popped.
func (q *Queue[T]) Return(items []Item[T]) {
	for i := len(items) - 1; i >= 0; i-- {
		q.listOf(items[i].Failed).pushFront(items[i])
	}
}

// Oldest returns the oldest item, or nil if the queue is empty. The pointer is valid until the next
// call.
func (q *Queue[T]) Oldest() *Item[T] { return q.first().front() }

// Pop removes and returns the oldest item; the queue must not be empty.
func (q *Queue[T]) Pop() Item[T] {
	l := q.first()
	item := *l.front()
	l.dropFront()
	return item
}

// Victim returns the item that Evict removes next: the oldest success, or else the oldest failure, or
// nil if the queue is empty. The pointer is valid until the next call.
func (q *Queue[T]) Victim() *Item[T] { return q.victims().front() }

// Evict removes the victim; there must be one.
func (q *Queue[T]) Evict() { q.victims().dropFront() }

func (q *Queue[T]) victims() *list[Item[T]] { return q.listOf(q.successes.n == 0) }

func (q *Queue[T]) listOf(failed bool) *list[Item[T]] {
	if failed {
		return &q.failures
	}
	return &q.successes
}

// first returns the list that has the oldest item, if there is one.
func (q *Queue[T]) first() *list[Item[T]] {
	success, failure := q.successes.front(), q.failures.front()
	return q.listOf(success == nil || failure != nil && failure.Seq < success.Seq)
}
