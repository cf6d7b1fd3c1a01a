package debugpage

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// row is a statement in a list.
type row struct {
	Key         string                 `json:"key"` // the id parameter of the page of the statement
	Started     moment                 `json:"started"`
	Kind        telemetry.Kind         `json:"kind,omitempty"`
	Outcome     telemetry.Outcome      `json:"outcome"`
	Category    telemetry.Category     `json:"error_category,omitempty"`
	StatementID string                 `json:"statement_id,omitempty"`
	Query       string                 `json:"query_text,omitempty"`
	Shape       string                 `json:"query_shape,omitempty"`
	Total       duration               `json:"total_ms"`
	Verdict     string                 `json:"verdict,omitempty"`
	Bound       string                 `json:"bound,omitempty"`
	Split       split                  `json:"split"`
	Rows        *count                 `json:"-"` // read or, if none are, affected
	Read        *count                 `json:"rows_read,omitempty"`
	Affected    *count                 `json:"rows_affected,omitempty"`
	Format      telemetry.ResultFormat `json:"result_format,omitempty"`
	Files       *count                 `json:"files,omitempty"`
	Bytes       *size                  `json:"bytes,omitempty"` // received, over Thrift and as files
	Server      string                 `json:"server,omitempty"`
	Internal    bool                   `json:"internal,omitempty"`
}

// Running reports whether the statement has not ended.
func (r row) Running() bool { return r.Outcome == telemetry.OutcomeRunning }

// Failed reports whether the statement ended in an error.
func (r row) Failed() bool {
	return r.Outcome == telemetry.OutcomeFailed || r.Outcome == telemetry.OutcomeCanceled || r.Category != ""
}

// Class returns the CSS class of the outcome.
func (r row) Class() string {
	switch {
	case r.Running():
		return "running"
	case r.Failed():
		return "failed"
	}
	return ""
}

// Name returns a short name of the statement.
func (r row) Name() string { return cmp.Or(shortened(r.StatementID, 13, "…"), "no id") }

// Text returns the beginning of the statement's text, on one line, or the name of its shape if the
// text is not kept.
func (r row) Text() string {
	if r.Query == "" && r.Shape != "" {
		return hashed(r.Shape)
	}
	return shortened(strings.Join(strings.Fields(r.Query), " "), 120, " …")
}

// shortened cuts a text that is longer than most characters and appends mark.
func shortened(text string, most int, mark string) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + mark
	}
	return text
}

// Result returns the format in which the rows were delivered.
func (r row) Result() string {
	return cmp.Or(formatNames[r.Format], string(r.Format))
}

var formatNames = map[telemetry.ResultFormat]string{
	telemetry.FormatInlineArrow: "Arrow", telemetry.FormatColumnarInline: "columns",
	telemetry.FormatInlineJSON: "JSON", telemetry.FormatExternalLinks: "CloudFetch",
}

// InFiles returns the number of CloudFetch files; empty if none were listed.
func (r row) InFiles() string {
	if r.Files == nil {
		return ""
	}
	return format.Plural(int64(*r.Files), "file")
}

func (req *request) rowsOf(all []*telemetry.Statement) []row {
	rows := make([]row, len(all))
	for i, s := range all {
		rows[i] = req.rowOf(s, explain.WithReport(s, req.memory.reports.of(s.StatementID)))
	}
	return rows
}

func (req *request) rowOf(s *telemetry.Statement, v explain.Verdict) row {
	r := row{
		Key: keyOf(s), Started: moment{s.Started, req.now}, Kind: s.Kind, Outcome: s.Outcome, Category: categoryOf(s), StatementID: s.StatementID, Query: s.Query, Shape: s.Shape,
		Total: duration(s.Total), Verdict: v.Sentence, Bound: v.Bound, Split: splitOf(breakdown.SplitOf(s)),
		Rows: knownAs[count](rowsOf(s)), Read: knownAs[count](s.RowsRead), Affected: knownAs[count](s.RowsAffected), Bytes: knownAs[size](received(s)), Format: s.Result.Format, Server: s.Server, Internal: s.Internal,
	}
	if c := s.CloudFetch; c != nil {
		n := count(c.Present)
		r.Files = &n
	}
	return r
}

// keyOf returns the key of a statement in addresses: the server's id, which can be pasted from the
// query history, or the local key while there is no id.
func keyOf(s *telemetry.Statement) string {
	if s.StatementID != "" {
		return s.StatementID
	}
	return localKey(s)
}

// keysOf returns the keys of statements.
func keysOf(all []*telemetry.Statement) map[string]bool {
	keys := make(map[string]bool, len(all))
	for _, s := range all {
		keys[keyOf(s)] = true
	}
	return keys
}

// localKey returns a key made of the statement's connector and the time it started.
func localKey(s *telemetry.Statement) string {
	return strconv.FormatInt(s.Connector, 10) + "-" + strconv.FormatInt(s.Started.UnixNano(), 36)
}

// categoryOf returns the category of the error that a statement ended in; empty without an error.
func categoryOf(s *telemetry.Statement) telemetry.Category {
	if s.Failure == nil {
		return ""
	}
	return s.Failure.Category
}

// rowsOf returns the number of rows that a statement returned or changed.
func rowsOf(s *telemetry.Statement) telemetry.Maybe[int64] {
	if _, read := s.RowsRead.Get(); read {
		return s.RowsRead
	}
	return s.RowsAffected
}

// received returns the sum of the bytes received over Thrift and as files. It is unknown if the wire was not
// read.
func received(s *telemetry.Statement) (sum telemetry.Maybe[int64]) {
	if s.RPCs == nil {
		return sum
	}
	var n int64
	for _, r := range s.RPCs {
		n += r.BytesIn
	}
	if c := s.CloudFetch; c != nil {
		n += c.Received
	}
	return telemetry.Known(n)
}
