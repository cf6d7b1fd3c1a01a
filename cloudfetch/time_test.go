package cloudfetch

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// clock is a stage whose answers take time, and the trace of a statement on it.
type clock struct {
	*stage
	ctx   context.Context
	trace *Trace
	delay time.Duration // until the answer to a request begins

	beforeAnswer func() // runs when a request was sent; nil is nothing
}

// onClock runs a test in fake time.
func onClock(t *testing.T, test func(t *testing.T, c *clock)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := &clock{stage: newStage(t)}
		inner := c.transport.base.Workspace
		c.transport.base = WrapBase(roundTripFunc(func(r *http.Request) (*http.Response, error) {
			if c.beforeAnswer != nil {
				c.beforeAnswer()
			}
			time.Sleep(c.delay)
			return inner.RoundTrip(r)
		}))
		c.ctx, c.trace = traced()
		test(t, c)
	})
}

// call makes a call whose answer takes d to begin, or to fail.
func (c *clock) call(d time.Duration, request []byte, a answer) {
	c.delay, c.answers = d, append(c.answers, a)
	_, _ = c.rpc(c.ctx, request)
	c.delay = 0
}

// redirected makes one call that is redirected once.
func (c *clock) redirected(request []byte) {
	var before *http.Response
	for range 2 {
		req := thriftRequest(c.ctx, request)
		req.Response = before
		resp, err := c.transport.RoundTrip(req)
		require.NoError(c.t, err)
		_, err = io.ReadAll(resp.Body)
		require.NoError(c.t, err)
		before = resp
	}
}

// download asks for a file, which takes d to come or to fail.
func (c *clock) download(d time.Duration, name string, a answer) {
	c.serve(linkTo(name), a)
	c.delay = d
	_, _ = c.get(context.Background(), linkTo(name))
	c.delay = 0
}

func ok(body []byte) answer { return answer{code: http.StatusOK, body: body} }

// next begins another statement.
func (c *clock) next() { c.ctx, c.trace = traced() }

// split is the time of a statement that is over, without the parts that took none.
func (c *clock) split() map[telemetry.Part]time.Duration {
	c.t.Helper()
	r := finish(c.trace)
	require.Equal(c.t, r.Total, r.Split.Total(), "the parts add up")
	require.Equal(c.t, time.Since(c.trace.started), r.Total)
	a := r.Application
	require.Equal(c.t, r.Split[telemetry.PartApplication], a.Before+a.Between+a.After)
	parts := map[telemetry.Part]time.Duration{}
	for p, d := range r.Split {
		if require.GreaterOrEqual(c.t, d, time.Duration(0)); d > 0 {
			parts[telemetry.Part(p)] = d
		}
	}
	return parts
}

const s = time.Second

var (
	runningReply  = func(seq int32) []byte { return statusReply(seq, 1) }
	finishedReply = func(seq int32) []byte { return statusReply(seq, 2) }
	handleReply   = wireReply(executeStatement, 1, fStatus(okStatus), fHandle(2, operationA))

	// inlineReply brings five rows, and no times of the server, as the real service does.
	inlineReply = wireReply(executeStatement, 1, fStatus(okStatus), fHandle(2, operationA), fStruct(1281,
		fStruct(1, fStatus(okStatus), fI32(2, 2)), fStruct(2, metadataOf(0)...),
		fStruct(3, fStatus(okStatus), fBool(2, false), rowsOf(0, fList(1281, tStruct, wireBatch("x", 5))))))
)

// volumeReply has the page that says which file to transfer, to which URL.
var volumeReply = wireReply(executeStatement, 1, fStatus(okStatus), fHandle(2, operationA), fStruct(1281,
	fStruct(1, fStatus(okStatus), fI32(2, 2)), fStruct(2, fStatus(okStatus), fI32(1281, 0), fBool(1287, true)),
	fStruct(3, fStatus(okStatus), fBool(2, false), rowsOf(0, fList(1281, tStruct, wireBatch("x", 1))))))

