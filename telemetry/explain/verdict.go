package explain

import (
	"cmp"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Bound is what took the largest part of a statement's time.
type Bound string

// The bounds.
const (
	BoundNone     Bound = ""               // no time passed, or none is known
	BoundServer   Bound = "server-bound"   // the warehouse worked
	BoundPoll     Bound = "poll-bound"     // the result was ready before a status call noticed
	BoundRetry    Bound = "retry-bound"    // calls failed and were repeated after a pause
	BoundPage     Bound = "page-bound"     // the reader waited for result pages
	BoundDownload Bound = "download-bound" // the reader waited for CloudFetch files
	BoundReader   Bound = "reader-bound"   // rows were decoded, and the application worked between them
	BoundClose    Bound = "close-bound"    // closing the rows
	BoundNetwork  Bound = "network-bound"  // none of these: network, and the driver itself
	BoundExecute  Bound = "execute-bound"  // the call, where the record does not tell its parts apart
	BoundPool     Bound = "pool-bound"     // waiting in database/sql for a connection
)

// Verdict says where the largest part of the time went. The zero value is the verdict where
// no time passed or none is known.
type Verdict struct {
	Bound Bound
	// Time is the length of that part, and Share its share of the statement's total, 0 to 1.
	// The verdict on a pool has no share.
	Time  time.Duration
	Share float64
	// Sentence states the verdict, such as "download-bound: 71 % of 4.2 s waiting for 20
	// files, slowest 900 ms". Empty with BoundNone.
	Sentence string
	// Advice says what to try. Empty with BoundNone.
	Advice string
}

// Of explains a statement, which may still be running.
func Of(s *telemetry.Statement) Verdict {
	parts := PartsOf(s)
	if len(parts) == 0 {
		return Verdict{}
	}
	largest := slices.MaxFunc(parts, func(a, b Part) int { return cmp.Compare(a.Time, b.Time) })
	kind := kindOf(largest.Bound)
	return Verdict{
		Bound: largest.Bound, Time: largest.Time, Share: largest.Share,
		Sentence: fmt.Sprintf("%s: %s of %s %s", largest.Bound, format.Percent(largest.Share), format.Duration(s.Total), kind.clause(s)),
		Advice:   kind.advice(s),
	}
}

// OfPool explains what happened in the pool of that name between two readings of its
// statistics. The verdict is the zero value when no call waited for a connection.
func OfPool(name string, before, now sql.DBStats) Verdict {
	waits, waited := now.WaitCount-before.WaitCount, now.WaitDuration-before.WaitDuration
	if waits <= 0 || waited <= 0 {
		return Verdict{}
	}
	return Verdict{
		Bound: BoundPool, Time: waited,
		Sentence: fmt.Sprintf("pool-bound: %s waited %s on average for a connection of pool %s, which may open %s",
			format.Plural(waits, "call"), format.Duration(waited/time.Duration(waits)), name, format.Count(int64(now.MaxOpenConnections))),
		Advice: "Raise SetMaxOpenConns, close rows sooner, or run fewer statements at once.",
	}
}
