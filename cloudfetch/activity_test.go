package cloudfetch_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/cloudfetch"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// The driver may ask the server for the columns: then the application does not have control.
func TestTheTimeForTheColumnsIsNotTheApplications(t *testing.T) {
	start := time.Now()
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	trace := &cloudfetch.Trace{}
	trace.Start(start, false)
	trace.CallReturned(at(1))
	trace.DescribeBegun(at(2))
	trace.DescribeBegun(at(3)) // of another goroutine
	trace.DescribeEnded(at(5))
	trace.DescribeEnded(at(6))
	trace.ReadEnded(at(8))
	trace.DescribeBegun(at(9))
	trace.CloseBegun(at(10))
	trace.DescribeEnded(at(11))
	var r telemetry.Statement
	trace.Finish(&r, at(12))
	require.Equal(t, telemetry.Application{Before: 4 * time.Second, After: time.Second}, r.Application)
	require.Equal(t, 2*time.Second, r.Split[telemetry.PartClose])
	require.Equal(t, 5*time.Second, r.Split[telemetry.PartUnknown], "the call, and both times the columns")
	require.Equal(t, 12*time.Second, r.Split.Total())
}