// Nothing is transferred for other statements, nor before the page with the file's URL.
func TestOnlyAVolumeOperationWithItsPageTransfers(t *testing.T) {
	for name, test := range map[string]struct {
		reply []byte
		part  telemetry.Part
	}{
		"a volume operation": {volumeReply, telemetry.PartTransfer},
		"a query":            {inlineReply, telemetry.PartNetwork},
	} {
		t.Run(name, func(t *testing.T) {
			onClock(t, func(t *testing.T, c *clock) {
				c.call(0, executeRequest(1), ok(test.reply))
				time.Sleep(2 * s)
				require.Equal(t, map[telemetry.Part]time.Duration{test.part: 2 * s}, c.split())
			})
		})
	}
	t.Run("a volume operation that was polled", func(t *testing.T) {
		onClock(t, func(t *testing.T, c *clock) {
			c.call(0, executeRequest(1), ok(handleReply))
			c.call(0, operationRequest(getOperationStatus, 2, operationA), ok(finishedReply(2)))
			c.call(0, operationRequest(getResultSetMetadata, 3, operationA), ok(wireReply(getResultSetMetadata, 3, fStatus(okStatus), fBool(1287, true))))
			c.call(0, operationRequest(fetchResults, 4, operationA), ok(wireReply(fetchResults, 4, fStatus(okStatus), fBool(2, false), rowsOf(0, fList(1281, tStruct, wireBatch("x", 1))))))
			time.Sleep(1 * s) // the driver signs in
			c.call(0, closingRequest, closedReply)
			time.Sleep(2 * s)
			require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartNetwork: 1 * s, telemetry.PartTransfer: 2 * s}, c.split())
		})
	})
	t.Run("a volume operation without its page", func(t *testing.T) {
		onClock(t, func(t *testing.T, c *clock) {
			c.call(0, executeRequest(1), ok(handleReply))
			c.call(0, operationRequest(getOperationStatus, 2, operationA), ok(finishedReply(2)))
			c.call(0, operationRequest(getResultSetMetadata, 3, operationA), ok(wireReply(getResultSetMetadata, 3, fStatus(okStatus), fBool(1287, true))))
			c.call(0, operationRequest(closeOperation, 4, operationA), ok(wireReply(closeOperation, 4, fStatus(okStatus))))
			time.Sleep(2 * s)
			require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartNetwork: 2 * s}, c.split())
		})
	})
}

// begin asks for a file, which takes d to come.
func (c *clock) begin(d time.Duration, name string) {
	c.files[linkTo(name)] = func(req *http.Request) (*http.Response, error) {
		time.Sleep(d)
		return response(req, http.StatusOK, []byte("x"), nil), nil
	}
	go func() { _, _ = c.get(context.Background(), linkTo(name)) }()
	synctest.Wait()
}

// sendFile begins to read a result of one file, whose operation is not closed.
func (c *clock) sendFile() {
	c.call(0, executeRequest(1), ok(handleReply))
	c.call(0, operationRequest(getOperationStatus, 2, operationA), ok(finishedReply(2)))
	c.trace.CallReturned(time.Now())
	c.trace.ReadBegun(0, time.Now())
	c.sendLinks(operationA, linkTo("0"))
}

var (
	closingRequest = operationRequest(closeOperation, 6, operationA)
	closedReply    = ok(wireReply(closeOperation, 6, fStatus(okStatus)))
	busy           = answer{code: http.StatusServiceUnavailable}
)

func TestAClosingStatementWaitsForItsClose(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		c.sendFile()
		c.trace.CloseBegun(time.Now())
		time.Sleep(2 * s) // the driver signs in
		c.call(1*s, closingRequest, busy)
		c.begin(1*s, "0") // the driver had begun to download ahead
		time.Sleep(2 * s)
		c.call(4*s, closingRequest, closedReply)
		require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartClose: 6 * s, telemetry.PartRetry: 3 * s}, c.split())
	})
}

