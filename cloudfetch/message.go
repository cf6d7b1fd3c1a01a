package cloudfetch

import (
	"bytes"
	"encoding/binary"
	"unicode"
	"unicode/utf8"

	"github.com/seed-01322ee7/databricks-telemetry/internal/uuid"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// The message types of the Thrift protocol that matter here.
const (
	callMessage      = 1
	replyMessage     = 2
	exceptionMessage = 3
)

// guid is a session's or a statement's identifier. The zero guid is unknown.
type guid [16]byte

// String writes a guid as the driver does, in lower case; "" for the zero guid.
func (id guid) String() string {
	if id == (guid{}) {
		return ""
	}
	return uuid.UUID(id).String()
}

// parseGUID reads what String writes, in either case; anything else is unknown.
func parseGUID(s string) guid {
	id, _ := uuid.Parse(s)
	return guid(id)
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

// message is what the reader keeps of one Thrift message. The only text in it is that of two names. Nothing
// in it may be used before the message is complete.
type message struct {
	typ    byte
	method method
	seq    int32
	has    fields // which of the values below were read

	session, operation guid
	sqlState           sqlState // TStatus 3
	operationSQLState  sqlState // TGetOperationStatusResp 3
	catalog, schema    string   // of an answer to OpenSession; empty for what is no name

	num [numFields]int64 // integers, booleans (0, 1) and list lengths, by field

	rows        int64 // summed over batches, or over links
	rowsUnknown bool  // an element without a row count, or with a negative one
}

// set stores a value of fixed size. Only one value of a field is allowed outside
// of lists; set reports whether that held.
func (m *message) set(f field, v []byte) bool {
	var n int64
	switch len(v) {
	case 1:
		n = int64(v[0])
	case 4:
		n = int64(int32(binary.BigEndian.Uint32(v)))
	case 8:
		n = int64(binary.BigEndian.Uint64(v))
	}
	return m.setInt(f, n)
}

func (m *message) setInt(f field, n int64) bool {
	if m.has.has(f) && f < firstRepeated {
		return false
	}
	m.has |= 1 << f
	m.num[f] = n
	return true
}

// setText stores a text that is kept, as setInt does a number.
func (m *message) setText(f field, text []byte) bool {
	switch f {
	case sessionGUID:
		copy(m.session[:], text)
	case operationGUID:
		copy(m.operation[:], text)
	case statusSQLState:
		copy(m.sqlState[:], text)
	case operationSQLState:
		copy(m.operationSQLState[:], text)
	case initialCatalog:
		m.catalog = nameOf(text)
	case initialSchema:
		m.schema = nameOf(text)
	}
	return m.setInt(f, 1)
}

// maxName bounds a name that is kept, in bytes: Unity Catalog allows 255 characters. A longer one
// is not kept at all, because the beginning of a name is another name.
const maxName = 255

// nameOf returns the text of a name; empty for what is none.
func nameOf(text []byte) string {
	if !utf8.Valid(text) || bytes.ContainsFunc(text, unicode.IsControl) {
		return ""
	}
	return string(text)
}

// refused reports whether the answer is an exception or an error status, in
// which case the driver looks no further than that.
func (m *message) refused() bool {
	code := m.num[statusCode]
	return m.typ == exceptionMessage || m.has.has(statusCode) && (code == 3 || code == 4)
}

// addRows adds the row count of one batch or link.
func (m *message) addRows(f field) {
	n := m.num[f]
	if !m.has.has(f) || n < 0 || m.rows+n < m.rows {
		m.rowsUnknown = true
		return
	}
	m.rows += n
}

// pageRows counts the rows of the page in the message, by the driver's rule:
// batches if the list is present, else links, else the first column.
func (m *message) pageRows() telemetry.Maybe[int64] {
	batches, links := m.has.has(rowSetBatches), m.has.has(rowSetLinks)
	switch {
	case m.rowsUnknown, batches && links: // a page with both, which was never seen, mixes their sums
	case batches, links:
		return telemetry.Known(m.rows)
	case m.has.has(columnValues):
		return telemetry.Known(m.num[columnValues])
	case m.has.has(rowSet) && m.num[rowSetRows] == 0:
		return telemetry.Known(int64(0))
	}
	return telemetry.Maybe[int64]{}
}

// The update functions take over a value that a message holds. Where the message has none, they
// leave what is known.

func (m *message) updateInt(to *telemetry.Maybe[int64], f field) {
	if m.has.has(f) {
		*to = telemetry.Known(m.num[f])
	}
}

func (m *message) updateBool(to *telemetry.Maybe[bool], f field) {
	if m.has.has(f) {
		*to = telemetry.Known(m.num[f] != 0)
	}
}

// updateEnum takes over the name of an enum's number; a number without a name is unknown.
func updateEnum[S ~string](m *message, to *S, f field, names []S) {
	if !m.has.has(f) {
		return
	}
	*to = ""
	if n := m.num[f]; n >= 0 && n < int64(len(names)) {
		*to = names[n]
	}
}
