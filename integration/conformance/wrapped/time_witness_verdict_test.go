package wrapped

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	show "github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/ndjson"
)

// The numbers in the sentences of verdicts.
var (
	reRetries = regexp.MustCompile(`(\d+) retr(?:y|ies) of (\w+), last (status (\d+)|without a complete answer)`)
	reTook    = regexp.MustCompile(`(GetResultSetMetadata|CloseOperation|CancelOperation|a status call itself) took ([0-9.]+ \w+)( in)?`)
	reSlowest = regexp.MustCompile(`slowest (complete )?([0-9.]+ \w+)`)
	reOnWay   = regexp.MustCompile(`file (\d+) on its way for ([0-9.]+ \w+)`)
	reDone    = regexp.MustCompile(`, (\d+) complete`)
	reNeeded  = regexp.MustCompile(`(one file|(\d+) files) needed (up to )?(\d+) attempts( each)?, last (status (\d+)|without a complete answer)`)
	reFailed  = regexp.MustCompile(`(\d+) files? failed`)
	rePolls   = regexp.MustCompile(`\((\d+) status calls?\)`)
	rePause   = regexp.MustCompile(`repeated after pauses of ([0-9.]+ \w+) \((\d+) retr(?:y|ies), last (status (\d+)|without a complete answer)`)
	reNoByte  = regexp.MustCompile(`no byte of an answer to (\w+) for ([0-9.]+ \w+)`)
	reSeenAt  = regexp.MustCompile(`(?:still|last seen) (\w+) (at poll (\d+)|in the answer to ExecuteStatement)( or later)?`)
	rePages   = regexp.MustCompile(`waiting for (\d+) result pages?`)
)

