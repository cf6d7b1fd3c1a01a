package contain_test

import (
	"context"
	"errors"
	"runtime"
	"runtime/pprof"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
)

func TestAPanicIsContainedCountedAndItsFirstStackKept(t *testing.T) {
	var parent contain.Log
	l := contain.Log{Parent: &parent}
	observe := func(v any) {
		defer l.Recover(contain.Statement)
		panic(v)
	}
	observe(errors.New("token dapi0123"))
	observe("again")

	for _, log := range []*contain.Log{&l, &parent} {
		all := log.List()
		require.Len(t, all, 1)
		require.Equal(t, contain.Statement, all[0].Place)
		require.EqualValues(t, 2, all[0].Panics)
		require.Contains(t, all[0].First, "*errors.errorString", "the type of the first")
		require.Contains(t, all[0].First, "TestAPanicIsContained", "where it happened")
		require.NotContains(t, all[0].First, "dapi0123", "never its text")
	}
}

func TestADeepStackIsShortened(t *testing.T) {
	var l contain.Log
	var deep func(int)
	deep = func(n int) {
		if n == 0 {
			panic("no")
		}
		deep(n - 1)
	}
	require.False(t, l.Call(contain.Page, func() { deep(80) }))
	require.Len(t, l.List()[0].First, len("panic of type string\n")+8<<10+len("\n..."))
}

func TestSuppliedCodeMayReturnPanicOrExit(t *testing.T) {
	var l contain.Log
	require.True(t, l.Call(contain.Sink, func() {}))
	require.False(t, l.Call(contain.Sink, func() { panic("no") }))
	require.False(t, l.Call(contain.Sink, func() { panic(nil) }))
	var wg sync.WaitGroup
	wg.Go(func() { l.Call(contain.Tracer, runtime.Goexit) })
	wg.Wait()

	all := l.List()
	require.Len(t, all, 2)
	require.EqualValues(t, 2, all[0].Panics)
	require.EqualValues(t, 1, all[1].Goexits)
	require.Contains(t, all[1].First, "runtime.Goexit")
}

func TestGuardedCodeThatDoesNotReturnIsCleanedUpAfter(t *testing.T) {
	var l contain.Log
	for name, f := range map[string]func(){"panics": func() { panic("no") }, "exits": runtime.Goexit, "returns": func() {}} {
		broken := false
		var wg sync.WaitGroup
		wg.Go(func() { l.Guard(contain.Export, f, func() { broken = true }) })
		wg.Wait()
		require.Equal(t, name != "returns", broken, name)
	}
}

func TestABubbleIsRecognized(t *testing.T) {
	require.False(t, contain.InBubble())
	synctest.Test(t, func(t *testing.T) {
		require.True(t, contain.InBubble())
		var wg sync.WaitGroup
		wg.Go(func() { require.True(t, contain.InBubble()) })
		wg.Wait()
	})
}

func TestSuppliedCodeHasATimeBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l contain.Log
		run := func(f func()) bool {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			return contain.NewSupplied(&l, contain.Authenticator).Run(ctx, f)
		}
		require.True(t, run(func() {}))
		require.False(t, run(func() { panic("no") }))
		require.False(t, run(runtime.Goexit))
		start := time.Now()
		require.False(t, run(func() { time.Sleep(time.Hour) }))
		require.Less(t, time.Since(start), 2*time.Second)

		all := l.List()
		require.Len(t, all, 1)
		require.Equal(t, []int64{1, 1, 1}, []int64{all[0].Panics, all[0].Goexits, all[0].Hangs})

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		supplied := contain.NewSupplied(&l, contain.Authenticator)
		require.False(t, supplied.Run(ctx, func() { time.Sleep(time.Hour) }))
		require.False(t, supplied.Run(t.Context(), func() { t.Error("an earlier call has not returned") }))
		first := l.List()[0]
		require.EqualValues(t, 3, first.Panics+first.Goexits+first.Hangs, "a call that the caller canceled is no hang")
		time.Sleep(2 * time.Hour) // both calls return
	})
}

func TestWhatIsDroppedIsCleanedUp(t *testing.T) {
	found := make(chan string)
	watched := func(name string) *contain.Watch { return contain.WhenDropped(func() { found <- name }) }
	watched("stopped").Stop()
	watched("one")
	kept := watched("kept")
	for name := ""; name == ""; {
		runtime.GC()
		select {
		case name = <-found:
			require.Equal(t, "one", name)
		default:
			runtime.Gosched()
		}
	}
	runtime.KeepAlive(kept)
	kept.Stop()
	synctest.Test(t, func(t *testing.T) {
		watch := contain.WhenDropped(func() {})
		require.Zero(t, *watch, "cleanups run outside of the bubble")
		watch.Stop()
	})
}

func TestLabelsOfAGoroutineDoNotMakeItOneOfAnotherBubble(t *testing.T) {
	t.Setenv("GODEBUG", "tracebacklabels=1") // of Go 1.26
	synctest.Test(t, func(t *testing.T) {
		here := contain.Bubble()
		require.NotEmpty(t, here)
		pprof.Do(t.Context(), pprof.Labels("job", "nightly"), func(context.Context) {
			require.Equal(t, here, contain.Bubble())
		})
	})
}

func TestTheBubbleIsFoundByItsTime(t *testing.T) {
	require.Empty(t, contain.Bubble())
	require.Empty(t, contain.BubbleAt(time.Now()))
	synctest.Test(t, func(t *testing.T) {
		require.NotEmpty(t, contain.Bubble())
		require.Equal(t, contain.Bubble(), contain.BubbleAt(time.Now()))
	})
}
