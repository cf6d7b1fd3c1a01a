package export

import "time"

// flagCache has the flags by host and workspace. A flag outlives the last pipeline that needs it,
// because connectors come and go, but not its TTL. The exporter's mutex guards the cache.
type flagCache struct {
	flags     map[flagKey]*cachedFlag
	evictSize int // size at which stale flags are looked for
}

type cachedFlag struct {
	flag  flag
	users int // pipelines
}

const (
	minEvictSize = 64
	maxUnused    = 256 // flags kept for connectors that may come back
)

func (c *flagCache) acquire(key flagKey) *flag {
	if c.flags == nil {
		c.flags = map[flagKey]*cachedFlag{}
	}
	u := c.flags[key]
	if u == nil {
		c.evict()
		u = &cachedFlag{}
		c.flags[key] = u
	}
	u.users++
	return &u.flag
}

func (c *flagCache) release(key flagKey) {
	u := c.flags[key]
	u.users--
	if u.users == 0 && u.flag.stale(time.Now()) {
		delete(c.flags, key)
	}
}

// evict removes unused flags that are stale, and those beyond maxUnused. It looks at all flags, but
// so rarely that acquire takes constant time on average.
func (c *flagCache) evict() {
	if len(c.flags) < max(c.evictSize, minEvictSize) {
		return
	}
	now, unused := time.Now(), 0
	for key, u := range c.flags {
		if u.users > 0 {
			continue
		}
		if unused++; unused > maxUnused || u.flag.stale(now) {
			delete(c.flags, key)
		}
	}
	c.evictSize = 2 * len(c.flags)
}
