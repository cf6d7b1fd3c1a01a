package debugpage

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestConnectorSaysWhoReportsAndWhy(t *testing.T) {
	pipeline := func(flag string) []telemetry.PipelineStats {
		return []telemetry.PipelineStats{{Server: "https://dbc:443", Flag: flag}, {Server: "https://another-dbc:443", Flag: "skipped"}, {Server: "https://third:443", Flag: "off"}}
	}
	for _, c := range []struct {
		reports, flag, says string
	}{
		{"wrapper", "on", "the server's flag is on"},
		{"wrapper", "unknown", "as soon as the server's flag is known to be on"},
		{"wrapper", "unreadable", "could not be read"},
		{"driver", "", "Wrap leaves its telemetry alone"},
		{"none", "off", "the server's flag is off"},
		{"none", "on", "Nothing is reported to Databricks."},
	} {
		require.Contains(t, whyReported(telemetry.ConnectorInfo{Server: "dbc:443", Reports: c.reports}, pipeline(c.flag)), c.says)
	}
}

func TestConnectorsOfOneHostMayDifferInWhetherTheySkipItsFlag(t *testing.T) {
	forced := telemetry.ConnectorInfo{Server: "dbc:443", Reports: "wrapper", Settings: []telemetry.SettingInForce{{Name: "telemetry_force_enable", Value: "true"}}}
	asking := telemetry.ConnectorInfo{Server: "dbc:443", Reports: "wrapper", Settings: []telemetry.SettingInForce{{Name: "telemetry_force_enable", Value: "false"}}}
	pipelines := []telemetry.PipelineStats{{Server: "https://dbc:443", Flag: "on"}, {Server: "https://dbc:443", Flag: "skipped"}}
	for range 2 {
		require.Contains(t, whyReported(forced, pipelines), "telemetry_force_enable skips the server's flag")
		require.Contains(t, whyReported(asking, pipelines), "the server's flag is on")
		slices.Reverse(pipelines)
	}
}

func TestConnectionsThatAreOpenedAreCounted(t *testing.T) {
	f := newFixture()
	f.all = []telemetry.Connector{&connector{info: telemetry.ConnectorInfo{ID: 1, Opening: 3}}}
	var o struct{ Connectors []struct{ Opening int } }
	f.json(t, "/?format=json", &o)
	require.Equal(t, 3, o.Connectors[0].Opening)
	f.all = nil
	require.Contains(t, f.get(t, "/?format=json").Body.String(), `"connectors": []`)
}

func TestListsOfConnectorsAreBounded(t *testing.T) {
	f := newFixture()
	for n := range int64(connectorsShown + 7) {
		f.all = append(f.all, &connector{info: telemetry.ConnectorInfo{ID: n + 1}})
	}
	for _, path := range []string{"/", "/telemetry"} {
		require.Contains(t, f.html(t, path), "7 more are not shown")
	}
}
