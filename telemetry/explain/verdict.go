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

// Verdict says where the largest part of the time went. The zero value is the verdict where
// no time passed.
type Verdict struct {
	// Bound is the verdict in a word, such as "server-bound"; "unknown" where the largest part
	// is, and empty where no time passed.
	Bound string
	// Part is the largest part; that of the verdict on a pool has no meaning.
	Part telemetry.Part
	// Time is the length of that part, and Share its share of the statement's total, 0 to 1.
	// The verdict on a pool has no share.
	Time  time.Duration
	Share float64
	// Sentence states the verdict and its evidence, such as "file-bound: 71 % of 4.2 s waiting
	// for 20 files, slowest 900 ms". Empty with Bound.
	Sentence string
	// Advice says what to try. Empty with Bound.
	Advice string
	// Reported is true where the sentence and the advice are those of the first cause that
	// OfReport gives.
	Reported bool
}

// Of explains a statement, which may still be running.
func Of(s *telemetry.Statement) Verdict { return WithReport(s, nil) }

// WithReport explains a statement with r, what the query history says about it: where the statement
// waited for its server, and the report accounts for most of that, the verdict says why. A nil report
// is none.
func WithReport(s *telemetry.Statement, r *telemetry.ServerReport) Verdict {
	parts := PartsOf(s)
	if len(parts) == 0 {
		return Verdict{}
	}
	largest := slices.MaxFunc(parts, func(a, b Part) int { return cmp.Compare(a.Time, b.Time) })
	because, reported := reasonOf(s, largest.Part, largest.Time), false
	if largest.Part == telemetry.PartServer {
		because, reported = because.withReport(s, r, largest.Time)
	}
	bound := largest.Bound()
	return Verdict{
		Bound: bound, Part: largest.Part, Time: largest.Time, Share: largest.Share,
		Sentence: fmt.Sprintf("%s: %s of %s %s", bound, format.Percent(largest.Share), format.Duration(s.Total), because.evidence),
		Advice:   because.advice, Reported: reported,
	}
}

// OfPool explains what happened in the pool of that name between two readings of its
// statistics. The verdict is the zero value when no call began to wait for a connection.
// database/sql counts a wait when it begins, and its time when it ends: the time is that of the waits
// that ended, which may be others than those that began.
func OfPool(name string, before, now sql.DBStats) Verdict {
	waits, waited := now.WaitCount-before.WaitCount, now.WaitDuration-before.WaitDuration
	if waits <= 0 || waited < 0 {
		return Verdict{}
	}
	calls := format.Plural(waits, "call") + " waited"
	advice := "Raise SetMaxOpenConns, close rows sooner, or run fewer statements at once."
	if waited == 0 {
		calls = format.Choose(waits, "call has", "calls have") + " waited without success"
		advice = "No call that waited got one in that time: close rows and sql.Conn, commit or roll back transactions, and look for statements that hang. A deadline on the contexts bounds the wait."
	}
	limit := ""
	if now.MaxOpenConnections > 0 {
		limit = ", which may open " + format.Count(int64(now.MaxOpenConnections))
	}
	return Verdict{
		Bound: "pool-bound", Time: waited,
		Sentence: "pool-bound: " + calls + " for a connection of pool " + name + limit + format.EndedWaits(waited),
		Advice:   advice,
	}
}
