package cloudfetch

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
)

// The Thrift client of the driver hands its body over as a buffer, and
// net/http.NewRequest makes a GetBody for it, which the driver's retrying and
// authenticating layers keep. It gives another reader over the same bytes, so a
// request is read before it is sent, without touching its body. Where there is
// no GetBody, the body is watched while the base transport reads it.

// requestReader reads a request through GetBody.
type requestReader struct {
	reader
	n int64
}

var requestReaders = sync.Pool{New: func() any { return new(requestReader) }}

// Write implements io.Writer.
func (r *requestReader) Write(p []byte) (int, error) {
	r.n += int64(len(p))
	r.feed(p)
	return len(p), nil
}

// readRequest reads the message in a request body. It returns nil when it was
// not understood to its end; else the reader is to be given back.
func readRequest(getBody func() (io.ReadCloser, error)) *requestReader {
	body, err := getBody()
	if err != nil || body == nil {
		return nil
	}
	r, _ := requestReaders.Get().(*requestReader)
	r.n = 0
	r.start(true, nil)
	// A bytes.Reader, which is what the driver has, writes its bytes at once
	// and copies nothing.
	if wt, is := body.(io.WriterTo); is {
		_, err = wt.WriteTo(r)
	} else {
		_, err = io.Copy(r, body)
	}
	_ = body.Close()
	if err != nil || r.progress != complete {
		requestReaders.Put(r)
		return nil
	}
	return r
}

// watchedRequest reads a request body while the base transport does. The
// transport may still be reading when the response comes, from another
// goroutine: done tells when msg can be read.
type watchedRequest struct {
	io.ReadCloser
	counts *Counters
	done   atomic.Bool // msg is complete and will not change
	n      atomic.Int64

	reader reader // of the goroutine that reads the body
	broken bool
}

func (r *watchedRequest) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if n > 0 && n <= len(p) {
		r.n.Add(int64(n))
		if !r.broken && r.reader.progress == following {
			r.saw(p[:n])
		}
	}
	return n, err
}

func (r *watchedRequest) saw(p []byte) {
	defer func() {
		if v := recover(); v != nil {
			r.broken = true
			r.counts.contained.Panicked(contain.Wire, v)
		}
	}()
	r.reader.feed(p)
	if r.reader.progress == complete {
		r.done.Store(true)
	}
}

// watch returns a copy of req whose body is watched.
func watch(req *http.Request, counts *Counters) (*http.Request, *watchedRequest) {
	w := &watchedRequest{ReadCloser: req.Body, counts: counts}
	w.reader.start(true, nil)
	copied := *req
	copied.Body = w
	return &copied, w
}
