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
		err := ondemand.Each([]time.Duration{3 * time.Second, 0, time.Second}, func(d time.Duration) error {
			time.Sleep(d)
			if d > 0 {
				return errors.New(d.String())
			}
			return nil
		})
		require.EqualError(t, err, "3s\n1s")
		require.Equal(t, 3*time.Second, time.Since(began))
	})
	require.NoError(t, ondemand.Each([]int(nil), func(int) error { return errors.New("called") }))
}
