package debugpage

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// These findings are about the last 5 min, the last minute of pools, and the state of the pipelines.

// refused reports connections that could not be opened.
func (s *situation) refused() []finding {
	n := s.minutes.failedOpens
	if n == 0 {
		return nil
	}
	var category telemetry.Category
	var latest time.Time
	var same, gaveUp int64 // attempts that failed with the category, and attempts that the application canceled
	for _, e := range s.errors {
		if e.Of == ofConnection {
			if e.Category == telemetry.CategoryCanceled {
				gaveUp += int64(e.Count)
			}
			if category = cmp.Or(category, e.Category); e.Category == category {
				same += int64(e.Count)
			}
			if e.Last.at.After(latest) {
				latest = e.Last.at
			}
		}
	}
	if gaveUp >= n {
		return s.gaveUpOpening(n)
	}
	with, because := "", ""
	if same >= n {
		with, because = " with "+format.OneSpelling(string(category)), ": "+format.OneSpelling(string(category))
	}
	f := finding{
		Severity: severityCritical, Number: format.Count(n), Link: "#failed-opens",
		Text:   fmt.Sprintf("No connection could be opened in the last 5 min: %s failed%s.", format.Plural(n, "attempt"), with),
		Advice: "Check the host, the credential and the network: no statement can run without a connection.",
	}
	switch {
	case s.minutes.opened > 0:
		f.Severity = severityWarning
		f.Text = fmt.Sprintf("%s of %s connections could not be opened in the last 5 min%s.", format.Count(n), format.Count(n+s.minutes.opened), because)
	case !latest.IsZero() && s.minutes.finished.After(latest):
		f.Severity = severityWarning
		f.Advice = "Statements have finished since, on connections that were opened before. Check the host, the credential and the network."
	}
	switch {
	case with == "":
	case category == telemetry.CategoryTimeout:
		f.Advice += " A deadline of the application's context that passed is a timeout, too."
	case category == telemetry.CategoryRateLimit:
		f.Advice = "The workspace asked to slow down: open fewer connections at once and keep them (SetMaxIdleConns, SetConnMaxLifetime), or have the rate limit raised."
	}
	return []finding{f}
}

// gaveUpOpening reports connections that could not be opened because the application had canceled their contexts.
// A few of them say nothing about the workspace.
func (s *situation) gaveUpOpening(n int64) []finding {
	were := "were"
	if n == 1 {
		were = "was"
	}
	f := finding{
		Severity: severityNotice, Number: format.Count(n), Link: "#failed-opens",
		Text:   fmt.Sprintf("%s of %s to open a connection %s canceled in the last 5 min: the application's contexts ended first.", format.Count(n), format.Plural(n+s.minutes.opened, "attempt"), were),
		Advice: "Look at clients that give up, and at how long it takes to open a connection.",
	}
	if n >= failingLeast && float64(n) >= canceledShare*float64(n+s.minutes.opened) {
		f.Severity = severityWarning
	}
	return []finding{f}
}

// openedSlowly reports connections that took long to open. That time is not part of any statement.
func (s *situation) openedSlowly() []finding {
	n := s.minutes.slowOpens
	if n == 0 {
		return nil
	}
	took := fmt.Sprintf("%s or longer to open: %s in sum, the slowest %s", format.Duration(slowPart), format.Duration(s.minutes.openTime), format.Duration(s.minutes.slowestOpen))
	if n == 1 {
		took = format.Duration(s.minutes.slowestOpen) + " to open"
	}
	f := finding{
		Severity: severityNotice, Number: format.Count(n), Link: "#connectors",
		Text:   fmt.Sprintf("%s of %s of the last 5 min took %s.", format.Count(n), format.Plural(s.minutes.opened, "connection"), took),
		Advice: "Calls that need a new connection wait for it, and their statements begin after that: keep connections (SetMaxIdleConns, SetConnMaxIdleTime), and look at the status of the workspace and, where the driver signs in with OAuth, at the identity provider.",
	}
	if n >= failingLeast && 2*n >= s.minutes.opened {
		f.Severity = severityWarning
	}
	return []finding{f}
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
			which := "one"
			if p.MaxOpen == 1 {
				which = "it"
			}
			f.Text = fmt.Sprintf("%s: %s, %s for %s%s.", capitalized(p.allInUse()), within, waits, which, format.EndedWaits(p.took))
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
	taken := shareOf(s.minutes.times[telemetry.PartRetry], s.minutes.times.Total())
	if s.minutes.retries < failingLeast || taken < 0.2 {
		return nil
	}
	status, advice := s.statusOfRetries(), "Requests fail on the way: look at DNS, proxies, firewalls and idle timeouts, and at the status of the workspace and the storage."
	if status != "" {
		advice = "The workspace or the storage refuses requests: look at its status and limits, and run fewer statements at once."
	}
	return []finding{{
		Severity: severityWarning, Number: format.Count(s.minutes.retries), Link: s.retriesLink(), Advice: advice,
		Text: fmt.Sprintf("%s of statements that ended in the last 5 min failed and were repeated%s: that took %s of the time of all that ended.",
			format.Plural(s.minutes.retries, "request"), status, taken),
	}}
}

