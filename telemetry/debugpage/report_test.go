package debugpage

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestStatementShowsWhatTheWarehouseDid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := populated()
		id := downloaded().StatementID
		require.NotContains(t, f.html(t, "/statement?id="+id), "What the warehouse did")
		f.memory.ServerReported(&telemetry.ServerReport{
			StatementID: id, Total: telemetry.Known(14 * time.Second),
			WaitingForCompute: telemetry.Known(11 * time.Second), Executing: telemetry.Known(3 * time.Second),
		})
		var p struct {
			Server struct {
				Causes []struct {
					Sentence string `json:"sentence"`
				} `json:"causes"`
				Phases []struct {
					Name string `json:"name"`
				} `json:"phases"`
			} `json:"server_report"`
		}
		f.json(t, "/statement?format=json&id="+id, &p)
		require.Equal(t, "waited 11 s of 14 s for the warehouse to start", p.Server.Causes[0].Sentence)
		require.Len(t, p.Server.Phases, 2)
		require.Equal(t, "compute", p.Server.Phases[0].Name)
		html := f.html(t, "/statement?id="+id)
		require.Contains(t, html, "waited 11 s of 14 s for the warehouse to start.")
		require.Contains(t, html, "serverless")
	})
}

func TestServerReportsAreBounded(t *testing.T) {
	var s serverReports
	for i := range 3 * reportsKept {
		s.add(&telemetry.ServerReport{StatementID: fmt.Sprint(i)})
		s.add(&telemetry.ServerReport{StatementID: fmt.Sprint(i), Final: true}) // the same statement again
	}
	require.Len(t, s.all, reportsKept)
	require.Len(t, s.order, reportsKept)
	require.Nil(t, s.of("0"))
	require.True(t, s.of(fmt.Sprint(3*reportsKept-1)).Final)
}
