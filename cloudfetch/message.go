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

// guid is the identifier of a session, a statement or a request. The zero guid is unknown.
type guid [16]byte

// String returns a guid in lower case, as the driver writes it; "" for the zero guid.
func (id guid) String() string {
	if id == (guid{}) {
		return ""
	}
	return uuid.UUID(id).String()
}

// parseGUID parses what String returns, in upper or lower case. Any other text gives the zero guid.
func parseGUID(s string) guid {
	id, _ := uuid.Parse(s)
	return guid(id)
}

// sqlState holds a SQLSTATE: five capital letters or digits. Anything else that a server puts there
// is text, and is not kept.
type sqlState [5]byte

func (s sqlState) String() string {
	for _, c := range s {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return ""
		}
	}
	return string(s[:])
}

// message is what the reader keeps of one Thrift message. Its only texts are two names. It must not be used
// before the message is complete.
type message struct {
	typ    byte
	method method
	seq    int32
	has    fields // which of the values below were read

	session, operation guid
	sqlState           sqlState // TStatus 3
	operationSQLState  sqlState // TGetOperationStatusResp 3
	catalog, schema    string   // of an answer to OpenSession; empty for text that is not a name

	num [numFields]int64 // integers, booleans (0, 1) and list lengths, by field

	rows        int64 // sum over batches, or over links
	rowsUnknown bool  // an element without a row count, or with a negative one
}

// set stores a value of fixed size. It reports false for a second value of a field outside of lists,
// which is not allowed.
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

// setText stores a text that is kept, like setInt stores a number.
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

// maxName bounds the length of a name that is kept, in bytes. Unity Catalog allows 255 characters. A
// longer name is not kept at all, because its beginning would be a different name.
const maxName = 255

// nameOf returns the text of a name, or "" for text that is not a name.
func nameOf(text []byte) string {
	if !utf8.Valid(text) || bytes.ContainsFunc(text, unicode.IsControl) {
		return ""
	}
	return string(text)
}

// refused reports whether the answer is an exception or an error status. The driver does not read the
// rest of such an answer.
func (m *message) refused() bool {
	code := m.num[statusCode]
	return m.typ == exceptionMessage || code == 3 || code == 4
}

// addRows adds the row count of one batch or link.
func (m *message) addRows(f field) {
	n := m.num[f]
	if !m.has.has(f) || m.rows+n < m.rows { // negative, or the sum overflowed
		m.rowsUnknown = true
		return
	}
	m.rows += n
}

// pageRows returns the number of rows in the message's page, counted as the driver does: in batches
// if the list is present, otherwise in links, otherwise in the first column.
func (m *message) pageRows() telemetry.Maybe[int64] {
	batches, links := m.has.has(rowSetBatches), m.has.has(rowSetLinks)
	switch {
	case m.rowsUnknown, batches && links: // a page with both, which has never been seen, mixes their sums
	case batches, links:
		return telemetry.Known(m.rows)
	case m.has.has(columnValues):
		return telemetry.Known(m.num[columnValues])
	case m.num[rowSetRows] == 0:
		return telemetry.Known(int64(0))
	}
	return telemetry.Maybe[int64]{}
}

// The update functions copy a value from a message. If the message does not have the value, they
// leave the known one.

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

// updateEnum copies the name of an enum's number. A number without a name is unknown.
func updateEnum[S ~string](m *message, to *S, f field, names []S) {
	if !m.has.has(f) {
		return
	}
	*to = ""
	if n := m.num[f]; n >= 0 && n < int64(len(names)) {
		*to = names[n]
	}
}
