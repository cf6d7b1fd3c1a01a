package debugpage

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// finding is something that stands out, with its number and a link to more about it.
type finding struct {
	Severity severity `json:"severity"`
	Number   string   `json:"number"`
	Text     string   `json:"text"`
	Advice   string   `json:"advice,omitempty"`
	Link     string   `json:"link,omitempty"`
}

// severity says how urgent a finding is; its name is also its CSS class.
type severity string

// The severities, the most urgent first.
const (
	severityCritical severity = "critical" // no statement makes progress
	severityWarning  severity = "warning"  // statements fail or take much longer
	severityNotice   severity = "notice"   // worth a look
	severityHealthy  severity = "healthy"
)

var severities = []severity{severityCritical, severityWarning, severityNotice, severityHealthy}

// The thresholds of findings.
const (
	longAfter    = 10 * time.Second // a statement that runs longer, and longer than most, runs long
	stuckAfter   = 15 * time.Second // without an answer; ExecuteStatement is answered after 10 s at the latest
	failingShare = 0.05             // of statements
	failingLeast = 2                // statements
	slowPart     = time.Second      // the average wait for the largest part of a shape's time
)

// situation is what findings are made from: what runs now, and the last 5 min.
type situation struct {
	now           time.Time
	running, kept []*telemetry.Statement
	open          []*telemetry.Statement // of running: long ones whose rows the application holds open
	stuck         []*telemetry.Statement // of running: long ones without an answer
	repeating     []*telemetry.Statement // of running: long ones that spent most of their time repeating requests
	elsewhere     []*telemetry.Statement // of running: long ones that mostly waited for a part other than the server
	long          []*telemetry.Statement // of running: the other long ones
	minutes       window                 // the last 5 min
	p99           time.Duration          // of the last hour
	finished      time.Time              // when a statement last finished
	shapes        []shapeView
	errors        []errorView
	pools         []poolView
	pipelines     []telemetry.PipelineStats
}

func (req *request) situation(running, kept []*telemetry.Statement, o *overviewPage) *situation {
	const length = 5 * time.Minute
	s := &situation{
		now: req.now, running: running, kept: kept, minutes: req.memory.counts.over(req.now, length, running...), p99: time.Duration(o.Rates[2].P99),
		finished: req.memory.counts.lastFinished(), shapes: req.memory.shapes.views(req.now, length, running...), errors: req.memory.failures.views(req.now, length),
		pools: o.Pools, pipelines: o.Reporting.Pipelines,
	}
	for _, r := range running {
		switch {
		case unansweredFor(r) >= stuckAfter: // also where statements of the last hour took longer: they may have hung, too
			s.stuck = append(s.stuck, r)
		case r.Total >= longAfter && r.Total >= s.p99:
			s.addLong(r)
		}
	}
	return s
}

func (s *situation) addLong(r *telemetry.Statement) {
	switch explain.Of(r).Part {
	case telemetry.PartApplication:
		s.open = append(s.open, r)
	case telemetry.PartRetry:
		s.repeating = append(s.repeating, r)
	case telemetry.PartServer, telemetry.PartUnknown:
		s.long = append(s.long, r)
	default:
		s.long, s.elsewhere = append(s.long, r), append(s.elsewhere, r)
	}
}

// findings are what stands out, most urgent first.
func (s *situation) findings() []finding {
	all := []finding{}
	for _, find := range []func(*situation) []finding{
		(*situation).refused, (*situation).hanging, (*situation).halted, (*situation).leaked, (*situation).queueing, (*situation).retries,
		(*situation).canceled, (*situation).failing, (*situation).slow, (*situation).longRunning, (*situation).reporting,
	} {
		all = append(all, find(s)...)
	}
	slices.SortStableFunc(all, func(a, b finding) int {
		return cmp.Compare(slices.Index(severities, a.Severity), slices.Index(severities, b.Severity))
	})
	return all
}

// headline is the most urgent finding or, where no finding is urgent, what happened in the last 5 min.
func (s *situation) headline(findings []finding) (string, severity) {
	if len(findings) > 0 && findings[0].Severity != severityNotice {
		return findings[0].Text, findings[0].Severity
	}
	text := "No statement finished in the last 5 min"
	if n := s.minutes.statements; n > 0 {
		text = format.Plural(n, "statement") + " finished in the last 5 min"
		if s.minutes.failed > 0 {
			text += ", " + format.Count(s.minutes.failed) + " failed"
		} else {
			text += ", none failed"
		}
	}
	if n := len(s.running); n > 0 {
		text += "; " + format.Choose(int64(n), "is running", "are running")
	}
	return text + ".", severityHealthy
}

