package explain_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// A deadline passes while the statement runs: the driver cancels and closes it, which takes 2 s each. It has no rows.
func TestCancelingAndClosingAreBlamedTogether(t *testing.T) {
	s := &telemetry.Statement{
		Total: 5 * second, Kind: telemetry.KindUpdate, Outcome: telemetry.OutcomeCanceled, Failure: &telemetry.Failure{Category: telemetry.CategoryTimeout}, State: "RUNNING", Polling: polls(1),
		RPCs: rpcs(
			telemetry.RPC{Method: "GetOperationStatus", Calls: 1, LastStatus: 200},
			telemetry.RPC{Method: "CancelOperation", Calls: 1, LastStatus: 200, Slowest: 2 * second, Latency: 2 * second},
			telemetry.RPC{Method: "CloseOperation", Calls: 1, LastStatus: 200, Slowest: 2 * second, Latency: 2 * second},
		),
		Calls: []telemetry.Call{executed, call("GetOperationStatus", 900, 1000, -1), call("CancelOperation", 1000, 3000, -1), call("CloseOperation", 3000, 5000, -1)},
		Split: telemetry.Split{telemetry.PartServer: second, telemetry.PartClose: 4 * second},
	}
	v := explain.Of(s)
	require.Equal(t, "close-bound: 80 % of 5.0 s canceling and closing the statement: CancelOperation took 2.0 s, CloseOperation 2.0 s", v.Sentence)
	require.NotContains(t, v.Advice, "select less")
}

// The time of closing is no call's: what is closed, and what it may have waited for, is in the record.
func TestClosingIsOfWhatTheStatementHas(t *testing.T) {
	inline := telemetry.Statement{
		Total: 4 * second, Kind: telemetry.KindQuery, Outcome: telemetry.OutcomeClosedEarly, RPCs: observed, State: "FINISHED", Polling: polls(0), Close: known(3 * second),
		Split: telemetry.Split{telemetry.PartServer: second, telemetry.PartClose: 3 * second},
	}
	files, exec, wrapped := inline, inline, inline
	files.CloudFetch = &telemetry.CloudFetch{Present: 4, Downloaded: 1, Abandoned: 3}
	exec.Kind, exec.Close = telemetry.KindUpdate, telemetry.Maybe[time.Duration]{}
	wrapped.RPCs = nil
	inline.Result.Format, files.Result.Format = telemetry.FormatInlineArrow, telemetry.FormatExternalLinks
	for _, c := range []struct {
		of        telemetry.Statement
		what      string
		downloads bool
	}{{inline, "closing the rows", false}, {files, "closing the rows", true}, {exec, "closing the statement", false}, {wrapped, "closing the rows", true}} {
		v := explain.Of(&c.of)
		require.Equal(t, "close-bound: 75 % of 4.0 s "+c.what, v.Sentence)
		require.Equal(t, c.downloads, strings.Contains(v.Advice, "downloads"), v.Advice)
	}
}
