package cloudfetch

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// exchange is one HTTP attempt of an RPC, from its request to the end of its
// response body.
//
// The fields that Read uses belong to the reading goroutine and need no lock. Close may run on
// another goroutine and uses only the atomic fields.
type exchange struct {
	// Immutable once the driver has the body.
	registry *registry
	owner    owner
	method   method
	attempt  uint32
	seq      int32
	unread   bool // the response is not 200, so its body has no message

	// quiet is set when nothing is left to observe. Reads are then passed on unobserved: the driver
	// stops reading at the end of the message, and drains the rest at its next call, if ever.
	quiet atomic.Bool
	open  atomic.Bool  // under way; the goroutine that ends it calls owner.end
	in    atomic.Int64 // bytes that arrived and are not yet reported to the owner

	// Of the reading goroutine.
	reader *reader // nil when there is nothing (more) to read
}

// begin notes that the request is sent. It reports false if the request must pass unobserved.
func (x *exchange) begin(req *message, out int64, redirect bool, at time.Time) (observed bool) {
	defer x.contain()
	x.seq = req.seq
	if x.attempt, observed = x.owner.begin(req, out, redirect, at); observed {
		x.registry.underWay.Add(1)
		x.open.Store(true)
	}
	return observed
}

// headers observes the response's header, before the driver has the body.
func (x *exchange) headers(resp *http.Response) {
	x.owner.headers(x, headOf(resp), time.Now())
	switch x.unread = resp.StatusCode != http.StatusOK; {
	case !x.unread:
		x.reader = newReader(false)
	case isRedirect(resp):
		x.finish(redirected, nil)
	default:
		x.finish(failed, nil)
	}
}

// saw observes the bytes and the error of one read of the network's body.
func (x *exchange) saw(p []byte, err error) {
	defer x.contain()
	x.in.Add(int64(len(p)))
	if r := x.reader; r != nil {
		switch r.feed(p); {
		case r.progress == complete && (err == nil || err == io.EOF): // otherwise the driver gets the error with the last bytes
			x.answered()
			return
		case r.progress == undecodable:
			x.markUndecoded()
		}
	}
	switch err {
	case nil:
		return
	case io.EOF:
		err = nil // the body is complete
	}
	x.finish(failed, err)
	x.settle()
}

// closed notes that the body is closed.
func (x *exchange) closed() {
	defer x.contain()
	x.finish(failed, nil)
	x.reportReceived()
}

// answered notes the end of the message.
func (x *exchange) answered() {
	m := &x.reader.msg
	if m.method != x.method || m.seq != x.seq || m.typ == replyMessage && !m.has.has(statusCode) {
		x.markUndecoded() // the driver will also refuse it
		return
	}
	x.registry.counts.messages.Add(1)
	x.finish(answered, nil)
	x.settle()
}

// markUndecoded stops reading the message.
func (x *exchange) markUndecoded() {
	x.registry.counts.undecoded.Add(1)
	x.finish(undecoded, nil)
	x.release()
}

// finish reports to the owner how the attempt ended, once. broke is the error that broke off the
// attempt, or nil.
func (x *exchange) finish(s attemptState, broke error) {
	if x.open.Swap(false) {
		x.registry.underWay.Add(-1)
		x.owner.end(x, s, broke, time.Now())
	}
}

// reportReceived reports to the owner the bytes that arrived.
func (x *exchange) reportReceived() {
	x.quiet.Store(true)
	if n := x.in.Swap(0); n > 0 {
		x.owner.received(x.method, n)
	}
	if x.unread {
		x.owner.drained(x.method, time.Now())
	}
}

// settle ends the reading.
func (x *exchange) settle() {
	x.reportReceived()
	x.release()
}

func (x *exchange) release() {
	if x.reader != nil {
		x.reader.release()
		x.reader = nil
	}
}

// contain contains a panic of the function that defers it. What the owner knows may be incomplete
// then.
func (x *exchange) contain() {
	if v := recover(); v != nil {
		x.registry.counts.panicked(v)
		x.quiet.Store(true)
		if x.open.Swap(false) {
			x.registry.underWay.Add(-1)
		}
		x.owner.markUndecoded()
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

// headOf returns what is kept of a response's header.
func headOf(resp *http.Response) head {
	h := head{code: resp.StatusCode, workspace: workspaceOf(resp.Header), request: requestOf(resp.Header)}
	if h.code != http.StatusOK {
		h.wait = waitOf(resp.Header)
	}
	return h
}

// waitOf returns the pause that a response asks for, as the driver reads it: in whole seconds.
func waitOf(h http.Header) (wait telemetry.Maybe[time.Duration]) {
	if values := h["Retry-After"]; len(values) > 0 {
		if seconds, err := strconv.ParseInt(values[0], 10, 64); err == nil {
			wait = telemetry.Known(max(0, time.Duration(seconds)*time.Second))
		}
	}
	return wait
}

// requestOf returns the request identifier in the header of a response, if it is a GUID.
func requestOf(h http.Header) guid {
	values := h["X-Request-Id"]
	if len(values) == 0 {
		return guid{}
	}
	return parseGUID(values[0])
}

// workspaceOf returns the workspace identifier in the header of a response, if it looks like one.
func workspaceOf(h http.Header) string {
	id := h.Get("X-Databricks-Org-Id")
	if len(id) > 20 || strings.Trim(id, "0123456789") != "" {
		return ""
	}
	return id
}
