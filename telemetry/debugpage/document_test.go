package debugpage

import (
	"encoding/json"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestReportedDocumentsAreShownByteForByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := populated()
		type shown struct {
			Reported struct {
				Note      string
				Documents []struct {
					Outcome  string
					Document json.RawMessage
				}
			}
		}
		document := func(id string) (r shown) {
			f.json(t, "/statement?format=json&id="+id, &r)
			return r
		}
		sent := document(failed().StatementID)
		require.Contains(t, sent.Reported.Note, "sent to Databricks, or failed to be, byte for byte")
		require.JSONEq(t, f.sent[0].JSON, string(sent.Reported.Documents[0].Document))
		require.Equal(t, "503", sent.Reported.Documents[0].Outcome, "the outcome of sending is shown")

		preview := document(downloaded().StatementID)
		require.Contains(t, preview.Reported.Note, "It was not sent yet")
		require.Equal(t, "preview", preview.Reported.Documents[0].Outcome)

		unreported := document(quick(7).StatementID)
		require.Empty(t, unreported.Reported.Documents)
		require.Contains(t, unreported.Reported.Note, "enableTelemetry is false, set by DATABRICKS_TELEMETRY_ENABLED")

		require.Contains(t, f.html(t, "/statement?id="+localKey(f.all[0].(*connector).running[0])), "before it has ended")
		f.all = nil
		require.Contains(t, document(downloaded().StatementID).Reported.Note, "is closed")
	})
}

func TestASampledStatementIsNotSaidToBeReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := populated()
		for _, c := range f.all {
			c := c.(*connector)
			c.info.Settings = append(c.info.Settings, telemetry.SettingInForce{Name: "telemetry_sample_rate", Value: "0.1", By: "DSN"})
		}
		var r struct{ Reported statementReport }
		f.json(t, "/statement?format=json&id="+downloaded().StatementID, &r)
		require.Contains(t, r.Reported.Note, "reported about this statement, unless telemetry_sample_rate leaves it out.")
	})
}

func TestTelemetryPagePreviewsWhatWouldBeSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := populated()
		require.NotContains(t, f.html(t, "/telemetry"), "What would be sent")
		f.sent = nil
		body := f.html(t, "/telemetry")
		require.Contains(t, body, "Nothing was sent since this process started")
		require.Contains(t, body, "What would be sent")
		require.Contains(t, body, "EXECUTE_STATEMENT")
	})
}
