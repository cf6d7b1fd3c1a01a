package debugpage

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// overview is the first page: is something wrong, and where.
type overview struct {
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

	Longest []row     `json:"running_longest"`
	Slowest []row     `json:"slowest"`
	Failed  []row     `json:"failed"`
	Refused []refusal `json:"refused_connections"`

	Connectors []connectorView `json:"connectors"`
	Others     count           `json:"connectors_left_off,omitempty"`
	Pools      []poolView      `json:"pools"`
	Reporting  reporting       `json:"reporting"`
	Incidents  count           `json:"incidents"` // contained; see the Telemetry page
	presence
}

// presence tells an empty page which emptiness it is.
type presence struct {
	AnyConnector bool `json:"any_connector"`
	AnyStatement bool `json:"any_statement"`
}

func (v *visit) presence(statements int) presence {
	return presence{AnyConnector: len(v.connectors()) > 0, AnyStatement: statements > 0}
}

// finding is something that stands out, and where to look further.
type finding struct {
	Text   string `json:"text"`
	Advice string `json:"advice,omitempty"`
	Link   string `json:"link,omitempty"`
}

// rates is what happened in a stretch of time that ends now.
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
	Refused     count    `json:"connections_refused"`
}

// refusal is a connection that could not be opened.
type refusal struct {
	Started  moment             `json:"started"`
	Server   string             `json:"server,omitempty"`
	Took     duration           `json:"open_ms"`
	Category telemetry.Category `json:"error_category"`
	Message  string             `json:"error_message,omitempty"`
}

// connectorView is a connector in a list.
type connectorView struct {
	ID        int64  `json:"id"`
	OpenedVia string `json:"opened_via"`
	Server    string `json:"server,omitempty"`
	Created   moment `json:"created"`
	Sessions  count  `json:"sessions"`
	Running   count  `json:"running"`
	Reports   string `json:"reports"`
	Why       string `json:"why"`
	Version   string `json:"driver_version,omitempty"`
	info      telemetry.ConnectorInfo
}

// connectorsShown bounds the pages of a process with a connector per tenant.
const connectorsShown = 50

func (v *visit) connectorViews(pipelines []export.PipelineStats) (views []connectorView, others count) {
	views = []connectorView{}
	all := v.connectors()
	shown := min(connectorsShown, len(all))
	for _, c := range all[:shown] {
		info, ok := contained(c.Info)
		if !ok {
			continue
		}
		running, _ := contained(c.Running)
		views = append(views, connectorView{
			ID: info.ID, OpenedVia: info.OpenedVia, Server: info.Server, Created: moment{info.Created, v.now}, Sessions: count(info.Sessions),
			Running: count(len(running)), Reports: info.Reports, Why: whyReported(info, pipelines), Version: info.Driver.Version, info: info,
		})
	}
	return views, count(len(all) - shown)
}

// reporting is what the pipelines to Databricks are doing.
type reporting struct {
	export.Stats
	Drops []drop         `json:"-"`
	Pipes []pipelineView `json:"-"`
}

type drop struct {
	Reason  string
	Meaning string
	Count   count
}

// pipelineView writes a pipeline's state for people.
type pipelineView struct {
	export.PipelineStats
	Waiting size
	Next    *moment
}

// meanings of reasons; see package export.
var meanings = map[string]string{
	export.DropSampledOut: "telemetry_sample_rate left them out",
	export.DropFlagOff:    "the server does not want telemetry",
	export.DropQueueFull:  "more waited than telemetry_queue_size",
	export.DropQueueBytes: "those that waited took too much memory",
	export.DropExpired:    "they waited for an hour",
	export.DropRefused:    "the endpoint refused them",
	export.DropTooLarge:   "one alone was too large for the endpoint",
	export.DropRejected:   "the service counted fewer than it was sent",
	export.DropBroken:     "they could not be encoded",
	export.DropClosed:     "their last connector was closed before they could be sent",
	export.DropShutDown:   "reporting was shut down before they could be sent",
}

func (v *visit) reporting() reporting {
	r := reporting{Stats: v.exporter.Stats()}
	for reason, n := range r.Dropped {
		r.Drops = append(r.Drops, drop{reason, meanings[reason], count(n)})
	}
	slices.SortFunc(r.Drops, func(a, b drop) int { return strings.Compare(string(a.Reason), string(b.Reason)) })
	for _, p := range r.Pipelines {
		view := pipelineView{PipelineStats: p, Waiting: size(p.PendingBytes)}
		if p.NotBefore.After(v.now) {
			view.Next = &moment{p.NotBefore, v.now}
		}
		r.Pipes = append(r.Pipes, view)
	}
	return r
}

