package soak

import (
	"context"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// weather is what befalls telemetry alone: its endpoint, the flag, and the sinks beside. The
// application must not feel any of it.
type weather struct {
	random  *rand.Rand
	ws      *workspace.Workspace
	climate climate
}

// climate is the kind of weather a round has.
type climate uint64

const (
	rough   climate = iota // uploads fail in every way
	erratic                // so do questions about the flag, and it changes; that may silence a host for a minute
	fair                   // all is well
)

// blow changes the weather until the context is done, and leaves it fair.
func (w *weather) blow(ctx context.Context) {
	upload, flag := workspace.Endpoint("/telemetry"), workspace.Endpoint("/api/2.0/connector-service")
	detach := func() {}
	release := make(chan struct{})
	for ctx.Err() == nil {
		var bad []*workspace.Injected
		for _, on := range []workspace.Target{upload, flag}[:1+w.climate] {
			if do, ok := w.draw(); ok {
				bad = append(bad, w.ws.Inject(workspace.Fault{On: on, Share: 0.2 + 0.8*w.random.Float64(), Do: do}))
			}
		}
		if w.climate == erratic && w.random.IntN(3) == 0 {
			w.ws.SetTelemetryFlag([]workspace.Flag{workspace.FlagOn, workspace.FlagOn, workspace.FlagOff, workspace.FlagAbsent}[w.random.IntN(4)])
		}
		switch w.random.IntN(5) {
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
			detach = telemetry.Attach(reluctant{w.random.IntN(2) == 0})
		}
		select {
		case <-time.After(time.Duration(50+w.random.IntN(400)) * time.Millisecond):
		case <-ctx.Done():
		}
		for _, b := range bad {
			b.Remove()
		}
	}
	detach()
	close(release)
}

func (w *weather) draw() (do workspace.Action, ok bool) {
	bad := []workspace.Action{
		workspace.Status(500), workspace.Status(503), workspace.Status(400), workspace.Status(401), workspace.Status(403), workspace.Status(413),
		workspace.StatusRetryAfter(429, 0), workspace.StatusRetryAfter(429, time.Second),
		workspace.Hang(), workspace.Reset(), workspace.LoseResponse(), workspace.HalfBody(), workspace.Garbage(), workspace.RedirectToLogin(),
		workspace.Answer(200, "text/html", "<html>login</html>"), workspace.Answer(200, "application/json", "{}"), workspace.Latency(100 * time.Millisecond),
	}
	n := w.random.IntN(len(bad) * 3 / 2)
	if n >= len(bad) {
		return do, false
	}
	return bad[n], true
}

// panicking is a sink gone wrong.
type panicking struct{}

func (panicking) StatementFinished(*telemetry.Statement) { panic("sink") }

// exiting is a sink that ends the goroutine it is called on.
type exiting struct{}

func (exiting) StatementFinished(*telemetry.Statement) { runtime.Goexit() }

// blocking is a sink that takes a record and does not come back until it is released.
type blocking struct{ release <-chan struct{} }

func (b blocking) StatementFinished(*telemetry.Statement) { <-b.release }

// reluctant is a sink that wants records now and then, and panics when asked in between.
type reluctant struct{ panics bool }

func (r reluctant) StatementFinished(*telemetry.Statement) {}

func (r reluctant) Recording() bool {
	if r.panics {
		panic("recorder")
	}
	return time.Now().UnixMilli()&1 == 0
}
