package cloudfetch

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
)

// exchangeBody passes a response body on.
//
// The driver reads value by value, 1 to 8 bytes at a time, a few hundred times per
// answer. The network's body takes its locks for each of them, and looking at each
// would cost as much again. So small reads are served from what was read ahead: one
// read of the network's body that takes what is there, and waits for no more than
// the driver would have. Large reads go straight through, uncopied.
type exchangeBody struct {
	io.ReadCloser
	exchange

	shut atomic.Bool // closed: what was read ahead is not delivered any more

	// Owned by the reading goroutine.
	ahead    *[aheadSize]byte // nil when nothing is ahead
	from, to int              // what of ahead is not delivered yet
	err      error            // that came with what was read ahead
}

// aheadSize is what is read ahead at most; reads as large go straight through.
const aheadSize = 4096

var aheads = sync.Pool{New: func() any { return new([aheadSize]byte) }}

func (b *exchangeBody) Read(p []byte) (int, error) {
	if b.from == b.to || b.shut.Load() {
		return b.more(p)
	}
	n := copy(p, b.ahead[b.from:b.to])
	if b.from += n; b.from < b.to {
		return n, nil
	}
	return n, b.drained()
}

// more reads from the network.
func (b *exchangeBody) more(p []byte) (int, error) {
	if b.quiet.Load() || len(p) >= aheadSize || len(p) == 0 || b.shut.Load() {
		n, err := b.ReadCloser.Read(p)
		b.look(p, n, err)
		return n, err
	}
	if b.ahead == nil {
		b.ahead, _ = aheads.Get().(*[aheadSize]byte)
	}
	n, err := b.ReadCloser.Read(b.ahead[:])
	b.look(b.ahead[:], n, err)
	if n <= 0 || n > aheadSize {
		return n, err
	}
	given := copy(p, b.ahead[:n])
	b.from, b.to, b.err = given, n, err
	return given, b.drained()
}

// look shows what came to the exchange, unless it has seen enough.
func (b *exchangeBody) look(p []byte, n int, err error) {
	if b.quiet.Load() || n < 0 || n > len(p) || n == 0 && err == nil {
		return
	}
	b.saw(p[:n], err)
}

// drained returns the error that came with what was read ahead, once all of that is
// delivered. The buffer is released, cleared, when no more will be read ahead.
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

// unread takes what was read ahead and not delivered, and the error that came with it.
func (b *exchangeBody) unread() ([]byte, error) {
	if b.ahead == nil || b.shut.Load() {
		return nil, nil
	}
	p, err := b.ahead[b.from:b.to], b.err
	b.ahead, b.from, b.to, b.err = nil, 0, 0, nil
	return p, err
}

// watcher is what observes the bytes of a body.
type watcher interface{ saw(p []byte, err error) }

// writingBody keeps the WriteTo of a body that has one.
type writingBody struct {
	io.ReadCloser
	inner io.WriterTo
	seen  watcher
}

func (b *writingBody) WriteTo(w io.Writer) (int64, error) {
	var given int
	if x, is := b.ReadCloser.(*exchangeBody); is {
		p, came := x.unread()
		var err error
		if given, err = w.Write(p); err != nil || came != nil {
			return int64(given), errors.Join(err, notEOF(came))
		}
	}
	n, err := b.inner.WriteTo(watchedWriter{w, b.seen})
	if err == nil {
		b.seen.saw(nil, io.EOF)
	}
	return int64(given) + n, err
}

// notEOF is nil for the regular end, as WriteTo returns it.
func notEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
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
