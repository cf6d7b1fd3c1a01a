package debugpage

import (
	"cmp"
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

// severity says how urgent a finding is. Its name is also its CSS class.
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
	longAfter     = 10 * time.Second // a statement that runs longer than this, and longer than most, counts as long
	stuckAfter    = 15 * time.Second // without an answer; ExecuteStatement is answered after 10 s at the latest
	failingShare  = 0.05             // of statements
	failingLeast  = 2                // statements
	canceledShare = 0.2              // of statements, and of attempts to open a connection
	slowPart      = time.Second      // average wait for the largest part of a shape's time
)

// situation is the input of findings: what runs now, and the last 5 min.
type situation struct {
	now       time.Time
	running   []*telemetry.Statement
	open      []*telemetry.Statement // of running: long ones whose rows the application holds open
	stuck     []*telemetry.Statement // of running: long ones without an answer
	repeating []*telemetry.Statement // of running: long ones that spent most of their time repeating requests
	elsewhere []*telemetry.Statement // of running: long ones that mostly waited for a part other than the server
	long      []*telemetry.Statement // of running: the other long ones
	recent    []*telemetry.Statement // kept statements that ended in the last 5 min, latest first
	minutes   window                 // the last 5 min, without the time of running statements
	p99       time.Duration          // of the last hour
	shapes    []shapeView
	errors    []errorView
	pools     []poolView
	opening   count         // connections being opened by connectors that have opened none for long
	openFor   time.Duration // the shortest time for which one of these connectors has opened none
	pipelines []telemetry.PipelineStats
}

func (req *request) situation(running, kept []*telemetry.Statement, minutes window, o *overviewPage) *situation {
	length := lastMinutes.length
	s := &situation{
		now: req.now, running: running, recent: lastMinutes.within(req.now, kept),
		minutes: minutes, p99: time.Duration(o.Rates[2].P99),
		shapes: req.memory.shapes.views(req.now, length, running...), errors: req.memory.failures.views(req.now, length),
		pools: o.Pools, pipelines: o.Reporting.Pipelines,
	}
	for _, c := range req.connectors() {
		if info, _ := contained(c.Info); info.OpeningFor >= stuckAfter {
			s.opening, s.openFor = s.opening+count(info.Opening), min(cmp.Or(s.openFor, allTime), info.OpeningFor)
		}
	}
	for _, r := range running {
		switch {
		case unansweredFor(r) >= stuckAfter: // even if statements of the last hour took longer, because they may have hung, too
			s.stuck = append(s.stuck, r)
		case r.Total >= longAfter && r.Total >= s.p99:
			s.addLong(r)
		}
	}
	return s
}

func (s *situation) addLong(r *telemetry.Statement) {
	switch part := explain.Of(r).Part; {
	case part == telemetry.PartApplication:
		s.open = append(s.open, r)
	case part == telemetry.PartRetry && repeats(r):
		s.repeating = append(s.repeating, r)
	case part == telemetry.PartServer, part == telemetry.PartUnknown, part == telemetry.PartRetry:
		s.long = append(s.long, r)
	default:
		s.long, s.elsewhere = append(s.long, r), append(s.elsewhere, r)
	}
}

// repeats reports whether a running statement repeats a request now, as far as its calls and files are listed.
func repeats(s *telemetry.Statement) bool {
	repeated := func(f telemetry.File) bool { return f.State == "FAILED" || f.Attempts > 1 && f.State == "DOWNLOADING" }
	if c := s.CloudFetch; len(s.Calls) == 0 || c != nil && slices.ContainsFunc(c.Files, repeated) {
		return true
	}
	latest := &s.Calls[len(s.Calls)-1]
	_, ended := latest.End.Get()
	return latest.Failed || latest.Attempts > 1 && !ended
}

// findings returns the findings, most urgent first.
func (s *situation) findings() []finding {
	all := []finding{}
	for _, find := range []func(*situation) []finding{
		(*situation).refused, (*situation).notOpened, (*situation).openedSlowly, (*situation).hanging, (*situation).halted, (*situation).leaked, (*situation).queueing, (*situation).retries,
		(*situation).canceled, (*situation).failing, (*situation).slow, (*situation).longRunning, (*situation).reporting,
	} {
		all = append(all, find(s)...)
	}
	slices.SortStableFunc(all, func(a, b finding) int {
		return cmp.Compare(slices.Index(severities, a.Severity), slices.Index(severities, b.Severity))
	})
	return all
}

// headline returns the most urgent finding or, if no finding is urgent, what happened in the last 5
// min.
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

// sinceFinished returns how long ago a statement last finished. If none ever finished, ever is false and ago is
// the time since counting began, up to 5 min, so that a process that has just started does not count as being at a
// standstill.
func (s *situation) sinceFinished() (ago time.Duration, ever bool) {
	if s.minutes.finished.IsZero() {
		return s.minutes.length, false
	}
	return s.now.Sub(s.minutes.finished), true
}

// fullPools names the pools all of whose connections are in use.
func (s *situation) fullPools() string {
	var text string
	for _, p := range s.pools {
		if p.Full() {
			text += "; " + p.allInUse()
		}
	}
	return text
}

// waitedFor has the names of the parts within a sentence.
var waitedFor = map[telemetry.Part]string{
	telemetry.PartServer: "the server", telemetry.PartPoll: "polling", telemetry.PartPage: "result pages", telemetry.PartFile: "CloudFetch files", telemetry.PartTransfer: "volume files",
	telemetry.PartDecode: "decoding", telemetry.PartApplication: "the application", telemetry.PartClose: "canceling and closing", telemetry.PartNetwork: "the network and the driver", telemetry.PartUnknown: "what was not observed",
}

// lastStatus returns, for the end of a sentence, the HTTP status of a statement's requests that failed and were
// repeated or are about to be. It is empty if these had no answer, or failed with different statuses, because
// the order of these is not known.
func lastStatus(s *telemetry.Statement) string {
	var all []int // 0: no answer
	latest := ""  // the method of the latest call, if that failed and the statement still runs
	if n := len(s.Calls); n > 0 && s.Outcome == telemetry.OutcomeRunning && s.Calls[n-1].Failed {
		latest = s.Calls[n-1].Method
	}
	for _, r := range s.RPCs {
		if r.Retries > 0 || r.Method == latest {
			all = append(all, r.FailedStatus)
		}
	}
	if c := s.CloudFetch; c != nil && c.Retries > 0 {
		all = append(all, c.RetryStatus)
	}
	if all = slices.Compact(all); len(all) == 1 && all[0] != 0 {
		return ", last HTTP " + strconv.Itoa(all[0])
	}
	return ""
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

func capitalized(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
