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

// widths is the size of a value by type byte; 0 for those without a fixed size.
var widths = [16]uint8{tBool: 1, tByte: 1, tDouble: 8, tI16: 2, tI32: 4, tI64: 8}

// slot names a value that is kept.
type slot uint8

const (
	noSlot slot = iota

	statusCode
	statusSQLState
	statusErrorCode
	exceptionType
	protocolVersion
	sessionGUID
	operationGUID
	handleResultSet
	operationState
	operationSQLState
	operationErrorCode
	operationStarted
	operationCompleted
	modifiedRows
	resultFormat
	lz4Compressed
	cacheLookup
	uncompressedBytes
	compressedBytes
	stagingOperation
	schemaColumns
	directResults
	directClose
	hasMoreRows
	rowSet
	rowSetOffset
	rowSetRows
	rowSetColumns
	rowSetBatches
	rowSetLinks
	askAsync
	askDirect
	askDirectRows
	askArrow
	askDownload
	askLZ4
	askMaxRows

	// Values inside the elements of a list come once per element; all others
	// come at most once in a message.
	columnValues
	batchPayload
	batchRows
	linkURL
	linkExpiry
	linkOffset
	linkRows
	linkBytes

	numSlots
	firstRepeated = columnValues
)

// slots is a set of slots.
type slots uint64

func (s slots) has(v slot) bool { return s&(1<<v) != 0 }

// shape names a struct of which some fields are followed.
type shape uint8

const (
	skipped shape = iota // nothing in it is of interest

	openSessionResp
	executeResp
	plainResp // field 1 status, and nothing else that matters
	statusResp
	directStatus
	metadataResp
	metadata
	fetchResp
	exception

	executeReq
	sessionReq
	operationReq
	fetchReq
	directAsk

	status
	sessionHandle
	sessionIdentifier
	operationHandle
	operationIdentifier
	direct
	directFetch
	tableSchema
	rowSetShape
	column
	columnData
	batch
	link

	numShapes
)

// field says what a field of a followed struct is. When it arrives with
// another type it is skipped, as the generated client does.
type field struct {
	id    int16
	typ   byte
	slot  slot
	shape shape // of the struct, or of the list's elements
}

// The fields of TGetOperationStatusResp other than its status.
var operationFields = []field{
	{2, tI32, operationState, skipped},
	{3, tString, operationSQLState, skipped},
	{4, tI32, operationErrorCode, skipped},
	{7, tI64, operationStarted, skipped},
	{8, tI64, operationCompleted, skipped},
	{11, tI64, modifiedRows, skipped},
}

// The fields of TGetResultSetMetadataResp other than its status.
var metadataFields = []field{
	{2, tStruct, noSlot, tableSchema},
	{1281, tI32, resultFormat, skipped},
	{1282, tBool, lz4Compressed, skipped},
	{1284, tI32, cacheLookup, skipped},
	{1285, tI64, uncompressedBytes, skipped},
	{1286, tI64, compressedBytes, skipped},
	{1287, tBool, stagingOperation, skipped},
}

