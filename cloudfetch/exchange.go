package cloudfetch

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
)

// owner is whom an RPC belongs to: a Trace or a Session.
type owner interface {
	// begin notes that a request is sent; false lets it pass unseen.
	begin(m Method, req *message, out int64, redirect bool, now time.Time) (attempt uint32, ok bool)
	// headers notes that a response came.
	headers(m Method, attempt uint32, code int, workspace string)
	// received adds body bytes that were read.
	received(m Method, n int64)
	// end notes how the attempt ended.
	end(x *exchange, s standing, now time.Time)
}

var (
	_ owner = (*Trace)(nil)
	_ owner = (*Session)(nil)
)

// exchange is one HTTP attempt of an RPC, from its request to the end of its
// response body.
//
// What a Read touches belongs to the goroutine that reads, without a lock; Close,
// which may come from another, only takes part in the atomics.
type exchange struct {
	// Immutable once the body is handed out.
	counts   *Counters
	registry *registry
	owner    owner
	method   Method
	attempt  uint32

	// quiet is set when nothing is left to learn. Reads then go straight
	// through: the driver stops reading at the end of the message, and drains
	// the rest at its next call, if ever.
	quiet atomic.Bool
	over  atomic.Bool  // the owner was told the end; whoever sets it tells
	in    atomic.Int64 // bytes that came and that the owner was not told of

	reader *responseReader // of the reading goroutine; nil when there is nothing (more) to read
}

// responseReader is a reader with the links of the message.
type responseReader struct {
	reader
	handedOut []handedLink
}

var responseReaders = sync.Pool{New: func() any { return new(responseReader) }}

// handed implements linkSink.
func (r *responseReader) handed(l handedLink) { r.handedOut = append(r.handedOut, l) }

// free gives the reader back. Longer lists of links are left to the collector.
func (r *responseReader) free() {
	if cap(r.handedOut) > 256 {
		r.handedOut = nil
	}
	responseReaders.Put(r)
}

// headers takes the response's head, before the body is handed out.
func (x *exchange) headers(resp *http.Response) {
	x.owner.headers(x.method, x.attempt, resp.StatusCode, workspaceOf(resp.Header))
	switch {
	case resp.StatusCode == http.StatusOK:
		x.reader, _ = responseReaders.Get().(*responseReader)
		x.reader.handedOut = x.reader.handedOut[:0]
		x.reader.start(false, x.reader)
	case isRedirect(resp):
		x.finish(redirected)
	default:
		x.finish(failed)
	}
}

// saw takes what one read of the network's body gave.
func (x *exchange) saw(p []byte, err error) {
	defer x.contain()
	x.in.Add(int64(len(p)))
	if r := x.reader; r != nil {
		switch r.feed(p); r.progress {
		case complete:
			x.answered()
			return
		case lost:
			x.lose()
		}
	}
	if err != nil {
		x.finish(failed)
		x.settle()
	}
}

// closed takes the Close of the body.
func (x *exchange) closed() {
	defer x.contain()
	x.finish(failed)
	x.tell()
}

// answered takes the end of the message.
func (x *exchange) answered() {
	if x.reader.msg.method != x.method {
		x.lose() // the driver will refuse it; so do we
		return
	}
	x.counts.messages.Add(1)
	x.finish(answered)
	x.settle()
}

// lose stops looking at the message.
func (x *exchange) lose() {
	x.counts.lost.Add(1)
	x.finish(misread)
	x.release()
}

// finish tells the owner how the attempt ended, once.
func (x *exchange) finish(s standing) {
	if x.over.CompareAndSwap(false, true) {
		x.owner.end(x, s, time.Now())
	}
}

// tell tells the owner of the bytes that came.
func (x *exchange) tell() {
	x.quiet.Store(true)
	if n := x.in.Swap(0); n > 0 {
		x.owner.received(x.method, n)
	}
}

// settle ends the reading.
func (x *exchange) settle() {
	x.tell()
	x.release()
}

func (x *exchange) release() {
	if x.reader != nil {
		x.reader.free()
		x.reader = nil
	}
}

// contain ends saw and closed: whatever went wrong in there must not reach the
// driver.
func (x *exchange) contain() {
	if v := recover(); v != nil {
		x.counts.contained.Panicked(contain.Wire, v)
		x.over.Store(true)
		x.quiet.Store(true)
	}
}

// isRedirect reports whether net/http's client would follow the response.
func isRedirect(resp *http.Response) bool {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return resp.Header.Get("Location") != ""
	}
	return false
}

// workspaceOf returns the workspace identifier a response carries, if it looks
// like one.
func workspaceOf(h http.Header) string {
	id := h.Get("X-Databricks-Org-Id")
	if len(id) > 20 {
		return ""
	}
	for i := range len(id) {
		if id[i] < '0' || id[i] > '9' {
			return ""
		}
	}
	return id
}
