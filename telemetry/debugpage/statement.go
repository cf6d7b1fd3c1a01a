package debugpage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/seed-01322ee7/databricks-telemetry/internal/registry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// oneStatement is the page of a statement.
type oneStatement struct {
	row
	Session   string       `json:"session_id,omitempty"`
	Connector int64        `json:"connector,omitempty"`
	Share     share        `json:"verdict_share,omitempty"`
	Because   string       `json:"-"` // the verdict's sentence without the name of its bound
	Class     string       `json:"-"` // of the bound
	Advice    string       `json:"advice,omitempty"`
	Failure   *failureView `json:"failure,omitempty"`
	Closing   *failureView `json:"close_failure,omitempty"`
	Queueing  []string     `json:"queueing,omitempty"` // pools that were, when it started
	Waterfall waterfall    `json:"waterfall"`
	Calls     table        `json:"calls"`
	FileList  table        `json:"file_list"`
	RPCs      []rpcView    `json:"rpcs,omitempty"`
	Fields    []field      `json:"fields"`
	Reported  reported     `json:"reported"`
}

type failureView struct {
	Category  telemetry.Category `json:"category"`
	SQLState  string             `json:"sqlstate,omitempty"`
	Retryable bool               `json:"retryable"`
	Message   string             `json:"message,omitempty"`
}

func failureOf(f *telemetry.Failure) *failureView {
	if f == nil {
		return nil
	}
	return &failureView{f.Category, f.SQLState, f.Retryable, f.Message}
}

// rpcView sums the calls of one method.
type rpcView struct {
	Method   string   `json:"method"`
	Calls    count    `json:"calls"`
	Retries  count    `json:"retries"`
	Latency  duration `json:"latency_ms"`
	Backoff  duration `json:"backoff_ms"`
	BytesOut size     `json:"bytes_out"`
	BytesIn  size     `json:"bytes_in"`
	Status   int      `json:"last_status,omitempty"`
}

// field is one fact as the registry has it.
type field struct {
	Name    string `json:"name"`
	Value   value  `json:"value"`
	Unit    string `json:"unit,omitempty"`
	Scope   string `json:"scope"`
	Meaning string `json:"meaning"`
}

// Countable reports whether the unit is said after the value: durations have theirs in them.
func (f field) Countable() bool {
	return f.Value.Kind() == slog.KindInt64 && f.Unit != "index"
}

// table lists parts of a statement, such as its calls, by their registry.
type table struct {
	Name    string       `json:"-"`
	Columns []columnHead `json:"columns"`
	Rows    []tableRow   `json:"rows"`
}

// columnHead is a field's name, in HTML without the unit that its values have in them.
type columnHead struct {
	Name    string
	Numeric bool // read from the right
}

func (h columnHead) String() string {
	return strings.ReplaceAll(strings.TrimSuffix(h.Name, "_ms"), "_", " ")
}

// MarshalJSON writes the name.
func (h columnHead) MarshalJSON() ([]byte, error) { return quoted(h.Name), nil }

type tableRow struct {
	Cells  []value
	Failed bool
}

// MarshalJSON writes the cells.
func (r tableRow) MarshalJSON() ([]byte, error) { return json.Marshal(r.Cells) }

func tableOf[R any](name string, fields []registry.Field[R], all []R) table {
	t := table{Name: name, Columns: []columnHead{}, Rows: []tableRow{}}
	for _, f := range fields {
		t.Columns = append(t.Columns, columnHead{Name: f.Name})
	}
	for i := range all {
		var r tableRow
		for at, f := range fields {
			v := value{f.Value(&all[i])}
			if v.Kind() == slog.KindInt64 || v.Kind() == slog.KindDuration {
				t.Columns[at].Numeric = true
			}
			r.Cells = append(r.Cells, v)
			r.Failed = r.Failed || f.Name == "state" && v.Kind() == slog.KindString && v.Value.String() == "FAILED"
		}
		t.Rows = append(t.Rows, r)
	}
	return t
}

func filesOf(s *telemetry.Statement) []telemetry.File {
	if s.CloudFetch == nil {
		return nil
	}
	return s.CloudFetch.Files
}

