package wire

import (
	"encoding/binary"
	"math"
	"reflect"
	"slices"
)

// listCodec has a fast path for the lists of columnar results: such a list has up to a hundred
// thousand values per page, too many to use reflection on each.
func listCodec(t reflect.Type) *codec {
	elem := codecFor(t.Elem())
	c := &codec{wireType: typeList, absent: isNil}
	writeItems := func(b []byte, v reflect.Value) []byte {
		for i := range v.Len() {
			b = elem.write(b, v.Index(i))
		}
		return b
	}
	readItems := func(r *reader, v reflect.Value, n int) {
		// Elements of a list of structs are larger in memory than on the wire, so the
		// slice grows as they arrive instead of trusting n.
		list := reflect.MakeSlice(t, 0, min(n, 256))
		for i := 0; i < n && r.err == nil; i++ {
			e := reflect.New(t.Elem()).Elem()
			elem.read(r, e)
			list = reflect.Append(list, e)
		}
		v.Set(list)
	}
	switch t {
	case reflect.TypeFor[[]int64]():
		writeItems = func(b []byte, v reflect.Value) []byte {
			return appendInts(b, v.Interface().([]int64))
		}
		readItems = func(r *reader, v reflect.Value, n int) {
			v.Set(reflect.ValueOf(readAll(n, r.i64)))
		}
	case reflect.TypeFor[[]float64]():
		writeItems = func(b []byte, v reflect.Value) []byte {
			return appendDoubles(b, v.Interface().([]float64))
		}
		readItems = func(r *reader, v reflect.Value, n int) {
			v.Set(reflect.ValueOf(readAll(n, r.double)))
		}
	case reflect.TypeFor[[]string]():
		writeItems = func(b []byte, v reflect.Value) []byte {
			return appendStrings(b, v.Interface().([]string))
		}
		readItems = func(r *reader, v reflect.Value, n int) {
			v.Set(reflect.ValueOf(readAll(n, func() string { return string(r.bytes()) })))
		}
	}
	c.write = func(b []byte, v reflect.Value) []byte {
		b = append(b, byte(elem.wireType))
		b = binary.BigEndian.AppendUint32(b, uint32(v.Len()))
		return writeItems(b, v)
	}
	c.read = func(r *reader, v reflect.Value) {
		if !r.enter() {
			return
		}
		defer r.leave()
		et, n := r.listHeader()
		if et != elem.wireType {
			for i := 0; i < n && r.err == nil; i++ {
				r.skip(et)
			}
			v.Set(reflect.MakeSlice(t, 0, 0))
			return
		}
		readItems(r, v, n)
	}
	return c
}

func appendInts(b []byte, list []int64) []byte {
	b = slices.Grow(b, 8*len(list))
	for _, x := range list {
		b = binary.BigEndian.AppendUint64(b, uint64(x))
	}
	return b
}

func appendDoubles(b []byte, list []float64) []byte {
	b = slices.Grow(b, 8*len(list))
	for _, x := range list {
		b = binary.BigEndian.AppendUint64(b, math.Float64bits(x))
	}
	return b
}

func appendStrings(b []byte, list []string) []byte {
	size := 0
	for _, s := range list {
		size += 4 + len(s)
	}
	b = slices.Grow(b, size)
	for _, s := range list {
		b = appendString(b, s)
	}
	return b
}

// readAll may allocate for n at once: count has checked that the message holds n elements
// of at least four bytes each.
func readAll[T any](n int, next func() T) []T {
	list := make([]T, n)
	for i := range list {
		list[i] = next()
	}
	return list
}
