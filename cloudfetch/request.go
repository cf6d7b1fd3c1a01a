package cloudfetch

import (
	"io"
	"net/http"
)

// The driver's Thrift client passes its body as a buffer, for which net/http.NewRequest makes a
// GetBody that the driver's retrying and authenticating layers keep. GetBody returns another reader
// over the same bytes, so a request can be read before it is sent, without touching its body. In some
// versions of Go, the request that follows a redirect has no GetBody; its body is that of the request
// before the redirect.

// maxHops bounds how far a request is followed back: net/http follows ten redirects.
const maxHops = 20

// redirectedFrom returns the request whose answer redirected to req, or nil if there was no redirect.
func redirectedFrom(req *http.Request) *http.Request {
	if req.Response == nil {
		return nil
	}
	return req.Response.Request
}

// firstRequest returns the request from which redirects led to req, or req itself if there were none.
func firstRequest(req *http.Request) *http.Request {
	for hops := 0; hops < maxHops && redirectedFrom(req) != nil; hops++ {
		req = redirectedFrom(req)
	}
	return req
}

// readRequest reads the message in a request body, and returns its reader and the size of the body.
// It returns nil if the message could not be decoded to its end; otherwise the caller must release
// the reader.
func readRequest(req *http.Request) (r *reader, size int64) {
	for hops := 0; req.GetBody == nil; hops++ {
		before := redirectedFrom(req)
		if before == nil || hops == maxHops {
			return nil, 0
		}
		req = before
	}
	body, err := req.GetBody()
	if err != nil || body == nil {
		return nil, 0
	}
	r = newReader(true)
	// A bytes.Reader, which the driver uses, writes its bytes at once and copies nothing.
	size, err = io.Copy(r, body)
	_ = body.Close()
	if err != nil || r.progress != complete {
		r.release()
		return nil, 0
	}
	return r, size
}
