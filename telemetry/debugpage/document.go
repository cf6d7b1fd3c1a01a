package debugpage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// statementReport is what is reported to Databricks about a statement.
type statementReport struct {
	Note      string     `json:"note"`
	Documents []document `json:"documents"`
}

// reportOf returns the documents that were sent about a statement. If there are none, it asks the
// statement's connector for those that would be sent.
func (req *request) reportOf(s *telemetry.Statement) statementReport {
	r := statementReport{Documents: []document{}}
	if s.Outcome == telemetry.OutcomeRunning {
		r.Note = "Nothing is reported about a statement before it has ended."
		return r
	}
	for _, d := range req.exporter.Recent() {
		if s.StatementID != "" && strings.Contains(d.JSON, s.StatementID) {
			r.Documents = append(r.Documents, req.sentDocument(d))
		}
	}
	if len(r.Documents) > 0 {
		r.Note = "These are the documents that were sent to Databricks, or failed to be, byte for byte."
		return r
	}
	for _, c := range req.connectors() {
		info, ok := contained(c.Info)
		if !ok || s.Connector == 0 || info.ID != s.Connector {
			continue
		}
		docs, _ := contained(func() []string { return c.Documents(s) })
		for _, text := range docs {
			r.Documents = append(r.Documents, documentOf(text, preview))
		}
		why := whyReported(info, req.stats().Export.Pipelines)
		switch {
		case len(docs) == 0:
			r.Note = "This library reports nothing about this statement. " + why
		case info.Reports == reportsWrapper:
			unless := ""
			if rate := settingOf(info, "telemetry_sample_rate").Value; rate != "" && rate != "1" && !s.Failed() {
				unless = ", unless telemetry_sample_rate leaves it out"
			}
			r.Note = fmt.Sprintf("This is what is reported about this statement%s. It was not sent yet, or it is not among the latest %d events. %s", unless, documentsKept, why)
		default:
			r.Note = "This is what would be reported about this statement. " + why
		}
		return r
	}
	r.Note = "The connector of this statement is closed: what was reported can no longer be shown."
	return r
}

// document is one event as it is, or would be, sent to Databricks.
type document struct {
	Outcome  string          `json:"outcome"` // "sent", "preview", or the error of the attempt to send it
	At       *moment         `json:"at,omitempty"`
	Endpoint string          `json:"endpoint,omitempty"`
	JSON     json.RawMessage `json:"document"`
	Kind     string          `json:"-"` // what the event is about, such as EXECUTE_STATEMENT
}

const preview = "preview" // the outcome of a document that shows what would be sent

// sentDocument returns a document that was sent, or that could not be sent.
func (req *request) sentDocument(d export.Document) document {
	sent := documentOf(d.JSON, d.Outcome)
	sent.At, sent.Endpoint = &moment{d.At, req.now}, d.Endpoint
	return sent
}

// documentOf keeps a text that is valid JSON, as all documents are, byte for byte. Any other text
// becomes a JSON string, so that the page can still be rendered as JSON.
func documentOf(text, outcome string) document {
	raw := json.RawMessage(text)
	if !json.Valid(raw) {
		raw, _ = json.Marshal(text) // a string always marshals
	}
	return document{Outcome: outcome, JSON: raw, Kind: operationIn(raw)}
}

// operationIn returns the operation type that a document names; empty if it names none.
func operationIn(raw json.RawMessage) string {
	var doc struct {
		Entry struct {
			Log struct {
				Operation struct {
					Detail struct {
						Type string `json:"operation_type"`
					} `json:"operation_detail"`
				} `json:"sql_operation"`
			} `json:"sql_driver_log"`
		} `json:"entry"`
	}
	_ = json.Unmarshal(raw, &doc)
	return doc.Entry.Log.Operation.Detail.Type
}

// Pretty returns the document, indented.
func (d document) Pretty() string {
	var b bytes.Buffer
	_ = json.Indent(&b, d.JSON, "", "  ") // it is valid JSON: see documentOf
	return b.String()
}

// Class returns the CSS class of the outcome: sent, preview or failed.
func (d document) Class() string {
	if d.Outcome == "sent" || d.Outcome == preview {
		return d.Outcome
	}
	return "failed"
}
