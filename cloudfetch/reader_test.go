package cloudfetch

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// outcome is all a reader has to say.
type outcome struct {
	progress progress
	msg      message
	links    []link

	catalog, schema string
}

func readPieces(call bool, pieces ...[]byte) outcome {
	var r reader
	r.start(call)
	for _, p := range pieces {
		r.feed(p)
	}
	if r.progress != complete {
		return outcome{progress: r.progress}
	}
	return outcome{r.progress, r.msg, r.links, r.msg.catalog, r.msg.schema}
}

// cut splits b at random places.
func cut(b []byte, rng *rand.Rand) [][]byte {
	var pieces [][]byte
	for len(b) > 0 {
		n := 1 + rng.IntN(min(len(b), 1+rng.IntN(64)))
		pieces, b = append(pieces, b[:n]), b[n:]
	}
	return pieces
}

func wireExamples() map[string][]byte {
	url := "https://bucket.s3.amazonaws.com/a/b%20c/file.arrow?X-Amz-Signature=abc&x=%2F"
	return map[string][]byte{
		"open session": wireReply(openSession, 1, fStatus(okStatus), fI32(2, 42248), fSession(3, sessionA),
			fStrings(4, "k", "v"), fList(1281, tStruct, structOf(fI32(3, 1))), fNamespace("main", "sales")),
		"close session":    wireReply(closeSession, 9, fStatus(okStatus)),
		"execute":          wireReply(executeStatement, 2, fStatus(okStatus), fHandle(2, operationA)),
		"execute direct":   directReply(2, true, fList(1281, tStruct, wireBatch(strings.Repeat("x", 3000), 30), wireBatch("y", 12))),
		"execute refused":  wireReply(executeStatement, 2, fStruct(1, fI32(1, 3), fString(3, "42P01"), fI32(4, 17), fString(5, "no such table t"))),
		"running":          statusReply(3, 1),
		"finished":         statusReply(4, 2, fI64(7, 1700000000123), fI64(8, 1700000001456), fI64(11, 5), fString(1281, "done")),
		"error state":      statusReply(4, 5, fString(3, "22012"), fI32(4, 35), fString(5, "division by zero in secret")),
		"metadata":         wireReply(getResultSetMetadata, 5, metadataOf(3)...),
		"links":            fetchReply(6, true, 10, fList(1282, tStruct, wireLink(url, 1700000000, 10, 20, 3000), wireLink(url+"2", 1700000000, 30, 5, 700))),
		"columns":          fetchReply(7, false, 0, fList(3, tStruct, structOf(fStruct(7, fList(1, tString, text("a"), text(""), text("c")), fString(2, "\x00"))), structOf(fStruct(5, fList(1, tI64, u64(1), u64(2), u64(3)), fString(2, "\x00"))))),
		"no columns":       fetchReply(7, false, 0),
		"bool columns":     fetchReply(7, false, 0, fList(3, tStruct, structOf(fStruct(1, wireField{1, tList, append([]byte{tBool}, append(u32(4), 0, 1, 0, 1)...)}, fString(2, ""))))),
		"exception":        wireException(fetchResults, 8, "Invalid SessionHandle secret"),
		"unknown method":   wireMessage(replyMessage, "GetTables", 8, structOf(fStruct(0, fStatus(okStatus)))),
		"deep unknown":     wireReply(closeOperation, 8, fStatus(okStatus), fStruct(99, fStruct(1, fList(1, tList, listOf(tString, text("q"))), fStrings(2, "a", "b")))),
		"execute request":  executeRequest(2),
		"fetch request":    operationRequest(fetchResults, 3, operationA),
		"session request":  wireCall(closeSession, 10, fSession(1, sessionA)),
		"open request":     wireCall(openSession, 1, fStrings(4, "k", "v"), fI64(1282, 42248), fStruct(1284, fString(1, "c")), fBool(1285, true)),
		"empty containers": wireReply(fetchResults, 8, fStatus(okStatus), fStrings(77), fList(78, tStruct), fString(79, "")),
	}
}

