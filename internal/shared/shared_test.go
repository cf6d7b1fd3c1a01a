package shared_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/shared"
)

type (
	one struct{ n int }
	two struct{ n int }

	counter interface{ Count() int }
)

func (o *one) Count() int { return o.n }

func TestThereIsOneValueOfEachType(t *testing.T) {
	var v shared.Values
	require.Empty(t, shared.All[any](&v))
	b := shared.Of(&v, func() *two { return &two{2} })
	a := shared.Of(&v, func() *one { return &one{1} })
	require.Same(t, a, shared.Of(&v, func() *one { panic("there is one") }))
	require.Same(t, b, shared.Of(&v, func() *two { panic("there is one") }))
	require.Equal(t, []any{b, a}, shared.All[any](&v), "in the order they were made")
	require.Equal(t, []counter{a}, shared.All[counter](&v))

	var other shared.Values
	require.NotSame(t, a, shared.Of(&other, func() *one { return &one{1} }))
}

func TestManyWhoAskAtOnceGetTheSameValue(t *testing.T) {
	var v shared.Values
	var got [100]*one
	var all sync.WaitGroup
	for i := range got {
		all.Go(func() { got[i] = shared.Of(&v, func() *one { return &one{i} }) })
	}
	all.Wait()
	for _, p := range got {
		require.Same(t, got[0], p)
	}
	require.Len(t, shared.All[any](&v), 1)
}
