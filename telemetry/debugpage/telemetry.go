package debugpage

import (
	"fmt"
	"slices"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/internal/settings"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// telemetryPage shows what leaves the process, and the state of this library.
type telemetryPage struct {
	Connectors []connectorSettings `json:"connectors"`
	Others     count               `json:"connectors_left_off,omitempty"`
	Reporting  reporting           `json:"reporting"`
	History    queryHistory        `json:"query_history"`
	Library    libraryStats        `json:"itself"`
	Sent       []document          `json:"documents"` // latest first
	Preview    *statementReport    `json:"preview,omitempty"`
	presence
}

// libraryStats is the part of telemetry.Stats that is not about reporting.
type libraryStats struct {
	Sinks     []telemetry.QueueStats `json:"sinks"`
	Wire      telemetry.WireStats    `json:"wire"`
	Contained []telemetry.Contained  `json:"contained"`
}

// Summary describes in sentences what was observed and delivered.
func (l libraryStats) Summary() string {
	text := fmt.Sprintf("%s of the workspace read, %s undecoded, %s observed, %s untracked because too many were open.",
		format.Plural(l.Wire.Messages, "response"), format.Plural(l.Wire.Undecoded, "message"), format.Plural(l.Wire.Files, "CloudFetch file"), format.Plural(l.Wire.Evicted, "statement"))
	for _, s := range l.Sinks {
		text += fmt.Sprintf(" Sink %s: %s delivered, %s dropped.", s.Sink, format.Plural(s.Delivered, "record"), format.Count(s.Dropped))
	}
	return text
}

func (req *request) telemetry() (string, model) {
	stats := req.stats()
	running, kept := req.present()
	t := telemetryPage{
		Connectors: []connectorSettings{}, Reporting: reporting{stats.Export, req.now}, History: queryHistory{stats.History, req.now}, Library: libraryStats{stats.Sinks, stats.Wire, stats.Contained},
		Sent: []document{}, presence: req.presence(len(kept.all) + len(running)),
	}
	var views []connectorView
	views, t.Others = req.connectorViews(t.Reporting.Pipelines)
	for _, c := range views {
		view := connectorSettings{connectorView: c, Settings: []setting{}}
		for _, s := range c.info.Settings {
			view.Settings = append(view.Settings, setting{s.Name, s.Value, s.By, settingDoc(s.Name)})
		}
		t.Connectors = append(t.Connectors, view)
	}
	for _, d := range slices.Backward(req.exporter.Recent()) {
		t.Sent = append(t.Sent, req.sentDocument(d))
	}
	if len(t.Sent) == 0 {
		t.Preview = req.preview()
	}
	return "Telemetry", t
}

// preview returns what would be sent about the latest statement whose connector is open.
func (req *request) preview() *statementReport {
	for _, s := range req.memory.snapshot().all {
		if r := req.reportOf(s); len(r.Documents) > 0 {
			return &r
		}
	}
	return nil
}

// connectorSettings is a connector and its settings.
type connectorSettings struct {
	connectorView
	Settings []setting `json:"settings"`
}

// Changed returns the settings that something set.
func (c connectorSettings) Changed() []setting {
	return slices.DeleteFunc(slices.Clone(c.Settings), setting.Default)
}

// setting is one setting in force.
type setting struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	By      string `json:"by"` // what set it, such as "DSN"; "default" if nothing did
	Meaning string `json:"meaning"`
}

// Default reports whether the setting has its default value because nothing set it.
func (s setting) Default() bool { return s.By == "default" }

// settingDoc returns the documentation of a setting.
func settingDoc(name string) string {
	for _, p := range settings.Parameters {
		if p.Name == name {
			return p.Doc
		}
	}
	return ""
}
