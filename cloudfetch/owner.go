package cloudfetch

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// owner is the Trace or Session that an RPC belongs to.
type owner interface {
	// begin notes that a request is sent. If ok is false, the request passes unobserved.
	begin(req *message, out int64, redirect bool, now time.Time) (attempt uint32, ok bool)
	// headers notes that a response came.
	headers(x *exchange, h head, now time.Time)
	// received adds body bytes that were read.
	received(m method, n int64)
	// drained notes that the body of a response other than 200 is read or closed.
	drained(m method, now time.Time)
	// end notes how the attempt ended, and which error broke it off, if any.
	end(x *exchange, s attemptState, broke error, now time.Time)
	// markUndecoded notes a message that could not be decoded.
	markUndecoded()
}

var (
	_ owner = (*Trace)(nil)
	_ owner = (*Session)(nil)
)

// head is what is kept of a response's header.
type head struct {
	code      int
	workspace string                         // x-databricks-org-id; empty unknown
	request   guid                           // x-request-id; zero unknown
	wait      telemetry.Maybe[time.Duration] // Retry-After
}

// callState is the state of the calls of a Trace or a Session.
type callState struct {
	done atomic.Bool // the owner is finished; set under mu

	mu        sync.Mutex // guards all below, and fields of the owner
	methods   methods
	workspace string // response header x-databricks-org-id; empty unknown
	undecoded bool   // a message could not be decoded to its end, although the driver may have read it
}

// addHead takes the header of the response to a call. It reports false if the response does not
// belong to the latest attempt.
func (s *callState) addHead(x *exchange, h head) bool {
	if s.done.Load() || s.methods.find(x.method).attempt != x.attempt {
		return false
	}
	m := s.methods.add(x.method)
	m.rpc.LastStatus, m.request, m.wait = h.code, h.request, h.wait
	if h.workspace != "" {
		s.workspace = h.workspace
	}
	return true
}

// received implements owner.
func (s *callState) received(m method, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.done.Load() {
		s.methods.add(m).rpc.BytesIn += n
	}
}

// drained implements owner.
func (*callState) drained(method, time.Time) {}

// markUndecoded implements owner.
func (s *callState) markUndecoded() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.done.Load() {
		s.undecoded = true
	}
}
