package cloudfetch

import (
	"encoding/binary"
	"io"
	"sync"
)

// maxDepth bounds the nesting of structs and containers that is followed. The deepest message of the
// driver, a schema inside direct results, has a depth of 16.
const maxDepth = 32

// progress is how far a reader has got.
type progress uint8

const (
	decoding    progress = iota
	complete             // the message ended; what follows is not read
	undecodable          // the message cannot be decoded; nothing more of it is read
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
	inSkip // bytes to skip
	inText // bytes to keep in text
)

// frame is a struct or a container that is not finished.
type frame struct {
	typ    byte       // tStruct, tList (sets too) or tMap
	inside structType // type of the struct, or of the elements
	elem   byte       // element or key type
	val    byte       // map value type
	value  bool       // map: the value is next
	left   int32      // elements (pairs) not yet begun
}

// reader follows one message of the strict Thrift binary protocol, which arrives in pieces of any
// size. It needs memory only for itself, one text and the list of links. Bytes that it does not need
// are counted, not read.
//
// A reader is used by one goroutine at a time.
type reader struct {
	msg   message
	links []link // in the order of the message

	call     bool // the message is a request, not a response
	progress progress
	phase    phase
	need     uint8 // size of the awaited value
	have     uint8 // bytes of it in scratch
	fieldTyp byte
	field    field      // what the value is
	inside   structType // type of the value, if a struct or list
	depth    uint8
	pending  int64 // bytes left in inSkip, inText

	scratch [32]byte
	frames  [maxDepth]frame
	link    link
	text    []byte // of an identifier, a code, a name or a link
}

var _ io.Writer = (*reader)(nil)

var readers = sync.Pool{New: func() any { return new(reader) }}

// newReader returns a reader for a call or for an answer. The caller must release it.
func newReader(call bool) *reader {
	r, _ := readers.Get().(*reader)
	r.start(call)
	return r
}

// release returns the reader to the pool, without a long list of links and without the text of a link that
// has not ended.
func (r *reader) release() {
	clear(r.text)
	if cap(r.links) > 256 {
		r.links = nil
	}
	readers.Put(r)
}

// start makes the reader ready for a message.
func (r *reader) start(call bool) {
	r.msg = message{}
	r.links, r.call = r.links[:0], call
	r.progress, r.have, r.depth = decoding, 0, 0
	r.await(atVersion, 4)
}

func (r *reader) await(p phase, size uint8) { r.phase, r.need = p, size }

// Write implements io.Writer.
func (r *reader) Write(p []byte) (int, error) {
	r.feed(p)
	return len(p), nil
}

