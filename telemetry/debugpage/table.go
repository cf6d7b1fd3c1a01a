package debugpage

import (
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
	Name    string    `json:"-"`
	Columns []string  `json:"columns"` // as in NDJSON
	Rows    [][]value `json:"rows"`
	numeric []bool    // of the columns: aligned to the right
	failed  []bool    // of the rows
}

// tableOf makes a table of all. If retried is not nil, the last column has the attempts that failed
// and were repeated.
func tableOf[R any](name string, fields []registry.Field[R], all []R, retried func(*R) []telemetry.Attempt) table {
	t := table{Name: name, Columns: []string{}, Rows: make([][]value, len(all)), failed: make([]bool, len(all))}
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
	cells, known, numeric := make([]value, len(t.Rows)), false, false
	for i := range cells {
		v := cell(i)
		kind := v.Kind()
		numeric = numeric || kind == slog.KindInt64 || kind == slog.KindDuration
		known = known || kind != slog.KindAny
		cells[i] = v
		t.failed[i] = t.failed[i] || name == "failed" && kind == slog.KindBool || name == "state" && kind == slog.KindString && v.Value.String() == "FAILED"
	}
	if !known {
		return
	}
	t.Columns, t.numeric = append(t.Columns, name), append(t.numeric, numeric)
	for i, v := range cells {
		t.Rows[i] = append(t.Rows[i], v)
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

// withoutUnit returns the name of a field for HTML, where the unit is part of the values.
func withoutUnit(name string) string {
	return strings.ReplaceAll(strings.TrimSuffix(name, "_ms"), "_", " ")
}
