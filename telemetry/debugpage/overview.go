package debugpage

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// overviewPage is the first page: is something wrong, and where.
type overviewPage struct {
	Now      moment    `json:"now"`
	Headline string    `json:"headline"`
	Findings []finding `json:"findings"`
	Running  count     `json:"running"`
	Rates    []rates   `json:"rates"` // over 1 min, 5 min and 1 h

	// Of the last hour.
	Split   split           `json:"split"`
	Errors  []categoryCount `json:"errors"`
	Latency *histogram      `json:"latency,omitempty"`
	Hour    *chart          `json:"hour,omitempty"`

	Longest     []row        `json:"running_longest"`
	Slowest     []row        `json:"slowest"`
	Failed      []row        `json:"failed"`
	FailedOpens []failedOpen `json:"refused_connections"`

	Connectors []connectorView `json:"connectors"`
	Others     count           `json:"connectors_left_off,omitempty"`
	Pools      []poolView      `json:"pools"`
	Reporting  reporting       `json:"reporting"`
	Incidents  count           `json:"incidents"` // contained; see the Telemetry page
	presence
}

const topRows = 5 // of each list of the overview

func (req *request) overview() (string, model, int) {
	running, kept := req.running(), req.memory.snapshot(req.now)
	hour := req.memory.counts.over(req.now, time.Hour)
	o := overviewPage{
		Now: moment{req.now, req.now}, Running: count(len(running)), Findings: []finding{}, Errors: append([]categoryCount{}, hour.errors...),
		Split: splitOf(hour.times), Latency: histogramOf(&hour), Hour: chartOf(req.now, req.memory.counts.minutes(req.now)),
		Longest: rowsOf(top(running), req.now), Slowest: rowsOf(top(kept.slowest), req.now), Failed: rowsOf(top(kept.failed), req.now),
		FailedOpens: []failedOpen{}, Pools: req.memory.pools.views(), Reporting: req.reporting(), Incidents: count(req.process().Incidents()),
		presence: req.presence(len(kept.all) + len(running)),
	}
	for _, last := range []struct {
		name   string
		length time.Duration
	}{{"1 min", time.Minute}, {"5 min", 5 * time.Minute}, {"1 h", time.Hour}} {
		w := req.memory.counts.over(req.now, last.length)
		o.Rates = append(o.Rates, ratesOf(last.name, &w))
	}
	for _, s := range kept.failedOpens[:min(topRows, len(kept.failedOpens))] {
		o.FailedOpens = append(o.FailedOpens, failedOpen{moment{s.Started, req.now}, s.Server, duration(s.Latency), s.Failure.Category, s.Failure.Message})
	}
	o.Connectors, o.Others = req.connectorViews(o.Reporting.Pipelines)
	o.Headline = o.headline(&hour)
	o.find()
	return "Overview", o, http.StatusOK
}

func top(all []*telemetry.Statement) []*telemetry.Statement { return all[:min(topRows, len(all))] }

// presence says whether there is anything to show, so that an empty page can say why it is
// empty.
type presence struct {
	AnyConnector bool `json:"any_connector"`
	AnyStatement bool `json:"any_statement"`
}

func (req *request) presence(statements int) presence {
	return presence{AnyConnector: len(req.connectors()) > 0, AnyStatement: statements > 0}
}

// rates sums up a stretch of time that ends now.
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
	r := rates{
		Window: name, Over: duration(w.length), Statements: count(w.statements), PerSecond: w.perSecond(w.statements), Failed: count(w.failed),
		P50: duration(w.quantile(0.5)), P90: duration(w.quantile(0.9)), P99: duration(w.quantile(0.99)),
		Opened: count(w.opened), FailedOpens: count(w.failedOpens),
	}
	if w.statements > 0 {
		r.FailedShare = share(float64(w.failed) / float64(w.statements))
	}
	return r
}

// Quantile is a quantile for people: there is none without statements.
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
	Message  string             `json:"error_message,omitempty"`
}

// headline sums up the last hour.
func (o *overviewPage) headline(hour *window) string {
	if hour.statements == 0 {
		if o.Running > 0 {
			return "No statement ended in the last hour; " + format.Choose(int64(o.Running), "is", "are") + " running."
		}
		return "No statement ended in the last hour."
	}
	text := format.Plural(hour.statements, "statement") + " in the last hour"
	if hour.failed > 0 {
		text += ", " + format.Count(hour.failed) + " failed."
	} else {
		text += ", none failed."
	}
	if p := o.Split.Largest(); p != nil {
		text += fmt.Sprintf(" %s of their time was %s: %s", p.Share, p.Bound, lowerFirst(p.Meaning))
	}
	return text
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// finding is something that stands out, with a link to more about it.
type finding struct {
	Text   string `json:"text"`
	Advice string `json:"advice,omitempty"`
	Link   string `json:"link,omitempty"`
}

// find collects what stands out, most urgent first.
func (o *overviewPage) find() {
	add := func(text, advice, link string) { o.Findings = append(o.Findings, finding{text, advice, link}) }
	fiveMinutes := o.Rates[1]
	if fiveMinutes.FailedOpens > 0 {
		add(format.Plural(int64(fiveMinutes.FailedOpens), "connection")+" could not be opened in the last 5 min: "+string(o.FailedOpens[0].Category)+".",
			"Check the host, the credential and the network: no statement can run on these connections.", "#failed-opens")
	}
	if fiveMinutes.Failed > 0 && fiveMinutes.FailedShare >= 0.05 {
		add(fmt.Sprintf("%s of the statements of the last 5 min failed.", fiveMinutes.FailedShare), "", "statements?outcome="+problem)
	}
	for _, p := range o.Pools {
		if _, waiting, ok := strings.Cut(p.Verdict, ": "); ok {
			add(waiting+", in the last "+approximate(time.Duration(p.Since))+".", p.Advice, "#pools")
		}
	}
	if len(o.Longest) > 0 {
		p99, longest := time.Duration(o.Rates[2].P99), time.Duration(o.Longest[0].Total)
		if longest > 10*time.Second && longest > p99 {
			add("A statement has been running for "+approximate(longest)+".", "", o.Longest[0].URL())
		}
	}
	for _, p := range o.Reporting.Pipelines {
		if p.Breaker == "open" || p.LastError != "" {
			text := "Reporting to " + p.Server + " fails"
			if p.LastError != "" {
				text += " with " + p.LastError
			}
			add(text+". Statements are not affected.", "", "telemetry")
		}
	}
}