// The driver closes the operation, ignores that this failed, and goes on.
func TestAFileIsAwaitedAfterACloseThatFailed(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		c.sendFile()
		c.call(1*s, closingRequest, busy)
		c.begin(4*s, "0")
		time.Sleep(4 * s)
		require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartClose: 1 * s, telemetry.PartFile: 4 * s}, c.split())
	})
}

func TestACloseThatIsRedirectedContinues(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		c.call(0, executeRequest(1), ok(inlineReply))
		inner, elsewhere := c.transport.base.Workspace, false
		c.transport.base.Workspace = roundTripFunc(func(r *http.Request) (*http.Response, error) {
			if elsewhere = !elsewhere; elsewhere {
				return redirect(r, http.StatusTemporaryRedirect, endpoint)
			}
			return inner.RoundTrip(r)
		})
		c.delay, c.answers = 4*s, []answer{closedReply}
		c.redirected(closingRequest)
		require.Zero(t, rpcOf(soFar(c.trace), closeOperation).FailedStatus)
		require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartClose: 4 * s}, c.split())
	})
}

// The driver sends the cancellation while the call that the context ended still returns.
func TestACallThatEndsDuringTheCancellationChangesNothing(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		c.call(0, executeRequest(1), ok(handleReply))
		poll := thriftRequest(c.ctx, operationRequest(getOperationStatus, 2, operationA))
		cancel := thriftRequest(c.ctx, operationRequest(cancelOperation, 3, operationA))
		c.transport.base.Workspace = roundTripFunc(func(r *http.Request) (*http.Response, error) {
			if r.ContentLength == poll.ContentLength {
				time.Sleep(2 * s)
				return nil, context.Canceled
			}
			time.Sleep(4 * s)
			return nil, errReset
		})
		require.NotEqual(t, poll.ContentLength, cancel.ContentLength)
		go func() { _, _ = c.transport.RoundTrip(poll) }()
		time.Sleep(1 * s)
		_, _ = c.transport.RoundTrip(cancel)
		require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartServer: 1 * s, telemetry.PartClose: 4 * s}, c.split())
	})
}

func TestACallThatIsRefusedForGoodIsNotRepeated(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		c.call(0, executeRequest(1), ok(handleReply))
		for _, code := range []int{http.StatusForbidden, http.StatusNotImplemented} {
			c.call(0, operationRequest(getOperationStatus, 2, operationA), answer{code: code})
			time.Sleep(2 * s)
			require.Zero(t, finish(c.trace).Split[telemetry.PartRetry], code)
			c.next()
			c.call(0, executeRequest(1), ok(handleReply))
		}
	})
}

func TestAStateThatIsUnknownSaysNothing(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		c.call(1*s, executeRequest(1), ok(handleReply))
		c.call(0, operationRequest(getOperationStatus, 2, operationA), ok(statusReply(2, 6)))
		time.Sleep(2 * s)
		require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartServer: 1 * s, telemetry.PartUnknown: 2 * s}, c.split())
	})
}

func TestAFileThatIsNotTrackedIsNotAwaited(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		c.call(0, executeRequest(1), ok(handleReply))
		c.call(0, operationRequest(getOperationStatus, 2, operationA), ok(finishedReply(2)))
		c.sendLinks(operationA, "http://h/a b")
		c.trace.CallReturned(time.Now())
		c.trace.ReadBegun(0, time.Now())
		time.Sleep(2 * s)
		c.call(0, closingRequest, closedReply)
		require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartUnknown: 2 * s}, c.split())
	})
}

func TestAPageThatComesWithTheAnswerToExecuteStatementTakesTime(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		c.answer(inlineReply)
		c.delay = 1 * s
		resp, err := c.transport.RoundTrip(thriftRequest(c.ctx, executeRequest(1)))
		require.NoError(t, err)
		time.Sleep(4 * s)
		_, err = io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartServer: 1 * s, telemetry.PartPage: 4 * s}, c.split())
	})
}