func isCall(b []byte) bool { return len(b) > 3 && b[3] == callMessage }

func TestReaderGivesTheSameForReadsOfAnySize(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for name, b := range wireExamples() {
		t.Run(name, func(t *testing.T) {
			whole := readPieces(isCall(b), b)
			require.Equal(t, complete, whole.progress)
			ones := make([][]byte, len(b))
			for i := range b {
				ones[i] = b[i : i+1]
			}
			require.Equal(t, whole, readPieces(isCall(b), ones...))
			for range 50 {
				require.Equal(t, whole, readPieces(isCall(b), cut(b, rng)...))
			}
			// What follows the message is not looked at.
			require.Equal(t, whole, readPieces(isCall(b), b, []byte("trailing")))
		})
	}
}

func TestReaderIsNotCompleteBeforeTheEnd(t *testing.T) {
	for name, b := range wireExamples() {
		for n := range b {
			require.Equal(t, decoding, readPieces(isCall(b), b[:n]).progress, "%s cut at %d of %d", name, n, len(b))
		}
	}
}

func TestReaderKeepsTheFactsOfAMessage(t *testing.T) {
	examples := wireExamples()
	read := func(name string) message { return readPieces(isCall(examples[name]), examples[name]).msg }

	m := read("open session")
	require.Equal(t, openSession, m.method)
	require.Equal(t, guid([]byte(sessionA)), m.session)

	m = read("execute direct")
	require.EqualValues(t, 2, m.seq)
	require.Equal(t, guid([]byte(operationA)), m.operation)
	require.Equal(t, telemetry.Known(int64(42)), m.pageRows())
	require.EqualValues(t, 2, m.num[operationState])
	require.Equal(t, int64(1700000000123), m.num[operationStarted])
	require.EqualValues(t, 9000, m.num[uncompressedBytes])

	m = read("execute refused")
	require.True(t, m.refused())
	require.Equal(t, "42P01", m.sqlState.String())

	m = read("error state")
	require.False(t, m.refused())
	require.Equal(t, "22012", m.operationSQLState.String())

	m = read("columns")
	require.Equal(t, telemetry.Known(int64(3)), m.pageRows())
	m = read("bool columns")
	require.Equal(t, telemetry.Known(int64(4)), m.pageRows())

	m = read("exception")
	require.True(t, m.refused())

	m = read("unknown method")
	require.Equal(t, unknownMethod, m.method)

	m = read("execute request")
	require.Equal(t, guid([]byte(sessionA)), m.session)

	m = read("fetch request")
	require.Equal(t, guid([]byte(operationA)), m.operation)
}

func TestReaderStopsAtWhatItCannotDecode(t *testing.T) {
	lists := func(n int) []byte {
		b := append([]byte{tString}, u32(0)...)
		for range n {
			b = append(append([]byte{tList}, u32(1)...), b...)
		}
		return b
	}
	for name, b := range map[string][]byte{
		"html":               []byte("<html><body>login</body></html>"),
		"json":               []byte(`{"error":"x"}`),
		"compact":            {0x82, 0x21, 0x01, 0x02},
		"not strict":         append(text("FetchResults"), 2, 0, 0, 0, 1),
		"call as reply":      executeRequest(1),
		"long name":          wireMessage(replyMessage, strings.Repeat("x", 33), 1, structOf()),
		"negative length":    wireMessage(replyMessage, "FetchResults", 1, []byte{tString, 0, 9, 0xff, 0xff, 0xff, 0xff, 0}),
		"negative list":      wireMessage(replyMessage, "FetchResults", 1, []byte{tList, 0, 9, tI64, 0xff, 0xff, 0xff, 0xff, 0}),
		"negative map":       wireMessage(replyMessage, "FetchResults", 1, []byte{tMap, 0, 9, tI64, tI64, 0xff, 0xff, 0xff, 0xff, 0}),
		"unknown type":       wireMessage(replyMessage, "FetchResults", 1, []byte{5, 0, 1, 0}),
		"type out of range":  wireMessage(replyMessage, "FetchResults", 1, []byte{99, 0, 1, 0}),
		"too deep":           wireReply(fetchResults, 1, wireField{9, tList, lists(40)}),
		"value given twice":  wireReply(getOperationStatus, 1, fI32(2, 1), fI32(2, 2)),
		"list given twice":   fetchReply(1, false, 0, fList(1281, tStruct), fList(1281, tStruct)),
		"result given twice": wireReply(fetchResults, 1, rowsOf(0), rowsOf(0)),
		"guid given twice":   wireReply(executeStatement, 1, fHandle(2, operationA), fHandle(2, operationB)),
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, undecodable, readPieces(false, b).progress) })
	}
}

