package wire

import (
	"encoding/hex"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func ptr[T any](v T) *T { return &v }

// TestCallBytesAreThoseOfTheProtocol pins the encoding to bytes written down by hand from
// the protocol's description, so that writer and reader cannot be wrong together.
func TestCallBytesAreThoseOfTheProtocol(t *testing.T) {
	req := &GetOperationStatusReq{OperationHandle: &OperationHandle{
		OperationID: &HandleIdentifier{GUID: []byte("\x01\x02"), Secret: []byte("\x03")}, HasResultSet: true,
	}}
	got := AppendCall(nil, "GetOperationStatus", 5, req)
	want := strings.Join([]string{
		"80010001",                                                   // version 1, call
		"00000012", hex.EncodeToString([]byte("GetOperationStatus")), // name
		"00000005",                   // sequence number
		"0c0001",                     // 1: the argument, a struct
		"0c0001",                     // 1: operationHandle
		"0c0001",                     // 1: operationId
		"0b0001", "00000002", "0102", // 1: guid
		"0b0002", "00000001", "03", // 2: secret
		"00",                 // end of operationId
		"080002", "00000000", // 2: operationType, i32
		"020003", "01", // 3: hasResultSet, bool
		"00", "00", "00", // end of operationHandle, of the request, of the arguments
	}, "")
	assert.Equal(t, want, hex.EncodeToString(got))
}

// messages are one filled value of every message, with the ends of every value range.
func messages() []any {
	status := &Status{StatusCode: StatusError, InfoMessages: []string{"*", ""}, SQLState: ptr("42P01"), ErrorCode: ptr(int32(-1)),
		ErrorMessage: ptr("no such table"), DisplayMessage: ptr("Zürich \x00 \U0001F9F1")}
	op := &OperationHandle{OperationID: &HandleIdentifier{GUID: make([]byte, 16), Secret: []byte{1}, ExecutionVersion: ptr(int16(-1))}, HasResultSet: true}
	session := &SessionHandle{SessionID: &HandleIdentifier{GUID: []byte{9}, Secret: []byte{}}, ServerProtocolVersion: ptr(ProtocolSparkV8)}
	opStatus := &GetOperationStatusResp{Status: status, OperationState: ptr(StateTimedOut), OperationStarted: ptr(int64(1)),
		OperationCompleted: ptr(int64(math.MaxInt64)), HasResultSet: ptr(false), NumModifiedRows: ptr(int64(-1)), IdempotencyType: ptr(Idempotent)}
	meta := &GetResultSetMetadataResp{Status: status, ResultFormat: ptr(FormatURL), LZ4Compressed: ptr(true),
		ArrowSchema: []byte{0xff}, CacheLookupResult: ptr(CacheMiss), IsStagingOperation: ptr(false),
		NoCloudFetchReason: ptr(NoCloudFetchSmall), CacheLookupLatency: ptr(int64(1)), Truncated: ptr(true),
		Schema: &TableSchema{Columns: []*ColumnDesc{{ColumnName: "d", Position: 1, Comment: ptr(""), TypeDesc: &TypeDesc{Types: []*TypeEntry{{
			PrimitiveEntry: &PrimitiveTypeEntry{Type: 15, TypeQualifiers: &TypeQualifiers{
				Qualifiers: map[string]*TypeQualifierValue{"scale": {I32Value: ptr(int32(2))}},
			}},
		}}}}}}}
	fetch := &FetchResultsResp{Status: status, HasMoreRows: ptr(true), ResultSetMetadata: meta, Results: &RowSet{
		StartRowOffset: 7, Rows: []*Row{},
		Columns: []*Column{
			{Bool: &BoolColumn{Values: []bool{true, false}, Nulls: []byte{2}}},
			{Byte: &ByteColumn{Values: []int8{math.MinInt8, math.MaxInt8}, Nulls: []byte{}}},
			{I16: &I16Column{Values: []int16{math.MinInt16, math.MaxInt16}, Nulls: []byte{}}},
			{I32: &I32Column{Values: []int32{math.MinInt32, math.MaxInt32}, Nulls: []byte{}}},
			{I64: &I64Column{Values: []int64{math.MinInt64, math.MaxInt64}, Nulls: []byte{}}},
			{Double: &DoubleColumn{Values: []float64{math.Inf(-1), math.SmallestNonzeroFloat64}, Nulls: []byte{}}},
			{String: &StringColumn{Values: []string{"", "x"}, Nulls: []byte{1}}},
			{Binary: &BinaryColumn{Values: [][]byte{{}, {0, 1}}, Nulls: []byte{}}},
		},
		ArrowBatches: []*ArrowBatch{{Batch: []byte{1}, RowCount: 2}},
		ResultLinks:  []*ResultLink{{FileLink: "u", ExpiryTime: 1, BytesNum: 2, HTTPHeaders: map[string]string{"a": "b"}}},
	}}
	return []any{
		&OpenSessionReq{Configuration: map[string]string{"k": "v"}, ClientProtocolI64: ptr(int64(42248)),
			InitialNamespace: &Namespace{CatalogName: ptr("c"), SchemaName: ptr("s")}, CanUseMultipleCatalogs: ptr(true)},
		&OpenSessionResp{Status: status, ServerProtocolVersion: ProtocolSparkV8, SessionHandle: session},
		&CloseSessionReq{SessionHandle: session}, &CloseSessionResp{Status: status},
		&ExecuteStatementReq{SessionHandle: session, Statement: "SELECT 1", ConfOverlay: map[string]string{},
			RunAsync: true, QueryTimeout: 9, GetDirectResults: &GetDirectResults{MaxRows: 1, MaxBytes: ptr(int64(2))},
			CanReadArrowResult: ptr(true), UseArrowNativeTypes: &ArrowTypes{DecimalAsArrow: ptr(true)},
			Parameters: []*Parameter{{Name: ptr("p"), Type: ptr("STRING"), Value: &ParameterValue{StringValue: ptr("v")}}, {}}},
		&ExecuteStatementResp{Status: status, OperationHandle: op, DirectResults: &DirectResults{
			OperationStatus: opStatus, ResultSetMetadata: meta, ResultSet: fetch,
			CloseOperation: &CloseOperationResp{Status: status}}},
		&GetOperationStatusReq{OperationHandle: op}, opStatus,
		&GetResultSetMetadataReq{OperationHandle: op}, meta,
		&FetchResultsReq{OperationHandle: op, Orientation: FetchPrior, MaxRows: -1, StartRowOffset: ptr(int64(3))}, fetch,
		&CancelOperationReq{OperationHandle: op}, &CancelOperationResp{Status: status},
		&CloseOperationReq{OperationHandle: op}, &CloseOperationResp{Status: status},
	}
}

func TestEveryMessageSurvivesARoundTrip(t *testing.T) {
	for _, m := range messages() {
		v := reflect.ValueOf(m).Elem()
		t.Run(v.Type().Name(), func(t *testing.T) {
			bytes := marshal(nil, v)
			back := reflect.New(v.Type())
			require.NoError(t, unmarshal(bytes, back.Elem()))
			assert.Equal(t, m, back.Interface())
		})
	}
}

func TestZeroMessagesSurviveARoundTrip(t *testing.T) {
	for _, m := range messages() {
		zero := reflect.New(reflect.TypeOf(m).Elem())
		back := reflect.New(reflect.TypeOf(m).Elem())
		require.NoError(t, unmarshal(marshal(nil, zero.Elem()), back.Elem()))
		assert.Equal(t, zero.Interface(), back.Interface())
	}
}

func TestReplyAndExceptionRepeatTheCallsHeader(t *testing.T) {
	call := AppendCall(nil, "CloseSession", 42, &CloseSessionReq{})
	h, rest, err := ReadHeader(call)
	require.NoError(t, err)
	assert.Equal(t, Header{Type: Call, Method: "CloseSession", Seq: 42}, h)
	_, err = Argument[CloseSessionReq](rest)
	require.NoError(t, err)

	reply, rest, err := ReadHeader(AppendReply(nil, h, &CloseSessionResp{Status: &Status{StatusCode: StatusInvalidHandle}}))
	require.NoError(t, err)
	assert.Equal(t, Header{Type: Reply, Method: "CloseSession", Seq: 42}, reply)
	resp, err := Result[CloseSessionResp](rest)
	require.NoError(t, err)
	assert.Equal(t, StatusInvalidHandle, resp.Status.StatusCode)

	refusal, _, err := ReadHeader(AppendException(nil, h, ApplicationException{Message: "no", Kind: ExceptionInternal}))
	require.NoError(t, err)
	assert.Equal(t, Header{Type: Exception, Method: "CloseSession", Seq: 42}, refusal)
}

// everything has one field of each shape a message may contain that nobody reads.
type everything struct {
	Statement string              `thrift:"2"`
	Bool      bool                `thrift:"20"`
	Byte      int8                `thrift:"21"`
	Short     int16               `thrift:"22"`
	Int       int32               `thrift:"23"`
	Long      int64               `thrift:"24"`
	Double    float64             `thrift:"25"`
	Struct    *OperationHandle    `thrift:"26"`
	List      []*Status           `thrift:"27"`
	Map       map[string][]string `thrift:"28"`
	Clash     string              `thrift:"5"` // queryTimeout is an i64
}

func TestUnknownFieldsAndWrongTypesAreSkipped(t *testing.T) {
	sent := everything{Statement: "SELECT 1", Struct: &OperationHandle{}, List: []*Status{{}, {}},
		Map: map[string][]string{"a": {"b"}}, Clash: "not a number"}
	var got ExecuteStatementReq
	require.NoError(t, unmarshal(marshal(nil, reflect.ValueOf(sent)), reflect.ValueOf(&got).Elem()))
	assert.Equal(t, ExecuteStatementReq{Statement: "SELECT 1"}, got)
}

func TestListOfAnotherElementTypeReadsAsEmpty(t *testing.T) {
	type ints struct {
		Values []int32 `thrift:"1"`
	}
	var got I64Column
	require.NoError(t, unmarshal(marshal(nil, reflect.ValueOf(ints{[]int32{1, 2}})), reflect.ValueOf(&got).Elem()))
	assert.Empty(t, got.Values)
}

func TestHostileLengthsAreRefusedWithoutAllocating(t *testing.T) {
	for name, c := range map[string]struct {
		message string
		err     error
	}{
		"empty":                       {"", ErrTruncated},
		"not strict":                  {"00000001", ErrNotStrict},
		"name longer than message":    {"80010001" + "7fffffff", ErrBadLength},
		"negative name":               {"80010001" + "ffffffff", ErrBadLength},
		"no argument":                 {"80010001" + "00000000" + "00000001" + "00", ErrNoArgument},
		"list of two billion i64":     {"80010001" + "00000000" + "00000001" + "0c0001" + "0f0504" + "0a" + "7fffffff", ErrBadLength},
		"list of a type there is not": {"80010001" + "00000000" + "00000001" + "0c0001" + "0f0504" + "09" + "00000001", ErrBadType},
		"map of two billion entries":  {"80010001" + "00000000" + "00000001" + "0c0001" + "0d0003" + "0b0b" + "7fffffff", ErrBadLength},
		"string cut off":              {"80010001" + "00000000" + "00000001" + "0c0001" + "0b0002" + "00000005" + "61", ErrBadLength},
		"structs without end":         {"80010001" + "00000000" + "00000001" + strings.Repeat("0c0001", 100), ErrTooDeep},
		"unknown type byte":           {"80010001" + "00000000" + "00000001" + "0c0001" + "630002", ErrBadType},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := hex.DecodeString(c.message)
			require.NoError(t, err)
			_, rest, err := ReadHeader(b)
			if err == nil {
				_, err = Argument[ExecuteStatementReq](rest)
			}
			assert.ErrorIs(t, err, c.err)
		})
	}
}

