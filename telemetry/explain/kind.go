package explain

import (
	"fmt"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// PartKind is a kind of part that a statement's time is cut into.
type PartKind struct {
	Bound Bound
	// Name is what tables and legends call it, such as "downloads".
	Name string
	// Meaning is one sentence.
	Meaning string

	// What to say of a statement of which its part is the largest.
	clause func(*telemetry.Statement) string // "71 % of 4.2 s " + clause
	advice func(*telemetry.Statement) string
}

// Kinds are the kinds of parts, in the order of a statement's life.
var Kinds = [...]PartKind{
	{
		BoundServer, "warehouse", "The warehouse worked on the statement.",
		always("the warehouse worked on the statement"),
		always("Look at the query profile of the statement; a larger warehouse, a better layout of the tables or a smaller result help."),
	}, {
		BoundExecute, "call", "The call, where a record does not tell its parts apart.",
		always("until the call returned; server, polling and network cannot be told apart"),
		executeAdvice,
	}, {
		BoundPoll, "poll wait", "The result was ready before a status call noticed.",
		func(s *telemetry.Statement) string {
			return "the result was ready before a status call noticed" + pollsOf(s)
		},
		always("The driver asks once per poll interval: statements that are faster than that gain from a shorter one, where the driver's version has the setting."),
	}, {
		BoundRetry, "retry pauses", "Between calls that failed and their repetition.",
		func(s *telemetry.Statement) string {
			return "between calls that failed and their repetition" + retriesOf(s)
		},
		always("The workspace answered with errors or asked to slow down: look at its status, at rate limits and at the proxies in between."),
	}, {
		BoundPage, "result pages", "The reader waited for result pages.",
		func(s *telemetry.Statement) string { return "waiting for " + pagesOf(s) },
		always("Results come page after page. CloudFetch downloads large ones in parallel; a smaller result or a nearer region helps, too."),
	}, {
		BoundDownload, "downloads", "The reader waited for CloudFetch files.",
		func(s *telemetry.Statement) string { return "waiting for " + filesOf(s) },
		always("Storage or the line to it is the limit: more download threads (maxDownloadThreads), a nearer region, a proxy out of the way, fewer columns."),
	}, {
		BoundReader, "reading", "Rows were decoded, and the application worked between them.",
		func(s *telemetry.Statement) string {
			return "decoding rows and in the application between them" + rowsOf(s)
		},
		always("The application reads slower than rows arrive: do less between rows, select fewer columns, or read Arrow batches."),
	}, {
		BoundClose, "close", "Closing the rows.",
		always("closing the rows"),
		always("Closing is one round trip to the workspace, and waits for downloads under way: read to the end or select less."),
	}, {
		BoundNetwork, "network and driver", "What the others leave: network, and the driver itself.",
		always("in none of these: network, and the driver itself"),
		always("Look at the way to the workspace: distance, proxies, TLS handshakes of new connections (SetMaxIdleConns)."),
	},
}

// kindOf returns the kind of a bound, which is one of those in the table.
func kindOf(b Bound) *PartKind {
	for i := range Kinds {
		if Kinds[i].Bound == b {
			return &Kinds[i]
		}
	}
	return &Kinds[len(Kinds)-1]
}

func always(text string) func(*telemetry.Statement) string {
	return func(*telemetry.Statement) string { return text }
}

func executeAdvice(s *telemetry.Statement) string {
	if s.RPCs == nil {
		return "Behind driverwrap.Wrap the wire is not read: open the database with sql.Open or driverwrap.NewConnector to see more."
	}
	return "The server did not say how long it worked: look at the query profile of the statement."
}

func pollsOf(s *telemetry.Statement) string {
	if p, ok := s.Polling.Get(); ok && p.Calls > 0 {
		return " (" + format.Plural(p.Calls, "status call") + ")"
	}
	return ""
}

func retriesOf(s *telemetry.Statement) string {
	text := ""
	for _, r := range s.RPCs {
		if r.Retries > 0 {
			text += fmt.Sprintf(", %s of %s", format.Plural(r.Retries, "retry"), r.Method)
		}
	}
	return text
}

func pagesOf(s *telemetry.Statement) string {
	if n, ok := s.Result.Pages.Get(); ok {
		return format.Plural(n, "result page")
	}
	return "result pages"
}

func filesOf(s *telemetry.Statement) string {
	c := s.CloudFetch
	if c == nil {
		return "files"
	}
	text := format.Plural(c.Present, "file")
	if c.Downloaded > 0 {
		text += ", slowest " + format.Duration(c.Slowest)
	}
	if c.Retries > 0 {
		text += ", " + format.Plural(c.Retries, "retry")
	}
	return text
}

func rowsOf(s *telemetry.Statement) string {
	if n, ok := s.RowsRead.Get(); ok {
		return " (" + format.Plural(n, "row") + ")"
	}
	return ""
}