// checkVerdict compares what a verdict says with what the witness saw until then.
func (w *witness) checkVerdict(r *telemetry.Statement, until time.Time) (wrong []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	v := explain.Of(r)
	bad := func(f string, args ...any) { wrong = append(wrong, fmt.Sprintf(f, args...)) }
	type call struct {
		attempts []*seen
	}
	calls := map[string][]*call{}
	files := map[int][]*seen{}
	for _, s := range w.all {
		if s.start.Before(w.began) || s.start.After(until) {
			continue
		}
		if s.method == "" {
			files[s.file] = append(files[s.file], s)
			continue
		}
		all := calls[s.method]
		if n := len(all); n > 0 && all[n-1].attempts[0].seq == s.seq {
			all[n-1].attempts = append(all[n-1].attempts, s)
		} else {
			calls[s.method] = append(all, &call{[]*seen{s}})
		}
	}
	end := func(s *seen) time.Time {
		if s.end.IsZero() || s.end.After(until) {
			return until
		}
		return s.end
	}
	ended := func(s *seen) bool { return !s.end.IsZero() && !s.end.After(until) }
	statusOf := func(s *seen) string {
		if s.status == 0 || s.status == 200 {
			return "without a complete answer"
		}
		return fmt.Sprintf("status %d", s.status)
	}
	text := strings.ReplaceAll(v.Sentence, ",0", "0")
	text = regexp.MustCompile(`(\d),(\d\d\d)`).ReplaceAllString(text, "$1$2")
	for _, m := range reRetries.FindAllStringSubmatch(text, -1) {
		n, last := 0, ""
		for _, c := range calls[m[2]] {
			n += len(c.attempts) - 1
			if k := len(c.attempts); k > 1 {
				last = statusOf(c.attempts[k-2])
			}
		}
		if fmt.Sprint(n) != m[1] || last != m[3] {
			bad("%s: truth %d, %s", m[0], n, last)
		}
	}
	for _, m := range reTook.FindAllStringSubmatch(text, -1) {
		method := m[1]
		if strings.HasPrefix(method, "a status") {
			method = "GetOperationStatus"
		}
		longest, sum := time.Duration(0), time.Duration(0)
		for _, c := range calls[method] {
			a := c.attempts[len(c.attempts)-1]
			longest = max(longest, end(a).Sub(a.start))
			sum += end(a).Sub(a.start)
		}
		if show.Duration(longest) != m[2] && show.Duration(min(longest, v.Time)) != m[2] && (m[3] == "" || show.Duration(sum) != m[2]) {
			bad("%s: truth %s, sum %s", m[0], longest, sum)
		}
	}
	if m := reSlowest.FindStringSubmatch(text); m != nil {
		longest, complete := time.Duration(0), time.Duration(0)
		if v.Part == telemetry.PartFile {
			for _, f := range files {
				a := f[len(f)-1]
				longest = max(longest, end(a).Sub(a.start))
				if a.ok && ended(a) {
					complete = max(complete, end(a).Sub(a.start))
				}
			}
			if m[1] != "" {
				longest = complete
			}
			if show.Duration(complete) != m[2] || m[1] == "" && longest != complete {
				bad("%s: truth %s, complete %s", m[0], longest, complete)
			}
		} else {
			for _, c := range calls["FetchResults"] {
				a := c.attempts[len(c.attempts)-1]
				longest = max(longest, end(a).Sub(a.start))
			}
			if show.Duration(longest) != m[2] {
				bad("%s: truth %s", m[0], longest)
			}
		}
	}
	done := 0
	for _, f := range files {
		if a := f[len(f)-1]; a.ok && ended(a) {
			done++
		}
	}
	if m := reDone.FindStringSubmatch(text); m != nil && fmt.Sprint(done) != m[1] {
		bad("%s: truth %d", m[0], done)
	}
	if m := reOnWay.FindStringSubmatch(text); m != nil {
		ok := false
		for i, f := range files {
			a := f[len(f)-1]
			ok = ok || fmt.Sprint(i) == m[1] && !ended(a) && (show.Duration(until.Sub(f[0].start)) == m[2])
		}
		if !ok {
			bad("%s", m[0])
		}
	}
	if m := reNeeded.FindStringSubmatch(text); m != nil {
		n, most, least := 0, 0, 99
		for _, f := range files {
			if len(f) > 1 {
				n++
				most, least = max(most, len(f)), min(least, len(f))
			}
		}
		if m[2] == "" {
			m[2] = "1"
		}
		if fmt.Sprint(n) != m[2] || fmt.Sprint(most) != m[4] || m[5] != "" && least != most {
			bad("%s: truth %d files, %d", m[0], n, most)
		}
	}
	if m := reFailed.FindStringSubmatch(text); m != nil {
		n := 0
		for _, f := range files {
			if a := f[len(f)-1]; !a.ok && ended(a) {
				n++
			}
		}
		if k, _ := strconv.Atoi(m[1]); k > n {
			bad("%s: truth %d (perhaps given up)", m[0], n)
		}
	}
	if m := rePolls.FindStringSubmatch(text); m != nil && fmt.Sprint(len(calls["GetOperationStatus"])) != m[1] {
		bad("%s: truth %d", m[0], len(calls["GetOperationStatus"]))
	}
	if m := rePause.FindStringSubmatch(text); m != nil {
		n, last, pauses := 0, "", time.Duration(0)
		for _, c := range calls["GetOperationStatus"] {
			for i, a := range c.attempts[1:] {
				n++
				last = statusOf(c.attempts[i])
				pauses += a.start.Sub(end(c.attempts[i]))
			}
		}
		if fmt.Sprint(n) != m[2] || last != m[3] || show.Duration(pauses) != m[1] {
			bad("%s: truth %d %s %s", m[0], n, last, pauses)
		}
	}
	if m := reNoByte.FindStringSubmatch(text); m != nil {
		all := calls[m[1]]
		c := all[len(all)-1]
		a := c.attempts[len(c.attempts)-1]
		silent := end(a).Sub(a.start)
		if !a.dialed[0].IsZero() { // the wait for a connection is the network's
			silent = min(silent, v.Time)
		}
		if (!a.first.IsZero() && !a.first.After(until)) || show.Duration(silent) != m[2] {
			bad("%s: truth %+v", m[0], a)
		}
	}
	if m := reSeenAt.FindStringSubmatch(text); m != nil {
		n := 0
		for i, c := range calls["GetOperationStatus"] {
			if a := c.attempts[len(c.attempts)-1]; a.ok && ended(a) {
				n = i + 1
			}
		}
		if m[4] == "" && (m[3] != "" && fmt.Sprint(n) != m[3] || m[3] == "" && n > 0) {
			bad("%s: truth %d", m[0], n)
		}
	}
	if m := rePages.FindStringSubmatch(text); m != nil {
		n := 0
		for _, c := range calls["FetchResults"] {
			if a := c.attempts[len(c.attempts)-1]; a.ok && ended(a) {
				n++
			}
		}
		for _, c := range calls["ExecuteStatement"] {
			if a := c.attempts[len(c.attempts)-1]; a.ok && ended(a) && w.direct(a) {
				n++
			}
		}
		if fmt.Sprint(n) != m[1] {
			bad("%s: truth %d", m[0], n)
		}
	}
	// advice on a request must be about a status that was seen
	for phrase, is := range map[string]func(int) bool{
		"asked to slow down":      func(c int) bool { return c == 429 },
		"refused access":          func(c int) bool { return c == 403 || c == 401 },
		"answered with errors":    func(c int) bool { return c >= 500 || c == 408 },
		"No complete answer came": func(c int) bool { return c == 0 },
		"Connections broke off":   func(c int) bool { return c == 200 },
	} {
		for _, part := range strings.SplitAfter(v.Advice, ". ") {
			if !strings.Contains(part, phrase) {
				continue
			}
			found := false
			for _, all := range calls {
				for _, c := range all {
					for _, a := range c.attempts {
						found = found || ended(a) && !a.ok && is(a.status) && !strings.Contains(part, "storage")
					}
				}
			}
			for _, f := range files {
				for _, a := range f {
					found = found || ended(a) && !a.ok && is(a.status) && !strings.Contains(part, "workspace")
				}
			}
			if !found {
				bad("advice %q has no such request", part)
			}
		}
	}
	return wrong
}

