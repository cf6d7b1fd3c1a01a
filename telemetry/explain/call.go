package explain

import (
	"iter"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// rpcOf returns the sums of a method, or the zero value if it was not called.
func rpcOf(s *telemetry.Statement, method string) *telemetry.RPC {
	for i := range s.RPCs {
		if s.RPCs[i].Method == method {
			return &s.RPCs[i]
		}
	}
	return &telemetry.RPC{}
}

// answering returns how much of d, a time of calls of a method, is certainly neither in PartRetry nor spent
// waiting for a network connection.
func answering(s *telemetry.Statement, r *telemetry.RPC, d time.Duration) time.Duration {
	return unrepeated(s, r, d-r.Connecting)
}

// unrepeated returns how much of d, a time of calls of a method, is certainly not in PartRetry. The failed
// attempts and pauses of repeated calls are in PartRetry, unless a status call then found the server still at
// work.
func unrepeated(s *telemetry.Statement, r *telemetry.RPC, d time.Duration) time.Duration {
	if r.Retries == 0 {
		return d
	}
	return d - max(0, s.Split[telemetry.PartRetry])
}

// callsOf returns the listed calls of a method, in the order they began.
func callsOf(s *telemetry.Statement, method string) iter.Seq[*telemetry.Call] {
	return func(yield func(*telemetry.Call) bool) {
		for i := range s.Calls {
			if c := &s.Calls[i]; c.Method == method && !yield(c) {
				return
			}
		}
	}
}

// lastCall returns the latest listed call of a method, or the zero value if there is none.
func lastCall(s *telemetry.Statement, method string) *telemetry.Call {
	last := &telemetry.Call{}
	for c := range callsOf(s, method) {
		last = c
	}
	return last
}

// Unanswered returns the method of the latest call of a statement, and how long the call has waited
// for the first byte of an answer. ok is false if an answer came, if no calls are known, or if the
// call ended without an answer while the statement still runs.
func Unanswered(s *telemetry.Statement) (method string, since time.Duration, ok bool) {
	c, since, ok := silent(s)
	_, ended := c.End.Get()
	return c.Method, since, ok && (!ended || s.Outcome != telemetry.OutcomeRunning)
}

// silent returns the latest call and its silence, see silenceOf. ok is false if an answer came or
// there are no calls.
func silent(s *telemetry.Statement) (c *telemetry.Call, since time.Duration, ok bool) {
	if len(s.Calls) == 0 {
		return &telemetry.Call{}, 0, false
	}
	c = &s.Calls[len(s.Calls)-1]
	since, ok = silenceOf(s, c)
	return c, since, ok
}

// silenceOf returns how long the latest attempt of a call has waited for the first byte of an answer:
// until now, or until the call ended. ok is false if an answer came or there is no call.
func silenceOf(s *telemetry.Statement, c *telemetry.Call) (since time.Duration, ok bool) {
	_, answered := c.FirstByte.Get()
	return lastAttempt(s, c), !answered && c.Method != ""
}

// mostlySilent reports whether most of a part was the silence of a call, not counting its wait for a network
// connection.
func mostlySilent(s *telemetry.Statement, c *telemetry.Call, since, took time.Duration) bool {
	return most(since-rpcOf(s, c.Method).Connecting, took)
}

// silence says how long a call had no answer during a part. Any earlier silence was the wait for a network
// connection.
func silence(method string, since, took time.Duration) string {
	return "no byte of an answer to " + method + " for " + format.Duration(min(since, took))
}

// beyondDeadlines is advice on calls after ExecuteStatement, which the driver makes with contexts that never
// end.
const beyondDeadlines = "The driver waits for this answer beyond a deadline of the context, until the timeout of its HTTP client: look at the status of the workspace, and at proxies and firewalls on the way."

// support names the request that Databricks support can look up: that of a method's slowest call, if the call is
// listed and has an identifier from the server.
func support(s *telemetry.Statement, method string) string {
	id, slowest, longest := "", time.Duration(-1), time.Duration(0)
	for c := range callsOf(s, method) {
		longest = max(longest, c.End.Or(s.Total)-c.Start)
		if took := lastAttempt(s, c); took > slowest {
			id, slowest = c.RequestID, took
		}
	}
	if longest+breakdown.Rounding < rpcOf(s, method).Slowest {
		return "" // the slowest call is not listed
	}
	return lookUp(id)
}

// lastAttempt returns how long the latest attempt of a call took, or has taken so far.
func lastAttempt(s *telemetry.Statement, c *telemetry.Call) time.Duration {
	begun := max(c.Start, c.Latest)
	if n := len(c.Retried); n > 0 {
		begun = max(begun, c.Retried[n-1].End) // older versions do not write Latest
	}
	return c.End.Or(s.Total) - begun
}

// latestTook returns how much of a part the only call of a method took, without attempts that were repeated. If
// that is not known, it returns certain, which is not longer.
func latestTook(s *telemetry.Statement, r *telemetry.RPC, certain, took time.Duration) time.Duration {
	c := lastCall(s, r.Method)
	if r.Calls != 1 || c.Method == "" || latestUnknown(c.Attempts, c.Latest) {
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
