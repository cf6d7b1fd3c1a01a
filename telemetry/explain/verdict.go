package explain

import (
	"cmp"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Bound is what took the largest part of a statement's time.
type Bound string

// The bounds.
const (
	Nothing       Bound = ""               // no time passed, or none is known
	ServerBound   Bound = "server-bound"   // the warehouse worked
	PollBound     Bound = "poll-bound"     // the result was ready before a status call noticed
	RetryBound    Bound = "retry-bound"    // calls failed and were repeated after a pause
	PageBound     Bound = "page-bound"     // the reader waited for result pages
	DownloadBound Bound = "download-bound" // the reader waited for CloudFetch files
	ReaderBound   Bound = "reader-bound"   // rows were decoded, and the application worked between them
	CloseBound    Bound = "close-bound"    // closing the rows
	NetworkBound  Bound = "network-bound"  // none of these: network, and the driver itself
	ExecuteBound  Bound = "execute-bound"  // the call, where the record does not tell its parts apart
	PoolBound     Bound = "pool-bound"     // waiting in database/sql for a connection
)

// Verdict says where the time went.
type Verdict struct {
	Bound Bound
	// Time is what the bound took, Share its part of the whole, 0 to 1.
	Time  time.Duration
	Share float64
	// Sentence states it, such as "download-bound: 71 % of 4.2 s waiting for 20 files,
	// slowest 900 ms". Empty with Nothing.
	Sentence string
	// Advice says what to try.
	Advice string
}

// part is a stretch of a statement's time, and what to say when it is the largest.
type part struct {
	bound  Bound
	time   time.Duration
	clause string // "71 % of 4.2 s " + clause
	advice string
}

// Of explains a statement. It may still be running.
func Of(s *telemetry.Statement) Verdict {
	parts := partsOf(s)
	if s.Total <= 0 || len(parts) == 0 {
		return Verdict{}
	}
	largest := slices.MaxFunc(parts, func(a, b part) int { return cmp.Compare(a.time, b.time) })
	if largest.time <= 0 {
		return Verdict{}
	}
	share := min(1, float64(largest.time)/float64(s.Total))
	return Verdict{
		Bound: largest.bound, Time: largest.time, Share: share,
		Sentence: fmt.Sprintf("%s: %s of %s %s", largest.bound, Percent(share), Duration(s.Total), largest.clause),
		Advice:   largest.advice,
	}
}

// partsOf cuts a statement's time into parts that do not overlap. The last one is what the
// others leave.
func partsOf(s *telemetry.Statement) []part {
	call := s.Execute
	if s.Outcome == telemetry.Unfinished && call == 0 {
		call = s.Total
	}
	var parts []part
	left := s.Total
	take := func(known telemetry.Maybe[time.Duration], p part) {
		if d, ok := known.Get(); ok && d > 0 {
			p.time = min(d, left)
			left -= p.time
			parts = append(parts, p)
		}
	}

	server, timed := s.Split.Server.Get()
	if timed {
		take(telemetry.Known(min(server, call)), part{bound: ServerBound, clause: "the warehouse worked on the statement",
			advice: "Look at the query profile of the statement; a larger warehouse, a better layout of the tables or a smaller result help."})
	}
	take(s.Split.PollWait, part{bound: PollBound, clause: "the result was ready before a status call noticed" + pollsOf(s),
		advice: "The driver asks once per poll interval: statements that are faster than that gain from a shorter one, where the driver's version has the setting."})
	take(s.Split.Retries, part{bound: RetryBound, clause: "between calls that failed and their repetition" + retriesOf(s),
		advice: "The workspace answered with errors or asked to slow down: look at its status, at rate limits and at the proxies in between."})
	if !timed {
		take(telemetry.Known(call), part{bound: ExecuteBound, clause: "until the call returned; server, polling and network cannot be told apart",
			advice: executeAdvice(s)})
	}
	take(s.Split.Pages, part{bound: PageBound, clause: "waiting for " + plural(s.Result.Pages.Or(0), "result page"),
		advice: "Results come page after page. CloudFetch downloads large ones in parallel; a smaller result or a nearer region helps, too."})
	take(s.Split.Files, part{bound: DownloadBound, clause: "waiting for " + filesOf(s),
		advice: "Storage or the line to it is the limit: more download threads (maxDownloadThreads), a nearer region, a proxy out of the way, fewer columns."})
	reading := s.Split.Reading
	if _, ok := reading.Get(); !ok {
		reading = readingOf(s)
	}
	take(reading, part{bound: ReaderBound, clause: "decoding rows and in the application between them" + rowsOf(s),
		advice: "The application reads slower than rows arrive: do less between rows, select fewer columns, or read Arrow batches."})
	take(s.Close, part{bound: CloseBound, clause: "closing the rows",
		advice: "Closing is one round trip to the workspace, and waits for downloads under way: read to the end or select less."})
	if timed || len(s.RPCs) > 0 {
		take(telemetry.Known(left), part{bound: NetworkBound, clause: "in none of these: network, and the driver itself",
			advice: "Look at the way to the workspace: distance, proxies, TLS handshakes of new connections (SetMaxIdleConns)."})
	}
	return parts
}

// readingOf is the time rows were read, waiting included, where it is not split further.
func readingOf(s *telemetry.Statement) telemetry.Maybe[time.Duration] {
	consume, ok := s.Consume.Get()
	if !ok {
		return telemetry.Maybe[time.Duration]{}
	}
	return telemetry.Known(max(0, consume+s.FirstRow.Or(0)-s.Split.Pages.Or(0)-s.Split.Files.Or(0)))
}

func executeAdvice(s *telemetry.Statement) string {
	if s.RPCs == nil {
		return "Behind driverwrap.Wrap the wire is not read: open the database with sql.Open or driverwrap.NewConnector to see more."
	}
	return "The server did not say how long it worked: look at the query profile of the statement."
}

func pollsOf(s *telemetry.Statement) string {
	if p, ok := s.Polling.Get(); ok && p.Calls > 0 {
		return " (" + plural(p.Calls, "call") + ")"
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

func filesOf(s *telemetry.Statement) string {
	c := s.CloudFetch
	if c == nil {
		return "files"
	}
	text := plural(c.Present, "file")
	if c.Slowest > 0 {
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

// OfPool explains what a pool did between two looks at its statistics. Nobody waiting is
// Nothing.
func OfPool(name string, before, now sql.DBStats) Verdict {
	waits, waited := now.WaitCount-before.WaitCount, now.WaitDuration-before.WaitDuration
	if waits <= 0 || waited <= 0 {
		return Verdict{}
	}
	each := waited / time.Duration(waits)
	return Verdict{
		Bound: PoolBound, Time: waited,
		Sentence: fmt.Sprintf("pool-bound: %s waited %s on average for one of the %s of pool %s",
			plural(waits, "call"), Duration(each), plural(int64(now.MaxOpenConnections), "connection"), name),
		Advice: "Raise SetMaxOpenConns, close rows sooner, or run fewer statements at once.",
	}
}