// retriesLink returns a link to the statements that mostly repeated requests. If no kept statement did, it links
// to the one that spent the most time repeating requests or, if none repeated any, to all of the last 5 min.
func (s *situation) retriesLink() string {
	bound := breakdown.Bound(telemetry.PartRetry)
	var most *telemetry.Statement
	for _, k := range s.recent {
		if explain.Of(k).Bound == bound {
			return link("statements", "bound", bound, "window", lastMinutes.key)
		}
		if took := k.Split[telemetry.PartRetry]; took > 0 && (most == nil || took > most.Split[telemetry.PartRetry]) {
			most = k
		}
	}
	if most != nil {
		return link("statement", "id", keyOf(most))
	}
	return link("statements", "window", lastMinutes.key)
}

// statusOfRetries returns the HTTP status that all kept statements with repeated requests have in
// common.
func (s *situation) statusOfRetries() string {
	var all []string
	for _, k := range s.recent {
		if retriesOf(k) > 0 {
			all = append(all, lastStatus(k))
		}
	}
	if all = slices.Compact(all); len(all) == 1 {
		return all[0]
	}
	return ""
}

// canceled reports that many statements end because the application's contexts end.
func (s *situation) canceled() []finding {
	n, of := count(s.minutes.canceled), count(s.minutes.statements)
	for _, v := range s.shapes { // not all shapes, if there are many
		if v.ID == ping {
			n, of = n-v.Canceled, of-v.Statements
		}
	}
	if n < failingLeast || float64(n) < canceledShare*float64(of) {
		return nil
	}
	return []finding{{
		Severity: severityWarning, Number: n.String(), Link: "statements?outcome=canceled&window=5m",
		Text:   fmt.Sprintf("%s of %s of the last 5 min were canceled: the application's contexts ended first.", n, format.Plural(int64(of), "statement")),
		Advice: "Look at deadlines and at clients that give up. The warehouse may still be at work on canceled statements.",
	}}
}

// failing reports each shape that fails often, even if it has few statements, and all other shapes together,
// because an application that generates SQL has many shapes that each fail once.
func (s *situation) failing() (all []finding) {
	reported := map[string]bool{ping: true} // shapes that have their own finding
	others, of := count(s.minutes.failed-s.minutes.canceled), count(s.minutes.statements)
	for _, v := range s.shapes {
		n := v.Failed - v.Canceled
		part := float64(n) / float64(max(1, v.Statements))
		if n >= failingLeast && part >= failingShare {
			category := s.categoryOf(int64(n), func(shape string) bool { return shape == v.ID })
			all = append(all, finding{
				Advice:   failedAdvice(category),
				Severity: severityWarning, Number: share(part).String(),
				Link: s.listed(func(k *telemetry.Statement) bool {
					return k.Outcome == telemetry.OutcomeFailed && shapeIDOf(k) == v.ID
				}, "failed", "shape", v.ID, "outcome", string(telemetry.OutcomeFailed)),
				Text: fmt.Sprintf("%s of the statements “%s” failed in the last 5 min: %s of %s%s.", share(part), shortened(v.Text, 60, "…"), n, v.Statements, named(category)),
			})
			reported[v.ID] = true
		}
		if reported[v.ID] {
			others, of = others-n, of-v.Statements
		}
	}
	if others < failingLeast || float64(others) < failingShare*float64(of) {
		return all
	}
	noun := "statement"
	if len(all) > 0 {
		noun = "other statement"
	}
	apart := ""
	if s.minutes.canceled > 0 {
		apart = ", not counting canceled ones" // the sums on the page include them
	}
	category := s.categoryOf(int64(others), func(shape string) bool { return !reported[shape] })
	return append(all, finding{
		Severity: severityWarning, Number: others.String(), Link: link("statements", "outcome", string(telemetry.OutcomeFailed), "window", lastMinutes.key),
		Text:   fmt.Sprintf("%s of %s of the last 5 min failed%s%s.", others, format.Plural(int64(of), noun), named(category), apart),
		Advice: failedAdvice(category),
	})
}