func FuzzReadCall(f *testing.F) {
	for _, m := range messages() {
		v := reflect.ValueOf(m).Elem()
		f.Add(marshal(appendHeader(nil, Header{Type: Call, Method: "M", Seq: 1}), v))
	}
	f.Add(AppendCall(nil, "ExecuteStatement", 1, messages()[4].(*ExecuteStatementReq)))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		_, rest, err := ReadHeader(b)
		if err != nil {
			return
		}
		for _, m := range messages() {
			v := reflect.New(reflect.TypeOf(m).Elem())
			if unmarshal(rest, v.Elem()) != nil {
				continue
			}
			// What was read can be written and read again without change.
			once := marshal(nil, v.Elem())
			again := reflect.New(v.Type().Elem())
			require.NoError(t, unmarshal(once, again.Elem()))
			require.Len(t, marshal(nil, again.Elem()), len(once))
		}
	})
}

func BenchmarkEncodePageOfInts(b *testing.B) {
	values := make([]int64, 100_000)
	resp := &FetchResultsResp{Results: &RowSet{Columns: []*Column{{I64: &I64Column{Values: values, Nulls: []byte{}}}}}}
	b.SetBytes(8 * int64(len(values)))
	for b.Loop() {
		AppendReply(nil, Header{Method: "FetchResults"}, resp)
	}
}
