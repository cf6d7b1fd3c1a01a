package soak

import (
	"context"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// telemetryFaults are faults of telemetry alone: of its endpoint, its flag, and other sinks. The
// application must not notice them.
type telemetryFaults struct {
	random *rand.Rand
	ws     *workspace.Workspace
	mode   faultMode
}

// faultMode is the kind of telemetry faults of a round.
type faultMode uint64

const (
	uploadFaults faultMode = iota // uploads fail in every way
	flagFaults                    // requests for the flag fail, too, and the flag changes; that may disable a host for a minute
	noFaults
)

// inject changes the faults until the context is done, and removes them.
func (f *telemetryFaults) inject(ctx context.Context) {
	upload, flag := workspace.Endpoint("/telemetry"), workspace.Endpoint("/api/2.0/connector-service")
	detach := func() {}
	release := make(chan struct{})
	for ctx.Err() == nil {
		var bad []*workspace.Injected
		for _, on := range []workspace.Target{upload, flag}[:1+f.mode] {
			if do, ok := f.draw(); ok {
				bad = append(bad, f.ws.Inject(workspace.Fault{On: on, Share: 0.2 + 0.8*f.random.Float64(), Do: do}))
			}
		}
		if f.mode == flagFaults && f.random.IntN(3) == 0 {
			f.ws.SetTelemetryFlag([]workspace.Flag{workspace.FlagOn, workspace.FlagOn, workspace.FlagOff, workspace.FlagAbsent}[f.random.IntN(4)])
		}
		switch f.random.IntN(5) {
		case 4:
			detach()
			detach = telemetry.Attach(exiting{})
		case 0:
			detach()
			detach = telemetry.Attach(panicking{})
		case 1:
			detach()
			detach = telemetry.Attach(blocking{release})
		case 2:
			detach()
			detach = telemetry.Attach(intermittent{f.random.IntN(2) == 0})
		}
		select {
		case <-time.After(time.Duration(50+f.random.IntN(400)) * time.Millisecond):
		case <-ctx.Done():
		}
		for _, b := range bad {
			b.Remove()
		}
	}
	detach()
	close(release)
}

func (f *telemetryFaults) draw() (do workspace.Action, ok bool) {
	bad := []workspace.Action{
		workspace.Status(500), workspace.Status(503), workspace.Status(400), workspace.Status(401), workspace.Status(403), workspace.Status(413),
		workspace.StatusRetryAfter(429, 0), workspace.StatusRetryAfter(429, time.Second),
		workspace.Hang(), workspace.Reset(), workspace.DropResponse(), workspace.HalfBody(), workspace.Garbage(), workspace.RedirectToLogin(),
		workspace.Answer(200, "text/html", "<html>login</html>"), workspace.Answer(200, "application/json", "{}"), workspace.Latency(100 * time.Millisecond),
	}
	n := f.random.IntN(len(bad) * 3 / 2)
	if n >= len(bad) {
		return do, false
	}
	return bad[n], true
}

// panicking is a sink that panics.
type panicking struct{}

func (panicking) StatementFinished(*telemetry.Statement) { panic("sink") }

// exiting is a sink that ends the goroutine it is called on.
type exiting struct{}

func (exiting) StatementFinished(*telemetry.Statement) { runtime.Goexit() }

// blocking is a sink that takes a record and does not return until it is released.
type blocking struct{ release <-chan struct{} }

func (b blocking) StatementFinished(*telemetry.Statement) { <-b.release }

// intermittent is a sink that wants records only at times, and may panic when asked at other times.
type intermittent struct{ panics bool }

func (r intermittent) StatementFinished(*telemetry.Statement) {}

func (r intermittent) Recording() bool {
	if r.panics {
		panic("recorder")
	}
	return time.Now().UnixMilli()&1 == 0
}
