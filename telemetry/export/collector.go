package export

// collector keeps records until they are sent. Successes and failures wait in two lines,
// so that the oldest success can go first when there is no room; together they keep the
// order of arrival. It is guarded by the pipeline's mutex.
type collector struct {
	successes, failures line
	events, bytes       int
}

func (c *collector) records() int { return c.successes.n + c.failures.n }

func (c *collector) empty() bool { return c.records() == 0 }

func (c *collector) line(e *entry) *line {
	if e.failed {
		return &c.failures
	}
	return &c.successes
}

func (c *collector) push(e entry) {
	c.line(&e).pushBack(e)
	c.events += int(e.events)
	c.bytes += int(e.size)
}

// pushFront puts entries back that were taken out, in their order.
func (c *collector) pushFront(batch []entry) {
	for i := len(batch) - 1; i >= 0; i-- {
		e := batch[i]
		c.line(&e).pushFront(e)
		c.events += int(e.events)
		c.bytes += int(e.size)
	}
}

// oldest returns the first entry, nil when there is none.
func (c *collector) oldest() *entry {
	if l := c.first(); l != nil {
		return l.front()
	}
	return nil
}

func (c *collector) first() *line {
	switch {
	case c.empty():
		return nil
	case c.failures.n == 0, c.successes.n > 0 && c.successes.front().seq < c.failures.front().seq:
		return &c.successes
	}
	return &c.failures
}

// pop takes the oldest entry.
func (c *collector) pop() entry { return c.take(c.first()) }

// evict takes the entry that can be missed most: the oldest success, else the oldest.
func (c *collector) evict() entry {
	if c.successes.n > 0 {
		return c.take(&c.successes)
	}
	return c.take(&c.failures)
}

func (c *collector) take(l *line) entry {
	e := l.popFront()
	c.events -= int(e.events)
	c.bytes -= int(e.size)
	return e
}

// line is a ring of entries that grows as it must and lets its memory go when a large one
// has become empty.
type line struct {
	ring    []entry // length is a power of two, or 0
	head, n int
}

const keptRing = 256 // entries whose memory an empty line keeps

func (l *line) at(i int) *entry { return &l.ring[(l.head+i)&(len(l.ring)-1)] }

func (l *line) front() *entry { return l.at(0) }

func (l *line) pushBack(e entry) {
	l.grow()
	*l.at(l.n) = e
	l.n++
}

func (l *line) pushFront(e entry) {
	l.grow()
	l.head = (l.head - 1) & (len(l.ring) - 1)
	*l.at(0) = e
	l.n++
}

func (l *line) popFront() entry {
	e := *l.front()
	*l.front() = entry{}
	l.head = (l.head + 1) & (len(l.ring) - 1)
	l.n--
	if l.n == 0 && len(l.ring) > keptRing {
		*l = line{}
	}
	return e
}

func (l *line) grow() {
	if l.n < len(l.ring) {
		return
	}
	ring := make([]entry, max(16, 2*len(l.ring)))
	for i := range l.n {
		ring[i] = *l.at(i)
	}
	l.ring, l.head = ring, 0
}