// feed takes the next bytes of the message. It does not keep p.
func (r *reader) feed(p []byte) {
	whole := true // a value that began in p may end in it
	for len(p) > 0 && r.progress == decoding {
		if r.phase >= inSkip {
			p = p[r.feedString(p):]
			continue
		}
		if r.phase == atFieldType && len(p) >= 3 && p[0] != tStop {
			r.beginField(p[0], int16(binary.BigEndian.Uint16(p[1:])))
			p = p[3:]
			if whole && r.field == noField && r.inside == skipped {
				n := valueSize(p, r.fieldTyp, maxDepth-int(r.depth))
				if whole = n > 0; whole {
					p = p[n:]
					continue // at the next field
				}
			}
			r.beginValue(r.fieldTyp)
			continue
		}
		need := int(r.need)
		if r.have == 0 && len(p) >= need {
			if r.phase == atLength && r.field == noField {
				if p = r.skipStrings(p); len(p) < need {
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

// skipStrings skips the elements of a list of strings (the values of a column) that are complete in
// p, except for the last element. The next bytes are the length of an element.
func (r *reader) skipStrings(p []byte) []byte {
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

// feedString takes bytes of a string, or bytes to skip, and returns how many.
func (r *reader) feedString(p []byte) int {
	n := int(min(int64(len(p)), r.pending))
	if r.phase == inText {
		r.text = append(r.text, p[:n]...)
	}
	if r.pending -= int64(n); r.pending == 0 {
		r.endString()
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
		r.beginField(r.fieldTyp, int16(binary.BigEndian.Uint16(v)))
		r.beginValue(r.fieldTyp)
	case atScalar:
		if !r.msg.set(r.field, v) {
			r.progress = undecodable
			return
		}
		r.next()
	case atLength:
		r.beginString(int32(binary.BigEndian.Uint32(v)))
	case atList:
		r.beginList(v[0], int32(binary.BigEndian.Uint32(v[1:])))
	case atMap:
		r.beginMap(v[0], v[1], int32(binary.BigEndian.Uint32(v[2:])))
	case atVersion:
		r.beginMessage(binary.BigEndian.Uint32(v))
	case atNameLength:
		n := int32(binary.BigEndian.Uint32(v))
		if n <= 0 || int(n) > len(r.scratch) {
			r.progress = undecodable
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

func (r *reader) beginMessage(v uint32) {
	r.msg.typ = byte(v)
	call := r.msg.typ == callMessage
	if v&^0xff != 0x8001_0000 || call != r.call ||
		!call && r.msg.typ != replyMessage && r.msg.typ != exceptionMessage {
		r.progress = undecodable
		return
	}
	r.await(atNameLength, 4)
}

// beginField looks up a field of the innermost struct. The field's value is next.
func (r *reader) beginField(typ byte, id int16) {
	r.fieldTyp = typ
	if r.depth > 1 {
		r.field, r.inside = lookup(r.frames[r.depth-1].inside, id, typ)
	} else {
		r.field, r.inside = noField, r.rootStruct(id)
	}
}

// rootStruct looks up the struct of a field of the message: the arguments of a call, or the result of a
// reply. Only the fact that there was an exception is kept.
func (r *reader) rootStruct(id int16) structType {
	switch {
	case r.fieldTyp != tStruct:
	case r.call && id == 1:
		return callStructs[r.msg.method]
	case r.msg.typ == replyMessage && id == 0:
		return replyStructs[r.msg.method]
	}
	return skipped
}

// beginValue begins a value of the given type; r.field and r.inside say what it is.
func (r *reader) beginValue(typ byte) {
	if int(typ) >= len(widths) {
		r.progress = undecodable
		return
	}
	if w := widths[typ]; w > 0 {
		if r.field == noField {
			r.skip(int64(w))
			return
		}
		r.await(atScalar, w)
		return
	}
	switch typ {
	case tString:
		r.await(atLength, 4)
	case tStruct:
		if r.field != noField && !r.msg.setInt(r.field, 1) {
			r.progress = undecodable
			return
		}
		r.push(frame{typ: tStruct, inside: r.inside})
	case tList, tSet:
		r.await(atList, 5)
	case tMap:
		r.await(atMap, 6)
	default:
		r.progress = undecodable
	}
}

// skip skips n bytes; n may be 0.
func (r *reader) skip(n int64) {
	if n == 0 {
		r.next()
		return
	}
	r.phase, r.pending = inSkip, n
}

// beginString begins a string of n bytes.
func (r *reader) beginString(n int32) {
	if n < 0 {
		r.progress = undecodable
		return
	}
	kept := inSkip
	switch r.field {
	case linkURL:
		if r.link.canonical = false; n <= maxLink {
			kept = inText
		}
	case sessionGUID, operationGUID:
		if n == int32(len(guid{})) {
			kept = inText
		}
	case initialCatalog, initialSchema:
		if n <= maxName {
			kept = inText
		}
	case statusSQLState, operationSQLState:
		if n == int32(len(sqlState{})) {
			kept = inText
		}
	}
	r.text = r.text[:0]
	if r.skip(int64(n)); n > 0 {
		r.phase = kept
	}
}

// endString keeps the value of a complete string.
func (r *reader) endString() {
	switch {
	case r.field == linkURL:
		r.link.key, r.link.canonical = hashLink(r.text), isCanonical(r.text)
		clear(r.text)
	case r.phase == inText && !r.msg.setText(r.field, r.text):
		r.progress = undecodable
		return
	}
	r.next()
}

// beginList begins a list or set.
func (r *reader) beginList(elem byte, n int32) {
	if n < 0 || r.field != noField && !r.setLength(n) {
		r.progress = undecodable
		return
	}
	if n == 0 {
		r.next()
		return
	}
	if int(elem) < len(widths) && widths[elem] > 0 {
		r.skip(int64(n) * int64(widths[elem]))
		return
	}
	inside := r.inside
	if elem != tStruct {
		inside = skipped
	}
	r.push(frame{typ: tList, inside: inside, elem: elem, left: n})
}

// setLength keeps the length of a list, and for lists of column values, only that of the first list.
// It reports false for a list that came a second time but must not.
func (r *reader) setLength(n int32) bool {
	if r.field == columnValues && r.msg.has.has(columnValues) {
		return true
	}
	return r.msg.setInt(r.field, int64(n))
}

// beginMap begins a map, which is always skipped.
func (r *reader) beginMap(key, val byte, n int32) {
	switch {
	case n < 0:
		r.progress = undecodable
	case n == 0:
		r.next()
	default:
		r.push(frame{typ: tMap, elem: key, val: val, left: n})
	}
}

// push opens a struct or container and expects its first part.
func (r *reader) push(f frame) {
	if int(r.depth) == len(r.frames) {
		r.progress = undecodable
		return
	}
	r.frames[r.depth] = f
	r.depth++
	switch f.inside {
	case batchStruct:
		r.msg.has &^= 1 << batchRows
	case linkStruct:
		r.msg.has &^= 1<<linkRows | 1<<linkBytes
		r.link = link{}
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
	switch r.frames[r.depth].inside {
	case batchStruct:
		r.msg.addRows(batchRows)
	case linkStruct:
		if r.link.key == (linkKey{}) || !r.msg.has.has(linkRows) || !r.msg.has.has(linkBytes) {
			r.progress = undecodable // the driver also refuses it
			return
		}
		r.msg.addRows(linkRows)
		r.link.rows = max(0, r.msg.num[linkRows])
		r.link.bytes = max(0, r.msg.num[linkBytes])
		r.links = append(r.links, r.link)
	}
	r.next()
}

// next decides what follows a complete value: the next element of the enclosing container, the next
// field, or the end of the message.
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
		r.field, r.inside = noField, f.inside
		if f.value {
			f.value = false
			r.beginValue(f.val)
			return
		}
		if f.left > 0 {
			f.left--
			f.value = f.typ == tMap
			r.beginValue(f.elem)
			return
		}
		r.depth--
	}
}
