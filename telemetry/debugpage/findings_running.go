package debugpage

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// These findings are about statements that run now.

// notOpened reports connections that are neither opened nor refused. No statement shows them.
func (s *situation) notOpened() []finding {
	if s.opening == 0 {
		return nil
	}
	f := finding{
		Severity: severityWarning, Number: s.opening.String(), Link: "#connectors",
		Text: fmt.Sprintf("%s being opened, and no attempt has ended for %s.", format.Choose(int64(s.opening), "connection is", "connections are"), approximate(s.openFor)),
		Advice: "Look at the status of the workspace, at DNS, proxies and firewalls on the way and, where the driver signs in with OAuth, at the identity provider. " +
			"A deadline on the context bounds the wait for OpenSession.",
	}
	if ago, _ := s.sinceFinished(); ago >= stuckAfter {
		f.Severity = severityCritical
	}
	return []finding{f}
}

// hanging reports statements that get no answer.
func (s *situation) hanging() []finding {
	if len(s.stuck) == 0 {
		return nil
	}
	longest := slices.MaxFunc(s.stuck, func(a, b *telemetry.Statement) int { return cmp.Compare(unansweredFor(a), unansweredFor(b)) })
	period, which := approximate(unansweredFor(longest)), "the oldest"
	if unansweredFor(s.stuck[0]) < unansweredFor(longest) { // that statement has had other answers since
		which = "one of them"
	}
	return []finding{s.standstill(s.stuck, longest,
		"1 statement has been stuck for "+period+" without an answer", "statements are stuck, "+which+" for "+period+" without an answer", "for "+period+" without an answer")}
}

// unansweredFor returns how long a statement has waited without a byte of an answer.
func unansweredFor(s *telemetry.Statement) time.Duration {
	if _, since, ok := explain.Unanswered(s); ok {
		return since
	}
	return 0
}

// halted reports statements that only repeat requests, and also that no statement finishes because of
// a part other than the server. While some statements finish, the others are only slow.
func (s *situation) halted() (all []finding) {
	if len(s.repeating) > 0 {
		oldest := s.repeating[0]
		period, status := approximate(explain.Of(oldest).Time), lastStatus(oldest)
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

// standstill returns the finding that statements make no progress. It has a text for one statement and
// for several, and one for what the example does among all running statements. The finding is urgent
// if no other statement finishes either.
func (s *situation) standstill(all []*telemetry.Statement, example *telemetry.Statement, one, several, among string) finding {
	f := s.about(all, example, one, several)
	ago, ever := s.sinceFinished()
	if ago < stuckAfter || len(all) == 1 && s.fullPools() == "" {
		return f
	}
	f.Severity = severityCritical
	period := "for " + approximate(ago)
	if !ever {
		period = "since the process started"
	}
	what := one
	if len(s.running) > 1 {
		what = s.oneRunning(example) + " " + among
	}
	f.Text = fmt.Sprintf("No statement has finished %s; %s%s.", period, what, s.fullPools())
	return f
}

// about returns a finding about running statements, with a text for one statement and for several.
func (s *situation) about(all []*telemetry.Statement, example *telemetry.Statement, one, several string) finding {
	f := finding{Severity: severityWarning, Number: format.Count(int64(len(all))), Advice: explain.Of(example).Advice}
	if len(all) == 1 {
		f.Link, f.Text = link("statement", "id", keyOf(example)), one+s.fullPools()+"."
	} else {
		f.Link, f.Text = "statements?outcome=running", f.Number+" "+several+s.fullPools()+"."
	}
	return f
}

// oneRunning returns the beginning of a sentence: the number of running statements, of which there are several,
// before the text about one of them.
func (s *situation) oneRunning(example *telemetry.Statement) string {
	subject := "the oldest"
	if s.running[0].Started.Before(example.Started) {
		subject = "one of them"
	}
	return format.Count(int64(len(s.running))) + " are running, " + subject
}

// leaked reports results that the application left open.
func (s *situation) leaked() []finding {
	if len(s.open) == 0 {
		return nil
	}
	var longest time.Duration // for which the application has had one of them
	for _, r := range s.open {
		longest = max(longest, r.Split[telemetry.PartApplication])
	}
	f := finding{
		Severity: severityWarning, Number: format.Count(int64(len(s.open))), Link: "statements?outcome=running&bound=application-bound",
		Text: format.Choose(int64(len(s.open)), "result is held open by the application for ", "results are held open by the application, the longest for ") +
			approximate(longest) + s.fullPools() + ".",
		Advice: "Close rows when they are read (defer rows.Close()): every open result keeps a connection.",
	}
	if ago, _ := s.sinceFinished(); s.fullPools() != "" && (ago >= stuckAfter || s.holdPool(len(s.open))) {
		f.Severity = severityCritical
	}
	return []finding{f}
}

// holdPool reports whether n statements may hold all the connections of a pool.
func (s *situation) holdPool(n int) bool {
	return slices.ContainsFunc(s.pools, func(p poolView) bool { return p.Full() && int64(n) >= int64(p.MaxOpen) })
}

// longRunning reports statements that run for long. This is urgent only if they hold a whole pool, or
// if several run and none finishes.
func (s *situation) longRunning() []finding {
	if len(s.long) == 0 {
		return nil
	}
	oldest := s.long[0]
	period := "for " + approximate(oldest.Total)
	if oldest.State != "" {
		period += ", last seen " + oldest.State
	}
	f := s.about(s.long, oldest, "1 statement has been running "+period, "statements have been running for long, the oldest "+period)
	ago, ever := s.sinceFinished()
	switch {
	case s.fullPools() != "" && ago >= time.Minute:
		f.Severity = severityCritical
	case s.fullPools() != "": // stays a warning
	case len(s.long) > 1 && ever && ago >= 5*time.Minute:
		f.Text = fmt.Sprintf("No statement has finished for %s; %s %s.", approximate(ago), s.oneRunning(oldest), period)
	default:
		f.Severity = severityNotice
	}
	return []finding{f}
}
