package cloudfetch

import (
	"slices"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// fill adds to a record what the trace has. Counts that may be too low because
// something was not seen or not decoded stay unknown.
func (t *Trace) fill(r *telemetry.Statement) {
	if r.StatementID == "" {
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
	r.RPCs = t.appendRPCs(r.RPCs)
	r.Calls = t.appendCalls(r.Calls)
	if t.methods.find(executeStatement).rpc.Calls > 0 { // else the statement never reached the server
		r.Result = t.result
		r.Result.Evidence = telemetry.EvidenceWire
		if t.whole() {
			polls := &t.methods.find(getOperationStatus).rpc
			r.Polling = telemetry.Known(telemetry.Polling{Calls: polls.Calls, Latency: polls.Latency})
			r.Result.Pages, r.Result.Rows = telemetry.Known(t.pages), telemetry.Known(t.rows)
			r.CloudFetch = t.files.fill(t.done.Load())
		}
	}
	t.fillSplit(r)
}

// statementMethods are the calls made for a statement, in the order of its life.
var statementMethods = []method{
	executeStatement, getOperationStatus, getResultSetMetadata, fetchResults, cancelOperation, closeOperation,
}

func (t *Trace) appendRPCs(to []telemetry.RPC) []telemetry.RPC {
	for _, m := range statementMethods {
		if s := t.methods.find(m); s.rpc.Calls > 0 {
			to = append(to, s.rpc)
		}
	}
	return to
}

// appendCalls lists the calls that ran the statement, polled and fetched. Of a statement that is
// finished, calls that brought no page are not listed as fetching one.
func (t *Trace) appendCalls(to []telemetry.Call) []telemetry.Call {
	if len(t.calls) == 0 {
		return nil
	}
	to = slices.Grow(to, len(t.calls))
	for i := range t.calls {
		if c := &t.calls[i]; c.page || !t.done.Load() || c.Method != methodNames[fetchResults] {
			to = append(to, c.Call)
		}
	}
	return to
}

// fillSplit sets the parts of the statement's time that the wire shows.
func (t *Trace) fillSplit(r *telemetry.Statement) {
	r.Split.Server = t.serverTime()
	var backoff time.Duration
	for i := range r.RPCs {
		backoff += r.RPCs[i].Backoff
	}
	if backoff > 0 {
		r.Split.Retries = telemetry.Known(backoff)
	}
	if server, ok := r.Split.Server.Get(); ok {
		r.Split.PollWait = t.pollWait(server)
	}
	if r.Result.Pages.Or(0) > 0 {
		r.Split.Pages = telemetry.Known(t.methods.find(fetchResults).rpc.Latency)
	}
}

// serverTime is the time that the server says it worked. It is unknown where the server's clock was
// stepped meanwhile: the work cannot have taken longer than the client waited for it, but for the
// server's milliseconds and two clocks that do not run equally fast.
func (t *Trace) serverTime() telemetry.Maybe[time.Duration] {
	execute, polls := t.methods.find(executeStatement), t.methods.find(getOperationStatus)
	waited := max(execute.end, polls.end) - execute.start
	worked := t.serverCompleted - t.serverStarted
	if t.serverStarted <= 0 || worked < 0 || worked > (waited+waited/100).Milliseconds()+1 {
		return telemetry.Maybe[time.Duration]{}
	}
	return telemetry.Known(time.Duration(worked) * time.Millisecond)
}

// pollWait is the time for which the client went on polling after the server had finished. While
// ExecuteStatement was under way the server worked, too; what remained of its time passed while
// the client polled.
func (t *Trace) pollWait(server time.Duration) telemetry.Maybe[time.Duration] {
	execute, polls := t.methods.find(executeStatement), t.methods.find(getOperationStatus)
	executed, ok := execute.ended().Get()
	if !ok || polls.rpc.Calls == 0 || polls.rpc.Calls > maxPolls {
		return telemetry.Maybe[time.Duration]{}
	}
	polled := polls.ended().Or(executed) - executed - polls.rpc.Backoff
	return telemetry.Known(max(0, polled-max(0, server-(executed-execute.start))))
}