// Streams are not counted: the last page is not passed, because the driver may be decoding it.
func TestTheLastPageOfStreamsIsDecoded(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		c.call(0, executeRequest(1), ok(inlineReply))
		c.trace.CallReturned(time.Now())
		c.trace.ReadBegun(-1, time.Now())
		time.Sleep(s / 2)
		c.call(0, closingRequest, closedReply) // in the call that returns the last batch
		time.Sleep(s / 4)
		c.trace.BatchReturned(time.Now())
		time.Sleep(2 * s)
		require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartDecode: 3 * s / 4, telemetry.PartApplication: 2 * s}, c.split())
	})
}

// The driver closes the operation while the first file is on its way.
func TestAFileOnItsWayIsNotTheWayToTheClose(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		c.sendFile()
		c.begin(5*s, "0")
		time.Sleep(2 * s)
		require.Equal(t, 2*s, soFar(c.trace).Split[telemetry.PartFile])
		c.call(0, closingRequest, closedReply)
		time.Sleep(3 * s)
		require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartFile: 5 * s}, c.split())
	})
}

func TestTheServerHasTheTimeFromTheRequestUntilAnAnswerSaysThatItIsDone(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		time.Sleep(1 * s) // the driver signs in
		c.call(2*s, executeRequest(1), ok(handleReply))
		time.Sleep(3 * s) // between polls
		c.call(4*s, operationRequest(getOperationStatus, 2, operationA), ok(runningReply(2)))
		time.Sleep(5 * s)
		c.call(6*s, operationRequest(getOperationStatus, 3, operationA), ok(finishedReply(3)))
		time.Sleep(7 * s)
		r := soFar(c.trace)
		require.Equal(t, telemetry.Known(telemetry.Polling{Calls: 2, Latency: 10 * s, Unseen: 11 * s}), r.Polling, "it may have ended at any time since the poll before")
		require.Equal(t, "FINISHED", r.State)
		require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartServer: 20 * s, telemetry.PartNetwork: 8 * s}, c.split())
	})
}

// Streams are not counted: the one that came is passed at once, and the next is awaited.
func TestAFileThatCameBeforeTheCloseIsNotTheWayToIt(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		c.call(0, executeRequest(1), ok(wireReply(executeStatement, 1, fStatus(okStatus), fHandle(2, operationA), fStruct(1281, fStruct(1, fStatus(okStatus), fI32(2, 2)), fStruct(2, metadataOf(3)...), fStruct(3, fStatus(okStatus), fBool(2, false), rowsOf(0, fList(1282, tStruct,
			wireLink(linkTo("0"), 0, 0, 10, 100), wireLink(linkTo("1"), 0, 10, 10, 100))))))))
		c.trace.CallReturned(time.Now())
		c.trace.ReadBegun(-1, time.Now())
		c.download(3*s, "0", busy)
		time.Sleep(1 * s)
		c.download(5*s, "0", ok([]byte("x")))
		c.call(2*s, operationRequest(closeOperation, 2, operationA), ok(wireReply(closeOperation, 2, fStatus(okStatus))))
		require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartRetry: 4 * s, telemetry.PartFile: 5 * s, telemetry.PartClose: 2 * s}, c.split())
	})
}

func TestTheRoundTripIsNotTheServers(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		c.call(s/10, operationRequest(closeOperation, 9, operationB), ok(wireReply(closeOperation, 9, fStatus(okStatus)))) // of no trace
		for i, closing := range []time.Duration{5 * s, s / 4} {                                                            // the first answer is late
			before := c.trace
			c.call(4*s, executeRequest(int32(2*i+1)), ok(handleReply))
			c.call(closing, operationRequest(closeOperation, int32(2*i+2), operationA), ok(wireReply(closeOperation, int32(2*i+2), fStatus(okStatus))))
			require.Equal(t, 4*s, c.split()[telemetry.PartServer], "one answer says nothing")
			finish(before)
			c.next()
		}
		c.call(0, executeRequest(6), ok(handleReply))
		c.call(2*s, operationRequest(closeOperation, 7, operationA), ok(wireReply(closeOperation, 7, fStatus(okStatus))))
		c.next()
		c.call(3*s, executeRequest(9), ok(inlineReply))
		require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartServer: 3*s - s/4, telemetry.PartNetwork: s / 4}, c.split())
	})
}

