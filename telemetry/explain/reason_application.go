package explain

import (
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func applicationReason(s *telemetry.Statement) reason {
	a := s.Application
	// Most of the time was after the last row, or after reading had failed.
	afterReading := a.After >= a.Between && a.After > a.Before
	switch {
	case a == telemetry.Application{}: // made by hand, or by an older version
		return reason{"in the application, which had control", "Read rows at once, do less between them, and close them when they end: open rows keep a connection of the pool."}
	case a.Before >= a.Between && a.Before >= a.After:
		return reason{
			"in the application," + mostly(a, a.Before) + " before it asked for rows or" + closingThem(s, " closed them", " left them"),
			"The call had returned: read or close the rows at once. Open rows keep a connection of the pool, and the result.",
		}
	case afterReading && s.Outcome == telemetry.OutcomeRunning: // the record of a running statement has no reading error
		return reason{
			"in the application," + mostly(a, a.After) + " since the rows ended, or reading failed; they are still open",
			"Close rows when they end, and when reading fails: until then they keep a connection of the pool.",
		}
	case afterReading && s.Failed():
		return reason{
			"in the application," + mostly(a, a.After) + " after reading had failed" + closingThem(s, " and before it closed the rows", ""),
			"Close rows when reading fails: until then they keep a connection of the pool.",
		}
	case afterReading:
		return reason{
			"in the application," + mostly(a, a.After) + " after the rows had ended" + closingThem(s, " and before it closed them", ""),
			"Close rows when they end: until then they keep a connection of the pool.",
		}
	}
	read, counted := s.RowsRead.Get()
	delivered, known := s.Result.Rows.Get()
	switch { // most of the time was between rows or batches
	case counted && known && read < delivered:
		return partlyReadReason(s, read, delivered)
	case !counted, s.RowsEvidence == telemetry.EvidenceWire:
		return batchesReason(s)
	case known && read == delivered && endNotAskedFor(s):
		return allReadReason(s, read)
	}
	return reason{betweenRows + rowsOf(s), readFaster}
}

// partlyReadReason returns the reason for a statement of whose rows the application read some.
func partlyReadReason(s *telemetry.Statement, read, delivered int64) reason {
	of := format.Count(read) + " of at least " + format.Plural(delivered, "row") + " read" // more pages may have followed
	switch {
	case read <= 1 && s.Outcome == telemetry.OutcomeRunning:
		return reason{"in the application: " + of + ", open for " + format.Duration(s.Application.Between) + " since", closeSooner}
	case read <= 1 && s.Outcome != telemetry.OutcomeFailed:
		return reason{"in the application: " + of + leftOpen(s), closeSooner}
	}
	advice, end := closeSooner+" Between rows, do less.", ""
	switch s.Outcome {
	case telemetry.OutcomeClosedEarly:
		end = "before it closed them"
	case telemetry.OutcomeCanceled: // database/sql closes rows whose context is done
		end = "before they were closed"
	case telemetry.OutcomeAbandoned:
		advice, end = closeSooner, "after it left them"
	default:
		if s.RowsEvidence == telemetry.EvidenceWire {
			return batchesReason(s)
		}
		return reason{betweenRows + " (" + of + ")", readFaster}
	}
	return reason{"in the application, between rows and " + end + " (" + of + ")", advice}
}

// allReadReason returns the reason for a statement of whose rows the application read all, without asking for more.
func allReadReason(s *telemetry.Statement, read int64) reason {
	rows := format.Plural(read, "row")
	if read <= 1 {
		return reason{"in the application: " + rows + " read" + leftOpen(s), closeSooner}
	}
	return reason{
		"in the application between rows, or after the last it read" + closingThem(s, " and before it closed them", "") + " (" + rows + ")",
		"Close rows as soon as the last is read: open rows keep a connection of the pool. Between rows, do less.",
	}
}

// batchesReason returns the reason for a statement whose rows were not counted one by one.
func batchesReason(s *telemetry.Statement) reason {
	if endNotAskedFor(s) && s.Outcome != telemetry.OutcomeRunning {
		return reason{
			"in the application between the batches it read, or after the last" + closingThem(s, " and before it closed them", ""),
			"Close readers as soon as the last batch is read: they keep a connection of the pool. Between batches, do less.",
		}
	}
	return reason{"in the application between the batches it read", "The application reads slower than data arrives: do less between batches."}
}

// endNotAskedFor reports whether the application may never have asked for the end of the rows: it did not, or the
// end came at once.
func endNotAskedFor(s *telemetry.Statement) bool {
	return s.Application.After == 0 && s.Outcome != telemetry.OutcomeFailed
}

// leftOpen says for how long rows were open after the application had read the only one it read.
func leftOpen(s *telemetry.Statement) string {
	left := ", then left open for "
	if between := s.Application.Between; s.Consume.Or(between) < between { // an Arrow reader reported a batch that was not read at once
		left = ", open for "
	}
	return left + format.Duration(s.Application.Between)
}

// closingThem returns the end of a sentence about the application's rows: closed for rows that it closed or may
// still close, and otherwise left, with the addition that the rows were never closed.
func closingThem(s *telemetry.Statement, closed, left string) string {
	_, known := s.Close.Get()
	if s.Outcome == telemetry.OutcomeAbandoned || s.Failed() && !known && s.Outcome != telemetry.OutcomeRunning {
		return left + ", and the rows were never closed"
	}
	return closed
}

// mostly says how much of the application's time the sentence is about, unless that is nearly all of
// it.
func mostly(a telemetry.Application, told time.Duration) string {
	if whole := a.Before + a.Between + a.After; whole-told > whole/10 {
		return " " + format.Duration(told) + " of it"
	}
	return ""
}

const (
	betweenRows = "in the application between rows, where the driver's decoding of rows that are read one by one counts, too"
	closeSooner = "Close rows when no more of them are needed, and ask for fewer (LIMIT): open rows keep a connection of the pool."
	readFaster  = "The application reads slower than rows arrive: do less between rows, select fewer columns, or, where they are read one by one, read Arrow batches."
)
