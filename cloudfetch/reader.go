package cloudfetch

import "encoding/binary"

// maxDepth bounds the nesting that is followed: structs and containers together.
// The deepest message of the driver, a schema inside direct results, has 16.
const maxDepth = 32

// progress is how a reader stands.
type progress uint8

const (
	following progress = iota
	complete           // the message ended; what follows is not looked at
	lost               // something that is not understood; nothing more is looked at
)

// phase is what the next bytes are.
type phase uint8

const (
	atVersion phase = iota
	atNameLength
	atName
	atSequence
	atFieldType
	atFieldID
	atScalar
	atLength
	atList
	atMap
	inSkip    // bytes to pass over
	inCapture // bytes to keep in scratch
	inLink    // bytes of a link, hashed
)

// frame is a struct or a container that is not finished.
type frame struct {
	typ   byte  // tStruct, tList (sets too) or tMap
	shape shape // of the struct, or of the elements
	elem  byte  // element or key type
	val   byte  // map value type
	value bool  // map: the value is next
	left  int32 // elements (pairs) not yet begun
}

// reader follows one message of the strict Thrift binary protocol while it
// passes by, in pieces of any size. Its memory is its own size: it never
// allocates, and bytes it does not need are counted, not looked at. It asks for
// nothing: feed takes what came.
//
// A reader is used by one goroutine at a time.
type reader struct {
	msg   message
	links linkSink // told of each link, before the message is complete; may be nil

	call     bool // a request, not a response
	progress progress
	phase    phase
	need     uint8 // size of the value awaited
	have     uint8 // bytes of it in scratch
	fieldTyp byte
	slot     slot  // what the value is
	shape    shape // of the value, if a struct or list
	depth    uint8
	pending  int64 // bytes left in inSkip, inCapture, inLink

	scratch  [32]byte
	frames   [maxDepth]frame
	hash     linkHash
	spelling linkSpelling
	link     handedLink
}

// start makes the reader ready for a message.
func (r *reader) start(call bool, links linkSink) {
	r.msg = message{}
	r.links, r.call = links, call
	r.progress, r.have, r.depth = following, 0, 0
	r.await(atVersion, 4)
}

func (r *reader) await(p phase, size uint8) { r.phase, r.need = p, size }

// feed takes the next bytes of the message. It does not keep p.
func (r *reader) feed(p []byte) {
	whole := true // what began in p may end in it
	for len(p) > 0 && r.progress == following {
		if r.phase >= inSkip {
			p = p[r.through(p):]
			continue
		}
		if r.phase == atFieldType && len(p) >= 3 && p[0] != tStop {
			r.meaning(p[0], int16(binary.BigEndian.Uint16(p[1:])))
			p = p[3:]
			if whole && r.slot == noSlot && r.shape == skipped {
				n := value(p, r.fieldTyp, maxDepth-int(r.depth))
				if whole = n > 0; whole {
					p = p[n:]
					continue // at the next field
				}
			}
			r.value(r.fieldTyp)
			continue
		}
		need := int(r.need)
		if r.have == 0 && len(p) >= need {
			if r.phase == atLength && r.slot == noSlot {
				if p = r.strings(p); len(p) < need {
					continue
				}
			}
			r.step(p[:need])
			p = p[need:]
			continue
		}
		n := copy(r.scratch[r.have:need], p)
		p = p[n:]
		if r.have += uint8(n); int(r.have) == need {
			r.have = 0
			r.step(r.scratch[:need])
		}
	}
}

// strings passes over whole elements of a list of strings, but for the last:
// the values of a column. The length of one is next.
func (r *reader) strings(p []byte) []byte {
	f := &r.frames[r.depth-1]
	if f.typ != tList || f.elem != tString {
		return p
	}
	left := f.left
	for len(p) >= 4 && left > 0 {
		n := int64(int32(binary.BigEndian.Uint32(p)))
		if n < 0 || n > int64(len(p)-4) {
			break
		}
		p = p[4+n:]
		left--
	}
	f.left = left
	return p
}

// through passes the bytes of a string and returns how many it took.
func (r *reader) through(p []byte) int {
	n := len(p)
	if int64(n) > r.pending {
		n = int(r.pending)
	}
	switch r.phase {
	case inCapture:
		r.have += uint8(copy(r.scratch[r.have:], p[:n]))
	case inLink:
		r.hash.write(p[:n])
		r.spelling.write(p[:n])
	}
	if r.pending -= int64(n); r.pending == 0 {
		r.passed()
	}
	return n
}

