package explain

import (
	"cmp"
	"database/sql"
	"slices"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Verdict says where the largest part of the time went. The zero value is the verdict if no time
// passed.
type Verdict struct {
	// Bound is the verdict in a word, such as "server-bound". It is "unknown" if the largest part is
	// PartUnknown, and empty if no time passed.
	Bound string
	// Part is the largest part. It has no meaning in the verdict on a pool.
	Part telemetry.Part
	// Time is the length of that part, and Share its share of the statement's total, 0 to 1. Share is
	// 0 in the verdict on a pool.
	Time  time.Duration
	Share float64
	// Sentence states the verdict and its evidence, such as "file-bound: 71 % of 4.2 s waiting for 20
	// files, slowest 900 ms". It is empty if Bound is.
	Sentence string
	// Advice says what to try. It is empty if Bound is.
	Advice string
	// Reported is true where the sentence and the advice are those of the first cause that
	// CausesOf gives.
	Reported bool
}

// Of explains a statement, which may still be running.
func Of(s *telemetry.Statement) Verdict { return WithReport(s, nil) }

// WithReport explains a statement and its report r from the query history. If the largest part is
// PartServer, and the report accounts for most of it, the verdict says why the server took its time.
// r may be nil.
func WithReport(s *telemetry.Statement, r *telemetry.ServerReport) Verdict {
	parts := breakdown.PartsOf(s)
	if len(parts) == 0 {
		return Verdict{}
	}
	largest := slices.MaxFunc(parts, func(a, b breakdown.Part) int { return cmp.Compare(a.Time, b.Time) })
	because, reported := reasonOf(s, largest.Part, largest.Time), false
	if largest.Part == telemetry.PartServer {
		because, reported = because.withReport(s, r, largest.Time)
	}
	bound := breakdown.Bound(largest.Part)
	return Verdict{
		Bound: bound, Part: largest.Part, Time: largest.Time, Share: largest.Share,
		Sentence: bound + ": " + format.Percent(largest.Share) + " of " + format.Duration(s.Total) + " " + because.evidence,
		Advice:   because.advice, Reported: reported,
	}
}

// OfPool explains the waits for a connection in the pool called name, between two readings of its
// statistics. The verdict is the zero value if no call began to wait for a connection. database/sql
// counts a wait when it begins, and adds its time when it ends, so the time may be that of other
// waits.
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
