package debugpage

import (
	"slices"
	"strings"

	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/internal/settings"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// telemetryView is the page for those who want to know what leaves the process.
type telemetryView struct {
	Connectors []connectorSettings `json:"connectors"`
	Others     count               `json:"connectors_left_off,omitempty"`
	Reporting  reporting           `json:"reporting"`
	Itself     itself              `json:"itself"`
	Sent       []document          `json:"documents"` // latest first
	Preview    *reported           `json:"preview,omitempty"`
	presence
}

// itself is what this library says about itself.
type itself struct {
	Sinks     []telemetry.QueueStats `json:"sinks"`
	Wire      telemetry.WireStats    `json:"wire"`
	Contained []telemetry.Contained  `json:"contained"`
	Incidents count                  `json:"-"`
}

func (v *visit) itself() itself {
	s := v.process()
	return itself{s.Sinks, s.Wire, s.Contained, count(s.Incidents())}
}

// connectorSettings is a connector and its switches.
type connectorSettings struct {
	connectorView
	Settings []setting `json:"settings"`
}

// setting is one switch in force.
type setting struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	By      string `json:"by"`
	Meaning string `json:"meaning"`
}

// Default reports whether nobody set it.
func (s setting) Default() bool { return s.By == "default" }

// Changed are the settings somebody set.
func (c connectorSettings) Changed() []setting {
	return slices.DeleteFunc(slices.Clone(c.Settings), setting.Default)
}

func (v *visit) telemetry() (string, any, int) {
	t := telemetryView{Connectors: []connectorSettings{}, Reporting: v.reporting(), Itself: v.itself(), Sent: []document{}, presence: v.presence(0)}
	views, others := v.connectorViews(t.Reporting.Pipelines)
	t.Others = others
	for _, c := range views {
		with := connectorSettings{connectorView: c, Settings: []setting{}}
		for _, s := range c.info.Settings {
			with.Settings = append(with.Settings, setting{s.Name, s.Value, s.By, docOf(s.Name)})
		}
		t.Connectors = append(t.Connectors, with)
	}
	recent := v.exporter.Recent()
	for i := len(recent) - 1; i >= 0; i-- {
		d := documentOf(recent[i].JSON, recent[i].Outcome)
		d.At, d.Endpoint = &moment{recent[i].At, v.now}, recent[i].Endpoint
		t.Sent = append(t.Sent, d)
	}
	if len(t.Sent) == 0 {
		t.Preview = v.preview()
	}
	return "Telemetry", t, 200
}

// preview is what would be sent of the latest statement whose connector can tell.
func (v *visit) preview() *reported {
	for _, s := range v.memory.look(v.now).all {
		if r := v.reported(s); len(r.Documents) > 0 {
			return &r
		}
	}
	return nil
}

func docOf(name string) string {
	for _, p := range settings.Parameters {
		if p.Name == name {
			return p.Doc
		}
	}
	return ""
}

// What telemetry.ConnectorInfo.Reports says.
const (
	reportsWrapper = "wrapper"
	reportsDriver  = "driver"
)

// whyReported says who reports for a connector, and who decided that.
func whyReported(info telemetry.ConnectorInfo, pipelines []export.PipelineStats) string {
	flag := ""
	for _, p := range pipelines {
		if info.Server != "" && strings.HasSuffix(p.Server, "://"+info.Server) {
			flag = p.Flag
		}
	}
	switch info.Reports {
	case reportsWrapper:
		switch flag {
		case "on":
			return "This library reports; the server wants it."
		case "skipped":
			return "This library reports; telemetry_force_enable skips the server's flag."
		case "unreadable":
			return "The server's flag could not be read, which counts as off until it can."
		}
		return "This library reports once the server has said that it wants it."
	case reportsDriver:
		return "The native driver reports as it always did: behind Wrap nothing is taken from it."
	}
	for _, s := range info.Settings {
		if s.Name == "enableTelemetry" && s.Value == "false" {
			return "Nobody reports: enableTelemetry is false, set by " + s.By + "."
		}
	}
	if flag == "off" {
		return "Nobody reports: the server does not want telemetry."
	}
	return "Nobody reports."
}
