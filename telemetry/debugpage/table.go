package debugpage

import (
	"encoding/json"
	"log/slog"
	"strings"

	"github.com/seed-01322ee7/databricks-telemetry/internal/registry"
)

// table lists the calls or the files of a statement, with a column per field of the registry.
type table struct {
	Name    string       `json:"-"`
	Columns []columnHead `json:"columns"`
	Rows    []tableRow   `json:"rows"`
}

func tableOf[R any](name string, fields []registry.Field[R], all []R) table {
	t := table{Name: name, Columns: []columnHead{}, Rows: []tableRow{}}
	for _, f := range fields {
		t.Columns = append(t.Columns, columnHead{Name: f.Name})
	}
	for i := range all {
		var r tableRow
		for column, f := range fields {
			v := value{f.Value(&all[i])}
			if v.Kind() == slog.KindInt64 || v.Kind() == slog.KindDuration {
				t.Columns[column].Numeric = true
			}
			r.Cells = append(r.Cells, v)
			r.Failed = r.Failed || f.Name == "state" && v.Kind() == slog.KindString && v.Value.String() == "FAILED"
		}
		t.Rows = append(t.Rows, r)
	}
	return t
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
