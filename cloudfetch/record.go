package cloudfetch

import (
	"slices"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// fill adds to a record what the trace knows. Counts that may be too low because something was not
// seen or not decoded stay unknown.
func (t *Trace) fill(r *telemetry.Statement) {
	if t.id != (guid{}) && parseGUID(r.StatementID) != t.id { // the driver may have reported the id of an authenticator's statement
		r.StatementID = t.id.String()
	}
	if r.SessionID == "" {
		r.SessionID = t.session.String()
	}
	if r.WorkspaceID == "" {
		r.WorkspaceID = t.workspace
	}
	if t.volume {
		r.Kind = telemetry.KindVolume
	}
	if r.RPCs = t.appendRPCs(r.RPCs); r.RPCs == nil && !t.unread {
		r.RPCs = []telemetry.RPC{} // known to be empty
	}
	r.Calls = t.appendCalls(r.Calls)
	if t.methods.find(executeStatement).rpc.Calls > 0 { // otherwise the statement never reached the server
		r.Result = t.result
		r.Result.Evidence = telemetry.EvidenceWire
		if t.whole() {
			polls := &t.methods.find(getOperationStatus).rpc
			r.Polling = telemetry.Known(telemetry.Polling{Calls: polls.Calls, Latency: polls.Latency, Unseen: t.unseen})
			r.Result.Pages, r.Result.Rows = telemetry.Known(t.pages), telemetry.Known(t.rows)
			r.CloudFetch = t.files.fill(t.done.Load())
		}
	}
	r.State, r.ServerTime = t.state, t.serverTime
	r.Total, r.Split, r.Application = t.until, t.split, t.application
	if t.doubtful() {
		r.Split[t.idleIn] -= t.idle
		r.Split[telemetry.PartUnknown] += t.idle
	}
}

// appendRPCs appends the calls made for the statement, in the order of its life.
func (t *Trace) appendRPCs(to []telemetry.RPC) []telemetry.RPC {
	for m := executeStatement; m < numMethods; m++ {
		if s := t.methods.find(m); s.rpc.Calls > 0 {
			to = append(to, s.rpc)
			r := &to[len(to)-1]
			if r.FailedStatus = s.failedStatus(); s.state == running {
				r.Slowest = max(r.Slowest, t.until-s.start) // a call that has not ended counts with its time so far
			}
		}
	}
	return to
}

// slowCall is the shortest latency with which the server's request identifier of a call is kept.
const slowCall = time.Second

func (t *Trace) appendCalls(to []telemetry.Call) []telemetry.Call {
	if len(t.calls) == 0 {
		return nil
	}
	to = slices.Grow(to, len(t.calls))
	for i := range t.calls {
		c := &t.calls[i]
		listed := c.Call
		if c.Failed || c.Attempts > 1 || c.End.Or(t.until)-c.Start >= slowCall {
			listed.RequestID = c.request.String()
		}
		to = append(to, listed)
	}
	return to
}
