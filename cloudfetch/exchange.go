package cloudfetch

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
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
// The driver reads value by value, mostly 1 to 8 bytes, so there is no lock on
// the way: what a Read touches belongs to the goroutine that reads, and Close, which may
// come from another, only takes part in the atomics.
type exchange struct {
	// Immutable once the body is handed out.
	counts   *counters
	registry *registry
	owner    owner
	method   Method
	attempt  uint32

	// quiet is set when nothing is left to learn. Reads then go straight
	// through: the driver stops reading at the end of the message, and drains
	// the rest at its next call, if ever.
	quiet atomic.Bool
	over  atomic.Bool  // the owner was told the end; whoever sets it tells
	in    atomic.Int64 // bytes read, as far as noted, and not yet told to the owner

	// Owned by the reading goroutine.
	reader *responseReader // nil when there is nothing (more) to read
	small  int             // bytes read and not yet noted in in
}

// responseReader is a reader with the links of the message, and with a little
// room: while the message cannot end within it, small pieces are kept there and
// read together.
type responseReader struct {
	reader
	handedOut []handedLink
	kept      int // bytes in small
	room      int // bytes that may be kept besides
	small     [noteEvery]byte
}

// keep takes a piece that fits the room.
func (r *responseReader) keep(p []byte) {
	r.kept += copy(r.small[r.kept:], p)
	r.room -= len(p)
}

// take reads what was kept, and a piece.
func (r *responseReader) take(p []byte) {
	if r.kept > 0 {
		r.feed(r.small[:r.kept])
		r.kept = 0
	}
	r.feed(p)
	r.room = int(max(0, min(int64(len(r.small)), r.floor()-1)))
}

var responseReaders = sync.Pool{New: func() any { return new(responseReader) }}

// handed implements linkSink.
func (r *responseReader) handed(l handedLink) { r.handedOut = append(r.handedOut, l) }

// free gives the reader back, without what passed through it. Longer lists of
// links are left to the collector.
func (r *responseReader) free() {
	clear(r.small[:])
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
		x.reader.handedOut, x.reader.kept, x.reader.room = x.reader.handedOut[:0], 0, 0
		x.reader.start(false, x.reader)
	case isRedirect(resp):
		x.finish(redirected)
	default:
		x.finish(failed)
	}
}

// noteEvery is how many bytes may be read before they are noted. Up to as many
// again may be kept in a responseReader.
const noteEvery = 128

// saw takes what one Read gave.
func (x *exchange) saw(p []byte, err error) {
	defer x.contain()
	if x.small += len(p); x.small >= noteEvery {
		x.note()
	}
	if r := x.reader; r != nil {
		switch r.take(p); r.progress {
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

// note makes the bytes read so far known to tell.
func (x *exchange) note() {
	x.in.Add(int64(x.small))
	x.small = 0
}

// tell tells the owner of the bytes noted.
func (x *exchange) tell() {
	x.quiet.Store(true)
	if n := x.in.Swap(0); n > 0 {
		x.owner.received(x.method, n)
	}
}

// settle ends the reading.
func (x *exchange) settle() {
	x.note()
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
	if recover() != nil {
		x.counts.panics.Add(1)
		x.over.Store(true)
		x.quiet.Store(true)
	}
}

// exchangeBody passes a response body on, read by read.
type exchangeBody struct {
	io.ReadCloser
	exchange
}

func (b *exchangeBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.quiet.Load() || n < 0 || n > len(p) || n == 0 && err == nil {
		return n, err
	}
	if r := b.reader; r != nil && n <= r.room && err == nil {
		b.small += n
		r.keep(p[:n])
		return n, err
	}
	b.saw(p[:n], err)
	return n, err
}

func (b *exchangeBody) Close() error {
	err := b.ReadCloser.Close()
	if !b.quiet.Load() {
		b.closed()
	}
	return err
}

// watcher is what both kinds of body look like to writeTo.
type watcher interface{ saw(p []byte, err error) }

// writingBody keeps the WriteTo of a body that has one.
type writingBody struct {
	io.ReadCloser
	inner io.WriterTo
	seen  watcher
}

func (b *writingBody) WriteTo(w io.Writer) (int64, error) {
	n, err := b.inner.WriteTo(watchedWriter{w, b.seen})
	if err == nil {
		b.seen.saw(nil, io.EOF)
	}
	return n, err
}

type watchedWriter struct {
	io.Writer
	seen watcher
}

func (w watchedWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if n > 0 && n <= len(p) {
		w.seen.saw(p[:n], nil)
	}
	return n, err
}

// observed returns the body to give to the driver in place of inner: outer, with
// a WriteTo if inner has one.
func observed(inner, outer io.ReadCloser, seen watcher) io.ReadCloser {
	if wt, ok := inner.(io.WriterTo); ok {
		return &writingBody{outer, wt, seen}
	}
	return outer
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
