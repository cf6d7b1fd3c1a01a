package cloudfetch

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

func TestTheServerWorksOnAStatementThatStillRunsAfterAStatusCallWasRepeated(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		c.call(1*s, executeRequest(1), busy)
		time.Sleep(1 * s)
		c.call(1*s, executeRequest(1), ok(handleReply))
		c.call(1*s, operationRequest(getOperationStatus, 2, operationA), busy)
		time.Sleep(2 * s)
		c.call(4*s, operationRequest(getOperationStatus, 2, operationA), ok(runningReply(2)))
		require.Equal(t, 2*s, soFar(c.trace).Split[telemetry.PartRetry], "of ExecuteStatement")
		c.call(8*s, operationRequest(getOperationStatus, 3, operationA), busy)
		time.Sleep(16 * s)
		c.call(32*s, operationRequest(getOperationStatus, 3, operationA), ok(finishedReply(3)))
		require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartRetry: 26 * s, telemetry.PartServer: 40 * s}, c.split(), "it may have finished before the last one was repeated")
	})
}

func TestAnAttemptBecomesARetryWhenItIsRepeated(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		c.call(1*s, executeRequest(1), busy)
		r := soFar(c.trace)
		require.Equal(t, 1*s, r.Split[telemetry.PartServer], "not repeated yet")
		time.Sleep(2 * s)
		require.Equal(t, 2*s, soFar(c.trace).Split[telemetry.PartRetry], "in the pause")
		c.call(4*s, executeRequest(1), busy)
		time.Sleep(8 * s)
		c.call(16*s, executeRequest(1), ok(inlineReply))
		r = soFar(c.trace)
		require.Equal(t, []telemetry.Attempt{{End: 1 * s, Status: 503}, {Start: 3 * s, End: 7 * s, Status: 503}}, r.Calls[0].Retried)
		require.Equal(t, 503, r.RPCs[0].FailedStatus)
		require.Equal(t, 31*s, r.RPCs[0].Slowest)
		require.Equal(t, 21*s, r.RPCs[0].Latency, "of the attempts")
		require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartRetry: 15 * s, telemetry.PartServer: 16 * s}, c.split())
	})
}

func TestTheLastAttemptOfACallThatFailsIsNoRetry(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		c.call(1*s, executeRequest(1), answer{code: http.StatusServiceUnavailable})
		time.Sleep(2 * s)
		c.call(4*s, executeRequest(1), answer{err: errReset})
		require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartRetry: 3 * s, telemetry.PartServer: 4 * s}, c.split())
	})
}

// The driver gives up asking for the state, and asks what the statement is nevertheless.
func TestADescriptionRefusedWhileTheStatementRunsDidNotMakeItFail(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		early := wireReply(getResultSetMetadata, 3, fStruct(1, fI32(1, 3), fString(3, "HY010"), fString(5, "still running")))
		c.call(1*s, executeRequest(1), ok(handleReply))
		c.call(1*s, operationRequest(getOperationStatus, 2, operationA), ok(runningReply(2)))
		c.call(1*s, operationRequest(getResultSetMetadata, 3, operationA), ok(early))
		require.Equal(t, Fault{Observed: true}, c.trace.Fault())
		c.call(1*s, operationRequest(getOperationStatus, 4, operationA), ok(finishedReply(4)))
		c.call(1*s, operationRequest(getResultSetMetadata, 5, operationA), ok(wireReply(getResultSetMetadata, 5, fStruct(1, fI32(1, 3), fString(3, "HY010")))))
		require.True(t, c.trace.Fault().CallFailed)
		require.Equal(t, "HY010", c.trace.Fault().SQLState)
	})
}

// A refused status call does not say that the statement still runs.
func TestARefusedStatusCallDoesNotMakeRetriesTheServersTime(t *testing.T) {
	for name, refusal := range map[string][]byte{
		"invalid handle": wireReply(getOperationStatus, 2, fStruct(1, fI32(1, 4))),
		"error":          wireReply(getOperationStatus, 2, fStruct(1, fI32(1, 3), fString(3, "08000"))),
		"exception":      wireException(getOperationStatus, 2, "x"),
	} {
		t.Run(name, func(t *testing.T) {
			onClock(t, func(t *testing.T, c *clock) {
				poll := operationRequest(getOperationStatus, 2, operationA)
				c.call(1*s, executeRequest(1), ok(handleReply))
				c.call(2*s, poll, answer{code: 503})
				time.Sleep(60 * s)
				c.call(0, poll, ok(refusal))
				require.True(t, c.trace.Fault().CallFailed)
				require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartServer: 1 * s, telemetry.PartRetry: 62 * s}, c.split())
			})
		})
	}
}

// The server worked for 10 s. The last status call was refused, and repeated 6 s later: that is
// PartRetry, and no reason of PartServer.
func TestRetriesOfTheLastStatusCallAreNotWhyTheServerTookItsTime(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		c.call(1*s, executeRequest(1), ok(handleReply))
		time.Sleep(9 * s)
		c.call(0, operationRequest(getOperationStatus, 2, operationA), ok(runningReply(2)))
		time.Sleep(1 * s)
		c.call(0, operationRequest(getOperationStatus, 3, operationA), answer{code: http.StatusServiceUnavailable})
		time.Sleep(6 * s)
		c.call(0, operationRequest(getOperationStatus, 3, operationA), ok(finishedReply(3)))
		record := finish(c.trace)
		require.Equal(t, 11*s, record.Split[telemetry.PartServer])
		require.Equal(t, 6*s, record.Split[telemetry.PartRetry])
		record.Outcome = telemetry.OutcomeCompleted
		require.NotContains(t, explain.Of(record).Sentence, "repeated", explain.Of(record).Advice)
	})
}

