package wire

import (
	"encoding/binary"
	"math"
)

// reader walks over a message in memory. The first error sticks and every later read gives
// zero values, so that decoding code needs to look at err only where it would loop.
// A reader belongs to one goroutine.
type reader struct {
	buf   []byte
	off   int
	depth int
	err   error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// take returns the next n bytes, or nil and a sticky error.
func (r *reader) take(n int) []byte {
	if r.err != nil {
		return nil
	}
	if n < 0 || n > len(r.buf)-r.off {
		r.fail(ErrTruncated)
		return nil
	}
	b := r.buf[r.off : r.off+n]
	r.off += n
	return b
}

func (r *reader) u8() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) i16() int16 {
	if b := r.take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *reader) i32() int32 {
	if b := r.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (r *reader) i64() int64 {
	if b := r.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

func (r *reader) double() float64 { return math.Float64frombits(uint64(r.i64())) }

// bytes reads a length-prefixed value without copying it: the result aliases the message.
func (r *reader) bytes() []byte {
	n := int(r.i32())
	if r.err != nil {
		return nil
	}
	if n < 0 || n > len(r.buf)-r.off {
		r.fail(ErrBadLength)
		return nil
	}
	return r.take(n)
}

// count reads a number of elements and refuses one that the rest of the message could not
// hold.
func (r *reader) count(elementSize int) int {
	n := int(r.i32())
	if r.err != nil {
		return 0
	}
	if elementSize <= 0 {
		if n != 0 {
			r.fail(ErrBadType)
		}
		return 0
	}
	if n < 0 || n > (len(r.buf)-r.off)/elementSize {
		r.fail(ErrBadLength)
		return 0
	}
	return n
}

// listHeader reads the element type and the number of elements.
func (r *reader) listHeader() (fieldType, int) {
	t := fieldType(r.u8())
	return t, r.count(t.minSize())
}

// mapHeader reads key and value types and the number of entries.
func (r *reader) mapHeader() (k, v fieldType, n int) {
	k, v = fieldType(r.u8()), fieldType(r.u8())
	size := 0
	if k.minSize() > 0 && v.minSize() > 0 {
		size = k.minSize() + v.minSize()
	}
	return k, v, r.count(size)
}

// enter and leave surround every nested value and bound the depth.
func (r *reader) enter() bool {
	r.depth++
	if r.depth > maxDepth {
		r.fail(ErrTooDeep)
	}
	return r.err == nil
}

func (r *reader) leave() { r.depth-- }

// skip passes over an undeclared value.
func (r *reader) skip(t fieldType) {
	switch t {
	case typeBool, typeI8, typeI16, typeI32, typeI64, typeDouble:
		r.take(t.minSize())
	case typeString:
		r.bytes()
	case typeStruct:
		if !r.enter() {
			return
		}
		defer r.leave()
		for r.err == nil {
			ft := fieldType(r.u8())
			if ft == typeStop {
				return
			}
			r.i16()
			r.skip(ft)
		}
	case typeList, typeSet:
		if !r.enter() {
			return
		}
		defer r.leave()
		et, n := r.listHeader()
		for i := 0; i < n && r.err == nil; i++ {
			r.skip(et)
		}
	case typeMap:
		if !r.enter() {
			return
		}
		defer r.leave()
		kt, vt, n := r.mapHeader()
		for i := 0; i < n && r.err == nil; i++ {
			r.skip(kt)
			r.skip(vt)
		}
	default:
		r.fail(ErrBadType)
	}
}
