package explain

import (
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func closeReason(s *telemetry.Statement, took time.Duration) reason {
	canceled, closed := rpcOf(s, "CancelOperation"), rpcOf(s, "CloseOperation")
	cancel, closing := slowest(s, canceled), slowest(s, closed)
	c, since, waiting := silent(s)
	switch {
	case waiting && most(since, took) && c.Method == "CancelOperation":
		return reason{"canceling the statement: " + silence(c.Method, since), "The workspace takes its time to cancel the statement."}
	case waiting && most(since, took) && c.Method == "CloseOperation":
		what := "closing the rows: "
		if s.Kind == telemetry.KindUpdate || s.Kind == telemetry.KindVolume {
			what = "closing the statement: "
		}
		return reason{what + silence(c.Method, since), "The workspace takes its time to close the statement."}
	case cancel > closing && most(cancel, took):
		return reason{
			"canceling the statement: CancelOperation took " + format.Duration(latestTook(s, canceled, cancel, took)),
			"The workspace took its time to cancel the statement." + support(s, "CancelOperation"),
		}
	case most(closing, took):
		return reason{
			"closing the statement: CloseOperation took " + format.Duration(latestTook(s, closed, closing, took)),
			"Closing is one round trip, and the workspace answered it late." + support(s, "CloseOperation"),
		}
	}
	return reason{"closing the rows", "Closing is one round trip to the workspace, and waits for downloads under way: read to the end, or select less."}
}