func TestServerTimesDivideServerAndPoll(t *testing.T) {
	for _, worked := range []struct {
		reported, server, poll, network time.Duration
	}{{1 * s, 1 * s, 7 * s, 1 * s}, {2 * s, 2 * s, 7 * s, 0}, {5 * s, 5 * s, 4 * s, 0}, {9 * s, 9 * s, 0, 0}, {60 * s, 9 * s, 0, 0}} {
		onClock(t, func(t *testing.T, c *clock) {
			c.call(2*s, executeRequest(1), ok(handleReply))
			time.Sleep(3 * s)
			c.call(4*s, operationRequest(getOperationStatus, 2, operationA), ok(wireReply(getOperationStatus, 2, fStatus(okStatus),
				fI32(2, 2), fI64(7, 1_000_000), fI64(8, 1_000_000+worked.reported.Milliseconds()))))
			want := map[telemetry.Part]time.Duration{telemetry.PartServer: worked.server, telemetry.PartPoll: worked.poll, telemetry.PartNetwork: worked.network}
			for p, d := range want {
				if d == 0 {
					delete(want, p)
				}
			}
			require.Equal(t, want, c.split())
		})
	}
}

func TestTheDriverDecodesNothingWhereNoRowIsLeft(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		c.call(0, executeRequest(1), ok(inlineReply))
		c.trace.CallReturned(time.Now())
		c.trace.ReadBegun(5, time.Now()) // the page has five rows
		time.Sleep(8 * s)                // the driver signs in anew
		c.call(1*s, operationRequest(fetchResults, 2, operationA), ok(fetchReply(2, true, 5, fList(1281, tStruct, wireBatch("x", 5)))))
		time.Sleep(2 * s)
		c.trace.RowReturned(6, time.Now())
		require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartNetwork: 8 * s, telemetry.PartPage: 1 * s, telemetry.PartDecode: 2 * s}, c.split())
	})
}

func TestTheApplicationHasTheTimeBetweenTheDriversCalls(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		c.call(0, executeRequest(1), ok(inlineReply))
		c.trace.CallReturned(time.Now())
		time.Sleep(1 * s)
		c.trace.ReadBegun(0, time.Now())
		time.Sleep(2 * s)
		require.EqualValues(t, 5, c.trace.RowReturned(1, time.Now()))
		time.Sleep(4 * s)
		c.trace.ReadBegun(5, time.Now())
		c.trace.ReadEnded(time.Now())
		time.Sleep(8 * s)
		c.trace.CloseBegun(time.Now())
		c.call(16*s, operationRequest(closeOperation, 2, operationA), ok(wireReply(closeOperation, 2, fStatus(okStatus))))
		require.Equal(t, telemetry.Application{Before: 1 * s, Between: 4 * s, After: 8 * s}, soFar(c.trace).Application)
		require.Equal(t, telemetry.Known(telemetry.Polling{}), soFar(c.trace).Polling, "it was never seen running")
		require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartApplication: 13 * s, telemetry.PartDecode: 2 * s, telemetry.PartClose: 16 * s}, c.split())
	})
}

