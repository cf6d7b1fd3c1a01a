package explain

import (
	"database/sql"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
)

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