// notesOf writes a timeline, with times in hundredths of a second.
func notesOf(t explain.Timeline) string {
	var b strings.Builder
	for _, l := range t.Lanes {
		fmt.Fprintf(&b, "%s:", l.Name)
		for _, x := range l.Bars {
			fmt.Fprintf(&b, " [%s %s %v-%v %q %v %v]", x.Kind, x.Label, x.Start.Round(10*time.Millisecond), x.End.Round(10*time.Millisecond), x.Note, x.Failed, x.Open)
		}
		b.WriteString("\n")
	}
	return b.String() + t.Missing
}

// checkCopy compares what is said of a record and of its copy in NDJSON.
func checkCopy(r *telemetry.Statement) (wrong []string) {
	var b bytes.Buffer
	ndjson.New(&b).StatementFinished(r)
	n := 0
	for x, err := range ndjson.Read(&b) {
		n++
		s, ok := x.(*telemetry.Statement)
		if err != nil || !ok {
			wrong = append(wrong, fmt.Sprint(err, x))
			continue
		}
		if a, b := explain.Of(r), explain.Of(s); a.Sentence != b.Sentence || a.Advice != b.Advice || a.Part != b.Part {
			wrong = append(wrong, fmt.Sprintf("NDJSON: %q\nbecame %q\nadvice %q\nbecame %q", a.Sentence, b.Sentence, a.Advice, b.Advice))
		}
		if a, b := notesOf(explain.TimelineOf(r)), notesOf(explain.TimelineOf(s)); a != b {
			wrong = append(wrong, "TIMELINE\n"+a+"\nbecame\n"+b)
		}
	}
	adv := strings.SplitAfter(explain.Of(r).Advice, ". ")
	for i, a := range adv {
		for _, b := range adv[:i] {
			if strings.TrimSpace(a) == strings.TrimSpace(b) {
				wrong = append(wrong, "twice: "+a)
			}
		}
	}
	if n != 1 {
		wrong = append(wrong, fmt.Sprint(n, " records"))
	}
	return wrong
}

// checkTimeline compares the bars with what the witness saw.
func (w *witness) checkTimeline(r *telemetry.Statement, until time.Time) (wrong []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := explain.TimelineOf(r)
	const slack = 2 * time.Microsecond
	for _, l := range t.Lanes {
		at := time.Duration(0)
		for _, b := range l.Bars {
			if b.Start < at || b.End < b.Start || b.End > t.Total {
				wrong = append(wrong, fmt.Sprintf("bar %+v of %v", b, t.Total))
			}
			at = b.End
			if b.Kind == breakdown.BarApplication {
				covered := time.Duration(0)
				for _, a := range w.app {
					from, to := max(b.Start, a.from.Sub(w.began)), a.to.Sub(w.began)
					covered += max(0, min(b.End, to)-from)
				}
				if b.Open {
					covered = b.End - b.Start
				}
				if b.End-b.Start-covered > slack {
					wrong = append(wrong, fmt.Sprintf("application bar %+v, the application had %v of it", b, covered))
				}
			}
			if b.Kind == breakdown.BarPause || b.Kind == breakdown.BarRetry || b.Kind == breakdown.BarExecute || b.Kind == breakdown.BarPoll || b.Kind == breakdown.BarPage || b.Kind == breakdown.BarFile {
				found := false
				for _, s := range w.all {
					start, end := s.start.Sub(w.began), s.end.Sub(w.began)
					if s.end.IsZero() || s.end.After(until) {
						end = t.Total
					}
					end = min(end, t.Total)
					if b.Kind == breakdown.BarPause {
						found = found || end-b.Start < slack && b.Start-end < slack
					} else {
						found = found || start-b.Start < slack && b.Start-start < slack && (end-b.End < slack && b.End-end < slack || strings.Contains(b.Note, "further"))
					}
				}
				if !found {
					wrong = append(wrong, fmt.Sprintf("bar %+v is of nothing", b))
				}
			}
		}
	}
	return wrong
}
