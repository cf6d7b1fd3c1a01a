package workspace

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/wire"
)

// method is one Thrift method: how to read its argument, which session or operation the argument
// names, and how to answer. serve returns the reply, or an *httpError for a refusal at the gateway,
// or any other error for a Thrift exception.
type method struct {
	read  func(rest []byte) (any, error)
	names func(req any) (*wire.SessionHandle, *wire.OperationHandle)
	serve func(x *exchange, req any) ([]byte, error)
}

type (
	handles[Req any]     func(*Req) (*wire.SessionHandle, *wire.OperationHandle)
	serve[Req, Resp any] func(*exchange, *Req) (*Resp, error)
)

func rpc[Req, Resp any](names handles[Req], serve serve[Req, Resp]) *method {
	return &method{
		read:  func(rest []byte) (any, error) { return wire.Argument[Req](rest) },
		names: func(req any) (*wire.SessionHandle, *wire.OperationHandle) { return names(req.(*Req)) },
		serve: func(x *exchange, req any) ([]byte, error) {
			resp, err := serve(x, req.(*Req))
			if err != nil {
				return nil, err
			}
			return wire.AppendReply(nil, x.call, resp), nil
		},
	}
}

var methods = map[string]*method{
	"OpenSession": rpc(func(*wire.OpenSessionReq) (*wire.SessionHandle, *wire.OperationHandle) {
		return nil, nil
	}, openSession),
	"CloseSession": rpc(func(r *wire.CloseSessionReq) (*wire.SessionHandle, *wire.OperationHandle) {
		return r.SessionHandle, nil
	}, closeSession),
	"ExecuteStatement": rpc(func(r *wire.ExecuteStatementReq) (*wire.SessionHandle, *wire.OperationHandle) {
		return r.SessionHandle, nil
	}, executeStatement),
	"GetOperationStatus": rpc(func(r *wire.GetOperationStatusReq) (*wire.SessionHandle, *wire.OperationHandle) {
		return nil, r.OperationHandle
	}, getOperationStatus),
	"GetResultSetMetadata": rpc(func(r *wire.GetResultSetMetadataReq) (*wire.SessionHandle, *wire.OperationHandle) {
		return nil, r.OperationHandle
	}, getResultSetMetadata),
	"FetchResults": rpc(func(r *wire.FetchResultsReq) (*wire.SessionHandle, *wire.OperationHandle) {
		return nil, r.OperationHandle
	}, fetchResults),
	"CancelOperation": rpc(func(r *wire.CancelOperationReq) (*wire.SessionHandle, *wire.OperationHandle) {
		return nil, r.OperationHandle
	}, cancelOperation),
	"CloseOperation": rpc(func(r *wire.CloseOperationReq) (*wire.SessionHandle, *wire.OperationHandle) {
		return nil, r.OperationHandle
	}, closeOperation),
}

// identify reads the Thrift call and records what it names. An unknown method is not an error here:
// it gets a Thrift exception later.
func (x *exchange) identify() error {
	h, rest, err := wire.ReadHeader(x.body)
	if err != nil {
		return err
	}
	if h.Type != wire.Call {
		return fmt.Errorf("message type %d is not a call", h.Type)
	}
	x.call = h
	m := methods[h.Method]
	if m != nil {
		if x.req, err = m.read(rest); err != nil {
			return fmt.Errorf("%s: %w", h.Method, err)
		}
		x.method = m
	}
	x.ws.ledger.identify(x)
	return nil
}

func (x *exchange) serveCall() {
	if x.r.Method != http.MethodPost {
		x.sendError(&httpError{http.StatusMethodNotAllowed, "BAD_REQUEST", "POST only"})
		return
	}
	if x.method == nil {
		x.sendThrift(wire.AppendException(nil, x.call, wire.ApplicationException{
			Kind:    wire.ExceptionUnknownMethod,
			Message: fmt.Sprintf("Invalid method name: '%s'", x.call.Method),
		}))
		return
	}
	reply, err := x.method.serve(x, x.req)
	if refused := (*httpError)(nil); errors.As(err, &refused) {
		x.sendError(refused)
		return
	}
	if err != nil {
		reply = wire.AppendException(nil, x.call, wire.ApplicationException{
			Kind: wire.ExceptionInternal, Message: err.Error(),
		})
	}
	x.sendThrift(reply)
}

func (x *exchange) sendThrift(reply []byte) {
	x.send(http.StatusOK, "application/x-thrift", reply)
}

func success() *wire.Status { return &wire.Status{StatusCode: wire.StatusSuccess} }

// failure is the status of a call that failed.
func failure(sqlState, message string) *wire.Status {
	var code int32
	return &wire.Status{
		StatusCode:   wire.StatusError,
		InfoMessages: []string{"*org.apache.hive.service.cli.HiveSQLException:" + message},
		SQLState:     &sqlState, ErrorCode: &code, ErrorMessage: &message, DisplayMessage: &message,
	}
}
