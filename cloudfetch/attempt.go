package cloudfetch

import "time"

// calling is the latest call of one method.
type calling struct {
	seq     int32
	session guid   // of an ExecuteStatement: the numbers are per session
	attempt uint32 // numbers attempts, so that a late end of an old one is told apart
	stands  standing
	span    Span      // of the call: first attempt to last
	started time.Time // of the latest attempt
}

type standing uint8

const (
	idle       standing = iota // never called
	running                    // an attempt is under way
	failed                     // the latest attempt ended without a complete answer
	redirected                 // the same, and net/http's client may follow
	answered                   // the latest attempt was answered completely
	misread                    // answered, but not understood here; for the driver it is answered
)

// calls is the latest call of each method of a statement or session.
//
// Two requests are attempts of the same call when they follow each other with
// the same method, the same Thrift sequence number and the same handle, and the earlier one ended without a complete answer. The
// driver's client numbers the calls of a connection 1, 2, 3..., and repeats a
// request byte by byte when its HTTP layer retries; it never repeats one that
// was answered with 200. So two calls are never taken for one, whatever a
// server does, and a retry is never taken for a call.
type calls [numMethods]calling

// begin notes in rpc that a request is sent, and returns the number of the
// attempt.
func (c *calling) begin(rpc *RPC, req *message, redirect bool, now time.Time) uint32 {
	same := c.seq == req.seq && c.session == req.session
	switch {
	case c.stands == redirected && same && redirect:
		// The same attempt goes on elsewhere.
		rpc.Failures--
	case (c.stands == failed || c.stands == redirected) && same:
		rpc.Attempts++
		rpc.Retries++
		rpc.Backoff += now.Sub(c.span.End)
	default:
		rpc.Attempts++
		rpc.Count++
		c.span.Start = now
	}
	rpc.LastStatus = 0
	c.seq, c.session = req.seq, req.session
	c.stands, c.started, c.span.End = running, now, time.Time{}
	c.attempt++
	return c.attempt
}

// end notes in rpc how an attempt ended. It reports whether it was the latest.
func (c *calling) end(rpc *RPC, attempt uint32, s standing, now time.Time) bool {
	if c.attempt != attempt || c.stands != running {
		return false
	}
	c.stands, c.span.End = s, now
	rpc.Latency += now.Sub(c.started)
	if s == failed || s == redirected {
		rpc.Failures++
	}
	return true
}
