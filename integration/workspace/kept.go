package workspace

// kept is a list of the newest values: beyond limit, the oldest is dropped. A negative limit means
// no limit.
type kept[T any] struct {
	limit   int
	list    []T
	dropped func(T) // receives each dropped value; may be nil
}

func (k *kept[T]) add(v T) {
	k.list = append(k.list, v)
	if k.limit < 0 {
		return
	}
	for len(k.list) > k.limit {
		oldest := k.list[0]
		var zero T
		k.list[0] = zero // releases the value: the array lives until append replaces it
		k.list = k.list[1:]
		if k.dropped != nil {
			k.dropped(oldest)
		}
	}
}
