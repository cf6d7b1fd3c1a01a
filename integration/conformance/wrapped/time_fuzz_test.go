package wrapped

import (
	"fmt"
	"testing"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

// FuzzPartsAddUp runs programs of faults and reader behavior. However a statement ends, and while it runs,
// its parts add up.
func FuzzPartsAddUp(f *testing.F) {
	f.Add([]byte{})
	for i := range byte(30) { // each action at each method, each reader, each ending
		f.Add([]byte{i, i / 2, i, i * 7, i % 5, i, i + 1, i / 5, i, 0, i + 3, i * 3, 1, i % 4})
	}
	f.Fuzz(func(t *testing.T, program []byte) {
		s := programmed(program)
		got := s.perform(t)
		about := fmt.Sprintf("%+v\n", s)
		for _, r := range append(got.others, got.record, got.look) {
			if r != nil {
				requireConsistent(t, r, fmt.Sprintf("%s%+v", about, *r))
			}
		}
	})
}

// programmed is the scene that a program describes; bytes that are missing are 0.
func programmed(program []byte) scene {
	next := func(n int) int {
		if len(program) == 0 {
			return 0
		}
		b := program[0]
		program = program[1:]
		return int(b) % n
	}
	duration := func() time.Duration { return time.Duration(next(100)) * 50 * time.Millisecond }

	all := formats()
	format := all[next(len(all))]
	s := scene{
		entry: []string{"NewConnector", "NewConnector", "Wrap"}[next(3)], opts: format.opts,
		reader: []string{"rows", "driver rows", "arrow", "ipc", "exec"}[next(5)],
		ending: []ending{readToEnd, closedEarly, dropped, dbClosed}[next(4)],
		pause:  duration(), poll: duration() + time.Millisecond, at: duration(), stop: int64(next(2 * pageRows)),
		sleeps: map[moment]time.Duration{},
	}
	s.opts.ServerTimes = next(3) == 0
	if s.cancel = next(3) == 0; s.cancel && s.reader == "rows" {
		s.reader = "driver rows" // see driverCursor
	}
	for _, m := range []moment{beforeRows, amidRows, atBoundary, afterRows, leftOpenAtRow} {
		if next(2) == 1 {
			s.sleeps[m] = duration()
		}
	}
	targets := []workspace.Target{
		workspace.Method("ExecuteStatement"), workspace.Method("GetOperationStatus"), workspace.Method("GetResultSetMetadata"),
		workspace.Method("FetchResults"), workspace.Method("CancelOperation"), workspace.Method("CloseOperation"), workspace.ResultDownloads(),
	}
	for len(program) > 0 && len(s.faults) < 6 {
		on, skip, first, d := targets[next(len(targets))], next(3), 1+next(6), duration()
		s.faults = append(s.faults, workspace.Fault{On: on, Skip: skip, First: first, Do: []workspace.Action{
			workspace.Latency(d), workspace.SlowBody(d), workspace.StatusRetryAfter(503, d), workspace.Status(503), workspace.Status(429), workspace.Status(403),
			workspace.Status(500), workspace.Reset(), workspace.HalfBody(), workspace.DropResponse(), workspace.Garbage(),
		}[next(11)]})
	}
	return s
}
