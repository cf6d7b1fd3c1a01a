package export

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/registry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// maxEvents is the largest number of events one record makes.
const maxEvents = 3

// entry is a record on its way, and with it the events it makes.
type entry struct {
	origin    *origin
	statement *telemetry.Statement     // one of these three is set
	opened    *telemetry.SessionOpened //
	closed    *telemetry.SessionClosed //

	at     time.Time // when it was put into the queue
	size   int32     // bytes it keeps alive, about
	events int32
	failed bool

	named bool // ids are set; once they are they stay
	ids   [maxEvents][16]byte
}

func openedEntry(o *origin, r *telemetry.SessionOpened) entry {
	return entry{origin: o, opened: r, failed: r.Failed(), events: 1, size: int32(sizeOf(*r))}
}

func closedEntry(o *origin, r *telemetry.SessionClosed) entry {
	return entry{origin: o, closed: r, failed: r.Failed(), events: 1, size: int32(sizeOf(*r))}
}

func statementEntry(o *origin, r *telemetry.Statement) entry {
	e := entry{origin: o, failed: r.Failed() || r.CloseFailure != nil, events: 1}
	if r.Query != "" || len(r.Calls) > manyCalls || r.CloudFetch != nil && len(r.CloudFetch.Files) > 0 {
		r = lean(r)
	}
	e.statement = r
	if _, ok := registry.Closed(r); ok {
		e.events++
	}
	if _, ok := registry.Canceled(r); ok {
		e.events++
	}
	size := sizeOf(*r) + len(r.RPCs)*sizeOf(telemetry.RPC{}) + len(r.Calls)*sizeOf(telemetry.Call{})
	if r.CloudFetch != nil {
		size += sizeOf(*r.CloudFetch)
	}
	e.size = int32(size)
	return e
}

// sizeOf is what a value takes in memory, without what it points to.
func sizeOf[T any](T) int { return int(reflect.TypeFor[T]().Size()) }

// manyCalls are more than is worth a copy of the record to be rid of them.
const manyCalls = 8

// lean copies a statement without its text and the lists of its calls and files: they are not
// sent, and not worth keeping for the sums, which are.
func lean(r *telemetry.Statement) *telemetry.Statement {
	short := *r
	short.Query, short.Calls, short.RPCs = "", nil, slices.Clone(r.RPCs) // which may be part of the record
	if r.CloudFetch != nil {
		sums := *r.CloudFetch
		sums.Files = nil
		short.CloudFetch = &sums
	}
	return &short
}

// name gives the events their ids.
func (e *entry) name() {
	if e.named {
		return
	}
	e.named = true
	for i := range e.events {
		id := &e.ids[i]
		_, _ = rand.Read(id[:]) // never fails
		id[6] = id[6]&0x0f | 0x40
		id[8] = id[8]&0x3f | 0x80
	}
}

func uuid(id [16]byte) string {
	var b [36]byte
	hex.Encode(b[0:8], id[0:4])
	hex.Encode(b[9:13], id[4:6])
	hex.Encode(b[14:18], id[6:8])
	hex.Encode(b[19:23], id[8:10])
	hex.Encode(b[24:36], id[10:16])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// operations lists the events of the record, as many as e.events.
func (e *entry) operations() (ops [maxEvents]registry.Operation) {
	switch {
	case e.opened != nil:
		ops[0] = registry.CreateSession
	case e.closed != nil:
		ops[0] = registry.DeleteSession
	default:
		ops[0] = registry.ExecuteStatement
		n := 1
		if _, ok := registry.Closed(e.statement); ok {
			ops[n] = registry.CloseStatement
			n++
		}
		if _, ok := registry.Canceled(e.statement); ok {
			ops[n] = registry.CancelStatement
		}
	}
	return ops
}

// scratch is memory for one document at a time.
type scratch struct {
	source source
	doc    []byte
}

// appendDocuments calls add with each of the entry's documents, as they stand in the upload.
// The bytes are valid during the call only.
func (e *entry) appendDocuments(on *scratch, anonymous bool, add func(doc []byte)) {
	e.name()
	o, s := e.origin, &on.source
	*s = source{connection: o.facts, process: process(), statement: e.statement, opened: e.opened, closed: e.closed}
	defer func() { *s = source{} }() // keeps no record
	s.event.WorkspaceID, s.event.UserAgent = o.org(), o.userAgent
	fixed := o.fixed
	if anonymous {
		s.event.UserAgent, fixed = o.bareUserAgent, nil
	}
	ops := e.operations()
	for i := range e.events {
		s.event.ID, s.event.Operation = uuid(e.ids[i]), ops[i]
		p := plans[ops[i]]
		if anonymous {
			p = anonymousPlan
		}
		on.doc, _ = p.appendObject(on.doc[:0], s, fixed)
		add(on.doc)
	}
}

// documentOf returns a document as the service reads it.
func documentOf(doc string) (text string) {
	_ = json.Unmarshal([]byte(`"`+doc+`"`), &text) // we have written it
	return text
}

// body is one upload under construction.
type body struct {
	upload    *upload
	scratch   scratch
	documents []span // where they are in it
	length    int    // of the upload before
}

// span is a part of an upload.
type span struct{ from, to int }

// begin starts a new upload, most likely as long as the one before.
func (b *body) begin(now time.Time) {
	b.upload = newUpload(max(4<<10, min(b.length, keptUpload)))
	b.append(`{"uploadTime":`)
	b.upload.bytes = strconv.AppendInt(b.upload.bytes, now.UnixMilli(), 10)
	b.append(`,"items":[],"protoLogs":[`)
	b.documents = b.documents[:0]
}

func (b *body) add(doc []byte) {
	if len(b.documents) > 0 {
		b.append(",")
	}
	b.append(`"`)
	from := len(b.upload.bytes)
	b.upload.bytes = append(b.upload.bytes, doc...)
	b.documents = append(b.documents, span{from, len(b.upload.bytes)})
	b.append(`"`)
}

func (b *body) end() {
	b.append("]}")
	b.length = len(b.upload.bytes)
}

func (b *body) append(s string) { b.upload.bytes = append(b.upload.bytes, s...) }