// refused reports connections that could not be opened.
func (s *situation) refused() []finding {
	n := s.minutes.failedOpens
	if n == 0 {
		return nil
	}
	var category telemetry.Category
	var latest time.Time
	for _, e := range s.errors {
		if e.Of == ofConnection {
			category = cmp.Or(category, e.Category)
			if e.Last.at.After(latest) {
				latest = e.Last.at
			}
		}
	}
	with, because := "", ""
	if category != "" {
		with, because = " with "+format.OneSpelling(string(category)), ": "+format.OneSpelling(string(category))
	}
	f := finding{
		Severity: severityCritical, Number: format.Count(n), Link: "#failed-opens",
		Text:   fmt.Sprintf("No connection could be opened in the last 5 min: %s failed%s.", format.Plural(n, "attempt"), with),
		Advice: "Check the host, the credential and the network: no statement can run without a connection.",
	}
	if s.minutes.opened == 0 && !latest.IsZero() && s.finished.After(latest) {
		f.Severity = severityWarning
		f.Advice = "Statements have finished since, on connections that were opened before. Check the host, the credential and the network."
	}
	if s.minutes.opened > 0 {
		f.Severity = severityWarning
		f.Text = fmt.Sprintf("%s of %s connections could not be opened in the last 5 min%s.", format.Count(n), format.Count(n+s.minutes.opened), because)
	}
	return []finding{f}
}

// unansweredFor is how long a statement has waited without a byte of an answer.
func unansweredFor(s *telemetry.Statement) time.Duration {
	if _, since, ok := explain.Unanswered(s); ok {
		return since
	}
	return 0
}

// hanging reports statements that get no answer.
func (s *situation) hanging() []finding {
	if len(s.stuck) == 0 {
		return nil
	}
	longest := slices.MaxFunc(s.stuck, func(a, b *telemetry.Statement) int { return cmp.Compare(unansweredFor(a), unansweredFor(b)) })
	period := approximate(unansweredFor(longest))
	return []finding{s.standstill(s.stuck, longest,
		"1 statement has been stuck for "+period+" without an answer", "statements are stuck, the oldest for "+period+" without an answer", "for "+period+" without an answer")}
}

// halted reports statements that only repeat requests, and that no statement finishes because of a
// part other than the server. As long as some finish, such statements are slow.
func (s *situation) halted() (all []finding) {
	if len(s.repeating) > 0 {
		oldest := s.repeating[0]
		period, status := approximate(explain.Of(oldest).Time), lastHTTP(failedStatus(oldest))
		all = append(all, s.standstill(s.repeating, oldest,
			"1 statement has repeated requests for "+period+status, "statements are repeating requests, the oldest for "+period+status, "has repeated requests for "+period+status))
	}
	if len(s.elsewhere) > 0 {
		v := explain.Of(s.elsewhere[0])
		waited := "has waited " + approximate(v.Time) + " for " + waitedFor[v.Part]
		if f := s.standstill(s.elsewhere, s.elsewhere[0], "1 statement "+waited, "statements are waiting, the oldest "+waited, waited); f.Severity == severityCritical {
			all = append(all, f)
		}
	}
	return all
}

// standstill is the finding that statements make no progress, with a text for one and for several, and
// with what the example does among all that are running. It is urgent if no other statement finishes
// either.
func (s *situation) standstill(all []*telemetry.Statement, example *telemetry.Statement, one, several, among string) finding {
	f := finding{
		Severity: severityWarning, Number: format.Count(int64(len(all))), Link: "statements?outcome=running", Advice: explain.Of(example).Advice,
		Text: fmt.Sprintf("%d %s%s.", len(all), several, s.fullPools()),
	}
	if len(all) == 1 {
		f.Link, f.Text = link("statement", "id", keyOf(example)), one+s.fullPools()+"."
	}
	ago, ever := s.sinceFinished()
	if ago < stuckAfter || len(all) == 1 && s.fullPools() == "" {
		return f
	}
	f.Severity = severityCritical
	period := "for " + approximate(ago)
	if !ever {
		period = "since the process started"
	}
	subject := "the oldest"
	if len(all) < len(s.running) {
		subject = "one of them"
	}
	f.Text = fmt.Sprintf("No statement has finished %s; %s, %s %s%s.", period, format.Choose(int64(len(s.running)), "is running", "are running"), subject, among, s.fullPools())
	return f
}

// sinceFinished is how long ago a statement last finished; ever is false if none has.
func (s *situation) sinceFinished() (ago time.Duration, ever bool) {
	if s.finished.IsZero() {
		return allTime, false
	}
	return s.now.Sub(s.finished), true
}

// fullPools names the pools all of whose connections are in use.
func (s *situation) fullPools() string {
	var text string
	for _, p := range s.pools {
		if p.Full() {
			text += fmt.Sprintf("; all %s connections of %s are in use", p.MaxOpen, p.Name)
		}
	}
	return text
}

