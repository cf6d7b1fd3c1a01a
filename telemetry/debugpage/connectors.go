package debugpage

import (
	"slices"
	"strings"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// connectorView describes a connector in a list.
type connectorView struct {
	ID        int64  `json:"id"`
	OpenedVia string `json:"opened_via"`
	Server    string `json:"server,omitempty"`
	Created   moment `json:"created"`
	Sessions  count  `json:"sessions"`
	Opening   count  `json:"opening,omitempty"` // connections that are being opened
	Running   count  `json:"running"`
	Reports   string `json:"reports"`
	Why       string `json:"why"`
	Version   string `json:"driver_version,omitempty"`
	info      telemetry.ConnectorInfo
}

// connectorsShown bounds the page for a process that has a connector for each tenant.
const connectorsShown = 50

// connectorViews returns the connectors that a page shows and the number of the others. A connector
// whose Info panics is left out.
func (req *request) connectorViews(pipelines []telemetry.PipelineStats) (views []connectorView, others count) {
	views = []connectorView{}
	all := req.connectors()
	shown := min(connectorsShown, len(all))
	for _, c := range all[:shown] {
		info, ok := contained(c.Info)
		if !ok {
			continue
		}
		running, _ := contained(c.Running)
		views = append(views, connectorView{
			ID: info.ID, OpenedVia: info.OpenedVia, Server: info.Server, Created: moment{info.Created, req.now}, Sessions: count(info.Sessions), Opening: count(info.Opening),
			Running: count(len(running)), Reports: info.Reports, Why: whyReported(info, pipelines), Version: info.Driver.Version, info: info,
		})
	}
	return views, count(len(all) - shown)
}

// Values of telemetry.ConnectorInfo.Reports.
const (
	reportsWrapper = "wrapper"
	reportsDriver  = "driver"
)

// whyReported returns a sentence that says what reports to Databricks for a connector, and why.
func whyReported(info telemetry.ConnectorInfo, pipelines []telemetry.PipelineStats) string {
	flag, forced := "", settingOf(info, "telemetry_force_enable").Value == "true"
	for _, p := range pipelines { // connectors of one host may differ in whether they skip its flag
		if info.Server != "" && strings.HasSuffix(p.Server, "://"+info.Server) && (p.Flag == "skipped") == forced {
			flag = p.Flag
		}
	}
	switch info.Reports {
	case reportsWrapper:
		switch flag {
		case "on":
			return "This library reports to Databricks: the server's flag is on."
		case "skipped":
			return "This library reports to Databricks: telemetry_force_enable skips the server's flag."
		case "unreadable":
			return "This library does not report to Databricks yet: the server's flag could not be read, which counts as off."
		}
		return "This library reports to Databricks as soon as the server's flag is known to be on."
	case reportsDriver:
		if info.OpenedVia == "sql.Open" {
			return "The native driver reports to Databricks as it does without this library: its DSN has what this version does not know."
		}
		return "The native driver reports to Databricks as it does without this library: Wrap leaves its telemetry alone."
	}
	if s := settingOf(info, "enableTelemetry"); s.Value == "false" {
		return "Nothing is reported to Databricks: enableTelemetry is false, set by " + s.By + "."
	}
	if flag == "off" {
		return "Nothing is reported to Databricks: the server's flag is off."
	}
	return "Nothing is reported to Databricks."
}

// settingOf returns a setting of a connector, or the zero value if it is not listed.
func settingOf(info telemetry.ConnectorInfo, name string) (setting telemetry.SettingInForce) {
	if i := slices.IndexFunc(info.Settings, func(s telemetry.SettingInForce) bool { return s.Name == name }); i >= 0 {
		setting = info.Settings[i]
	}
	return setting
}
