package export

import "github.com/seed-01322ee7/databricks-telemetry/internal/queue"

// queued is an entry with its place in the order of all.
type queued = queue.Item[entry]

// collector keeps records until they are sent, and sums what they make. It is guarded by the
// pipeline's mutex.
type collector struct {
	queue.Queue[entry]
	events, bytes int
}

func (c *collector) push(e entry) {
	c.Push(e, e.failed)
	c.add(&e, 1)
}

func (c *collector) pop() queued {
	it := c.Pop()
	c.add(&it.Value, -1)
	return it
}

// evict takes the entry that can be missed most.
func (c *collector) evict() queued {
	it := c.Evict()
	c.add(&it.Value, -1)
	return it
}

// putBack returns entries that were popped, in their order.
func (c *collector) putBack(batch []queued) {
	c.Return(batch)
	for i := range batch {
		c.add(&batch[i].Value, 1)
	}
}

func (c *collector) add(e *entry, sign int) {
	c.events += sign * int(e.events)
	c.bytes += sign * int(e.size)
}
