package wire

// StatusCode is the outcome of one RPC.
type StatusCode = int32

// The status codes of the service.
const (
	StatusSuccess         StatusCode = 0
	StatusSuccessWithInfo StatusCode = 1
	StatusStillExecuting  StatusCode = 2
	StatusError           StatusCode = 3
	StatusInvalidHandle   StatusCode = 4
)

// Status is part of every response.
type Status struct {
	StatusCode     int32    `thrift:"1"`
	InfoMessages   []string `thrift:"2"`
	SQLState       *string  `thrift:"3"`
	ErrorCode      *int32   `thrift:"4"`
	ErrorMessage   *string  `thrift:"5"`
	DisplayMessage *string  `thrift:"6"`
}

// OperationState is the state of a statement.
type OperationState = int32

// The states of an operation.
const (
	StateInitialized OperationState = 0
	StateRunning     OperationState = 1
	StateFinished    OperationState = 2
	StateCanceled    OperationState = 3
	StateClosed      OperationState = 4
	StateError       OperationState = 5
	StateUnknown     OperationState = 6
	StatePending     OperationState = 7
	StateTimedOut    OperationState = 8
)

// HandleIdentifier names a session or an operation. ExecutionVersion counts how often the
// service has moved a query to another cluster.
type HandleIdentifier struct {
	GUID             []byte `thrift:"1"`
	Secret           []byte `thrift:"2"`
	ExecutionVersion *int16 `thrift:"3329"`
}

// OperationHandle names a statement on the wire.
type OperationHandle struct {
	OperationID   *HandleIdentifier `thrift:"1"`
	OperationType int32             `thrift:"2"`
	HasResultSet  bool              `thrift:"3"`
}

// OperationTypeExecute is the operation type of every statement.
const OperationTypeExecute int32 = 0

// GetOperationStatusReq asks for the state of a statement.
type GetOperationStatusReq struct {
	OperationHandle *OperationHandle `thrift:"1"`
}

// Whether an operation may be repeated.
const (
	IdempotencyUnknown int32 = 0
	NonIdempotent      int32 = 1
	Idempotent         int32 = 2
)

// GetOperationStatusResp answers it. It is also part of direct results.
type GetOperationStatusResp struct {
	Status             *Status `thrift:"1"`
	OperationState     *int32  `thrift:"2"`
	SQLState           *string `thrift:"3"`
	ErrorCode          *int32  `thrift:"4"`
	ErrorMessage       *string `thrift:"5"`
	OperationStarted   *int64  `thrift:"7"` // ms since the epoch
	OperationCompleted *int64  `thrift:"8"` // ms since the epoch
	HasResultSet       *bool   `thrift:"9"`
	NumModifiedRows    *int64  `thrift:"11"`
	DisplayMessage     *string `thrift:"1281"`
	IdempotencyType    *int32  `thrift:"3330"`
}

// CancelOperationReq asks to stop a statement.
type CancelOperationReq struct {
	OperationHandle *OperationHandle `thrift:"1"`
}

// CancelOperationResp answers it.
type CancelOperationResp struct {
	Status *Status `thrift:"1"`
}

// CloseOperationReq releases a statement and its results.
type CloseOperationReq struct {
	OperationHandle *OperationHandle `thrift:"1"`
}

// CloseOperationResp answers it. It is also part of direct results.
type CloseOperationResp struct {
	Status *Status `thrift:"1"`
}