// leaked reports results that the application left open.
func (s *situation) leaked() []finding {
	if len(s.open) == 0 {
		return nil
	}
	f := finding{
		Severity: severityWarning, Number: format.Count(int64(len(s.open))), Link: "statements?outcome=running&bound=application-bound",
		Text: fmt.Sprintf("%s by the application, the oldest for %s%s.", format.Choose(int64(len(s.open)), "result is held open", "results are held open"),
			approximate(longestHeld(s.open)), s.fullPools()),
		Advice: "Close rows when they are read (defer rows.Close()): every open result keeps a connection.",
	}
	if s.fullPools() != "" {
		f.Severity = severityCritical
	}
	return []finding{f}
}

// longestHeld is the longest that the application has had one of the results.
func longestHeld(open []*telemetry.Statement) (longest time.Duration) {
	for _, r := range open {
		longest = max(longest, r.Split[telemetry.PartApplication])
	}
	return longest
}

// queueing reports pools that calls wait for.
func (s *situation) queueing() (all []finding) {
	for _, p := range s.pools {
		_, waiting, ok := strings.Cut(p.Verdict, ": ")
		if !ok {
			continue
		}
		within := "in the last " + approximate(time.Duration(p.Since))
		f := finding{Severity: severityWarning, Number: p.waited.String(), Link: "#pools", Advice: p.Advice, Text: capitalized(within) + ", " + waiting + "."}
		if p.Full() {
			waits, _, _ := strings.Cut(waiting, " for a connection")
			f.Text = fmt.Sprintf("All %s connections of %s are in use: %s, %s for one%s.", p.MaxOpen, p.Name, within, waits, format.EndedWaits(p.took))
			if ago, ever := s.sinceFinished(); ever && ago >= stuckAfter && len(s.running) == 0 {
				f.Severity = severityCritical
				f.Text = fmt.Sprintf("No statement is running, and none has finished for %s; %s", approximate(ago), lowerFirst(f.Text))
			}
		}
		all = append(all, f)
	}
	return all
}

// retries reports requests that had to be repeated.
func (s *situation) retries() []finding {
	total := s.minutes.times.Total()
	taken := shareOf(s.minutes.times[telemetry.PartRetry], total)
	if s.minutes.retries < failingLeast || taken < 0.2 {
		return nil
	}
	status := ""
	for _, k := range s.recent() {
		if status = lastHTTP(failedStatus(k)); status != "" {
			break
		}
	}
	return []finding{{
		Severity: severityWarning, Number: format.Count(s.minutes.retries), Link: "statements?bound=retry-bound",
		Text: fmt.Sprintf("%s in the last 5 min%s: that took %s of the time of all statements.",
			format.Choose(s.minutes.retries, "request failed and was repeated", "requests failed and were repeated"), status, taken),
		Advice: "The workspace or the storage refuses requests: look at its status and limits, and run fewer statements at once.",
	}}
}

// recent are the kept statements that ended in the last 5 min, latest first.
func (s *situation) recent() []*telemetry.Statement { return periods[0].within(s.now, s.kept) }

func lastHTTP(status int) string {
	if status == 0 {
		return ""
	}
	return ", last HTTP " + strconv.Itoa(status)
}

// failedStatus is the HTTP status of failed requests of a statement that were repeated, or are to be; 0 where
// there are none, or such with others: which was the last is not known.
func failedStatus(s *telemetry.Statement) (status int) {
	var all []int
	for _, r := range s.RPCs {
		if (r.Retries > 0 || s.Outcome == telemetry.OutcomeRunning) && r.FailedStatus != 0 {
			all = append(all, r.FailedStatus)
		}
	}
	if c := s.CloudFetch; c != nil && c.Retries > 0 {
		all = append(all, c.RetryStatus)
	}
	if all = slices.Compact(all); len(all) == 1 {
		return all[0]
	}
	return 0
}

// canceled reports that many statements end because the application's contexts do.
func (s *situation) canceled() []finding {
	var n, of count
	for _, v := range s.shapes {
		if v.Text != ping {
			n, of = n+v.Canceled, of+v.Statements
		}
	}
	if n < failingLeast || float64(n) < 0.2*float64(of) {
		return nil
	}
	return []finding{{
		Severity: severityWarning, Number: n.String(), Link: "statements?outcome=canceled&window=5m",
		Text:   fmt.Sprintf("%s of %s of the last 5 min were canceled: the application's contexts ended first.", n, format.Plural(int64(of), "statement")),
		Advice: "Look at deadlines and at clients that give up. The warehouse may still be at work on canceled statements.",
	}}
}

