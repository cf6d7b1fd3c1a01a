package wire

// ExecuteStatementReq runs SQL in a session.
type ExecuteStatementReq struct {
	SessionHandle       *SessionHandle    `thrift:"1"`
	Statement           string            `thrift:"2"`
	ConfOverlay         map[string]string `thrift:"3"`
	RunAsync            bool              `thrift:"4"`
	QueryTimeout        int64             `thrift:"5"` // seconds; 0 = none
	GetDirectResults    *GetDirectResults `thrift:"1281"`
	CanReadArrowResult  *bool             `thrift:"1282"`
	CanDownloadResult   *bool             `thrift:"1283"`
	CanDecompressLZ4    *bool             `thrift:"1284"`
	MaxBytesPerFile     *int64            `thrift:"1285"`
	UseArrowNativeTypes *ArrowTypes       `thrift:"1286"`
	ResultRowLimit      *int64            `thrift:"1287"`
	Parameters          []*Parameter      `thrift:"1288"`
	MaxBytesPerBatch    *int64            `thrift:"1289"`
}

// GetDirectResults asks for the first page together with the answer to ExecuteStatement.
type GetDirectResults struct {
	MaxRows  int64  `thrift:"1"`
	MaxBytes *int64 `thrift:"2"`
}

// ArrowTypes says which types the client wants as native Arrow types instead of text.
type ArrowTypes struct {
	TimestampAsArrow    *bool `thrift:"1"`
	DecimalAsArrow      *bool `thrift:"2"`
	ComplexTypesAsArrow *bool `thrift:"3"`
	IntervalsAsArrow    *bool `thrift:"4"`
	NullTypeAsArrow     *bool `thrift:"5"`
}

// Parameter is a bound parameter. A nil Value is NULL.
type Parameter struct {
	Ordinal *int32          `thrift:"1"`
	Name    *string         `thrift:"2"`
	Type    *string         `thrift:"3"`
	Value   *ParameterValue `thrift:"4"`
}

// ParameterValue is a union: one of its fields is set.
type ParameterValue struct {
	StringValue  *string  `thrift:"1"`
	DoubleValue  *float64 `thrift:"2"`
	BooleanValue *bool    `thrift:"3"`
}

// ExecuteStatementResp answers ExecuteStatementReq.
type ExecuteStatementResp struct {
	Status          *Status          `thrift:"1"`
	OperationHandle *OperationHandle `thrift:"2"`
	DirectResults   *DirectResults   `thrift:"1281"`
}

// DirectResults saves the client up to four round trips. CloseOperation present means that
// the server has closed the operation already.
type DirectResults struct {
	OperationStatus   *GetOperationStatusResp   `thrift:"1"`
	ResultSetMetadata *GetResultSetMetadataResp `thrift:"2"`
	ResultSet         *FetchResultsResp         `thrift:"3"`
	CloseOperation    *CloseOperationResp       `thrift:"4"`
}
