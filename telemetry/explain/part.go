package explain

import (
	"fmt"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Part is a stretch of a statement's time that is of one kind.
type Part struct {
	// Bound is what a statement is bound by of which this is the largest part.
	Bound Bound
	// Name is what tables and legends call it, such as "downloads".
	Name string
	// Time is how long it took, Share its part of the whole, 0 to 1.
	Time  time.Duration
	Share float64
}

// PartsOf cuts a statement's time into parts, in the order of its life, what took no time
// left out. They do not overlap, and sum to the whole or less: what lies between them is of
// no kind that the record tells. The statement may still be running.
func PartsOf(s *telemetry.Statement) []Part {
	var all []Part
	for _, p := range partsOf(s) {
		all = append(all, p.Part)
	}
	return all
}

// part knows what to say when it is the largest. Only that one is asked.
type part struct {
	Part

	clause func() string // "71 % of 4.2 s " + clause
	advice func() string
}

// knife cuts parts off a statement's time.
type knife struct {
	statement *telemetry.Statement
	left      time.Duration
	parts     []part
}

func (k *knife) cut(b Bound, name string, d telemetry.Maybe[time.Duration], clause, advice func() string) {
	if took := min(d.Or(0), k.left); took > 0 {
		k.left -= took
		share := float64(took) / float64(k.statement.Total)
		k.parts = append(k.parts, part{Part{b, name, took, share}, clause, advice})
	}
}

func say(text string) func() string { return func() string { return text } }

func partsOf(s *telemetry.Statement) []part {
	k := &knife{statement: s, left: s.Total}
	call := s.Execute
	if s.Outcome == telemetry.Unfinished && call == 0 {
		call = s.Total
	}
	server, timed := s.Split.Server.Get()
	if timed {
		k.cut(ServerBound, "warehouse", telemetry.Known(min(server, call)),
			say("the warehouse worked on the statement"),
			say("Look at the query profile of the statement; a larger warehouse, a better layout of the tables or a smaller result help."))
	} else {
		k.cut(ExecuteBound, "call", telemetry.Known(call-pausesIn(s, call)),
			say("until the call returned; server, polling and network cannot be told apart"),
			func() string { return executeAdvice(s) })
	}
	k.cut(PollBound, "poll wait", s.Split.PollWait,
		func() string { return "the result was ready before a status call noticed" + pollsOf(s) },
		say("The driver asks once per poll interval: statements that are faster than that gain from a shorter one, where the driver's version has the setting."))
	k.cut(RetryBound, "retry pauses", s.Split.Retries,
		func() string { return "between calls that failed and their repetition" + retriesOf(s) },
		say("The workspace answered with errors or asked to slow down: look at its status, at rate limits and at the proxies in between."))
	k.cut(PageBound, "result pages", s.Split.Pages,
		func() string { return "waiting for " + pagesOf(s) },
		say("Results come page after page. CloudFetch downloads large ones in parallel; a smaller result or a nearer region helps, too."))
	k.cut(DownloadBound, "downloads", s.Split.Files,
		func() string { return "waiting for " + filesOf(s) },
		say("Storage or the line to it is the limit: more download threads (maxDownloadThreads), a nearer region, a proxy out of the way, fewer columns."))
	k.cut(ReaderBound, "reading", readingOf(s),
		func() string { return "decoding rows and in the application between them" + rowsOf(s) },
		say("The application reads slower than rows arrive: do less between rows, select fewer columns, or read Arrow batches."))
	k.cut(CloseBound, "close", s.Close,
		say("closing the rows"),
		say("Closing is one round trip to the workspace, and waits for downloads under way: read to the end or select less."))
	if timed || len(s.RPCs) > 0 {
		k.cut(NetworkBound, "network and driver", telemetry.Known(k.left),
			say("in none of these: network, and the driver itself"),
			say("Look at the way to the workspace: distance, proxies, TLS handshakes of new connections (SetMaxIdleConns)."))
	}
	return k.parts
}

// pausesIn is how much of the pauses between attempts lies within the call. Where a record
// does not say which calls the pauses were between, they count as the call's unless others
// were repeated, too.
func pausesIn(s *telemetry.Statement, call time.Duration) (d time.Duration) {
	elsewhere := false
	for _, r := range s.RPCs {
		switch r.Method {
		case "FetchResults", "CancelOperation", "CloseOperation":
			elsewhere = elsewhere || r.Retries > 0
		default:
			d += r.Backoff
		}
	}
	if !elsewhere {
		d = s.Split.Retries.Or(0)
	}
	return min(d, call)
}

// readingOf is the time rows were read; where it is not split, what waiting leaves of it.
func readingOf(s *telemetry.Statement) telemetry.Maybe[time.Duration] {
	if _, ok := s.Split.Reading.Get(); ok {
		return s.Split.Reading
	}
	consume, ok := s.Consume.Get()
	if !ok {
		return telemetry.Maybe[time.Duration]{}
	}
	return telemetry.Known(consume + s.FirstRow.Or(0) - s.Split.Pages.Or(0) - s.Split.Files.Or(0))
}

func executeAdvice(s *telemetry.Statement) string {
	if s.RPCs == nil {
		return "Behind driverwrap.Wrap the wire is not read: open the database with sql.Open or driverwrap.NewConnector to see more."
	}
	return "The server did not say how long it worked: look at the query profile of the statement."
}

func pollsOf(s *telemetry.Statement) string {
	if p, ok := s.Polling.Get(); ok && p.Calls > 0 {
		return " (" + plural(p.Calls, "status call") + ")"
	}
	return ""
}

func retriesOf(s *telemetry.Statement) string {
	text := ""
	for _, r := range s.RPCs {
		if r.Retries > 0 {
			text += fmt.Sprintf(", %s of %s", plural(r.Retries, "retry"), r.Method)
		}
	}
	return text
}

func pagesOf(s *telemetry.Statement) string {
	if n, ok := s.Result.Pages.Get(); ok {
		return plural(n, "result page")
	}
	return "result pages"
}

func filesOf(s *telemetry.Statement) string {
	c := s.CloudFetch
	if c == nil {
		return "files"
	}
	text := plural(c.Present, "file")
	if c.Downloaded > 0 {
		text += ", slowest " + Duration(c.Slowest)
	}
	if c.Retries > 0 {
		text += ", " + plural(c.Retries, "retry")
	}
	return text
}

func rowsOf(s *telemetry.Statement) string {
	if n, ok := s.RowsRead.Get(); ok {
		return " (" + plural(n, "row") + ")"
	}
	return ""
}
