package cloudfetch

import "time"

// calling is the latest call of one method, and the sums of all.
type calling struct {
	next    *calling // of another method; nil for the last
	rpc     RPC
	session ID        // of an ExecuteStatement: the numbers are per session
	span    Span      // of the call: first attempt to last
	started time.Time // of the latest attempt
	seq     int32
	attempt uint32 // numbers attempts, so that a late end of an old one is told apart
	method  Method
	stands  standing
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
//
// They are listed in the order in which the methods were first called. Most statements need
// one method or two, so the first has its place here and the others get one when they come.
type calls struct{ first calling }

// never stands for a method that was not called.
var never = &calling{}

// latest returns the latest call of a method, to be read only.
func (c *calls) latest(m Method) *calling { return c.first.find(m) }

// find looks for a method in the rest of a list.
func (c *calling) find(m Method) *calling {
	for ; c != nil; c = c.next {
		if c.method == m {
			return c
		}
	}
	return never
}

// of returns the call of a method, to be written to.
func (c *calls) of(m Method) *calling {
	last := &c.first
	for last.method != m && last.next != nil {
		last = last.next
	}
	switch last.method {
	case m:
	case MethodUnknown:
		last.method = m
	default:
		last.next = &calling{method: m}
		last = last.next
	}
	return last
}

// rpc returns the sums of a method, to be written to.
func (c *calls) rpc(m Method) *RPC { return &c.of(m).rpc }

// clone copies what is listed.
func (c *calling) clone() *calling {
	if c == nil {
		return nil
	}
	copied := *c
	copied.next = c.next.clone()
	return &copied
}

// begin notes that a request is sent, and returns the number of the attempt.
func (c *calls) begin(m Method, req *message, out int64, redirect bool, now time.Time) uint32 {
	call := c.of(m)
	call.rpc.BytesOut += out
	return call.begin(req, redirect, now)
}

// begin notes that a request is sent, and returns the number of the attempt.
func (c *calling) begin(req *message, redirect bool, now time.Time) uint32 {
	rpc := &c.rpc
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

// end notes how an attempt ended. It reports whether it was the latest.
func (c *calls) end(m Method, attempt uint32, s standing, now time.Time) bool {
	call := c.latest(m)
	if call.stands != running || call.attempt != attempt {
		return false
	}
	call.end(s, now)
	return true
}

func (c *calling) end(s standing, now time.Time) {
	rpc := &c.rpc
	c.stands, c.span.End = s, now
	rpc.Latency += now.Sub(c.started)
	if s == failed || s == redirected {
		rpc.Failures++
	}
}
