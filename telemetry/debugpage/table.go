package debugpage

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/internal/registry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// table lists the calls or the files of a statement, with a column for each field of the registry
// that at least one of them has.
type table struct {
	Name    string       `json:"-"`
	Columns []columnHead `json:"columns"`
	Rows    []tableRow   `json:"rows"`
}

// tableOf makes a table of all. If retried is not nil, the last column has the attempts that failed
// and were repeated.
func tableOf[R any](name string, fields []registry.Field[R], all []R, retried func(*R) []telemetry.Attempt) table {
	t := table{Name: name, Columns: []columnHead{}, Rows: make([]tableRow, len(all))}
	for _, f := range fields {
		t.addColumn(f.Name, func(i int) value { return value{f.Value(&all[i])} })
	}
	if retried != nil {
		t.addColumn("retried", func(i int) value { return attemptsOf(retried(&all[i])) })
	}
	return t
}

// addColumn adds a column, unless all its values are unknown.
func (t *table) addColumn(name string, cell func(row int) value) {
	head, cells, known := columnHead{Name: name}, make([]value, len(t.Rows)), false
	for i := range cells {
		v := cell(i)
		kind := v.Kind()
		head.Numeric = head.Numeric || kind == slog.KindInt64 || kind == slog.KindDuration
		known = known || kind != slog.KindAny
		cells[i] = v
		t.Rows[i].Failed = t.Rows[i].Failed || name == "failed" && kind == slog.KindBool || name == "state" && kind == slog.KindString && v.Value.String() == "FAILED"
	}
	if !known {
		return
	}
	t.Columns = append(t.Columns, head)
	for i, v := range cells {
		t.Rows[i].Cells = append(t.Rows[i].Cells, v)
	}
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

// String returns the name without the unit, which is part of the values in HTML.
func (h columnHead) String() string {
	return strings.ReplaceAll(strings.TrimSuffix(h.Name, "_ms"), "_", " ")
}

// MarshalJSON writes the name as in NDJSON.
func (h columnHead) MarshalJSON() ([]byte, error) { return json.Marshal(h.Name) }

// tableRow has the values of one call or file.
type tableRow struct {
	Cells  []value
	Failed bool
}

// MarshalJSON writes the cells.
func (r tableRow) MarshalJSON() ([]byte, error) { return json.Marshal(r.Cells) }
