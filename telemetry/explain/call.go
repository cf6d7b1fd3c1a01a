package explain

import (
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// rpcOf returns the sums of a method, zero where it was not called.
func rpcOf(s *telemetry.Statement, method string) *telemetry.RPC {
	for i := range s.RPCs {
		if s.RPCs[i].Method == method {
			return &s.RPCs[i]
		}
	}
	return &telemetry.RPC{}
}

// slowest is how long the slowest call of a method took, as far as that is certainly not in PartRetry, nor
// waiting for a network connection.
func slowest(s *telemetry.Statement, r *telemetry.RPC) time.Duration {
	return answering(s, r, r.Slowest)
}

// answering is how much of d, a time of calls of a method, is certainly neither in PartRetry nor waiting for a
// network connection.
func answering(s *telemetry.Statement, r *telemetry.RPC, d time.Duration) time.Duration {
	return unrepeated(s, r, d-r.Connecting)
}

// unrepeated is how much of d, a time of calls of a method, is certainly not in PartRetry: the failed attempts
// and pauses of those that were repeated are, unless a status call then said that the server was still at work.
func unrepeated(s *telemetry.Statement, r *telemetry.RPC, d time.Duration) time.Duration {
	if r.Retries == 0 {
		return d
	}
	return d - max(0, s.Split[telemetry.PartRetry])
}

// lastCall returns the latest listed call of a method; the zero value without one.
func lastCall(s *telemetry.Statement, method string) *telemetry.Call {
	for i := len(s.Calls) - 1; i >= 0; i-- {
		if s.Calls[i].Method == method {
			return &s.Calls[i]
		}
	}
	return &telemetry.Call{}
}

// Unanswered returns the method of the latest call of a statement, and how long the call has waited
// for the first byte of an answer. ok is false where an answer came, or where calls are not known, and
// where the call of a statement that runs has ended without an answer.
func Unanswered(s *telemetry.Statement) (method string, since time.Duration, ok bool) {
	c, since, ok := silent(s)
	_, ended := c.End.Get()
	return c.Method, since, ok && (!ended || s.Outcome != telemetry.OutcomeRunning)
}

// silent returns the latest call and its silence; ok is false where an answer came, or without calls.
func silent(s *telemetry.Statement) (c *telemetry.Call, since time.Duration, ok bool) {
	if len(s.Calls) == 0 {
		return &telemetry.Call{}, 0, false
	}
	c = &s.Calls[len(s.Calls)-1]
	since, ok = silenceOf(s, c)
	return c, since, ok
}

// silenceOf is how long the latest attempt of a call has waited for the first byte of an answer: until
// now, or until the call ended. ok is false where an answer came, or where there is no call.
func silenceOf(s *telemetry.Statement, c *telemetry.Call) (since time.Duration, ok bool) {
	_, answered := c.FirstByte.Get()
	return lastAttempt(s, c), !answered && c.Method != ""
}

// mostlySilent reports whether a part was mostly the silence of a call, without its wait for a network connection.
func mostlySilent(s *telemetry.Statement, c *telemetry.Call, since, took time.Duration) bool {
	return most(since-rpcOf(s, c.Method).Connecting, took)
}

// silence says how long a call has had no answer, of the time of a part: before, it waited for a network connection.
func silence(method string, since, took time.Duration) string {
	return "no byte of an answer to " + method + " for " + format.Duration(min(since, took))
}

// beyondDeadlines is advice on calls after ExecuteStatement, which the driver makes on contexts that do not end.
const beyondDeadlines = "The driver waits for this answer beyond a deadline of the context, until the timeout of its HTTP client: look at the status of the workspace, and at proxies and firewalls on the way."

// support says what Databricks support can look up: the slowest listed call of a method, where
// the server gave it an identifier.
func support(s *telemetry.Statement, method string) string {
	id, slowest := "", time.Duration(-1)
	for i := range s.Calls {
		c := &s.Calls[i]
		if took := lastAttempt(s, c); c.Method == method && c.RequestID != "" && took > slowest {
			id, slowest = c.RequestID, took
		}
	}
	return lookUp(id)
}

// lastAttempt is how long the latest attempt of a call took, or has taken so far.
func lastAttempt(s *telemetry.Statement, c *telemetry.Call) time.Duration {
	begun := max(c.Start, c.Latest)
	if n := len(c.Retried); n > 0 {
		begun = max(begun, c.Retried[n-1].End) // older versions do not write Latest
	}
	return c.End.Or(s.Total) - begun
}

// latestTook is how long the only call of a method took of a part, without attempts that were repeated; certain, which
// is not longer, where that is not known.
func latestTook(s *telemetry.Statement, r *telemetry.RPC, certain, took time.Duration) time.Duration {
	c := lastCall(s, r.Method)
	if r.Calls != 1 || c.Method == "" || r.Retries == 0 && r.Connecting == 0 || latestUnknown(c.Attempts, c.Latest) {
		return certain
	}
	return max(certain, min(lastAttempt(s, c), took))
}

func lookUp(id string) string {
	if id == "" {
		return ""
	}
	return " Databricks support can look up the request " + id + "."
}
