package eventually_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
)

func TestTrueReturnsWhenTheConditionHolds(t *testing.T) {
	looks := 0
	eventually.True(t, func() bool { looks++; return looks == 5 })
	require.Equal(t, 5, looks)
}

func TestContextEndsBeforeTheTestDoes(t *testing.T) {
	own, has := t.Deadline()
	given, bounded := eventually.Context(t).Deadline()
	require.Equal(t, has, bounded)
	if has {
		require.True(t, given.Before(own))
	}
}

func TestExpiringEndsAsADeadlineDoes(t *testing.T) {
	ctx, expire := eventually.Expiring(t.Context())
	require.NoError(t, ctx.Err())
	child, cancel := context.WithCancel(ctx)
	defer cancel()
	expire()
	expire()
	<-ctx.Done()
	<-child.Done()
	require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
	require.ErrorIs(t, child.Err(), context.DeadlineExceeded)
}

func TestExpiringEndsWithItsParent(t *testing.T) {
	parent, cancel := context.WithCancel(t.Context())
	ctx, _ := eventually.Expiring(parent)
	cancel()
	<-ctx.Done()
	require.ErrorIs(t, ctx.Err(), context.Canceled)
}
