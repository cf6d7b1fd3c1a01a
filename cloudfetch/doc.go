// Package cloudfetch sees what the Databricks driver sends and receives, without
// touching it. It is an http.RoundTripper, to be given to the driver's
// WithTransport option, that passes every request and every byte on as they are
// and looks at them while they pass: the Thrift RPCs of a statement, answer by
// answer, and the CloudFetch files the driver downloads from storage.
//
//	               ExecuteStatement, polls     everything else:
//	               context: the Trace          handle in the request
//	                        │                           │
//	driver ── request ──▶ Transport ──▶ base transport ──▶ workspace, storage
//	   ▲                    │  │
//	   │                    │  └─ request read through GetBody: method, number, handle
//	   │                    │
//	   └── same reads ── response body ──▶ reader (a state machine) ──▶ Trace
//	                                          │                          ▲
//	                                          └─ links, hashed ─▶ registry
//	                                                                     │
//	driver ── GET link ─▶ Transport ── hash of the URL ── registry ── file ┘
//
// A statement's owner makes a Trace, puts it into the context of the call that
// runs the statement, and reads it when the statement is over. ExecuteStatement
// finds the trace in its context; its answer brings the operation's identifier,
// by which all later RPCs find it, on whatever context they run. Downloads carry
// no context at all. They are tied by their presigned URL, which passed by in a
// Thrift answer before: what is kept of it is a keyed hash, until the statement
// is over.
//
// Nothing is learnt from a message before it has passed completely, and from a
// message that is not understood nothing at all: it is better to be silent than
// wrong, and Facts.Gaps says where this package was silent. No statement text,
// parameter, row, server message, URL or token is kept at any time.
//
// The cost is that of looking: three or four allocations per RPC, none per read,
// and payload is counted without being touched. The package starts no goroutine,
// makes no request of its own (see Options.LearnFlag for one in place of the
// driver's), and holds no lock while it waits for anything.
package cloudfetch
