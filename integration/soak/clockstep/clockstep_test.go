package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// program is a test that steps the clock by a day, back and forth.
const program = `package program

import (
	"strings"
	"testing"
	"time"
)

func TestStep(t *testing.T) {
	const day = 24 * time.Hour
	for _, by := range []time.Duration{-day, day, -1500 * time.Millisecond, 1500 * time.Millisecond} {
		before, timer := time.Now(), time.NewTimer(time.Millisecond)
		deadline := time.Now().Add(time.Hour)
		time.StepWall(by)
		after := time.Now()
		if took := after.Sub(before); took < 0 || took > time.Hour {
			t.Errorf("%v: by the monotonic clock %v passed", by, took)
		}
		if left := time.Until(deadline); left <= 0 || left > time.Hour {
			t.Errorf("%v: the deadline is in %v", by, left)
		}
		// The two clocks are read one after the other, and differ by that.
		if stepped := after.Round(0).Sub(before.Round(0)) - after.Sub(before); (stepped - by).Abs() > 500*time.Millisecond {
			t.Errorf("the wall clock was stepped by %v, and seen to step by %v", by, stepped)
		}
		if !strings.Contains(after.String(), "m=") {
			t.Error("the monotonic reading is gone")
		}
		<-timer.C
	}
}
`

func TestAStepMovesTheWallClockAlone(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module program\n\ngo 1.25.0\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "program_test.go"), []byte("//go:build clocksteps\n\n"+program), 0o600))
	require.NoError(t, run(dir, "test", []string{"-vet=off", "."}))

	wrong := strings.Replace(program, "time.StepWall(by)", "", 1)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "program_test.go"), []byte("//go:build clocksteps\n\n"+wrong), 0o600))
	require.Error(t, run(dir, "test", []string{"-vet=off", "."}), "the clock stands still without a step, and the exit code is passed on")
}

func TestSourceThatReadsTheClockInAnotherWayIsRefused(t *testing.T) {
	for name, source := range map[string]string{
		"func Now not found":              "package time\n\nfunc (Time) Now() {}\n",
		"calls runtimeNow 0 times":        "package time\n\nfunc Now() Time { return now() }\n",
		"calls runtimeNow 2 times":        "package time\n\nfunc Now() Time { runtimeNow(); return of(runtimeNow()) }\n",
		"expected 'package', found 'EOF'": "",
	} {
		_, err := patch([]byte(source))
		require.ErrorContains(t, err, name)
	}
	patched, err := patch([]byte("package time\n\nfunc Now() Time { return of(runtimeNow()) } // runtimeNow()\n"))
	require.NoError(t, err)
	require.Equal(t, "package time\n\nfunc Now() Time { return of(stepped(runtimeNow())) } // runtimeNow()\n", string(patched))
}
