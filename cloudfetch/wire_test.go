package cloudfetch

import (
	"encoding/binary"
	"math"
)

// A tiny encoder of the Thrift binary protocol.

type wireField struct {
	id  int16
	typ byte
	val []byte
}

func u16(v int16) []byte { return binary.BigEndian.AppendUint16(nil, uint16(v)) }
func u32(v int32) []byte { return binary.BigEndian.AppendUint32(nil, uint32(v)) }
func u64(v int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(v)) }

func text(s string) []byte { return append(u32(int32(len(s))), s...) }

func structOf(fields ...wireField) []byte {
	var b []byte
	for _, f := range fields {
		b = append(b, f.typ)
		b = append(b, u16(f.id)...)
		b = append(b, f.val...)
	}
	return append(b, tStop)
}

func listOf(elem byte, elems ...[]byte) []byte {
	b := append([]byte{elem}, u32(int32(len(elems)))...)
	for _, e := range elems {
		b = append(b, e...)
	}
	return b
}

func fBool(id int16, v bool) wireField {
	b := byte(0)
	if v {
		b = 1
	}
	return wireField{id, tBool, []byte{b}}
}
func fI16(id int16, v int16) wireField           { return wireField{id, tI16, u16(v)} }
func fI32(id int16, v int32) wireField           { return wireField{id, tI32, u32(v)} }
func fI64(id int16, v int64) wireField           { return wireField{id, tI64, u64(v)} }
func fString(id int16, v string) wireField       { return wireField{id, tString, text(v)} }
func fStruct(id int16, f ...wireField) wireField { return wireField{id, tStruct, structOf(f...)} }
func fList(id int16, elem byte, elems ...[]byte) wireField {
	return wireField{id, tList, listOf(elem, elems...)}
}
func fDouble(id int16, v float64) wireField {
	return wireField{id, tDouble, u64(int64(math.Float64bits(v)))}
}
func fNamespace(catalog, schema string) wireField {
	return fStruct(1284, fString(1, catalog), fString(2, schema))
}

func fStrings(id int16, kv ...string) wireField {
	b := append([]byte{tString, tString}, u32(int32(len(kv)/2))...)
	for _, s := range kv {
		b = append(b, text(s)...)
	}
	return wireField{id, tMap, b}
}

func wireMessage(typ byte, method string, seq int32, root []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, 0x8001_0000|uint32(typ))
	b = append(b, text(method)...)
	b = append(b, u32(seq)...)
	return append(b, root...)
}

func wireCall(m method, seq int32, fields ...wireField) []byte {
	return wireMessage(callMessage, m.String(), seq, structOf(fStruct(1, fields...)))
}

func wireReply(m method, seq int32, fields ...wireField) []byte {
	return wireMessage(replyMessage, m.String(), seq, structOf(fStruct(0, fields...)))
}

func wireException(m method, seq int32, text string) []byte {
	return wireMessage(exceptionMessage, m.String(), seq, structOf(fString(1, text), fI32(2, 6)))
}

const okStatus = 0

func fStatus(code int32) wireField { return fStruct(1, fI32(1, code)) }

func fHandle(id int16, g string) wireField {
	return fStruct(id, fStruct(1, fString(1, g), fString(2, "secret-secret-se")), fI32(2, 0), fBool(3, true))
}

func fSession(id int16, g string) wireField {
	return fStruct(id, fStruct(1, fString(1, g), fString(2, "secret-secret-se")))
}

const (
	sessionA   = "session-A-guid-0"
	operationA = "operation-A-guid"
	operationB = "operation-B-guid"
)

func operationID(g string) string { return guid([]byte(g)).String() }

func wireLink(url string, expiry, offset, rows, size int64) []byte {
	return structOf(fString(1, url), fI64(2, expiry), fI64(3, offset), fI64(4, rows), fI64(5, size),
		fStrings(6, "x-ms-header", "value"))
}

func wireBatch(payload string, rows int64) []byte {
	return structOf(fString(1, payload), fI64(2, rows))
}

func wireSchema(names ...string) wireField {
	var cols [][]byte
	for i, n := range names {
		entry := structOf(fStruct(1, fI32(1, 7), fStruct(2, fStrings(1))))
		cols = append(cols, structOf(fString(1, n), fStruct(2, fList(1, tStruct, entry)), fI32(3, int32(i))))
	}
	return fStruct(2, fList(1, tStruct, cols...))
}

func metadataOf(format int32) []wireField {
	return []wireField{
		fStatus(okStatus), wireSchema("a", "b", "c"), fI32(1281, format), fBool(1282, true),
		fString(1283, "arrow schema bytes"), fI32(1284, 3), fI64(1285, 9000), fI64(1286, 900), fBool(1287, false),
	}
}

func rowsOf(offset int64, more ...wireField) wireField {
	return fStruct(3, append([]wireField{fI64(1, offset), fList(2, tStruct)}, more...)...)
}

// executeRequest is what the driver sends, with a statement that must not be kept.
func executeRequest(seq int32) []byte {
	return wireCall(executeStatement, seq,
		fSession(1, sessionA), fString(2, "SELECT secret FROM table"), fStrings(3, "query_tags", "a:b"),
		fBool(4, true), fI64(5, 0), fStruct(1281, fI64(1, 100000)), fBool(1282, true), fBool(1283, true),
		fBool(1284, true), fStruct(1286, fBool(1, true)),
		fList(1288, tStruct, structOf(fI32(1, 1), fString(2, "p"), fString(3, "STRING"), fStruct(4, fString(1, "x"), fDouble(2, 1.5)))))
}

func directReply(seq int32, closed bool, page ...wireField) []byte {
	direct := []wireField{
		fStruct(1, fStatus(okStatus), fI32(2, 2), fI64(7, 1700000000123), fI64(8, 1700000001456), fI64(11, 7)),
		fStruct(2, metadataOf(0)...),
		fStruct(3, fStatus(okStatus), fBool(2, !closed), rowsOf(0, page...)),
	}
	if closed {
		direct = append(direct, fStruct(4, fStatus(okStatus)))
	}
	return wireReply(executeStatement, seq, fStatus(okStatus), fHandle(2, operationA), fStruct(1281, direct...))
}

func operationRequest(m method, seq int32, operation string) []byte {
	fields := []wireField{fHandle(1, operation)}
	if m == fetchResults {
		fields = append(fields, fI32(2, 0), fI64(3, 100000), fI16(4, 0), fBool(1283, true))
	}
	return wireCall(m, seq, fields...)
}

func fetchReply(seq int32, more bool, offset int64, page ...wireField) []byte {
	return wireReply(fetchResults, seq, fStatus(okStatus), fBool(2, more), rowsOf(offset, page...),
		fStruct(1281, metadataOf(3)...))
}

func statusReply(seq, state int32, fields ...wireField) []byte {
	return wireReply(getOperationStatus, seq, append([]wireField{fStatus(okStatus), fI32(2, state)}, fields...)...)
}
