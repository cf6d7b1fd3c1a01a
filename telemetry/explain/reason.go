package explain

import (
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// reason is why a part took its time: the evidence, as the end of the sentence "71 % of 4.2 s ...",
// and advice that fits it.
type reason struct{ evidence, advice string }

func reasonOf(s *telemetry.Statement, p telemetry.Part, took time.Duration) reason {
	switch p {
	case telemetry.PartServer:
		return serverReason(s, took).withFailure(s)
	case telemetry.PartPoll:
		return pollReason(s, took).withFailure(s)
	case telemetry.PartRetry:
		return retryReason(s)
	case telemetry.PartPage:
		return pageReason(s, took).withFailure(s)
	case telemetry.PartFile:
		return fileReason(s).withFailedCall(s)
	case telemetry.PartTransfer:
		return transferReason(s)
	case telemetry.PartDecode:
		return reason{
			"in the driver, which turned bytes into rows" + rowsOf(s),
			"Select fewer columns. Where rows are read one by one, Arrow batches (GetArrowBatches) save turning them into single values.",
		}.withFailure(s)
	case telemetry.PartApplication:
		because := applicationReason(s)
		return because.withFailedFiles(s, because.advice).withFailedCall(s) // the links of files may have expired meanwhile
	case telemetry.PartClose:
		return closeReason(s, took).withFailure(s)
	case telemetry.PartNetwork:
		return networkReason(s, took).withFailure(s)
	}
	return unknownReason(s)
}

// most reports whether d explains most of a part.
func most(d, of time.Duration) bool { return d > of/2 }

func rowsOf(s *telemetry.Statement) string {
	if n, ok := s.RowsRead.Get(); ok {
		return " (" + format.Plural(n, "row") + ")"
	}
	return ""
}

func unknownReason(s *telemetry.Statement) reason {
	switch {
	case s.Split == telemetry.Split{}:
		return reason{"in parts that the record does not have", "An older version wrote the record: its other times may say more."}
	case s.RPCs == nil:
		return reason{
			"not observed: behind driverwrap.Wrap, what the driver waits for cannot be told apart",
			"Open the database with sql.Open or driverwrap.NewConnector to see more.",
		}
	}
	return reason{notObserved, unsentAdvice(s, "The query history says how long the server worked. "+inspectSigningIn)}.withFailure(s)
}

const notObserved = "not observed: a message or the link of a file was not seen or not understood, or what the driver did without a request could not be told (signing in, a pause, decoding, a transfer)"
