package main

import "github.com/seed-01322ee7/databricks-telemetry/telemetry"

// maxEarly bounds memory: twice as many reports are kept at most.
const maxEarly = 5_000

// earlyReports keeps the latest reports that came before their statements: app.ndjson* names the
// newest file first, and a log may be rotated between a statement and its report. The zero value is
// ready; a nil pointer keeps nothing.
type earlyReports [2]map[string]*telemetry.ServerReport // by statement: the latest, and those before

func (e *earlyReports) keep(r *telemetry.ServerReport) {
	if e == nil {
		return
	}
	if e[0] == nil || len(e[0]) == maxEarly {
		e[1], e[0] = e[0], map[string]*telemetry.ServerReport{}
	}
	e[0][r.StatementID] = r
}

// take returns the report of a statement, once; nil without one.
func (e *earlyReports) take(id string) *telemetry.ServerReport {
	if e == nil {
		return nil
	}
	for _, reports := range e {
		if r := reports[id]; r != nil {
			delete(reports, id)
			return r
		}
	}
	return nil
}
