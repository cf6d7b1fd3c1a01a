package driverwrap_test

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Everything that connectors share is in their Process.
func TestConnectorsOfDifferentProcessesShareNothing(t *testing.T) {
	var one, other telemetry.Process
	open := func(p *telemetry.Process) telemetry.ConnectorInfo {
		c, err := driverwrap.Config{Settings: telemetry.Settings{Enabled: telemetry.SwitchOn}}.In(p).OpenConnector("token:dapi0123@shares-nothing.example:443/sql/1.0/warehouses/1")
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, c.(io.Closer).Close()) })
		all := p.Connectors()
		return all[len(all)-1].Info()
	}
	for range 2 {
		require.Equal(t, "wrapper", open(&one).Reports)
	}
	require.EqualValues(t, 1, open(&other).ID)
	require.Len(t, one.Connectors(), 2)
	require.Equal(t, 2, one.Stats().Export.Pipelines[0].Connectors)
	require.Equal(t, 1, other.Stats().Export.Pipelines[0].Connectors)
	for _, c := range telemetry.Default.Connectors() { // of other tests, and dropped ones may go at any time
		require.NotContains(t, c.Info().Server, "shares-nothing")
	}
	for _, p := range telemetry.ReadStats().Export.Pipelines {
		require.NotContains(t, p.Server, "shares-nothing")
	}

	require.NoError(t, one.Shutdown(t.Context()))
	require.Equal(t, "none", open(&one).Reports)
	require.Equal(t, "wrapper", open(&other).Reports)
}

// The sinks that are attached to one process receive the records of its connectors alone.
func TestASinkReceivesTheRecordsOfItsOwnProcess(t *testing.T) {
	var one, other telemetry.Process
	sink := &memory{}
	one.Attach(sink)
	for _, p := range []*telemetry.Process{&one, &other} {
		db := slowDB(driverwrap.Config{}.In(p))
		_, err := db.Exec("x")
		require.NoError(t, err)
		require.NoError(t, db.Close())
	}
	require.NoError(t, one.Flush(t.Context()))
	require.Len(t, sink.statements, 1)
}
