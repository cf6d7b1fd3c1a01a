package debugpage

import (
	"encoding/json"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestWhatDatabricksGetsIsShownToTheByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := populated()
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
			w.json(t, "/statement?format=json&id="+id, &r)
			return r
		}
		sent := document(failed().StatementID)
		require.Contains(t, sent.Reported.Note, "handed to Databricks, to the byte")
		require.JSONEq(t, w.sent[0].JSON, string(sent.Reported.Documents[0].Document))
		require.Equal(t, "503", sent.Reported.Documents[0].Outcome, "what became of it is said")

		preview := document(downloaded().StatementID)
		require.Contains(t, preview.Reported.Note, "it was not sent yet")
		require.Equal(t, "preview", preview.Reported.Documents[0].Outcome)

		nobody := document(quick(7).StatementID)
		require.Empty(t, nobody.Reported.Documents)
		require.Contains(t, nobody.Reported.Note, "enableTelemetry is false, set by DATABRICKS_TELEMETRY_ENABLED")

		require.Contains(t, w.html(t, "/statement?id="+localKey(w.all[0].(*connector).running[0])), "before it has ended")
		w.all = nil
		require.Contains(t, document(downloaded().StatementID).Reported.Note, "is closed")
	})
}

func TestWhereNothingIsSentThereIsAPreview(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := populated()
		require.NotContains(t, w.html(t, "/telemetry"), "What would be sent")
		w.sent = nil
		body := w.html(t, "/telemetry")
		require.Contains(t, body, "Nothing was sent since this process started")
		require.Contains(t, body, "What would be sent")
		require.Contains(t, body, "EXECUTE_STATEMENT")
	})
}

func TestWhoReportsIsSaidWithWhoDecided(t *testing.T) {
	pipeline := func(flag string) []export.PipelineStats {
		return []export.PipelineStats{{Server: "https://dbc:443", Flag: flag}}
	}
	for _, c := range []struct {
		reports, flag, says string
	}{
		{"wrapper", "on", "the server wants it"},
		{"wrapper", "unknown", "once the server has said that it wants it"},
		{"wrapper", "unreadable", "could not be read"},
		{"wrapper", "skipped", "telemetry_force_enable"},
		{"driver", "", "behind Wrap nothing is taken from it"},
		{"none", "off", "the server does not want telemetry"},
		{"none", "", "Nobody reports."},
	} {
		require.Contains(t, whyReported(telemetry.ConnectorInfo{Server: "dbc:443", Reports: c.reports}, pipeline(c.flag)), c.says)
	}
}