// A status call hangs until the client gives up, long after the caller's deadline; then the driver closes.
func TestAStatusCallThatIsGivenUpWasNotAnsweredLate(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		c.call(1*s, executeRequest(1), ok(handleReply))
		c.call(0, operationRequest(getOperationStatus, 2, operationA), ok(runningReply(2)))
		c.call(900*s, operationRequest(getOperationStatus, 3, operationA), answer{err: context.DeadlineExceeded})
		c.call(1*s, operationRequest(closeOperation, 4, operationA), ok(wireReply(closeOperation, 4, fStatus(okStatus))))
		record := finish(c.trace)
		record.Outcome, record.Failure = telemetry.OutcomeCanceled, &telemetry.Failure{Category: telemetry.CategoryTimeout}
		require.NotContains(t, explain.Of(record).Advice, "answered a status call late", explain.Of(record).Sentence)
	})
}

// What is said of a call that took its time is said of the one under way, too, as far as it has come.
func TestACallUnderWayIsAsSlowAsItIsByNow(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		c.call(1*s, executeRequest(1), ok(handleReply))
		c.call(2*s, operationRequest(getOperationStatus, 2, operationA), ok(runningReply(2)))
		slowest := make(chan time.Duration, 2)
		for _, after := range []time.Duration{1 * s, 5 * s} {
			time.AfterFunc(after, func() { slowest <- soFar(c.trace).RPCs[1].Slowest })
		}
		c.call(8*s, operationRequest(getOperationStatus, 3, operationA), ok(finishedReply(3)))
		require.Equal(t, 2*s, <-slowest)
		require.Equal(t, 5*s, <-slowest)
		require.Equal(t, 8*s, soFar(c.trace).RPCs[1].Slowest)
	})
}

// The driver's pauses double, up to the longest. Once a pause is over, the driver signs in, which takes its time.
func TestACallThatIsRepeatedLaterThanAfterTheDriversPauseTookUnknownTime(t *testing.T) {
	for name, bound := range map[string]struct {
		shortest, longest time.Duration
		unknown           time.Duration
	}{
		"pauses of 1, 2, 3 and 3 s": {1 * s, 3 * s, 4 * s},
		"only the longest is known": {0, 3 * s, 2 * s},
		"not known":                 {1 * s, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			onClock(t, func(t *testing.T, c *clock) {
				c.trace.Transport = c.transport
				c.transport.RetryWaitMin, c.transport.RetryWaitMax = bound.shortest, bound.longest
				for _, pause := range []time.Duration{1 * s, 2 * s, 3 * s, 3 * s} {
					c.call(0, executeRequest(1), busy)
					time.Sleep(pause + longestWakeup + 1*s)
				}
				c.call(0, executeRequest(1), ok(inlineReply))
				r := finish(c.trace)
				require.Equal(t, bound.unknown, r.Split[telemetry.PartUnknown])
				require.Equal(t, 13*s+4*longestWakeup-bound.unknown, r.Split[telemetry.PartRetry])
			})
		})
	}
}

// The driver closes a volume operation before the transfer. Whether it will repeat the call or has begun the transfer
// shows later.
func TestACloseThatIsRepeatedBeforeATransferIsARetry(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		c.call(0, executeRequest(1), ok(volumeReply))
		c.call(1*s, closingRequest, busy)
		time.Sleep(2 * s)
		require.Equal(t, 2*s, soFar(c.trace).Split[telemetry.PartUnknown])
		c.call(4*s, closingRequest, closedReply)
		time.Sleep(8 * s)
		require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartRetry: 3 * s, telemetry.PartClose: 4 * s, telemetry.PartTransfer: 8 * s}, c.split())
	})
}

// The driver may give up repeating the call.
func TestThePauseAfterACloseThatFailedIsARetry(t *testing.T) {
	for name, test := range map[string]struct {
		reply   []byte
		closing bool
	}{"of an Exec": {reply: inlineReply}, "of the rows of a volume operation": {volumeReply, true}} {
		t.Run(name, func(t *testing.T) {
			onClock(t, func(t *testing.T, c *clock) {
				c.call(0, executeRequest(1), ok(test.reply))
				if test.closing {
					c.trace.CloseBegun(time.Now())
				}
				c.call(1*s, closingRequest, busy)
				time.Sleep(2 * s)
				require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartClose: 1 * s, telemetry.PartRetry: 2 * s}, c.split())
			})
		})
	}
}

// net/http asks for the page to sign in with, which is not a call.
func TestAPageThatWasSentElsewhereIsAwaited(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		c.call(0, executeRequest(1), ok(inlineReply))
		c.trace.CallReturned(time.Now())
		c.trace.ReadBegun(5, time.Now())
		c.transport.base.Workspace = roundTripFunc(func(r *http.Request) (*http.Response, error) {
			return redirect(r, http.StatusSeeOther, "https://elsewhere.example.com/login")
		})
		_, _ = c.rpc(c.ctx, operationRequest(fetchResults, 2, operationA))
		time.Sleep(2 * s)
		require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartPage: 2 * s}, c.split())
	})
}
