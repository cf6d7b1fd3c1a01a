package debugpage

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestTheTelemetryPageSaysWhatBecameOfQuestionsToTheQueryHistory(t *testing.T) {
	for text, stats := range map[string]telemetry.HistoryStats{
		"No open connector asks for it (telemetry_query_history).":                        {},
		"1 statement to ask about, 1 reported, 0 waiting, 0 without a report. 1 request.": {Statements: 1, Reported: 1, Requests: 1},
		"12 statements to ask about, 6 reported, 1 waiting, 5 without a report: 3 in no answer, as where the credential may not see them; " +
			"2 after a request was refused, answered with something else, or not made because the credential or transport failed. 4 requests, of which 1 failed.": {
			Statements: 12, Reported: 6, Waiting: 1, Dropped: map[string]int64{"not_found": 3, "refused": 2}, Requests: 4, Failures: 1,
		},
		"1 connector could not ask: behind Wrap the credential is unknown.": {Unavailable: 1},
	} {
		f := newFixture()
		f.process.History = stats
		require.Contains(t, f.html(t, "/telemetry"), text)
	}
}

func TestTheTelemetryPageShowsWhomTheQueryHistoryRefuses(t *testing.T) {
	f := newFixture()
	f.process.History = telemetry.HistoryStats{Clients: []telemetry.HistoryClientStats{
		{Server: "https://dbc.example.com:443", Connectors: 2, LastError: "HTTP 403", QuietUntil: time.Now().Add(time.Hour)},
	}}
	html := f.html(t, "/telemetry")
	require.Contains(t, html, "<code>https://dbc.example.com:443</code>")
	require.Contains(t, html, "HTTP 403")
	var page struct {
		History telemetry.HistoryStats `json:"query_history"`
	}
	f.json(t, "/telemetry?format=json", &page)
	require.Equal(t, f.process.History.Clients[0].LastError, page.History.Clients[0].LastError)
}
