package cloudfetch

import (
	"io"
	"net/http"
	"sync/atomic"
)

// The Thrift client of the driver passes its body as a buffer, and
// net/http.NewRequest makes a GetBody for it, which the driver's retrying and
// authenticating layers keep. It gives another reader over the same bytes, so a
// request is read before it is sent, without touching its body. Where there is
// no GetBody, the body is watched while the base transport reads it.

// readRequest reads the message in a request body, and returns its reader and the size of the
// body. It returns nil when the message could not be decoded to its end; else the caller must
// release the reader.
func readRequest(getBody func() (io.ReadCloser, error)) (r *reader, size int64) {
	body, err := getBody()
	if err != nil || body == nil {
		return nil, 0
	}
	r = newReader(true)
	// A bytes.Reader, which is what the driver has, writes its bytes at once
	// and copies nothing.
	size, err = io.Copy(r, body)
	_ = body.Close()
	if err != nil || r.progress != complete {
		r.release()
		return nil, 0
	}
	return r, size
}

// watchedRequest reads a request body while the base transport does. The
// transport may still be reading when the response comes, from another
// goroutine: done says when the message can be read.
type watchedRequest struct {
	io.ReadCloser
	counts *Counters
	done   atomic.Bool // reader.msg is complete and will not change
	n      atomic.Int64

	reader reader // of the goroutine that reads the body
}

func (r *watchedRequest) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if n > 0 && n <= len(p) {
		r.n.Add(int64(n))
		if r.reader.progress == decoding {
			r.saw(p[:n])
		}
	}
	return n, err
}

func (r *watchedRequest) saw(p []byte) {
	defer func() {
		if v := recover(); v != nil {
			r.reader.progress = undecodable
			r.counts.panicked(v)
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
	w.reader.start(true)
	copied := *req
	copied.Body = w
	return &copied, w
}
