package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// ranking keeps the first statements in an order, and counts all of them.
type ranking struct {
	order      func(a, b *telemetry.Statement) int
	limit      int                                // of statements to keep
	filter     *filter                            // that selected the records
	statements []*telemetry.Statement             // in order
	ids        map[string]int                     // number of these statements by id, because a file may have been read twice
	reports    map[string]*telemetry.ServerReport // reports on these statements, by statement id

	failed int64
	times  histogram
}

func (r *ranking) add(record any) error {
	if report, ok := record.(*telemetry.ServerReport); ok {
		r.report(report)
	}
	s, ok := record.(*telemetry.Statement)
	if !ok {
		return nil
	}
	r.times.add(s.Total)
	if s.Failed() {
		r.failed++
	}
	at, _ := slices.BinarySearchFunc(r.statements, s, func(a, b *telemetry.Statement) int {
		return cmp.Or(r.order(a, b), -1) // after equal ones
	})
	if at < r.limit {
		r.statements = slices.Insert(r.statements, at, s)
		if r.ids == nil {
			r.ids = map[string]int{}
		}
		r.ids[s.StatementID]++
		if len(r.statements) > r.limit {
			dropped := r.statements[r.limit].StatementID
			r.statements = r.statements[:r.limit]
			if r.ids[dropped]--; r.ids[dropped] == 0 {
				delete(r.ids, dropped)
				delete(r.reports, dropped)
			}
		}
	}
	return nil
}

// report keeps the report of a statement that is kept.
func (r *ranking) report(report *telemetry.ServerReport) {
	if r.ids[report.StatementID] > 0 {
		if r.reports == nil {
			r.reports = map[string]*telemetry.ServerReport{}
		}
		r.reports[report.StatementID] = report
	} else {
		r.filter.keep(report)
	}
}

func (r *ranking) print(w io.Writer, s screen) {
	s.printWrapped(w, r.heading())
	if r.times.n == 0 {
		return
	}
	fmt.Fprintln(w)
	listing(r.statements, r.reports).print(w, s)
}

func (r *ranking) heading() string {
	if r.times.n == 0 {
		return r.filter.nothing()
	}
	return fmt.Sprintf("%s · p50 %s · p95 %s · max %s", statementCount(r.times.n, r.failed), format.Duration(r.times.quantile(.5)),
		format.Duration(r.times.quantile(.95)), format.Duration(r.times.max))
}

// statementCount returns a text with the number of statements, and of those that failed.
func statementCount(n, failed int64) string {
	return format.Plural(n, "statement") + textIf(failed > 0, ", "+format.Count(failed)+" failed")
}

// orders are the orders of a ranking, by the value of --by.
var orders = map[string]func(a, b *telemetry.Statement) int{
	"slowest": func(a, b *telemetry.Statement) int { return cmp.Compare(b.Total, a.Total) },
	"latest": func(a, b *telemetry.Statement) int {
		return b.Started.Add(b.Total).Compare(a.Started.Add(a.Total))
	},
}
