package cloudfetch

import "encoding/binary"

// The message types of the Thrift protocol that matter here.
const (
	callMessage      = 1
	replyMessage     = 2
	exceptionMessage = 3
)

// ID is a session's or a statement's identifier, a GUID. The zero ID is unknown.
type ID [16]byte

// String writes it as the driver does: 8-4-4-4-12 in lower-case hex; "" for the zero ID.
func (id ID) String() string {
	if id == (ID{}) {
		return ""
	}
	const hex = "0123456789abcdef"
	var b [36]byte
	n := 0
	for i, c := range id {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			b[n] = '-'
			n++
		}
		b[n], b[n+1] = hex[c>>4], hex[c&15]
		n += 2
	}
	return string(b[:])
}

// sqlState holds an SQLSTATE: five capital letters or digits. Anything else a
// server may put there is text, and text is not kept.
type sqlState [5]byte

func (s sqlState) String() string {
	for _, c := range s {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return ""
		}
	}
	return string(s[:])
}

// message is what the reader keeps of one Thrift message. It holds no text and
// no reference; nothing in it counts before the message is complete.
type message struct {
	typ    byte
	method Method
	seq    int32
	has    slots // which of the values below were read

	session, operation ID
	sqlState           sqlState // TStatus 3
	operationSQLState  sqlState // TGetOperationStatusResp 3

	num [numSlots]int64 // integers, booleans (0, 1) and list lengths, by slot

	// Summed over the elements of a list.
	batches    int
	batchBytes int64
	rows       int64 // of batches, or of links
	rowsWrong  bool  // an element without a row count, or with a negative one
	links      int
}

// set stores a value of fixed size. Only one value of a slot is allowed outside
// of lists; it reports whether that held.
func (m *message) set(s slot, v []byte) bool {
	var n int64
	switch len(v) {
	case 1:
		n = int64(v[0])
	case 4:
		n = int64(int32(binary.BigEndian.Uint32(v)))
	case 8:
		n = int64(binary.BigEndian.Uint64(v))
	}
	return m.setInt(s, n)
}

func (m *message) setInt(s slot, n int64) bool {
	if m.has.has(s) && s < firstRepeated {
		return false
	}
	m.has |= 1 << s
	m.num[s] = n
	return true
}

func (m *message) int(s slot) Value[int64] { return Value[int64]{m.num[s], m.has.has(s)} }

func (m *message) bool(s slot) Value[bool] { return Value[bool]{m.num[s] != 0, m.has.has(s)} }

// refused reports whether the answer is an exception or an error status, in
// which case the driver looks no further than that.
func (m *message) refused() bool {
	if m.typ == exceptionMessage {
		return true
	}
	code := m.int(statusCode)
	return code.Known && (code.V == 3 || code.V == 4)
}

// addRows adds the row count of one batch or link.
func (m *message) addRows(s slot) {
	n := m.int(s)
	if !n.Known || n.V < 0 || m.rows+n.V < m.rows {
		m.rowsWrong = true
		return
	}
	m.rows += n.V
}

// pageRows counts the rows of the page in the message, by the driver's rule:
// batches if the list is present, else links, else the first column.
func (m *message) pageRows() Value[int64] {
	switch {
	case m.rowsWrong:
	case m.has.has(rowSetBatches) && m.has.has(rowSetLinks):
		// Never seen; the sums are mixed.
	case m.has.has(rowSetBatches), m.has.has(rowSetLinks):
		return known(m.rows)
	case m.has.has(columnValues):
		return m.int(columnValues)
	case m.has.has(rowSet) && m.num[rowSetRows] == 0:
		return known(int64(0))
	}
	return Value[int64]{}
}
