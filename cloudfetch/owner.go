package cloudfetch

import (
	"sync"
	"sync/atomic"
	"time"
)

// owner is what an RPC belongs to: a Trace or a Session.
type owner interface {
	// begin notes that a request is sent; false lets it pass unobserved.
	begin(req *message, out int64, redirect bool, now time.Time) (attempt uint32, ok bool)
	// headers notes that a response came.
	headers(m method, attempt uint32, code int, workspace string)
	// received adds body bytes that were read.
	received(m method, n int64)
	// end notes how the attempt ended, and what broke it off, if anything did.
	end(x *exchange, s attemptState, broke error, now time.Time)
}

var (
	_ owner = (*Trace)(nil)
	_ owner = (*Session)(nil)
)

// callState is the state of the calls of a Trace or a Session.
type callState struct {
	done atomic.Bool // the trace is finished; set under mu

	mu        sync.Mutex // guards all below, and fields of the owner
	methods   methods
	workspace string // response header x-databricks-org-id; empty unknown
}

// headers implements owner.
func (s *callState) headers(m method, attempt uint32, code int, workspace string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done.Load() || s.methods.find(m).attempt != attempt {
		return
	}
	s.methods.of(m).rpc.LastStatus = code
	if workspace != "" {
		s.workspace = workspace
	}
}

// received implements owner.
func (s *callState) received(m method, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.done.Load() {
		s.methods.of(m).rpc.BytesIn += n
	}
}
