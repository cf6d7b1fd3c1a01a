package export

import "github.com/seed-01322ee7/databricks-telemetry/internal/queue"

// queued is an entry with its number in the queue.
type queued = queue.Item[entry]

// collector is the queue of a pipeline. It counts the events and the memory of its entries. The
// pipeline's mutex guards it.
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

// evict drops the entry that matters least, and returns how many events it made.
func (c *collector) evict() (events int) {
	victim := &c.Victim().Value
	c.add(victim, -1)
	events = int(victim.events)
	c.Evict()
	return events
}

// requeue puts popped entries back at the head, in their order.
func (c *collector) requeue(batch []queued) {
	c.Return(batch)
	for i := range batch {
		c.add(&batch[i].Value, 1)
	}
}

func (c *collector) add(e *entry, sign int) {
	c.events += sign * int(e.events)
	c.bytes += sign * int(e.size)
}