// step takes one value of fixed size.
func (r *reader) step(v []byte) {
	switch r.phase {
	case atFieldType:
		if v[0] == tStop {
			r.endStruct()
			return
		}
		r.fieldTyp = v[0]
		r.await(atFieldID, 2)
	case atFieldID:
		r.meaning(r.fieldTyp, int16(binary.BigEndian.Uint16(v)))
		r.value(r.fieldTyp)
	case atScalar:
		if !r.msg.set(r.slot, v) {
			r.progress = lost
			return
		}
		r.next()
	case atLength:
		r.length(int32(binary.BigEndian.Uint32(v)))
	case atList:
		r.list(v[0], int32(binary.BigEndian.Uint32(v[1:])))
	case atMap:
		r.mapping(v[0], v[1], int32(binary.BigEndian.Uint32(v[2:])))
	case atVersion:
		r.version(binary.BigEndian.Uint32(v))
	case atNameLength:
		n := int32(binary.BigEndian.Uint32(v))
		if n <= 0 || int(n) > len(r.scratch) {
			r.progress = lost
			return
		}
		r.await(atName, uint8(n))
	case atName:
		r.msg.method = methodNamed(v)
		r.await(atSequence, 4)
	case atSequence:
		r.msg.seq = int32(binary.BigEndian.Uint32(v))
		r.push(frame{typ: tStruct})
	}
}

func (r *reader) version(v uint32) {
	r.msg.typ = byte(v)
	call := r.msg.typ == callMessage
	if v&^0xff != 0x8001_0000 || call != r.call ||
		!call && r.msg.typ != replyMessage && r.msg.typ != exceptionMessage {
		r.progress = lost
		return
	}
	r.await(atNameLength, 4)
}

// meaning finds out what a field of the innermost struct is. Its value is next.
func (r *reader) meaning(typ byte, id int16) {
	r.fieldTyp = typ
	if r.depth > 1 {
		r.slot, r.shape = lookup(r.frames[r.depth-1].shape, id, typ)
	} else {
		r.slot, r.shape = r.root(id)
	}
}

// root knows the outermost struct: the arguments of a call, the result of a
// reply, or the exception itself.
func (r *reader) root(id int16) (slot, shape) {
	switch {
	case r.msg.typ == exceptionMessage:
		return lookup(exception, id, r.fieldTyp)
	case r.fieldTyp != tStruct:
	case r.call && id == 1:
		return noSlot, callShapes[r.msg.method]
	case !r.call && id == 0:
		return noSlot, replyShapes[r.msg.method]
	}
	return noSlot, skipped
}

// value begins a value of the given type; r.slot and r.shape say what it is.
func (r *reader) value(typ byte) {
	if int(typ) >= len(widths) {
		r.progress = lost
		return
	}
	if w := widths[typ]; w > 0 {
		if r.slot == noSlot {
			r.over(int64(w))
			return
		}
		r.await(atScalar, w)
		return
	}
	switch typ {
	case tString:
		r.await(atLength, 4)
	case tStruct:
		if r.slot != noSlot && !r.msg.setInt(r.slot, 1) {
			r.progress = lost
			return
		}
		r.push(frame{typ: tStruct, shape: r.shape})
	case tList, tSet:
		r.await(atList, 5)
	case tMap:
		r.await(atMap, 6)
	default:
		r.progress = lost
	}
}

// over passes n bytes by; n may be 0.
func (r *reader) over(n int64) {
	if n == 0 {
		r.next()
		return
	}
	r.phase, r.pending = inSkip, n
}

// length begins a string.
func (r *reader) length(n int32) {
	if n < 0 {
		r.progress = lost
		return
	}
	switch r.slot {
	case batchPayload:
		r.msg.batchBytes += int64(n)
	case linkURL:
		r.hash.reset()
		r.spelling = linkSpelling{}
		r.link.certain = false
		if n > 0 {
			r.phase, r.pending = inLink, int64(n)
			return
		}
	case sessionGUID, operationGUID:
		if n == int32(len(ID{})) {
			r.phase, r.pending = inCapture, int64(n)
			return
		}
	case statusSQLState, operationSQLState:
		if n == int32(len(sqlState{})) {
			r.phase, r.pending = inCapture, int64(n)
			return
		}
	}
	r.over(int64(n))
}

