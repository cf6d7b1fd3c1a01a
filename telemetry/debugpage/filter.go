package debugpage

import (
	"encoding/hex"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// filter selects statements by the parameters of a request. The zero value selects all.
type filter struct {
	Outcome  string        `json:"outcome,omitempty"`
	Kind     string        `json:"kind,omitempty"`
	Result   string        `json:"result,omitempty"`
	Category string        `json:"category,omitempty"`
	Bound    string        `json:"bound,omitempty"`
	Shape    string        `json:"shape,omitempty"` // see shapeIDOf
	Min      string        `json:"min,omitempty"`   // as written in the address
	Text     string        `json:"q,omitempty"`
	minTotal time.Duration // Min as a duration
}

// filterOf reads a filter from the parameters of an address. If Min is invalid, it returns an
// error for people and a filter with all the other parameters.
func filterOf(values url.Values) (filter, error) {
	f := filter{
		Outcome: values.Get("outcome"), Kind: values.Get("kind"), Result: values.Get("result"),
		Category: strings.ReplaceAll(values.Get("category"), "canceled", "cancelled"), // the service's spelling, which pages do not show
		Bound:    values.Get("bound"), Shape: values.Get("shape"), Min: strings.TrimSpace(values.Get("min")), Text: strings.TrimSpace(values.Get("q")),
	}
	if f.Min == "" {
		return f, nil
	}
	minTotal, err := time.ParseDuration(f.Min)
	if n, number := strconv.ParseFloat(f.Min, 64); number == nil && n < 1e9 {
		minTotal, err = time.Duration(n*float64(time.Millisecond)), nil // a plain number is milliseconds
	}
	if err != nil || minTotal < 0 {
		return f, errors.New("not a duration: write 500ms, 1.5s or 2m") // the form beside the error shows the input
	}
	f.minTotal = minTotal
	return f, nil
}

// problem is a value of filter.Outcome for statements that failed or were canceled.
const problem = "problem"

func (f *filter) matches(s *telemetry.Statement) bool {
	return (f.Outcome == "" || f.Outcome == string(s.Outcome) || f.Outcome == problem && s.Failed()) &&
		(f.Kind == "" || f.Kind == string(s.Kind)) &&
		(f.Result == "" || f.Result == string(s.Result.Format)) &&
		(f.Category == "" || f.Category == string(categoryOf(s))) &&
		(f.Bound == "" || f.Bound == explain.Of(s).Bound) &&
		s.Total >= f.minTotal &&
		(f.Shape == "" || f.Shape == shapeIDOf(s)) &&
		(f.Text == "" || f.matchesText(s))
}

// matchesText reports whether the text occurs, ignoring case, in the ids, server, query or error of a statement,
// or in the ids of its requests.
func (f *filter) matchesText(s *telemetry.Statement) bool {
	text := strings.ToLower(f.Text)
	in := func(all ...string) bool {
		return slices.ContainsFunc(all, func(s string) bool { return strings.Contains(strings.ToLower(s), text) })
	}
	if s.Failure != nil && in(string(s.Failure.Category), format.OneSpelling(string(s.Failure.Category)), s.Failure.SQLState, s.Failure.Message) {
		return true
	}
	for i := range s.Calls {
		c := &s.Calls[i]
		if in(c.RequestID) || slices.ContainsFunc(c.Retried, func(a telemetry.Attempt) bool { return in(a.RequestID) }) {
			return true
		}
	}
	return in(s.StatementID, s.SessionID, s.CorrelationID, s.WarehouseID, s.Server, s.Query, s.Shape, localKey(s)) ||
		s.TraceID != [16]byte{} && in(hex.EncodeToString(s.TraceID[:]), hex.EncodeToString(s.SpanID[:]))
}
