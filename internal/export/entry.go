package export

import (
	"reflect"
	"slices"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/registry"
	"github.com/seed-01322ee7/databricks-telemetry/internal/uuid"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// maxEvents is the largest number of events of one record.
const maxEvents = 3

// entry is a record in the queue, with the ids of its events.
type entry struct {
	origin *origin
	record any // *telemetry.Statement, *telemetry.SessionOpened or *telemetry.SessionClosed

	at     time.Time // when it was put into the queue
	size   int32     // approximate memory of the record, in bytes
	events int32
	failed bool

	ids [maxEvents]uuid.UUID // made when the events are first sent, and equal in all attempts
}

// newEntry makes an entry for a record; ok is false for a record of another type.
func newEntry(o *origin, record any) (e entry, ok bool) {
	e = entry{origin: o, record: record}
	switch r := record.(type) {
	case *telemetry.Statement:
		if hasLocalTexts(r) || len(r.Calls) > maxCalls || r.CloudFetch != nil && len(r.CloudFetch.Files) > 0 {
			r = trim(r)
		}
		e.record, e.failed = r, r.Failed() || r.CloseFailure != nil || r.CancelError != ""
		size := sizeOf(r) + len(r.RPCs)*sizeOf((*telemetry.RPC)(nil)) + len(r.Calls)*sizeOf((*telemetry.Call)(nil))
		if r.CloudFetch != nil {
			size += sizeOf(r.CloudFetch)
		}
		e.size = int32(size)
	case *telemetry.SessionOpened:
		if hasMessage(r.Failure) {
			short := *r
			short.Failure = withoutMessage(r.Failure)
			r = &short
		}
		e.record, e.failed, e.size = r, r.Failed(), int32(sizeOf(r))
	case *telemetry.SessionClosed:
		if hasMessage(r.Failure) {
			short := *r
			short.Failure = withoutMessage(r.Failure)
			r = &short
		}
		e.record, e.failed, e.size = r, r.Failed(), int32(sizeOf(r))
	default:
		return entry{}, false
	}
	_, e.events = e.operations()
	return e, true
}

// sizeOf returns the memory of a value in bytes, without what it points to. The argument may be nil.
func sizeOf[T any](*T) int { return int(reflect.TypeFor[T]().Size()) }

// maxCalls is the largest number of calls that wait with a record. Copying the record in order to
// drop fewer calls would cost more.
const maxCalls = 8

// hasLocalTexts reports whether a statement has texts that may be long and are not sent.
func hasLocalTexts(r *telemetry.Statement) bool {
	return r.Query != "" || len(r.QueryTags) > 0 || len(r.Attributes) > 0 || hasMessage(r.Failure) || hasMessage(r.CloseFailure)
}

func hasMessage(f *telemetry.Failure) bool { return f != nil && f.Message != "" }

// withoutMessage copies a failure without its text.
func withoutMessage(f *telemetry.Failure) *telemetry.Failure {
	if !hasMessage(f) {
		return f
	}
	short := *f
	short.Message = ""
	return &short
}

// trim copies a statement without its texts and the lists of its calls and files. Except for the
// times of a few calls, these are not sent, and would take memory while the record waits.
func trim(r *telemetry.Statement) *telemetry.Statement {
	short := *r
	short.Query, short.Calls, short.RPCs = "", nil, slices.Clone(r.RPCs) // a slice would keep the memory of the record
	for i := range r.Calls {
		if c := r.Calls[i]; registry.HasTime(&c) {
			c.Retried = nil
			short.Calls = append(short.Calls, c)
		}
	}
	short.QueryTags, short.Attributes = nil, nil
	short.Failure, short.CloseFailure = withoutMessage(r.Failure), withoutMessage(r.CloseFailure)
	if r.CloudFetch != nil {
		sums := *r.CloudFetch
		sums.Files = nil
		short.CloudFetch = &sums
	}
	return &short
}

// operations returns the operations of the record's events, and how many there are.
func (e *entry) operations() (ops [maxEvents]registry.Operation, n int32) {
	n = 1
	switch r := e.record.(type) {
	case *telemetry.SessionOpened:
		ops[0] = registry.CreateSession
	case *telemetry.SessionClosed:
		ops[0] = registry.DeleteSession
	case *telemetry.Statement:
		ops[0] = registry.ExecuteStatement
		if _, ok := registry.Closed(r); ok {
			ops[n] = registry.CloseStatement
			n++
		}
		if _, ok := registry.Canceled(r); ok {
			ops[n] = registry.CancelStatement
			n++
		}
	}
	return ops, n
}

// scratch is the memory in which documents are written one at a time.
type scratch struct {
	source source
	doc    []byte
}

// appendDocuments calls add with each document of the entry, escaped for the upload. The bytes are
// valid only during the call.
func (e *entry) appendDocuments(on *scratch, anonymous bool, add func(doc []byte)) {
	if e.ids[0] == (uuid.UUID{}) { // not sent before
		for i := range e.events {
			e.ids[i] = uuid.New()
		}
	}
	o, s := e.origin, &on.source
	*s = source{connection: o.reportable, process: process(), record: e.record}
	defer func() { *s = source{} }() // keeps no record in memory
	s.event.WorkspaceID, s.event.UserAgent = e.org(), o.userAgent
	constants := o.constants
	if anonymous {
		s.event.UserAgent, constants = o.bareUserAgent, nil
	}
	ops, _ := e.operations()
	for i := range e.events {
		s.event.ID, s.event.Operation = e.ids[i], ops[i]
		p := plans[ops[i]]
		if anonymous {
			p = anonymousPlan
		}
		on.doc, _ = p.appendObject(on.doc[:0], s, constants)
		add(on.doc)
	}
}
