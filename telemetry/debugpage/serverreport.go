package debugpage

import (
	"slices"
	"sync"

	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/internal/registry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// reportsKept is the largest number of reports that are kept, which is that of kept statements.
const reportsKept = recentKept + slowestKept + failedKept

// serverReports holds reports of the query history by statement: those of kept statements, and the
// latest ones of other statements. The zero value is ready to use.
type serverReports struct {
	mu    sync.Mutex
	all   map[string]*telemetry.ServerReport // guarded by mu
	order []string                           // statement ids, oldest first; guarded by mu
}

// ServerReported keeps what the query history says about a statement.
func (m *memory) ServerReported(r *telemetry.ServerReport) { m.reports.add(r, m.kept) }

// kept returns the ids of the statements that are kept.
func (m *memory) kept() map[string]bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	ids := make(map[string]bool, reportsKept)
	for _, s := range slices.Concat(m.recent.records, m.slowest.records, m.failed.records) {
		ids[s.StatementID] = true
	}
	return ids
}

// add keeps a report. When there are too many, it drops the oldest report whose statement is not
// kept.
func (s *serverReports) add(r *telemetry.ServerReport, kept func() map[string]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[string]*telemetry.ServerReport{}
	}
	if s.all[r.StatementID] == nil {
		s.order = append(s.order, r.StatementID)
	}
	s.all[r.StatementID] = r
	if len(s.order) > reportsKept {
		ids := kept()
		drop := max(0, slices.IndexFunc(s.order, func(id string) bool { return !ids[id] }))
		delete(s.all, s.order[drop])
		s.order = slices.Delete(s.order, drop, drop+1)
	}
}

func (s *serverReports) of(statementID string) *telemetry.ServerReport {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[statementID]
}

// serverReport is what the page of a statement says about the server's time.
type serverReport struct {
	Causes []cause `json:"causes"`
	Others []cause `json:"-"`      // causes that the verdict does not name
	Phases []phase `json:"phases"` // in the order in which they happen
	Fields []field `json:"fields"`
}

type cause struct {
	Sentence string `json:"sentence"`
	Advice   string `json:"advice"`
}

type phase struct {
	Name  string   `json:"name"`
	Time  duration `json:"time_ms"`
	Share share    `json:"share"`

	Class       string `json:"-"`
	Description string `json:"-"`
}

// serverReportOf returns nil if there is no report. The first cause may be in the verdict.
func serverReportOf(s *telemetry.Statement, r *telemetry.ServerReport, verdict explain.Verdict) *serverReport {
	if r == nil {
		return nil
	}
	v := &serverReport{Fields: localFields(registry.ServerReportFields, r)}
	for _, c := range explain.CausesOf(s, r) {
		v.Causes = append(v.Causes, cause{c.Sentence, c.Advice})
	}
	for _, p := range breakdown.PhasesOf(r) {
		v.Phases = append(v.Phases, phase{p.String(), duration(p.Time), share(p.Share), classOf(p.Bar()), p.Description()})
	}
	if v.Others = v.Causes; verdict.Reported {
		v.Others = v.Causes[1:]
	}
	return v
}
