package queue_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/queue"
)

func TestItemsLeaveInTheOrderOfTheirArrival(t *testing.T) {
	var q queue.Queue[int]
	require.Nil(t, q.Oldest())
	for i := range 200 {
		q.Push(i, i%3 == 0)
	}
	require.EqualValues(t, 200, q.Last())
	for i := range 200 {
		require.Equal(t, i, q.Oldest().Value)
		it := q.Pop()
		require.Equal(t, queue.Item[int]{Value: i, Seq: uint64(i + 1), Failed: i%3 == 0}, it)
	}
	require.Zero(t, q.Len())
	require.Nil(t, q.Oldest())
}

func TestTheOldestSuccessIsEvictedFirst(t *testing.T) {
	var q queue.Queue[int]
	for i, failed := range []bool{true, false, true, false, true} {
		q.Push(i, failed)
	}
	var evicted []int
	for q.Len() > 0 {
		evicted = append(evicted, q.Victim().Value)
		q.Evict()
	}
	require.Equal(t, []int{1, 3, 0, 2, 4}, evicted)
}

// A queue of a million failures evicts as fast as a short one, because this may happen on an
// application's goroutine. If it looked at every item, this test would take a million times a million
// steps.
func TestEvictionDoesNotLookAtEveryItem(t *testing.T) {
	var q queue.Queue[int]
	for i := range 1_000_000 {
		q.Push(i, true)
	}
	for i := range 1_000_000 {
		q.Push(i, true)
		q.Evict()
	}
	require.Equal(t, 1_000_000, q.Len())
	require.Equal(t, 0, q.Oldest().Value)
}

func TestAQueueAtWorkAllocatesNothing(t *testing.T) {
	var q queue.Queue[int]
	work := func() {
		for i := range 100 {
			q.Push(i, i%2 == 0)
			if q.Len() > 50 {
				q.Evict()
			}
		}
	}
	work()
	require.Zero(t, testing.AllocsPerRun(100, work))
}

// FuzzQueue compares the queue with a slice.
func FuzzQueue(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5})
	f.Add(slices.Repeat([]byte{0, 1, 0, 3, 4}, 50))
	f.Fuzz(func(t *testing.T, ops []byte) {
		var q queue.Queue[int]
		var model, out []queue.Item[int]
		seq := uint64(0)
		for i, op := range ops {
			switch op % 5 {
			case 0, 1:
				seq++
				q.Push(i, op%5 == 1)
				model = append(model, queue.Item[int]{Value: i, Seq: seq, Failed: op%5 == 1})
			case 2:
				if len(model) > 0 {
					require.Equal(t, model[0], q.Pop())
					out, model = append(out, model[0]), model[1:]
				}
			case 3:
				if len(model) > 0 {
					at := max(0, slices.IndexFunc(model, func(it queue.Item[int]) bool { return !it.Failed }))
					require.Equal(t, model[at], *q.Victim())
					q.Evict()
					model = slices.Delete(slices.Clone(model), at, at+1)
				}
			case 4:
				q.Return(out)
				model, out = append(slices.Clone(out), model...), nil
			}
			require.Equal(t, len(model), q.Len())
			if len(model) > 0 {
				require.Equal(t, model[0], *q.Oldest())
			}
		}
	})
}