func TestAReaderWaitsForPagesAndForTheFileOfItsRow(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		c.call(0, executeRequest(1), ok(handleReply))
		c.call(0, operationRequest(getOperationStatus, 2, operationA), ok(finishedReply(2)))
		c.trace.CallReturned(time.Now())
		c.trace.ReadBegun(0, time.Now())
		c.call(1*s, operationRequest(fetchResults, 3, operationA), ok(fetchReply(3, false, 0, fList(1282, tStruct,
			wireLink(linkTo("0"), 0, 0, 10, 100), wireLink(linkTo("1"), 0, 10, 10, 100)))))
		c.download(2*s, "0", answer{code: http.StatusServiceUnavailable})
		time.Sleep(4 * s)
		c.download(8*s, "0", ok([]byte("x")))
		time.Sleep(16 * s) // decodes
		require.EqualValues(t, 10, c.trace.RowReturned(1, time.Now()))
		c.download(32*s, "1", answer{code: http.StatusForbidden}) // while the application works
		c.trace.ReadBegun(10, time.Now())
		c.download(64*s, "1", answer{code: http.StatusForbidden})
		c.trace.ReadEnded(time.Now())

		r := soFar(c.trace)
		require.Equal(t, []telemetry.Attempt{{Start: 1 * s, End: 3 * s, Status: 503}}, r.CloudFetch.Files[0].Retried)
		require.Equal(t, []any{int64(2), int64(2), 403}, []any{r.CloudFetch.Retried, r.CloudFetch.MostAttempts, r.CloudFetch.RetryStatus})
		require.Equal(t, map[telemetry.Part]time.Duration{
			telemetry.PartPage: 1 * s, telemetry.PartRetry: 6 * s, telemetry.PartFile: 72 * s, telemetry.PartDecode: 16 * s, telemetry.PartApplication: 32 * s,
		}, c.split())
	})
}

func TestWhatIsNotObservedIsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		trace := &Trace{}
		trace.Start(time.Now(), false)
		time.Sleep(1 * s)
		trace.CallReturned(time.Now())
		time.Sleep(2 * s)
		trace.ReadBegun(0, time.Now())
		time.Sleep(4 * s)
		require.EqualValues(t, -1, trace.RowReturned(1, time.Now()))
		time.Sleep(8 * s) // of the application, or of the driver
		trace.ReadEnded(time.Now())
		time.Sleep(16 * s)
		trace.CloseBegun(time.Now())
		time.Sleep(32 * s)
		want := telemetry.Split{telemetry.PartUnknown: 13 * s, telemetry.PartApplication: 18 * s, telemetry.PartClose: 32 * s}
		require.Equal(t, want, finish(trace).Split)
	})
}

// After an answer that was not understood, it is not known what the driver waits for between two calls.
func TestWhatIsNotUnderstoodIsUnknown(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		c.call(1*s, executeRequest(1), ok([]byte("what a newer server may say")))
		time.Sleep(2 * s)
		c.trace.CallReturned(time.Now())
		c.trace.ReadBegun(0, time.Now())
		time.Sleep(4 * s)
		c.trace.ReadEnded(time.Now())
		require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartServer: 1 * s, telemetry.PartUnknown: 6 * s}, c.split())
	})
}

func TestACanceledStatementWaitsForItsCancellation(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		c.call(1*s, executeRequest(1), ok(handleReply))
		c.call(2*s, operationRequest(getOperationStatus, 2, operationA), answer{err: context.Canceled})
		c.call(4*s, operationRequest(cancelOperation, 3, operationA), ok(wireReply(cancelOperation, 3, fStatus(okStatus))))
		require.Equal(t, "CancelOperation", soFar(c.trace).Calls[2].Method)
		require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartServer: 3 * s, telemetry.PartClose: 4 * s}, c.split())
	})
}