func (v *visit) statement() (string, any, int) {
	id := v.query.Get("id")
	s := v.find(id)
	if s == nil {
		return "Statement", nothing{"No statement of that id is kept: it is not known here, or newer ones took its place."}, http.StatusNotFound
	}
	verdict := explain.Of(s)
	_, because, _ := strings.Cut(verdict.Sentence, ": ")
	one := oneStatement{
		row: rowOf(s, v.now), Session: s.SessionID, Connector: s.Connector,
		Share: share(verdict.Share), Because: because, Class: class(verdict.Bound), Advice: verdict.Advice,
		Failure: failureOf(s.Failure), Closing: failureOf(s.CloseFailure),
		Queueing: v.memory.pools.queueing(s.Started), Waterfall: waterfallOf(s),
		Calls: tableOf("Calls", registry.CallFields, s.Calls), FileList: tableOf("Files", registry.FileFields, filesOf(s)),
	}
	for _, r := range s.RPCs {
		one.RPCs = append(one.RPCs, rpcView{r.Method, count(r.Calls), count(r.Retries), duration(r.Latency), duration(r.Backoff), size(r.BytesOut), size(r.BytesIn), r.LastStatus})
	}
	for _, f := range registry.StatementFields {
		if x := f.Value(s); f.Scope&registry.ScopeLocal != 0 && !x.Equal(slog.Value{}) {
			one.Fields = append(one.Fields, field{f.Name, value{x}, f.Unit, f.Scope.String(), f.Doc})
		}
	}
	one.Reported = v.reported(s)
	return "Statement " + one.Name(), one, 200
}

// find looks for a statement, those that run first: what is known of one that ended since
// is on the shelves.
func (v *visit) find(id string) *telemetry.Statement {
	if id == "" {
		return nil
	}
	for _, all := range [][]*telemetry.Statement{v.running(), v.memory.look(v.now).all} {
		for _, s := range all {
			if s.StatementID == id || localKey(s) == id {
				return s
			}
		}
	}
	return nil
}

// reported is what Databricks gets of a statement.
type reported struct {
	Note      string     `json:"note"`
	Documents []document `json:"documents"`
}

// document is one event for Databricks.
type document struct {
	Outcome  string          `json:"outcome"` // "sent", what went wrong, or "preview"
	At       *moment         `json:"at,omitempty"`
	Endpoint string          `json:"endpoint,omitempty"`
	JSON     json.RawMessage `json:"document"`
	Kind     string          `json:"-"`
}

// Pretty is the document with its keys on lines of their own.
func (d document) Pretty() string {
	var b bytes.Buffer
	if json.Indent(&b, d.JSON, "", "  ") != nil {
		return string(d.JSON)
	}
	return b.String()
}

// Size is what the document weighs.
func (d document) Size() size { return size(len(d.JSON)) }

// Went says in which of three ways it ended: sent, preview or failed.
func (d document) Went() string {
	if d.Outcome == "sent" || d.Outcome == preview {
		return d.Outcome
	}
	return "failed"
}

const preview = "preview"

// documentOf keeps a document as it is where it is JSON, as all are, and as a string where it
// is not, so that the page about it can be written either way.
func documentOf(text, outcome string) document {
	raw := json.RawMessage(text)
	if !json.Valid(raw) {
		raw = quoted(text)
	}
	return document{Outcome: outcome, JSON: raw, Kind: operationIn(raw)}
}

func quoted(text string) []byte {
	b, _ := json.Marshal(text) // a string always marshals
	return b
}

// operationIn is what a document is about, such as EXECUTE_STATEMENT.
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

// reported looks for what was sent of a statement, and otherwise asks its connector what
// would be.
func (v *visit) reported(s *telemetry.Statement) reported {
	r := reported{Documents: []document{}}
	if s.Outcome == telemetry.OutcomeRunning {
		r.Note = "Nothing is reported of a statement before it has ended."
		return r
	}
	for _, d := range v.exporter.Recent() {
		if s.StatementID != "" && strings.Contains(d.JSON, s.StatementID) {
			sent := documentOf(d.JSON, d.Outcome)
			sent.At, sent.Endpoint = &moment{d.At, v.now}, d.Endpoint
			r.Documents = append(r.Documents, sent)
		}
	}
	if len(r.Documents) > 0 {
		r.Note = "These documents were handed to Databricks, to the byte."
		return r
	}
	for _, c := range v.connectors() {
		info, ok := contained(c.Info)
		if !ok || s.Connector == 0 || info.ID != s.Connector {
			continue
		}
		docs, _ := contained(func() []string { return c.Documents(s) })
		for _, text := range docs {
			r.Documents = append(r.Documents, documentOf(text, preview))
		}
		why := whyReported(info, v.exporter.Stats().Pipelines)
		switch {
		case len(docs) == 0:
			r.Note = "Nothing of it is reported by this library. " + why
		case info.Reports == reportsWrapper:
			r.Note = fmt.Sprintf("This is what is reported of it; it was not sent yet, or longer ago than the latest %d events. %s", documentsKept, why)
		default:
			r.Note = "This is what would be reported of it. " + why
		}
		return r
	}
	r.Note = "The connector it ran on is closed: what was reported of it can no longer be shown."
	return r
}
