package export

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"sync"
)

// upload is the body of a request. Its memory goes to another upload when nobody can read it
// any more: a transport may go on reading after the endpoint has answered.
type upload struct {
	bytes []byte // not changed while there may be readers

	mu      sync.Mutex
	readers int  // that are not closed; guarded by mu
	over    bool // there will be no more; guarded by mu
}

// keptUpload is the largest body whose memory is worth keeping.
const keptUpload = 1 << 20

var uploadMemory = sync.Pool{New: func() any { return new([]byte) }}

// newUpload returns an empty upload with room for so many bytes.
func newUpload(room int) *upload {
	memory, _ := uploadMemory.Get().(*[]byte)
	return &upload{bytes: slices.Grow((*memory)[:0], room)}
}

// done says that the upload will not be sent again.
func (u *upload) done() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.over = true
	if u.readers == 0 && cap(u.bytes) <= keptUpload {
		memory := u.bytes
		u.bytes = nil
		uploadMemory.Put(&memory)
	}
}

// reader returns a body for one attempt.
func (u *upload) reader() io.ReadCloser {
	u.mu.Lock()
	defer u.mu.Unlock()
	r := &uploadReader{of: u, closed: u.over}
	if !u.over {
		u.readers++
		r.rest.Reset(u.bytes)
	}
	return r
}

// uploadReader reads an upload until it is closed, whoever closes it, and not a byte longer.
type uploadReader struct {
	of *upload

	mu     sync.Mutex
	rest   bytes.Reader // guarded by mu
	closed bool         // guarded by mu
}

func (r *uploadReader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return 0, errClosedUpload
	}
	return r.rest.Read(p)
}

var errClosedUpload = errors.New("databricks-telemetry: the upload is over")

func (r *uploadReader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.closed = true
		r.of.mu.Lock()
		defer r.of.mu.Unlock()
		r.of.readers--
	}
	return nil
}
