package ondemand_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/ondemand"
)

func TestEachCallsAtOnceAndJoinsErrorsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		err := ondemand.Each([]time.Duration{3, 0, 1}, func(n time.Duration) error {
			time.Sleep(n * time.Second)
			if n > 0 {
				return errors.New((n * time.Second).String())
			}
			return nil
		})
		require.EqualError(t, err, "3s\n1s")
		require.Equal(t, 3*time.Second, time.Since(began))
	})
	require.NoError(t, ondemand.Each([]int(nil), func(int) error { return errors.New("called") }))
}
