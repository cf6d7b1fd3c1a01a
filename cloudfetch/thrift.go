package cloudfetch

// The type bytes of the Thrift binary protocol.
const (
	tStop   = 0
	tBool   = 2
	tByte   = 3
	tDouble = 4
	tI16    = 6
	tI32    = 8
	tI64    = 10
	tString = 11
	tStruct = 12
	tMap    = 13
	tSet    = 14
	tList   = 15
)

// widths has the size of a value by type byte; 0 for types without a fixed size.
var widths = [16]uint8{tBool: 1, tByte: 1, tDouble: 8, tI16: 2, tI32: 4, tI64: 8}

// method is a Thrift RPC that the Databricks driver makes. The zero value is a method that is not
// followed.
type method uint8

// The RPCs of a session and of a statement, in the order of a statement's life.
const (
	unknownMethod method = iota
	openSession
	closeSession
	executeStatement
	getOperationStatus
	getResultSetMetadata
	fetchResults
	cancelOperation
	closeOperation

	numMethods
)

var methodNames = [numMethods]string{
	"Unknown", "OpenSession", "CloseSession", "ExecuteStatement", "GetOperationStatus",
	"GetResultSetMetadata", "FetchResults", "CancelOperation", "CloseOperation",
}

// String returns the method's name on the wire.
func (m method) String() string { return methodNames[m] }

func methodNamed(wire []byte) method {
	for m := openSession; m < numMethods; m++ {
		if methodNames[m] == string(wire) {
			return m
		}
	}
	return unknownMethod
}

// field names a value that is kept.
type field uint8

const (
	noField field = iota

	statusCode
	statusSQLState
	sessionGUID
	initialCatalog
	initialSchema
	operationGUID
	operationState
	operationSQLState
	operationStarted
	operationCompleted
	resultFormat
	lz4Compressed
	cacheLookup
	uncompressedBytes
	compressedBytes
	stagingOperation
	hasMoreRows
	rowSet
	rowSetStart
	rowSetRows
	rowSetColumns
	rowSetBatches
	rowSetLinks

	// Values inside the elements of a list come once per element; all others
	// come at most once in a message.
	columnValues
	batchRows
	linkURL
	linkRows
	linkBytes

	numFields
	firstRepeated = columnValues
)

// fields is a set of fields.
type fields uint32

func (s fields) has(f field) bool { return s&(1<<f) != 0 }

// structType names a struct some of whose fields are followed.
type structType uint8

const (
	skipped structType = iota // nothing in it is of interest

	openSessionResp
	executeResp
	plainResp // field 1 status, and nothing else that matters
	statusResp
	directStatus
	metadataResp
	metadata
	fetchResp

	sessionReq
	operationReq

	statusStruct
	sessionHandle
	sessionIdentifier
	namespaceStruct
	operationHandle
	operationIdentifier
	directResults
	directFetch
	rowSetStruct
	columnStruct
	columnData
	batchStruct
	linkStruct

	numStructs
)

// fieldSpec describes a field of a followed struct. A field that arrives with another type is
// skipped, as by the generated client.
type fieldSpec struct {
	id     int16
	typ    byte
	field  field
	inside structType // type of the struct, or of the list's elements
}

// The fields of TGetOperationStatusResp other than its status.
var operationFields = []fieldSpec{
	{2, tI32, operationState, skipped},
	{3, tString, operationSQLState, skipped},
	{7, tI64, operationStarted, skipped},
	{8, tI64, operationCompleted, skipped},
}

// The fields of TGetResultSetMetadataResp other than its status.
var metadataFields = []fieldSpec{
	{1281, tI32, resultFormat, skipped},
	{1282, tBool, lz4Compressed, skipped},
	{1284, tI32, cacheLookup, skipped},
	{1285, tI64, uncompressedBytes, skipped},
	{1286, tI64, compressedBytes, skipped},
	{1287, tBool, stagingOperation, skipped},
}

