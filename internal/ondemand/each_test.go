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
		times := []time.Duration{3 * time.Second, 0, time.Second}
		err := ondemand.Each(len(times), func(i int) error {
			time.Sleep(times[i])
			if times[i] > 0 {
				return errors.New(times[i].String())
			}
			return nil
		})
		require.EqualError(t, err, "3s\n1s")
		require.Equal(t, 3*time.Second, time.Since(began))
	})
	require.NoError(t, ondemand.Each(0, func(int) error { return errors.New("called") }))
}
