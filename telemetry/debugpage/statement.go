package debugpage

import (
	"cmp"
	"encoding/hex"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/internal/registry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// statementPage is the page of one statement.
type statementPage struct {
	row
	Session      string          `json:"session_id,omitempty"`
	Connector    int64           `json:"connector,omitempty"`
	Profile      string          `json:"query_profile,omitempty"` // address in the workspace
	References   []reference     `json:"belongs_to"`
	Share        share           `json:"verdict_share,omitempty"`
	Because      string          `json:"-"` // the verdict's sentence without the name of its bound
	Class        string          `json:"-"` // of the largest part
	Advice       string          `json:"advice,omitempty"`
	Failure      *failureView    `json:"failure,omitempty"`
	CloseFailure *failureView    `json:"close_failure,omitempty"`
	Queueing     []string        `json:"queueing,omitempty"` // pools that callers waited for when the statement started
	Waterfall    waterfall       `json:"waterfall"`
	Server       *serverReport   `json:"server_report,omitempty"` // of the query history
	RPCs         table           `json:"rpcs_by_method"`
	Calls        table           `json:"calls"`
	FileList     table           `json:"file_list"`
	Fields       []field         `json:"fields"`
	Report       statementReport `json:"reported"`
}

func (req *request) statement() (string, model) {
	s := req.find(req.query.Get("id"))
	if s == nil {
		return "Statement", notFound{"No statement with this id is kept: it was never seen here, or newer statements have replaced it."}
	}
	report := req.memory.reports.of(s.StatementID)
	verdict := explain.WithReport(s, report)
	_, because, _ := strings.Cut(verdict.Sentence, ": ")
	var files []telemetry.File
	if s.CloudFetch != nil {
		files = s.CloudFetch.Files
	}
	p := statementPage{
		row: req.rowOf(s, verdict), Session: s.SessionID, Connector: s.Connector,
		Profile: s.ProfileURL(), References: referencesOf(s), Share: share(verdict.Share), Because: because, Class: verdict.Part.String(), Advice: verdict.Advice,
		Failure: (*failureView)(s.Failure), CloseFailure: (*failureView)(s.CloseFailure),
		Queueing: req.memory.pools.queueing(s.Started), Waterfall: waterfallOf(s, report), Server: serverReportOf(s, report, verdict),
		RPCs:     tableOf("Calls by method", registry.RPCFields, s.RPCs, nil),
		Calls:    tableOf("Calls", registry.CallFields, s.Calls, func(c *telemetry.Call) []telemetry.Attempt { return c.Retried }),
		FileList: tableOf("Files", registry.FileFields, files, func(f *telemetry.File) []telemetry.Attempt { return f.Retried }),
		Fields:   localFields(registry.StatementFields, s), Report: req.reportOf(s),
	}
	return "Statement " + p.Name(), p
}

// localFields returns the fields of a record that local sinks receive and that have a value.
func localFields[R any](fields []registry.Field[R], r *R) (all []field) {
	for _, f := range fields {
		if x := f.Value(r); f.Scope&registry.ScopeLocal != 0 && registry.Known(x) {
			all = append(all, field{f.Name, value{x}, f.Unit, f.Scope.String(), f.Doc})
		}
	}
	return all
}

// find looks up a statement by its id or its local key. It looks at running statements first and at
// kept ones second, so that a statement that ends in between is found.
func (req *request) find(id string) *telemetry.Statement {
	if id == "" {
		return nil
	}
	for _, s := range slices.Concat(req.running(), req.memory.snapshot().all) {
		if s.StatementID == id || localKey(s) == id {
			return s
		}
	}
	return nil
}

// failureView is a telemetry.Failure in JSON.
type failureView struct {
	Category  telemetry.Category `json:"category"`
	SQLState  string             `json:"sqlstate,omitempty"`
	Retryable bool               `json:"retryable"`
	Message   string             `json:"message,omitempty"`
}

// field is one field of the record, as the registry describes it.
type field struct {
	Name    string `json:"name"`
	Value   value  `json:"value"`
	Unit    string `json:"unit,omitempty"`
	Scope   string `json:"scope"`
	Meaning string `json:"meaning"`
}

// Text returns the value with its unit, which durations already have.
func (f field) Text() string {
	if f.Value.Kind() == slog.KindInt64 && f.Unit != "index" && f.Unit != "" {
		return format.Plural(f.Value.Int64(), strings.TrimSuffix(f.Unit, "s"))
	}
	return f.Value.String()
}

// reference is the name or the id of something that a statement belongs to.
type reference struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// referencesOf lists the names and ids by which a statement is found elsewhere: in logs, traces and
// the workspace. Unknown ones are left out.
func referencesOf(s *telemetry.Statement) []reference {
	all := []reference{
		{"warehouse", s.WarehouseID},
		{"session began in", format.JoinKnown(".", s.InitialCatalog, s.InitialSchema)},
		{"server", s.Server},
		{"workspace", s.WorkspaceID},
		{"session", s.SessionID},
		{"correlation id", s.CorrelationID},
	}
	if s.TraceID != [16]byte{} {
		all = append(all, reference{"trace", hex.EncodeToString(s.TraceID[:])}, reference{"span", hex.EncodeToString(s.SpanID[:])})
	}
	if s.Connector != 0 {
		all = append(all, reference{"connector", strconv.FormatInt(s.Connector, 10)})
	}
	for _, key := range slices.Sorted(maps.Keys(s.QueryTags)) {
		all = append(all, reference{"query tag " + key, cmp.Or(s.QueryTags[key], "(empty)")})
	}
	for _, a := range s.Attributes {
		all = append(all, reference{a.Key, a.Value.String()})
	}
	return slices.DeleteFunc(all, func(r reference) bool { return r.Value == "" })
}