// Sum is the number of events dropped for whatever reason.
func (r reporting) Sum() (n count) {
	for _, d := range r.Drops {
		n += d.Count
	}
	return n
}

const topRows = 5

func (v *visit) overview() (string, any, int) {
	running, kept := v.running(), v.memory.look(v.now)
	hour := v.memory.counts.over(v.now, time.Hour)
	o := overview{
		Now: moment{v.now, v.now}, Running: count(len(running)), Findings: []finding{}, Errors: append([]categoryCount{}, hour.errors...),
		Split: splitOf(hour.times, hour.total), Latency: histogramOf(&hour), Hour: chartOf(v.now, v.memory.counts.minutes(v.now)),
		Longest: rowsOf(top(running), v.now), Slowest: rowsOf(top(kept.slowest), v.now), Failed: rowsOf(top(kept.failed), v.now),
		Refused: []refusal{}, Pools: v.memory.pools.views(), Reporting: v.reporting(), Incidents: count(v.process().Incidents()), presence: v.presence(len(kept.all) + len(running)),
	}
	for _, of := range []struct {
		name   string
		length time.Duration
	}{{"1 min", time.Minute}, {"5 min", 5 * time.Minute}, {"1 h", time.Hour}} {
		w := v.memory.counts.over(v.now, of.length)
		o.Rates = append(o.Rates, ratesOf(of.name, &w))
	}
	for _, s := range kept.refused[:min(topRows, len(kept.refused))] {
		o.Refused = append(o.Refused, refusal{moment{s.Started, v.now}, s.Server, duration(s.Latency), s.Failure.Category, s.Failure.Message})
	}
	o.Connectors, o.Others = v.connectorViews(o.Reporting.Pipelines)
	o.Headline = o.headline(&hour)
	o.find()
	return "Overview", o, 200
}

func top(all []*telemetry.Statement) []*telemetry.Statement { return all[:min(topRows, len(all))] }

func ratesOf(name string, w *window) rates {
	r := rates{
		Window: name, Over: duration(w.length), Statements: count(w.statements), PerSecond: w.perSecond(w.statements), Failed: count(w.failed),
		P50: duration(w.quantile(0.5)), P90: duration(w.quantile(0.9)), P99: duration(w.quantile(0.99)),
		Opened: count(w.opened), Refused: count(w.refused),
	}
	if w.statements > 0 {
		r.FailedShare = share(float64(w.failed) / float64(w.statements))
	}
	return r
}

// headline is the answer before any question is asked.
func (o *overview) headline(hour *window) string {
	if hour.statements == 0 {
		if o.Running > 0 {
			return "No statement ended in the last hour; " + format.Choose(int64(o.Running), "is", "are") + " running."
		}
		return "No statement ended in the last hour."
	}
	text := format.Plural(hour.statements, "statement") + " in the last hour"
	switch {
	case hour.failed > 0:
		text += fmt.Sprintf(", %s failed.", format.Count(hour.failed))
	default:
		text += ", none failed."
	}
	if p := o.Split.Largest(); p != nil {
		text += fmt.Sprintf(" %s of their time was %s: %s", p.Share, p.Bound, lowerFirst(p.Meaning))
	}
	return text
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// find looks for what stands out, most urgent first.
func (o *overview) find() {
	add := func(text, advice, link string) { o.Findings = append(o.Findings, finding{text, advice, link}) }
	for _, r := range o.Rates[1:2] {
		if r.Refused > 0 {
			add(format.Plural(int64(r.Refused), "connection")+" could not be opened in the last 5 min: "+string(o.Refused[0].Category)+".",
				"Look at the host, the credential and the network; statements fail before they begin.", "#refused")
		}
		if r.Failed > 0 && r.FailedShare >= 0.05 {
			add(fmt.Sprintf("%s of the statements of the last 5 min failed.", r.FailedShare), "", "statements?outcome=problem")
		}
	}
	for _, p := range o.Pools {
		if p.Verdict != "" {
			add(strings.TrimPrefix(p.Verdict, string(explain.BoundPool)+": ")+", in the last "+coarse(time.Duration(p.Since))+".", p.Advice, "#pools")
		}
	}
	if len(o.Longest) > 0 {
		usual, longest := time.Duration(o.Rates[2].P99), time.Duration(o.Longest[0].Total)
		if longest > 10*time.Second && longest > usual {
			add("A statement has been running for "+coarse(longest)+".", "", o.Longest[0].URL())
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
