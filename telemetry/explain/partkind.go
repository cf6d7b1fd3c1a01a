package explain

import (
	"fmt"
	"slices"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// PartKind describes the parts of one kind.
type PartKind struct {
	// Bound is the verdict on a statement whose largest part is of this kind.
	Bound Bound
	// Name is what tables and legends call the part, such as "downloads".
	Name string
	// Meaning is one sentence.
	Meaning string

	// What the verdict says of a statement whose largest part is of this kind.
	clause func(*telemetry.Statement) string // the end of the sentence: "71 % of 4.2 s " + clause
	advice func(*telemetry.Statement) string
}

// PartKinds has every kind of part, in the order of a statement's life. It must not be
// changed.
var PartKinds = [...]PartKind{
	{
		BoundServer, "warehouse", "The warehouse worked on the statement.",
		constant("the warehouse worked on the statement"),
		constant("Look at the query profile of the statement; a larger warehouse, a better layout of the tables or a smaller result help."),
	}, {
		BoundExecute, "call", "The call, where a record does not tell its parts apart.",
		constant("until the call returned; server, polling and network cannot be told apart"),
		executeAdvice,
	}, {
		BoundPoll, "poll wait", "The result was ready before a status call noticed.",
		func(s *telemetry.Statement) string {
			return "the result was ready before a status call noticed" + pollsOf(s)
		},
		constant("The driver asks once per poll interval: statements that are faster than that gain from a shorter one, where the driver's version has the setting."),
	}, {
		BoundRetry, "retry pauses", "Between calls that failed and their repetition.",
		func(s *telemetry.Statement) string {
			return "between calls that failed and their repetition" + retriesOf(s)
		},
		constant("The workspace answered with errors or asked to slow down: look at its status, at rate limits and at the proxies in between."),
	}, {
		BoundPage, "result pages", "The reader waited for result pages.",
		func(s *telemetry.Statement) string { return "waiting for " + pagesOf(s) },
		constant("Results come page after page. CloudFetch downloads large ones in parallel; a smaller result or a nearer region helps, too."),
	}, {
		BoundDownload, "downloads", "The reader waited for CloudFetch files.",
		func(s *telemetry.Statement) string { return "waiting for " + filesOf(s) },
		constant("Storage or the line to it is the limit: more download threads (maxDownloadThreads), a nearer region, a proxy out of the way, fewer columns."),
	}, {
		BoundReader, "reading", "Rows were decoded, and the application worked between them.",
		func(s *telemetry.Statement) string {
			return "decoding rows and in the application between them" + rowsOf(s)
		},
		constant("The application reads slower than rows arrive: do less between rows, select fewer columns, or read Arrow batches."),
	}, {
		BoundClose, "close", "Closing the rows.",
		constant("closing the rows"),
		constant("Closing is one round trip to the workspace, and waits for downloads under way: read to the end or select less."),
	}, {
		BoundNetwork, "network and driver", "What the others leave: network, and the driver itself.",
		constant("in none of these: network, and the driver itself"),
		constant("Look at the way to the workspace: distance, proxies, TLS handshakes of new connections (SetMaxIdleConns)."),
	},
}

// kindOf returns the kind of the parts that make a statement bound by b, which must be the
// bound of one of PartKinds.
func kindOf(b Bound) *PartKind {
	return &PartKinds[slices.IndexFunc(PartKinds[:], func(k PartKind) bool { return k.Bound == b })]
}

func constant(text string) func(*telemetry.Statement) string {
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
