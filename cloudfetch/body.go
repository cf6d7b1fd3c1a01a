package cloudfetch

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// exchangeBody passes on a response body.
//
// The driver reads value by value, 1 to 8 bytes at a time, a few hundred times per answer. The
// network's body takes its locks for each of these reads, and observing each would cost as much
// again. So small reads are served from a buffer. One read of the network's body fills the buffer
// with the data that is available, and waits for nothing that the driver would not wait for. Large
// reads are passed on without copying.
type exchangeBody struct {
	io.ReadCloser
	exchange

	shut atomic.Bool // closed: the rest of ahead is no longer delivered

	// Owned by the reading goroutine.
	ahead    *[aheadSize]byte // nil when nothing has been read ahead
	from, to int              // the part of ahead that is not delivered yet
	err      error            // the error that came with ahead
}

// aheadSize is the size of the buffer. Reads of this size or more are passed on.
const aheadSize = 4096

var aheads = sync.Pool{New: func() any { return new([aheadSize]byte) }}

// answer takes the response and wraps its body.
func (b *exchangeBody) answer(resp *http.Response, err error) {
	defer b.contain()
	if err != nil || resp == nil || resp.Body == nil || resp.StatusCode == http.StatusSwitchingProtocols {
		b.finish(failed, err)
		return
	}
	b.headers(resp)
	b.ReadCloser = resp.Body
	resp.Body = b
}

func (b *exchangeBody) Read(p []byte) (int, error) {
	if b.from == b.to || b.shut.Load() {
		return b.readNetwork(p)
	}
	n := copy(p, b.ahead[b.from:b.to])
	if b.from += n; b.from < b.to {
		return n, nil
	}
	return n, b.drained()
}

// readNetwork reads from the network. If p is small, it reads ahead.
func (b *exchangeBody) readNetwork(p []byte) (int, error) {
	if b.quiet.Load() || len(p) >= aheadSize || len(p) == 0 || b.shut.Load() {
		n, err := b.ReadCloser.Read(p)
		b.observe(p, n, err)
		return n, err
	}
	if b.ahead == nil {
		b.ahead, _ = aheads.Get().(*[aheadSize]byte)
	}
	n, err := b.ReadCloser.Read(b.ahead[:])
	b.observe(b.ahead[:], n, err)
	if n <= 0 || n > aheadSize {
		return n, err
	}
	given := copy(p, b.ahead[:n])
	b.from, b.to, b.err = given, n, err
	return given, b.drained()
}

// observe passes the bytes of a read to the exchange, unless the exchange needs no more.
func (b *exchangeBody) observe(p []byte, n int, err error) {
	if b.quiet.Load() || n < 0 || n > len(p) || n == 0 && err == nil {
		return
	}
	b.saw(p[:n], err)
}

// drained returns the error that came with the buffer, once all of the buffer is delivered. The
// buffer is cleared and released when no more will be read ahead.
func (b *exchangeBody) drained() error {
	if b.from < b.to {
		return nil
	}
	err := b.err
	b.err = nil
	if err != nil || b.quiet.Load() {
		clear(b.ahead[:])
		aheads.Put(b.ahead)
		b.ahead, b.from, b.to = nil, 0, 0
	}
	return err
}

func (b *exchangeBody) Close() error {
	b.shut.Store(true)
	err := b.ReadCloser.Close()
	if !b.quiet.Load() {
		b.closed()
	}
	return err
}