// named adds a category to a text.
func named(category telemetry.Category) string {
	if category == "" {
		return ""
	}
	return ", " + format.OneSpelling(string(category))
}

// failedAdvice returns advice on statements that all failed with one category; "" where the category says nothing.
func failedAdvice(category telemetry.Category) string {
	if category != telemetry.CategorySessionClosed {
		return ""
	}
	return "The server had ended their sessions. The application need not have noticed: database/sql runs such a statement again on another connection, except on a sql.Conn. Keep idle connections for less time than the server does (SetConnMaxIdleTime)."
}

// categoryOf returns the category of the errors that the statements of some shapes failed with. It returns "" if they
// failed with several, or if fewer than failed are kept.
func (s *situation) categoryOf(failed int64, has func(shape string) bool) (category telemetry.Category) {
	for _, k := range s.recent {
		if k.Outcome == telemetry.OutcomeFailed && has(shapeIDOf(k)) {
			if category = cmp.Or(category, k.Failure.Category); k.Failure.Category != category {
				return ""
			}
			failed--
		}
	}
	if failed > 0 {
		return ""
	}
	return category
}

// listed returns a link to the statements of the last 5 min that parameters select; has must select the same ones.
// If none of them is running or kept, it links to the list of shapes, in the given order.
func (s *situation) listed(has func(*telemetry.Statement) bool, order string, parameters ...string) string {
	if slices.ContainsFunc(s.recent, has) || slices.ContainsFunc(s.running, has) {
		return link("statements", append(parameters, "window", lastMinutes.key)...)
	}
	return link("shapes", "sort", order, "window", lastMinutes.key)
}

// slow reports what statements waited for, if they waited long.
func (s *situation) slow() (all []finding) {
	for _, p := range telemetry.Parts {
		var waited, total time.Duration
		var n count
		for _, v := range s.shapes {
			if l := v.Split.Largest(); l != nil && l.Name == p.String() && l.Share >= 0.5 && time.Duration(l.Time)/time.Duration(v.Statements+v.Running) >= slowPart {
				waited, total, n = waited+time.Duration(l.Time), total+time.Duration(v.Time), n+v.Statements+v.Running
			}
		}
		if n == 0 || p == telemetry.PartRetry { // retries have their own finding
			continue
		}
		each := format.Duration(waited / time.Duration(n))
		if n > 1 {
			each += " on average"
		}
		bound := breakdown.Bound(p)
		f := finding{
			Severity: severityWarning, Number: n.String(),
			Link: s.listed(func(k *telemetry.Statement) bool { return explain.Of(k).Bound == bound }, "share", "bound", bound),
			Text: fmt.Sprintf("%s of the last 5 min spent %s of the time on %s, %s: %s", format.Plural(int64(n), "statement"), shareOf(waited, total), waitedFor[p],
				each, lowerFirst(breakdown.Meaning(p))),
		}
		if p == telemetry.PartServer || p == telemetry.PartUnknown {
			f.Severity = severityNotice // a warehouse usually has much to do
		}
		all = append(all, f)
	}
	return all
}

// reporting reports failing pipelines to Databricks.
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