// structs has the followed fields of each struct type. All other fields are skipped by their type.
// The status of a struct inside direct results is skipped, because the statement's own status and
// state have what matters.
var structs = [numStructs][]fieldSpec{
	openSessionResp: {
		{1, tStruct, noField, statusStruct},
		{3, tStruct, noField, sessionHandle},
		{1284, tStruct, noField, namespaceStruct},
	},
	executeResp: {
		{1, tStruct, noField, statusStruct},
		{2, tStruct, noField, operationHandle},
		{1281, tStruct, noField, directResults},
	},
	plainResp:    {{1, tStruct, noField, statusStruct}},
	statusResp:   append([]fieldSpec{{1, tStruct, noField, statusStruct}}, operationFields...),
	directStatus: operationFields,
	metadataResp: append([]fieldSpec{{1, tStruct, noField, statusStruct}}, metadataFields...),
	metadata:     metadataFields,
	fetchResp: {
		{1, tStruct, noField, statusStruct},
		{2, tBool, hasMoreRows, skipped},
		{3, tStruct, rowSet, rowSetStruct},
		{1281, tStruct, noField, metadata},
	},

	sessionReq:   {{1, tStruct, noField, sessionHandle}},
	operationReq: {{1, tStruct, noField, operationHandle}},

	statusStruct: {
		{1, tI32, statusCode, skipped},
		{3, tString, statusSQLState, skipped},
	},
	sessionHandle:     {{1, tStruct, noField, sessionIdentifier}},
	sessionIdentifier: {{1, tString, sessionGUID, skipped}},
	namespaceStruct: {
		{1, tString, initialCatalog, skipped},
		{2, tString, initialSchema, skipped},
	},
	operationHandle:     {{1, tStruct, noField, operationIdentifier}},
	operationIdentifier: {{1, tString, operationGUID, skipped}},
	directResults: {
		{1, tStruct, noField, directStatus},
		{2, tStruct, noField, metadata},
		{3, tStruct, noField, directFetch},
	},
	directFetch: {
		{2, tBool, hasMoreRows, skipped},
		{3, tStruct, rowSet, rowSetStruct},
	},
	rowSetStruct: {
		{1, tI64, rowSetStart, skipped},
		{2, tList, rowSetRows, skipped},
		{3, tList, rowSetColumns, columnStruct},
		{1281, tList, rowSetBatches, batchStruct},
		{1282, tList, rowSetLinks, linkStruct},
	},
	columnStruct: {
		{1, tStruct, noField, columnData},
		{2, tStruct, noField, columnData},
		{3, tStruct, noField, columnData},
		{4, tStruct, noField, columnData},
		{5, tStruct, noField, columnData},
		{6, tStruct, noField, columnData},
		{7, tStruct, noField, columnData},
		{8, tStruct, noField, columnData},
	},
	columnData:  {{1, tList, columnValues, skipped}},
	batchStruct: {{2, tI64, batchRows, skipped}},
	linkStruct: {
		{1, tString, linkURL, skipped},
		{4, tI64, linkRows, skipped},
		{5, tI64, linkBytes, skipped},
	},
}

// lookup finds a followed field.
func lookup(in structType, id int16, typ byte) (field, structType) {
	for i := range structs[in] {
		if f := &structs[in][i]; f.id == id && f.typ == typ {
			return f.field, f.inside
		}
	}
	return noField, skipped
}

// callStructs and replyStructs name the struct inside a message: field 1 of a call,
// field 0 of a reply.
var (
	callStructs = [numMethods]structType{
		closeSession: sessionReq, executeStatement: sessionReq,
		getOperationStatus: operationReq, getResultSetMetadata: operationReq, fetchResults: operationReq,
		cancelOperation: operationReq, closeOperation: operationReq,
	}
	replyStructs = [numMethods]structType{
		openSession: openSessionResp, closeSession: plainResp, executeStatement: executeResp,
		getOperationStatus: statusResp, getResultSetMetadata: metadataResp, fetchResults: fetchResp,
		cancelOperation: plainResp, closeOperation: plainResp,
	}
)

// The names behind the numbers of the protocol's enums.
var (
	stateNames = []string{"INITIALIZED", "RUNNING", "FINISHED", "CANCELED", "CLOSED", "ERROR", "UNKNOWN", "PENDING", "TIMEDOUT"}
	cacheNames = []string{"INELIGIBLE", "LOCAL_HIT", "REMOTE_HIT", "MISS"}
)
