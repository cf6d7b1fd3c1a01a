package telemetry_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// reportSink notes the statement ids of the records it receives.
type reportSink struct {
	statements, reports []string
	off                 bool
}

func (s *reportSink) StatementFinished(r *telemetry.Statement) {
	s.statements = append(s.statements, r.StatementID)
}

func (s *reportSink) ServerReported(r *telemetry.ServerReport) {
	s.reports = append(s.reports, r.StatementID)
}

func (s *reportSink) Recording() bool { return !s.off }

type statementSink struct{ n int }

func (s *statementSink) StatementFinished(*telemetry.Statement) { s.n++ }

func TestAReportReachesTheSinksThatTakeReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f telemetry.Fanout
		require.False(t, f.Reporting())
		plain, wants := &statementSink{}, &reportSink{}
		f.Attach(plain)
		require.False(t, f.Reporting(), "the sink takes no reports")
		f.Attach(wants)
		require.True(t, f.Reporting())
		f.Statement(&telemetry.Statement{StatementID: "q"})
		f.ServerReported(&telemetry.ServerReport{StatementID: "q"})
		require.NoError(t, f.Flush(t.Context()))
		require.Equal(t, 1, plain.n)
		require.Equal(t, []string{"q"}, wants.statements)
		require.Equal(t, []string{"q"}, wants.reports)
		wants.off = true
		require.False(t, f.Reporting(), "the sink wants no records now")
	})
}
