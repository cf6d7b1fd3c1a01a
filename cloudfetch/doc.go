// Package cloudfetch observes what the Databricks driver sends and receives, without changing it.
// [Transport] is an http.RoundTripper for the driver's WithTransport option. It passes on every
// request and every byte unchanged and reads them on the way: the Thrift RPCs of a statement, and the
// CloudFetch files that the driver downloads from storage. The facts that it finds become part of the
// records of package telemetry.
//
//	               ExecuteStatement, polls     everything else:
//	               context: the Trace          handle in the request
//	                        │                           │
//	driver ── request ──▶ Transport ──▶ base transport ──▶ workspace, storage
//	   ▲                    │  │
//	   │                    │  └─ request read through GetBody: method, number, handle
//	   │                    │
//	   └── same reads ── response body ──▶ reader (a state machine) ──▶ Trace ── Fill, Finish ──▶ telemetry.Statement
//	                                          │                          ▲
//	                                          └─ links, hashed ─▶ registry
//	                                                                     │
//	driver ── GET link ─▶ Transport ── hash of the URL ── registry ── file ┘
//
// The owner of a statement makes a Trace, puts it into the context of the call that runs the
// statement, and has it fill the statement's record when the statement is over. ExecuteStatement
// finds the trace in its context. The answer to ExecuteStatement has the operation's identifier, by
// which all later RPCs find the trace, whatever their context. Downloads have no context of the
// caller's. They are recognized by their presigned URL, which came in an earlier Thrift answer. Only
// a keyed hash of the URL is kept, until the statement is over.
//
// A trace also attributes the statement's time to the parts that it waited for. The wire does not
// show when the application asks for rows and when it gets them, so the trace's owner reports that
// with [Trace.CallReturned] and the methods that follow it.
//
// Facts are taken only from complete messages, and never from a message that cannot be decoded. If a
// part of a statement was not seen or not decoded, its counts may be too low, so they are unknown in
// its record: no number is better than a wrong one. No statement text, parameter, row, server
// message, URL or token is ever kept. Besides ids and codes, the only texts kept are the names of the
// catalog and the schema in which a session began.
//
// Observing costs three or four allocations per RPC and none per read, and payload is counted without
// copying. The package starts no goroutines, makes no requests, and holds no lock while it waits for
// anything.
package cloudfetch