func TestReaderDoesNotCountWhatItCannotTrust(t *testing.T) {
	for name, b := range map[string][]byte{
		"negative rows":      fetchReply(1, false, 0, fList(1281, tStruct, wireBatch("x", -1))),
		"missing rows":       fetchReply(1, false, 0, fList(1281, tStruct, structOf(fString(1, "x")))),
		"rows of wrong type": fetchReply(1, false, 0, fList(1281, tStruct, structOf(fString(1, "x"), fI32(2, 5)))),
		"overflow":           fetchReply(1, false, 0, fList(1281, tStruct, wireBatch("x", 1<<62), wireBatch("x", 1<<62))),
		"both kinds":         fetchReply(1, false, 0, fList(1281, tStruct, wireBatch("x", 1)), fList(1282, tStruct, wireLink("https://h/p", 0, 0, 1, 1))),
		"row based":          wireReply(fetchResults, 1, fStatus(okStatus), fStruct(3, fI64(1, 0), fList(2, tStruct, structOf()))),
	} {
		t.Run(name, func(t *testing.T) {
			o := readPieces(false, b)
			require.Equal(t, complete, o.progress)
			_, known := o.msg.pageRows().Get()
			require.False(t, known)
		})
	}
	// Server text is not an SQLSTATE.
	m := readPieces(false, wireReply(executeStatement, 1, fStruct(1, fI32(1, 3), fString(3, "table")))).msg
	require.Empty(t, m.sqlState.String())
	m = readPieces(false, wireReply(executeStatement, 1, fHandle(2, "short guid"))).msg
	require.False(t, m.has.has(operationGUID))
}

func TestReaderMemoryIsBounded(t *testing.T) {
	var r reader
	perMessage := unsafe.Sizeof(exchangeBody{}) + 2*unsafe.Sizeof(reader{})
	require.Less(t, int(perMessage), 8<<10)
	t.Logf("%d bytes per message in flight, %d per trace, %d per file", perMessage, unsafe.Sizeof(Trace{}), unsafe.Sizeof(file{}))
	b := wireExamples()["execute direct"]
	require.Zero(t, testing.AllocsPerRun(100, func() {
		r.start(false)
		r.feed(b)
	}))
}

func TestReaderSkipsWhatIsAnnounced(t *testing.T) {
	// A batch of 2 GiB - 1 that passes in one read of nothing.
	b := fetchReply(1, false, 0, fList(1281, tStruct, structOf(fString(1, "PAYLOAD"), fI64(2, 5))))
	at := bytes.Index(b, []byte("PAYLOAD"))
	var r reader
	r.start(false)
	r.feed(b[:at-4])
	r.feed(u32(1<<31 - 1))
	require.EqualValues(t, 1<<31-1, r.pending)
	chunk := make([]byte, 64<<10)
	for left := 1<<31 - 1; left > 0; left -= min(left, len(chunk)) {
		r.feed(chunk[:min(left, len(chunk))])
	}
	r.feed(b[at+len("PAYLOAD"):])
	require.Equal(t, complete, r.progress)
	require.EqualValues(t, 5, r.msg.rows)
}