// passed ends a string.
func (r *reader) passed() {
	ok := true
	switch r.phase {
	case inCapture:
		r.have = 0
		ok = r.msg.setInt(r.slot, 1)
		switch r.slot {
		case sessionGUID:
			copy(r.msg.session[:], r.scratch[:])
		case operationGUID:
			copy(r.msg.operation[:], r.scratch[:])
		case statusSQLState:
			copy(r.msg.sqlState[:], r.scratch[:])
		case operationSQLState:
			copy(r.msg.operationSQLState[:], r.scratch[:])
		}
	case inLink:
		r.link.key, r.link.certain = r.hash.key(), r.spelling.certain()
	}
	if !ok {
		r.progress = lost
		return
	}
	r.next()
}

// list begins a list or set.
func (r *reader) list(elem byte, n int32) {
	if n < 0 || r.slot != noSlot && !r.listed(n) {
		r.progress = lost
		return
	}
	if n == 0 {
		r.next()
		return
	}
	if int(elem) < len(widths) && widths[elem] > 0 {
		r.over(int64(n) * int64(widths[elem]))
		return
	}
	shape := r.shape
	if elem != tStruct {
		shape = skipped
	}
	r.push(frame{typ: tList, shape: shape, elem: elem, left: n})
}

// listed notes the length of a list; of the columns' values only the first.
func (r *reader) listed(n int32) bool {
	if r.slot == columnValues && r.msg.has.has(columnValues) {
		return true
	}
	return r.msg.setInt(r.slot, int64(n))
}

// mapping begins a map. No map is of interest.
func (r *reader) mapping(key, val byte, n int32) {
	switch {
	case n < 0:
		r.progress = lost
	case n == 0:
		r.next()
	case int(key) < len(widths) && int(val) < len(widths) && widths[key] > 0 && widths[val] > 0:
		r.over(int64(n) * int64(widths[key]+widths[val]))
	default:
		r.push(frame{typ: tMap, elem: key, val: val, left: n})
	}
}

// push opens a struct or container and awaits its first part.
func (r *reader) push(f frame) {
	if int(r.depth) == len(r.frames) {
		r.progress = lost
		return
	}
	r.frames[r.depth] = f
	r.depth++
	switch f.shape {
	case batch:
		r.msg.has &^= 1<<batchPayload | 1<<batchRows
	case link:
		r.msg.has &^= 1<<linkURL | 1<<linkExpiry | 1<<linkOffset | 1<<linkRows | 1<<linkBytes
		r.link = handedLink{}
	}
	if f.typ == tStruct {
		r.await(atFieldType, 1)
		return
	}
	r.next()
}

// endStruct closes the innermost struct.
func (r *reader) endStruct() {
	r.depth--
	switch r.frames[r.depth].shape {
	case batch:
		r.msg.batches++
		r.msg.addRows(batchRows)
	case link:
		r.endLink()
	}
	r.next()
}

func (r *reader) endLink() {
	r.msg.links++
	r.msg.addRows(linkRows)
	if r.links == nil {
		return
	}
	r.link.expiry = r.msg.int(linkExpiry).Or(0)
	r.link.offset = r.msg.int(linkOffset).Or(0)
	r.link.rows = max(0, r.msg.int(linkRows).Or(0))
	r.link.bytes = max(0, r.msg.int(linkBytes).Or(0))
	r.links.handed(r.link)
}

// next decides what follows a finished value: the next element of the container
// around it, the next field, or the end of the message.
func (r *reader) next() {
	for {
		if r.depth == 0 {
			r.progress = complete
			return
		}
		f := &r.frames[r.depth-1]
		if f.typ == tStruct {
			r.await(atFieldType, 1)
			return
		}
		if f.elem == tString && f.typ == tList && f.left > 0 {
			// The values of a column, one by one.
			f.left--
			r.slot = noSlot
			r.await(atLength, 4)
			return
		}
		r.slot, r.shape = noSlot, f.shape
		if f.value {
			f.value = false
			r.value(f.val)
			return
		}
		if f.left > 0 {
			f.left--
			f.value = f.typ == tMap
			r.value(f.elem)
			return
		}
		r.depth--
	}
}
