package export

import "time"

// flags are the cached answers by host and workspace. An answer outlives the last pipeline
// that needs it, because connectors come and go, but not its own lifetime. The exporter's
// mutex guards them.
type flags struct {
	all   map[flagKey]*flagUse
	sweep int // how many make it worthwhile to look for stale ones
}

type flagUse struct {
	flag  flag
	users int // pipelines
}

const (
	minFlags  = 64  // fewer are not worth a sweep
	maxUnused = 256 // good answers kept for connectors that may come back
)

func (f *flags) join(key flagKey) *flag {
	if f.all == nil {
		f.all = map[flagKey]*flagUse{}
	}
	u := f.all[key]
	if u == nil {
		f.makeRoom()
		u = &flagUse{}
		f.all[key] = u
	}
	u.users++
	return &u.flag
}

func (f *flags) leave(key flagKey) {
	u := f.all[key]
	u.users--
	if u.users == 0 && u.flag.stale(time.Now()) {
		delete(f.all, key)
	}
}

// makeRoom drops what is stale, and what nobody uses when that is much. It looks at all
// flags, but so rarely that joining takes a constant time on average.
func (f *flags) makeRoom() {
	if len(f.all) < max(f.sweep, minFlags) {
		return
	}
	now, unused := time.Now(), 0
	for key, u := range f.all {
		if u.users > 0 {
			continue
		}
		if unused++; unused > maxUnused || u.flag.stale(now) {
			delete(f.all, key)
		}
	}
	f.sweep = 2 * len(f.all)
}
