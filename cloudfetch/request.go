package cloudfetch

import (
	"io"
	"net/http"
)

// The Thrift client of the driver passes its body as a buffer, and
// net/http.NewRequest makes a GetBody for it, which the driver's retrying and
// authenticating layers keep. It gives another reader over the same bytes, so a
// request is read before it is sent, without touching its body. The request of a
// redirect has none in some versions of Go: it has the body of the one before.

// maxHops bounds how far a request is followed back: net/http follows ten redirects.
const maxHops = 20

// redirectedFrom returns the request whose answer led to req; nil where that was not a redirect.
func redirectedFrom(req *http.Request) *http.Request {
	if req.Response == nil {
		return nil
	}
	return req.Response.Request
}

// firstRequest returns the request from which redirects led to req; req itself where none did.
func firstRequest(req *http.Request) *http.Request {
	for hops := 0; hops < maxHops && redirectedFrom(req) != nil; hops++ {
		req = redirectedFrom(req)
	}
	return req
}

// readRequest reads the message in a request body, and returns its reader and the size of the
// body. It returns nil when the message could not be decoded to its end; else the caller must
// release the reader.
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
