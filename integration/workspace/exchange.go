package workspace

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/wire"
)

// maxBody bounds a request body.
const maxBody = 128 << 20

// exchange is one HTTP request while it is being served. It belongs to the handler's goroutine;
// other goroutines read the ledger.
type exchange struct {
	ws     *Workspace
	w      *responseWriter
	r      *http.Request
	body   []byte
	record *Request // guarded by ledger.mu once begin returned

	// Set for Thrift calls.
	warehouse *warehouse // where the path leads
	call      wire.Header
	method    *method
	req       any

	// Set for downloads and uploads: the object the link names.
	link *link
}

// begin reads the request and opens its record.
func (w *Workspace) begin(l Listener, rw http.ResponseWriter, r *http.Request) (*exchange, error) {
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxBody))
	x := &exchange{ws: w, r: r, body: body}
	x.record = &Request{
		Listener: l, Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Proto: r.Proto,
		Header: r.Header.Clone(), RemoteAddr: r.RemoteAddr, Received: time.Now(),
		BodyBytes: int64(len(body)),
	}
	if w.opts.CaptureBodies {
		x.record.Body = bytes.Clone(body)
	}
	x.w = &responseWriter{ResponseWriter: rw, capture: w.opts.CaptureResponses}
	w.ledger.open(x.record)
	return x, err
}

// end closes the record, whether the handler returned or aborted. If a fault breaks the connection,
// end does so after that, so that a client that sees its request end finds it in the facts.
func (x *exchange) end() {
	aborted := recover()
	x.ws.ledger.update(func() {
		r := x.record
		r.Done = true
		r.Duration = time.Since(r.Received)
		r.Status = x.w.status
		if r.RequestID = x.w.Header().Get(requestIDHeader); r.Listener == ListenerStorage {
			r.RequestID = x.w.Header().Get(storageIDHeader)
		}
		r.ResponseBytes = x.w.written
		r.Response = x.w.captured.Bytes()
		r.Aborted = aborted != nil || x.w.broken
	})
	if aborted != nil {
		panic(aborted)
	}
	switch {
	case x.w.hard:
		x.w.reset()
	case x.w.broken:
		panic(http.ErrAbortHandler)
	}
}

// send answers with a complete body.
func (x *exchange) send(status int, contentType string, body []byte) {
	h := x.w.Header()
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(status)
	_, _ = x.w.Write(body)
}

func (x *exchange) sendJSON(status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		x.sendError(&httpError{status: http.StatusInternalServerError, code: "INTERNAL_ERROR", message: err.Error()})
		return
	}
	x.send(status, "application/json", b)
}

// apiHeader sets what the service sends with every answer on the workspace listener.
func (x *exchange) apiHeader() {
	h := x.w.Header()
	h.Set("Server", "databricks")
	h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains; preload")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set(requestIDHeader, uuid.NewString())
	h.Set(orgIDHeader, strconv.FormatInt(x.ws.opts.WorkspaceID, 10))
	h.Set("X-Databricks-Shard-Debug", "simulated")
	h.Set("X-Databricks-Popp-Response-Code-Details", "via_upstream")
	h.Set("X-Databricks-Apiproxy-Response-Code-Details", "via_upstream")
}

const (
	orgIDHeader     = "X-Databricks-Org-Id"
	requestIDHeader = "X-Request-Id"
	storageIDHeader = "X-Amz-Request-Id"
)

// httpError is a refusal by the gateway: an HTTP error in place of an answer in the request's
// protocol.
type httpError struct {
	status  int
	code    string // error_code of the JSON body, e.g. BAD_REQUEST
	message string
}

func (e *httpError) Error() string { return e.code + ": " + e.message }

func (x *exchange) sendError(e *httpError) {
	h := x.w.Header()
	h.Set("X-Databricks-Reason-Phrase", e.message)
	h.Set("X-Thriftserver-Error-Message", e.Error())
	x.sendJSON(e.status, map[string]string{"error_code": e.code, "message": e.message})
}

// responseWriter counts the bytes sent and can break the connection in the middle of a body.
type responseWriter struct {
	http.ResponseWriter
	status   int
	written  int64
	failed   bool // a write failed: the client is gone
	capture  bool
	captured bytes.Buffer

	// halve cuts the body in two and sends the first half; drop sends nothing at all. Either way
	// broken is set, and the connection breaks when the handler returns; with hard, by a TCP reset.
	halve, drop, broken, hard bool

	// stall is called between the halves of the body; it may be nil.
	stall func()
}

// tail is the number of bytes at the end of a body that are written separately. The buffers of
// net/http hold back more than that until a handler returns, so no client can have a complete
// answer before its facts are recorded.
const tail = 1024

// Unwrap gives http.ResponseController access to the connection.
func (w *responseWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *responseWriter) WriteHeader(status int) {
	if w.drop {
		w.broken = true
		return
	}
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *responseWriter) Write(p []byte) (int, error) {
	if stall := w.stall; stall != nil {
		w.stall = nil
		half := len(p) / 2
		_, _ = w.Write(p[:half]) // Write records a failure
		_ = http.NewResponseController(w.ResponseWriter).Flush()
		stall()
		n, err := w.Write(p[half:])
		return half + n, err
	}
	if w.drop || w.broken {
		w.broken = true
		return len(p), nil
	}
	if w.status == 0 {
		w.status = http.StatusOK
	}
	out := p
	if w.halve {
		out, w.broken = p[:len(p)/2], true
	}
	cut := max(len(out)-tail, 0)
	n, err := w.ResponseWriter.Write(out[:cut])
	if err == nil {
		var rest int
		rest, err = w.ResponseWriter.Write(out[cut:])
		n += rest
	}
	w.written += int64(n)
	w.failed = w.failed || err != nil
	if w.capture {
		w.captured.Write(out[:n])
	}
	if w.halve {
		_ = http.NewResponseController(w.ResponseWriter).Flush()
	}
	return len(p), err
}

// reset breaks the connection without an answer: a TCP reset on HTTP/1.1, a stream reset on
// HTTP/2.
func (w *responseWriter) reset() {
	conn, _, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil { // an HTTP/2 connection cannot be hijacked
		panic(http.ErrAbortHandler)
	}
	if c, ok := conn.(interface{ SetLinger(seconds int) error }); ok {
		_ = c.SetLinger(0)
	}
	_ = conn.Close()
}
