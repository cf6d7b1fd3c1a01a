package contain_test

import (
	"context"
	"errors"
	"runtime"
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
		within := func(f func() int) (int, error) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			return contain.Within(ctx, &l, contain.Authenticator, f)
		}
		v, err := within(func() int { return 7 })
		require.NoError(t, err)
		require.Equal(t, 7, v)
		_, err = within(func() int { panic("no") })
		require.ErrorIs(t, err, contain.ErrPanicked)
		_, err = within(func() int { runtime.Goexit(); return 0 })
		require.ErrorIs(t, err, contain.ErrExited)
		start := time.Now()
		_, err = within(func() int { time.Sleep(time.Hour); return 0 })
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Less(t, time.Since(start), 2*time.Second)

		all := l.List()
		require.Len(t, all, 1)
		require.Equal(t, []int64{1, 1, 1}, []int64{all[0].Panics, all[0].Goexits, all[0].Hangs})

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = contain.Within(ctx, &l, contain.Authenticator, func() int { time.Sleep(time.Hour); return 0 })
		require.ErrorIs(t, err, context.Canceled)
		require.EqualValues(t, 3, l.List()[0].Total(), "a call that the caller canceled is no hang")
		time.Sleep(2 * time.Hour) // both calls return
	})
}
