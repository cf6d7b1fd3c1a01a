package debugpage

import (
	"fmt"
	"slices"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// overviewPage is the first page: is something wrong now, and where?
type overviewPage struct {
	Now      moment    `json:"now"`
	Headline string    `json:"headline"` // of the last 5 min and of what runs
	Severity severity  `json:"severity"` // of the headline
	Summary  string    `json:"summary"`  // of the last 5 min and the last hour, in numbers
	Findings []finding `json:"findings"`
	Running  count     `json:"running"`
	Rates    []rates   `json:"rates"` // over 1 min, 5 min and 1 h

	// The following fields are about the period that the request asks for.
	Window  string      `json:"window"`
	Split   split       `json:"split"`
	Latency *histogram  `json:"latency,omitempty"`
	Shapes  []shapeView `json:"shapes"`
	Errors  []errorView `json:"errors"`
	Slowest []row       `json:"slowest"`

	Chart       *chart       `json:"chart,omitempty"`
	Longest     []row        `json:"running_longest"`
	FailedOpens []failedOpen `json:"refused_connections"`

	Connectors []connectorView `json:"connectors"`
	Others     count           `json:"connectors_left_off,omitempty"`
	Pools      []poolView      `json:"pools"`
	OtherPools count           `json:"pools_left_off,omitempty"`
	Reporting  reporting       `json:"reporting"`
	Incidents  count           `json:"incidents"` // contained; see the Telemetry page
	presence

	Period  period `json:"-"`
	Windows []tab  `json:"-"`
}

// Rows of the lists on the overview, which should fit on two screens. Each finding takes the place of
// one of the slowest statements.
const topRows, slowestShown = 4, 4

func (req *request) overview() (string, model) {
	stats := req.stats()
	running, kept := req.present()
	p := req.period(lastHour)
	chosen := req.memory.counts.over(req.now, p.length, running...)
	long := slices.DeleteFunc(slices.Clone(running), func(s *telemetry.Statement) bool { return s.Total < time.Second })
	o := overviewPage{
		Now: moment{req.now, req.now}, Running: count(len(running)),
		Window: p.key, Period: p, Windows: req.windows("", p),
		Split: splitOf(chosen.times), Latency: histogramOf(&chosen),
		Shapes: top(req.shapeViews(p, running, kept.all), topRows), Errors: top(req.errorViews(p, kept.all), topRows),
		Chart:   chartOf(req.now, req.memory.counts.columns(req.now, running...)),
		Longest: req.rowsOf(top(long, topRows)), FailedOpens: []failedOpen{},
		Pools: req.memory.pools.views(), OtherPools: req.memory.pools.leftOff(), Reporting: reporting{stats.Export, req.now}, Incidents: count(stats.Incidents()),
		presence: req.presence(len(kept.all) + len(running)),
	}
	minutes := req.memory.counts.over(req.now, lastMinutes.length)
	minute, hour := req.memory.counts.over(req.now, time.Minute), req.memory.counts.over(req.now, lastHour.length)
	o.Rates = []rates{ratesOf("1 min", &minute), ratesOf(lastMinutes.name, &minutes), ratesOf(lastHour.name, &hour)}
	for _, s := range top(kept.failedOpens, topRows) {
		o.FailedOpens = append(o.FailedOpens, failedOpen{moment{s.Started, req.now}, s.Server, duration(s.Latency), s.Failure.Category, s.FailedStatus, s.Failure.Message})
	}
	o.Connectors, o.Others = req.connectorViews(o.Reporting.Pipelines)
	situation := req.situation(running, kept.all, minutes, &o)
	o.Findings = situation.findings()
	o.Headline, o.Severity = situation.headline(o.Findings)
	slowest := p.within(req.now, kept.all)
	slices.SortStableFunc(slowest, slowestFirst)
	o.Slowest = req.rowsOf(top(slowest, max(1, slowestShown-len(o.Findings))))
	o.Summary = "Last 5 min: " + o.Rates[1].sentence() + " Last hour: " + o.Rates[2].sentence()
	return "Overview", o
}

func top[T any](all []T, most int) []T { return all[:min(most, len(all))] }

// First returns the finding that is the headline, or nil if nothing is urgent.
func (o *overviewPage) First() *finding {
	if len(o.Findings) > 0 && o.Findings[0].Text == o.Headline {
		return &o.Findings[0]
	}
	return nil
}

// More returns the other findings.
func (o *overviewPage) More() []finding {
	if o.First() != nil {
		return o.Findings[1:]
	}
	return o.Findings
}

// presence says whether there is anything to show, so that a page can say why it is empty.
type presence struct {
	AnyConnector bool `json:"any_connector"`
	AnyStatement bool `json:"any_statement"`
	everUsed     bool // a connector is open, or something was recorded before the last one was closed
}

func (req *request) presence(statements int) presence {
	open := len(req.connectors()) > 0
	ever := req.memory.counts.over(req.now, sinceStart.length)
	return presence{AnyConnector: open, AnyStatement: statements > 0, everUsed: open || statements > 0 || ever.opened+ever.failedOpens > 0}
}

// rates sums up a period that ends now.
type rates struct {
	Window      string   `json:"window"`
	Over        duration `json:"over_ms"` // shorter than the window while the process is young
	Statements  count    `json:"statements"`
	PerSecond   rate     `json:"per_second"`
	Failed      count    `json:"failed"`
	FailedShare share    `json:"failed_share"`
	P50         duration `json:"p50_ms"`
	P90         duration `json:"p90_ms"`
	P99         duration `json:"p99_ms"`
	Opened      count    `json:"connections_opened"`
	FailedOpens count    `json:"connections_refused"`
}

func ratesOf(name string, w *window) rates {
	return rates{
		Window: name, Over: duration(w.length), Statements: count(w.statements), PerSecond: w.perSecond(w.statements), Failed: count(w.failed),
		FailedShare: share(float64(w.failed) / float64(max(1, w.statements))),
		P50:         duration(w.quantile(0.5)), P90: duration(w.quantile(0.9)), P99: duration(w.quantile(0.99)),
		Opened: count(w.opened), FailedOpens: count(w.failedOpens),
	}
}

// sentence describes the period in numbers.
func (r rates) sentence() string {
	if r.Statements == 0 {
		return "no statement ended."
	}
	return fmt.Sprintf("%s, %s failed, median %s, 99th percentile %s.", format.Plural(int64(r.Statements), "statement"), r.Failed, r.P50, r.P99)
}

// Quantile formats a quantile for people. Without statements there is none.
func (r rates) Quantile(d duration) string {
	if r.Statements == 0 {
		return "–"
	}
	return d.String()
}

// failedOpen is a connection that could not be opened.
type failedOpen struct {
	Started  moment             `json:"started"`
	Server   string             `json:"server,omitempty"`
	Took     duration           `json:"open_ms"`
	Category telemetry.Category `json:"error_category"`
	Status   int                `json:"failed_status,omitempty"` // as in SessionOpened
	Message  string             `json:"error_message,omitempty"`
}

// LastStatus returns the status of the latest attempt that failed, for people; empty if it is
// unknown.
func (o failedOpen) LastStatus() string {
	if o.Status == 0 {
		return ""
	}
	return fmt.Sprintf(", last status %d", o.Status)
}
