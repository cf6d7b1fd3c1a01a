package export

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"sync"
	"time"
)

// uploadBuilder writes the documents of a batch into an upload. A builder can write several uploads,
// one after another.
type uploadBuilder struct {
	upload    *upload
	scratch   scratch
	documents []byteRange // positions of the documents in the upload
	length    int         // of the previous upload
}

// byteRange is a part of an upload.
type byteRange struct{ from, to int }

// begin starts a new upload, with room for as many bytes as the previous one had.
func (b *uploadBuilder) begin(now time.Time) {
	b.upload = newUpload(max(4<<10, min(b.length, maxPooled)))
	b.append(`{"uploadTime":`)
	b.upload.bytes = strconv.AppendInt(b.upload.bytes, now.UnixMilli(), 10)
	b.append(`,"items":[],"protoLogs":[`)
	b.documents = b.documents[:0]
}

func (b *uploadBuilder) add(doc []byte) {
	if len(b.documents) > 0 {
		b.append(",")
	}
	b.append(`"`)
	from := len(b.upload.bytes)
	b.upload.bytes = append(b.upload.bytes, doc...)
	b.documents = append(b.documents, byteRange{from, len(b.upload.bytes)})
	b.append(`"`)
}

func (b *uploadBuilder) end() {
	b.append("]}")
	b.length = len(b.upload.bytes)
}

func (b *uploadBuilder) append(s string) { b.upload.bytes = append(b.upload.bytes, s...) }

// upload is the body of a request. Its memory is reused once it has no readers, because a transport
// may go on reading after the endpoint has answered.
//
// Without this reuse, a reported statement would allocate 1,740 bytes instead of 350, and take 4.1 µs
// instead of 3.4 µs (BenchmarkStatementFinished/sent).
type upload struct {
	bytes []byte // must not change while there are readers

	mu      sync.Mutex
	readers int  // open readers; guarded by mu
	done    bool // no further reader is opened; guarded by mu
}

// maxPooled is the largest body whose memory is reused.
const maxPooled = 1 << 20

var uploadPool = sync.Pool{New: func() any { return new([]byte) }}

// newUpload returns an empty upload with room for a number of bytes.
func newUpload(room int) *upload {
	memory, _ := uploadPool.Get().(*[]byte)
	return &upload{bytes: slices.Grow((*memory)[:0], room)}
}

// release notes that the upload will not be sent again.
func (u *upload) release() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.done = true
	if u.readers == 0 && cap(u.bytes) <= maxPooled {
		memory := u.bytes
		u.bytes = nil
		uploadPool.Put(&memory)
	}
}

// reader returns a body for one attempt.
func (u *upload) reader() io.ReadCloser {
	u.mu.Lock()
	defer u.mu.Unlock()
	r := &uploadReader{upload: u, closed: u.done}
	if !u.done {
		u.readers++
		r.rest.Reset(u.bytes)
	}
	return r
}

// uploadReader reads an upload. After Close, which the transport may call at any time, it reads
// nothing more.
type uploadReader struct {
	upload *upload
	rest   bytes.Reader // guarded by upload.mu
	closed bool         // guarded by upload.mu
}

func (r *uploadReader) Read(p []byte) (int, error) {
	r.upload.mu.Lock()
	defer r.upload.mu.Unlock()
	if r.closed {
		return 0, errClosedUpload
	}
	return r.rest.Read(p)
}

var errClosedUpload = errors.New("databricks-telemetry: the upload is over")

func (r *uploadReader) Close() error {
	r.upload.mu.Lock()
	defer r.upload.mu.Unlock()
	if !r.closed {
		r.closed = true
		r.upload.readers--
	}
	return nil
}
