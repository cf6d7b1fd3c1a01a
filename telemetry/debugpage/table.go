package debugpage

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/internal/registry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// table lists the calls or the files of a statement, with a column per field of the registry.
type table struct {
	Name    string       `json:"-"`
	Columns []columnHead `json:"columns"`
	Rows    []tableRow   `json:"rows"`
}

// A last column has the attempts that failed and were repeated, where there were any.
func tableOf[R any](name string, fields []registry.Field[R], all []R, retried func(*R) []telemetry.Attempt) table {
	t := table{Name: name, Columns: []columnHead{}, Rows: []tableRow{}}
	for _, f := range fields {
		t.Columns = append(t.Columns, columnHead{Name: f.Name})
	}
	repeated := retried != nil && slices.ContainsFunc(all, func(r R) bool { return len(retried(&r)) > 0 })
	if repeated {
		t.Columns = append(t.Columns, columnHead{Name: "retried"})
	}
	for i := range all {
		var r tableRow
		for column, f := range fields {
			v := value{f.Value(&all[i])}
			if v.Kind() == slog.KindInt64 || v.Kind() == slog.KindDuration {
				t.Columns[column].Numeric = true
			}
			r.Cells = append(r.Cells, v)
			r.Failed = r.Failed || f.Name == "failed" && v.Kind() == slog.KindBool || f.Name == "state" && v.Kind() == slog.KindString && v.Value.String() == "FAILED"
		}
		if repeated {
			r.Cells = append(r.Cells, attemptsOf(retried(&all[i])))
		}
		t.Rows = append(t.Rows, r)
	}
	return t
}

// attemptsOf says how attempts failed, such as "503 after 12 ms, no answer after 30 s".
func attemptsOf(all []telemetry.Attempt) value {
	if len(all) == 0 {
		return value{}
	}
	texts := make([]string, len(all))
	for i, a := range all {
		switch a.Status {
		case 0:
			texts[i] = "no answer"
		case http.StatusOK:
			texts[i] = "broken off"
		default:
			texts[i] = strconv.Itoa(a.Status)
		}
		texts[i] += " after " + format.Duration(a.End-a.Start)
		if a.RequestID != "" {
			texts[i] += " (" + a.RequestID + ")"
		}
	}
	return value{slog.StringValue(strings.Join(texts, ", "))}
}

// columnHead is the name of a field.
type columnHead struct {
	Name    string
	Numeric bool // aligned to the right
}

// String leaves out the unit, which HTML has in the values.
func (h columnHead) String() string {
	return strings.ReplaceAll(strings.TrimSuffix(h.Name, "_ms"), "_", " ")
}

// MarshalJSON writes the name as in NDJSON.
func (h columnHead) MarshalJSON() ([]byte, error) { return quoted(h.Name), nil }

// tableRow is the values of one call or file.
type tableRow struct {
	Cells  []value
	Failed bool
}

// MarshalJSON writes the cells.
func (r tableRow) MarshalJSON() ([]byte, error) { return json.Marshal(r.Cells) }
