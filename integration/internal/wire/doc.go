// Package wire implements the part of the Thrift strict-binary protocol that this server needs: a
// codec driven by struct tags, and the messages of the SQL service as plain Go structs.
//
// A request body holds exactly one message:
//
//	body ─ ReadHeader ─► Header{call, "ExecuteStatement", 7} + rest
//	rest ─ Argument[ExecuteStatementReq] ─► *ExecuteStatementReq
//
// and a response is written the same way back:
//
//	AppendReply(nil, header, &ExecuteStatementResp{...})        answer
//	AppendException(nil, header, ApplicationException{...})     refusal
//
// # Structs
//
// A field is read and written if it has a tag with its Thrift id: `thrift:"1281"`. A field that is
// optional in the IDL is a pointer, a slice or a map here, and nil means absent; a plain value is
// always written, unless its tag says `thrift:"4,omitempty"`. Unknown fields, and fields that
// arrive with a type other than the declared one, are skipped, as in generated Thrift code. Only
// fields that are read or written are declared.
//
// # Hostile input
//
// The reader works on bytes that are already in memory, checks every claimed length against what is
// left before it allocates, bounds the nesting depth and returns errors; it does not panic.
// FuzzReadCall checks this.
package wire
