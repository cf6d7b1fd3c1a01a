// Package cloudfetch observes what the Databricks driver sends and receives, without
// changing it. [Transport] is an http.RoundTripper for the driver's
// WithTransport option. It passes every request and every byte on as they are
// and reads them on the way: the Thrift RPCs of a statement, answer by
// answer, and the CloudFetch files the driver downloads from storage. What it finds
// becomes part of the records of package telemetry.
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
// The owner of a statement makes a Trace, puts it into the context of the call that
// runs the statement, and lets it fill the statement's record when the statement is over.
// ExecuteStatement finds the trace in its context; its answer brings the operation's
// identifier, by which all later RPCs find the trace, on whatever context they run.
// Downloads carry no context at all. They are recognized by their presigned URL, which came
// in a Thrift answer before. Only a keyed hash of the URL is kept, until the statement
// is over.
//
// A trace also attributes the statement's time to the parts that it waited for. The wire does not
// show when the application asks for rows and when it has them: the trace's owner reports that,
// with [Trace.CallReturned] and the methods after it.
//
// Nothing is taken from a message before it is complete, and nothing at all from a
// message that cannot be decoded. When a part of a statement was not seen or not
// decoded, its counts may be too low and are unknown in its record: no number is better
// than a wrong one. No statement text, parameter, row, server message, URL or token is
// ever kept. Besides ids and codes, the only texts kept are the names of the catalog and the
// schema that a session began in.
//
// Observing costs three or four allocations per RPC and none per read, and payload is counted
// without being copied. The package starts no goroutine,
// makes no request, and holds no lock while it waits for anything.
package cloudfetch