// shapes holds, for each struct, the fields that are followed. All others are
// skipped by their type. The status of a struct inside direct results is
// skipped: the statement's own status and state say what matters.
var shapes = [numShapes][]field{
	openSessionResp: {
		{1, tStruct, noSlot, status},
		{2, tI32, protocolVersion, skipped},
		{3, tStruct, noSlot, sessionHandle},
	},
	executeResp: {
		{1, tStruct, noSlot, status},
		{2, tStruct, noSlot, operationHandle},
		{1281, tStruct, directResults, direct},
	},
	plainResp:    {{1, tStruct, noSlot, status}},
	statusResp:   append([]field{{1, tStruct, noSlot, status}}, operationFields...),
	directStatus: operationFields,
	metadataResp: append([]field{{1, tStruct, noSlot, status}}, metadataFields...),
	metadata:     metadataFields,

	fetchResp: {
		{1, tStruct, noSlot, status},
		{2, tBool, hasMoreRows, skipped},
		{3, tStruct, rowSet, rowSetShape},
		{1281, tStruct, noSlot, metadata},
	},
	exception: {{2, tI32, exceptionType, skipped}},

	executeReq: {
		{1, tStruct, noSlot, sessionHandle},
		{4, tBool, askAsync, skipped},
		{1281, tStruct, askDirect, directAsk},
		{1282, tBool, askArrow, skipped},
		{1283, tBool, askDownload, skipped},
		{1284, tBool, askLZ4, skipped},
	},
	sessionReq:   {{1, tStruct, noSlot, sessionHandle}},
	operationReq: {{1, tStruct, noSlot, operationHandle}},
	fetchReq: {
		{1, tStruct, noSlot, operationHandle},
		{3, tI64, askMaxRows, skipped},
	},
	directAsk: {{1, tI64, askDirectRows, skipped}},

	status: {
		{1, tI32, statusCode, skipped},
		{3, tString, statusSQLState, skipped},
		{4, tI32, statusErrorCode, skipped},
	},
	sessionHandle:     {{1, tStruct, noSlot, sessionIdentifier}},
	sessionIdentifier: {{1, tString, sessionGUID, skipped}},
	operationHandle: {
		{1, tStruct, noSlot, operationIdentifier},
		{3, tBool, handleResultSet, skipped},
	},
	operationIdentifier: {{1, tString, operationGUID, skipped}},
	direct: {
		{1, tStruct, noSlot, directStatus},
		{2, tStruct, noSlot, metadata},
		{3, tStruct, noSlot, directFetch},
		{4, tStruct, directClose, skipped},
	},
	directFetch: {
		{2, tBool, hasMoreRows, skipped},
		{3, tStruct, rowSet, rowSetShape},
	},
	tableSchema: {{1, tList, schemaColumns, skipped}},
	rowSetShape: {
		{1, tI64, rowSetOffset, skipped},
		{2, tList, rowSetRows, skipped},
		{3, tList, rowSetColumns, column},
		{1281, tList, rowSetBatches, batch},
		{1282, tList, rowSetLinks, link},
	},
	column: {
		{1, tStruct, noSlot, columnData},
		{2, tStruct, noSlot, columnData},
		{3, tStruct, noSlot, columnData},
		{4, tStruct, noSlot, columnData},
		{5, tStruct, noSlot, columnData},
		{6, tStruct, noSlot, columnData},
		{7, tStruct, noSlot, columnData},
		{8, tStruct, noSlot, columnData},
	},
	columnData: {{1, tList, columnValues, skipped}},
	batch: {
		{1, tString, batchPayload, skipped},
		{2, tI64, batchRows, skipped},
	},
	link: {
		{1, tString, linkURL, skipped},
		{2, tI64, linkExpiry, skipped},
		{3, tI64, linkOffset, skipped},
		{4, tI64, linkRows, skipped},
		{5, tI64, linkBytes, skipped},
	},
}

// lookup finds a followed field.
func lookup(s shape, id int16, typ byte) (slot, shape) {
	for i := range shapes[s] {
		if f := &shapes[s][i]; f.id == id {
			if f.typ != typ {
				break
			}
			return f.slot, f.shape
		}
	}
	return noSlot, skipped
}

// callShapes and replyShapes name the struct inside a message: field 1 of a call,
// field 0 of a reply.
var (
	callShapes = [numMethods]shape{
		OpenSession: skipped, CloseSession: sessionReq, ExecuteStatement: executeReq,
		GetOperationStatus: operationReq, GetResultSetMetadata: operationReq, FetchResults: fetchReq,
		CancelOperation: operationReq, CloseOperation: operationReq,
	}
	replyShapes = [numMethods]shape{
		OpenSession: openSessionResp, CloseSession: plainResp, ExecuteStatement: executeResp,
		GetOperationStatus: statusResp, GetResultSetMetadata: metadataResp, FetchResults: fetchResp,
		CancelOperation: plainResp, CloseOperation: plainResp,
	}
)