func TestRequestIdentifiersAreKeptOfCallsThatSupportWouldAskFor(t *testing.T) {
	const id = "01f0c3a4-5b6d-1e7f-8a9b-0c1d2e3f4a5b"
	for name, c := range map[string]struct {
		took   time.Duration
		before int // status of an attempt before; 0 for none
		code   int
		id     string
		want   string
	}{
		"quick":         {took: s - 1, code: 200, id: id},
		"slow":          {took: s, code: 200, id: id, want: id},
		"failed":        {code: 500, id: id, want: id},
		"repeated":      {before: 503, code: 200, id: id, want: id},
		"not a GUID":    {took: s, code: 200, id: "the name of a person, 36 letters long"},
		"none":          {took: s, code: 200},
		"in upper case": {took: s, code: 200, id: "01F0C3A4-5B6D-1E7F-8A9B-0C1D2E3F4A5B", want: id},
	} {
		t.Run(name, func(t *testing.T) {
			onClock(t, func(t *testing.T, clock *clock) {
				inner := clock.transport.base.Workspace
				clock.transport.base.Workspace = roundTripFunc(func(r *http.Request) (*http.Response, error) {
					resp, err := inner.RoundTrip(r)
					resp.Header.Set("X-Request-Id", c.id)
					return resp, err
				})
				time.Sleep(2 * s) // how long the call took counts, not when it ended
				if c.before != 0 {
					clock.call(0, executeRequest(1), answer{code: c.before})
				}
				clock.call(c.took, executeRequest(1), answer{code: c.code, body: inlineReply})
				require.Equal(t, c.want, finish(clock.trace).Calls[0].RequestID)
			})
		})
	}
}

// Whatever happens in whichever order, the parts add up and none is negative.
func TestPartsAddUpWhateverHappens(t *testing.T) {
	for seed := range uint64(300) {
		onClock(t, func(t *testing.T, c *clock) {
			random := rand.New(rand.NewPCG(seed, 1))
			codes := []answer{ok(handleReply), ok(inlineReply), ok(runningReply(1)), ok(finishedReply(1)), {code: 503}, {err: errReset}, ok([]byte("?")),
				ok(fetchReply(1, true, 0, fList(1282, tStruct, wireLink(linkTo("0"), 0, 0, 10, 100), wireLink(linkTo("1"), 0, 10, 10, 100))))}
			methods := []method{getOperationStatus, fetchResults, getResultSetMetadata, cancelOperation, closeOperation}
			for range random.IntN(30) {
				pause := time.Duration(random.IntN(3)) * s
				time.Sleep(pause)
				switch at := time.Now().Add(time.Duration(random.IntN(2000)-1000) * time.Millisecond); random.IntN(10) {
				case 0:
					c.call(pause, executeRequest(int32(random.IntN(2))), codes[random.IntN(len(codes))])
				case 1, 2, 3:
					c.call(pause, operationRequest(methods[random.IntN(len(methods))], int32(random.IntN(2)), operationA), codes[random.IntN(len(codes))])
				case 4:
					c.download(pause, []string{"0", "1"}[random.IntN(2)], []answer{ok([]byte("x")), {code: 503}, {err: errReset}}[random.IntN(3)])
				case 5:
					c.trace.CallReturned(at)
				case 6:
					c.trace.ReadBegun(int64(random.IntN(30)-1), at)
				case 7:
					c.trace.RowReturned(int64(random.IntN(30)), at)
				case 8:
					c.trace.BatchReturned(at)
				case 9:
					if random.IntN(4) == 0 {
						c.trace.CloseBegun(at)
					} else {
						c.trace.ReadEnded(at)
					}
				}
				r := soFar(c.trace)
				require.Equal(t, r.Total, r.Split.Total())
				for p, d := range r.Split {
					require.GreaterOrEqual(t, d, time.Duration(0), telemetry.Part(p))
				}
			}
		})
	}
}

// A server may hold a status call back until the statement ends, or for some seconds, as Hive's does.
func TestAStatusCallThatTheServerHoldsBackIsNoRoundTrip(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		ctx, _ := traced()
		c.execute(ctx, operationB)
		c.delay = 5 * s
		for seq := range int32(2) { // one answer says nothing
			c.answer(runningReply(seq))
			c.mustRPC(ctx, operationRequest(getOperationStatus, seq, operationB))
		}
		c.delay = 0

		c.trace = newTrace() // of another statement
		c.ctx = contextOf(context.Background(), c.trace)
		c.call(4*s, executeRequest(1), ok(inlineReply))
		require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartServer: 4 * s}, c.split())
	})
}