// failing reports the shapes that fail often, however few of all statements they are.
func (s *situation) failing() (all []finding) {
	for _, v := range s.shapes {
		n := v.Failed - v.Canceled
		if part := float64(n) / float64(max(1, v.Statements)); n >= failingLeast && part >= failingShare {
			all = append(all, finding{
				Severity: severityWarning, Number: share(part).String(), Link: link("statements", "shape", v.ID, "outcome", problem),
				Text: fmt.Sprintf("%s of the statements “%s” failed in the last 5 min: %s of %s%s.", share(part), shortened(v.Text, 60, "…"), n, v.Statements, s.latestCategory(v.ID)),
			})
		}
	}
	return all
}

// latestCategory names the error that a statement of a shape failed with most recently.
func (s *situation) latestCategory(shape string) string {
	for _, k := range s.recent() {
		if k.Outcome == telemetry.OutcomeFailed && shapeIDOf(k) == shape {
			return ", " + format.OneSpelling(string(k.Failure.Category))
		}
	}
	return ""
}

// slow reports what statements waited for if that took long.
func (s *situation) slow() (all []finding) {
	for _, p := range telemetry.Parts {
		var waited, total time.Duration
		var n count
		for _, v := range s.shapes {
			if l := v.Split.Largest(); l != nil && l.Name == p.String() && l.Share >= 0.5 && time.Duration(l.Time)/time.Duration(v.Statements+v.Running) >= slowPart {
				waited, total, n = waited+time.Duration(l.Time), total+time.Duration(v.Time), n+v.Statements+v.Running
			}
		}
		if n == 0 || p == telemetry.PartRetry {
			continue
		}
		f := finding{
			Severity: severityWarning, Number: n.String(), Link: link("statements", "bound", explain.Part{Part: p}.Bound(), "window", "5m"),
			Text: fmt.Sprintf("%s of the last 5 min spent %s of the time on %s, %s each: %s", format.Plural(int64(n), "statement"), shareOf(waited, total), waitedFor[p],
				format.Duration(waited/time.Duration(n)), lowerFirst(explain.Part{Part: p}.Meaning())),
		}
		if p == telemetry.PartServer || p == telemetry.PartUnknown {
			f.Severity = severityNotice // a warehouse has much to do
		}
		all = append(all, f)
	}
	return all
}

// waitedFor names the parts in a sentence.
var waitedFor = map[telemetry.Part]string{
	telemetry.PartServer: "the server", telemetry.PartPoll: "polling", telemetry.PartPage: "result pages", telemetry.PartFile: "CloudFetch files", telemetry.PartTransfer: "volume files",
	telemetry.PartDecode: "decoding", telemetry.PartApplication: "the application", telemetry.PartClose: "canceling and closing", telemetry.PartNetwork: "the network and the driver", telemetry.PartUnknown: "what was not observed",
}

// longRunning reports statements that run for long, which is urgent only if they hold a whole pool,
// or if several run and none finishes.
func (s *situation) longRunning() []finding {
	if len(s.long) == 0 {
		return nil
	}
	oldest, state := s.long[0], ""
	if oldest.State != "" {
		state = ", last seen " + oldest.State
	}
	f := finding{
		Severity: severityNotice, Number: format.Count(int64(len(s.long))), Link: link("statement", "id", keyOf(oldest)), Advice: explain.Of(oldest).Advice,
		Text: fmt.Sprintf("1 statement has been running for %s%s%s.", approximate(oldest.Total), state, s.fullPools()),
	}
	if n := len(s.long); n > 1 {
		f.Link = "statements?outcome=running"
		f.Text = fmt.Sprintf("%d statements have been running for long, the oldest for %s%s%s.", n, approximate(oldest.Total), state, s.fullPools())
	}
	ago, ever := s.sinceFinished()
	switch {
	case s.fullPools() != "" && ago >= time.Minute:
		f.Severity = severityCritical
	case s.fullPools() != "":
		f.Severity = severityWarning
	case len(s.long) > 1 && ever && ago >= 5*time.Minute:
		f.Severity = severityWarning
		f.Text = fmt.Sprintf("No statement has finished for %s; %s, the oldest for %s%s.", approximate(ago), format.Choose(int64(len(s.running)), "is running", "are running"), approximate(oldest.Total), state)
	}
	return []finding{f}
}

// reporting reports pipelines to Databricks that fail.
func (s *situation) reporting() (all []finding) {
	for _, p := range s.pipelines {
		if p.Breaker != "open" && p.LastError == "" {
			continue
		}
		text := "Reporting to " + p.Server + " fails"
		if p.LastError != "" {
			text += " with " + p.LastError
		}
		all = append(all, finding{Severity: severityNotice, Number: format.Count(p.Pending), Text: text + ". Statements are not affected.", Link: "telemetry"})
	}
	return all
}

// shortened cuts a text of more than so many characters, and marks where.
func shortened(text string, most int, mark string) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + mark
	}
	return text
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

func capitalized(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
