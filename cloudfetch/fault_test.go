package cloudfetch

import (
	"context"
	"io"
	"math"
	"net/http"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestNothingIsTakenFromAnIncompleteAnswer(t *testing.T) {
	whole := directReply(1, true, fList(1282, tStruct, wireLink(linkTo("a"), 1, 0, 7, 8), wireLink(linkTo("b"), 1, 7, 7, 8)))
	for n := range whole {
		s := newStage(t)
		ctx, trace := traced()
		s.answers = []answer{{code: 200, body: whole[:n], cut: errReset}}
		_, err := s.rpc(ctx, executeRequest(1))
		require.ErrorIs(t, err, errReset)
		require.Zero(t, s.transport.registry.linked.Load())
		f := finish(trace)
		require.Empty(t, f.StatementID)
		require.Equal(t, telemetry.Result{
			Evidence: telemetry.EvidenceWire, Pages: telemetry.Known(int64(0)), Rows: telemetry.Known(int64(0)),
		}, f.Result)
		require.Nil(t, f.CloudFetch)
		require.Empty(t, trace.state)
		require.Equal(t, failed, trace.methods.find(executeStatement).state)
		require.EqualValues(t, n, rpcOf(f, executeStatement).BytesIn)
	}
}

func TestAnswerThatCannotBeDecodedMakesCountsUnknown(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.answer([]byte("<html>login</html>"))
	_, err := s.rpc(ctx, executeRequest(1))
	require.NoError(t, err)
	requireUncounted(t, soFar(trace))
	require.EqualValues(t, len("<html>login</html>"), rpcOf(soFar(trace), executeStatement).BytesIn)
	// The driver understood it, as the next call shows: the trace goes on.
	s.answer(statusReply(2, 2), fetchReply(5, false, 0, fList(1281, tStruct, wireBatch("x", 3))))
	s.mustRPC(ctx, operationRequest(getOperationStatus, 2, operationA))
	s.mustRPC(context.Background(), operationRequest(fetchResults, 5, operationA))
	require.EqualValues(t, -1, trace.RowReturned(1, time.Now()))
	s.answer([]byte("<html>login</html>"))
	_, err = s.rpc(ctx, operationRequest(closeOperation, 6, operationA))
	require.NoError(t, err)
	f := finish(trace)
	require.Equal(t, operationID(operationA), f.StatementID)
	require.Equal(t, "FINISHED", trace.state)
	require.EqualValues(t, 3, trace.rows)
	requireUncounted(t, f)
	require.EqualValues(t, 2, s.transport.counts.Stats().Undecoded)
}

func TestNoCountComesFromTheAnswersThatEndAStatement(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.execute(ctx, operationA)
	for i, m := range []method{cancelOperation, closeOperation} {
		s.answer([]byte("<html>login</html>"))
		_, err := s.rpc(ctx, operationRequest(m, int32(i+2), operationA))
		require.NoError(t, err)
	}
	require.Equal(t, Fault{Observed: true}, trace.Fault())
	requireCounted(t, finish(trace))
}

func TestAnswerToAnotherCallIsNotTaken(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.answer(statusReply(1, 2))
	_, _ = s.rpc(ctx, executeRequest(1))
	f := finish(trace)
	require.Empty(t, trace.state)
	requireUncounted(t, f)
}

func TestErrorsAreKeptWithoutText(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.answer(wireExamples()["execute refused"])
	s.mustRPC(ctx, executeRequest(2))
	require.Equal(t, Fault{Observed: true, SQLState: "42P01", CallFailed: true, Status: 200}, trace.Fault())
	require.Equal(t, answered, trace.methods.find(executeStatement).state)
	require.Zero(t, s.transport.registry.busy.Load(), "no statement began")

	ctx, trace = traced()
	s.execute(ctx, operationA)
	s.answer(wireExamples()["error state"], wireReply(closeOperation, 9, fStruct(1, fI32(1, 3), fString(3, "HY000"))), wireException(fetchResults, 8, "x"))
	s.mustRPC(ctx, operationRequest(getOperationStatus, 4, operationA))
	s.mustRPC(ctx, operationRequest(closeOperation, 9, operationA))
	s.mustRPC(ctx, operationRequest(fetchResults, 8, operationA))
	require.Equal(t, "ERROR", trace.state)
	require.Equal(t, "22012", trace.Fault().SQLState)
	require.Zero(t, finish(trace).Result.Pages.Or(-1))
}

func TestRequestThatCannotBeDecodedPasses(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	for _, body := range [][]byte{[]byte("{}"), executeRequest(1)[:40], wireMessage(callMessage, "GetTables", 1, structOf(fStruct(1)))} {
		s.answer([]byte("anything"))
		got, err := s.rpc(ctx, body)
		require.NoError(t, err)
		require.Equal(t, "anything", string(got))
	}
	require.True(t, trace.undecoded)
	requireUncounted(t, finish(trace))
	require.EqualValues(t, 2, s.transport.counts.Stats().Undecoded)
}

// A panic while an answer is read costs the statement its counts, and the driver nothing.
func TestPanicsAreContained(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.execute(ctx, operationA)
	s.answer([]byte("abc"))
	req := thriftRequest(context.Background(), operationRequest(fetchResults, 2, operationA))
	resp, err := s.transport.RoundTrip(req)
	require.NoError(t, err)
	resp.Body.(*exchangeBody).reader.depth = maxDepth + 1
	resp.Body.(*exchangeBody).reader.await(atLength, 1)
	got, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "abc", string(got))
	require.NoError(t, resp.Body.Close())
	require.EqualValues(t, 1, s.transport.counts.Stats().Panics)
	require.Zero(t, s.transport.registry.underWay.Load())
	requireUncounted(t, finish(trace))
}

// An application's transport may panic, and net/http's server contain that: the call is over.
func TestACallWhoseTransportPanicsIsOver(t *testing.T) {
	s := newStage(t)
	s.transport.base = WrapBase(roundTripFunc(func(*http.Request) (*http.Response, error) { panic("transport") }))
	ctx, trace := traced()
	require.PanicsWithValue(t, "transport", func() { _, _ = s.rpc(ctx, executeRequest(1)) })
	require.Zero(t, s.transport.registry.underWay.Load())
	r := finish(trace)
	require.Len(t, r.Calls, 1)
	require.True(t, r.Calls[0].Failed)
	_, over := r.Calls[0].End.Get()
	require.True(t, over)
}

// A transport that checks the body of an answer may refuse it with the last bytes: the driver has not got the
// answer then.
func TestAnAnswerWhoseLastBytesComeWithAnErrorIsNone(t *testing.T) {
	s := newStage(t)
	s.transport.base = WrapBase(roundTripFunc(func(req *http.Request) (*http.Response, error) {
		resp := response(req, http.StatusOK, nil, nil)
		resp.Body = io.NopCloser(iotest.DataErrReader(&script{b: wireReply(executeStatement, 1, fStatus(okStatus), fHandle(2, operationA)), err: errReset}))
		return resp, nil
	}))
	ctx, trace := traced()
	_, err := s.rpc(ctx, executeRequest(1))
	require.ErrorIs(t, err, errReset)
	require.Equal(t, Fault{Observed: true, CallFailed: true, Status: 200, Broke: errReset}, trace.Fault())
	require.Empty(t, finish(trace).StatementID)
}

// A panic while a download is observed costs the statement what is known of its files.
func TestPanicsOfDownloadsAreContained(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.execute(ctx, operationA)
	url := linkTo("0")
	s.sendLinks(operationA, url)
	s.serve(url, answer{code: http.StatusOK, body: []byte("abc")})

	trace.until, trace.inFlight, trace.connecting = -1, numMethods, 1 // no such method: panics at the request
	got, err := s.get(context.Background(), url)
	require.NoError(t, err)
	require.Equal(t, "abc", string(got))
	require.EqualValues(t, 1, s.transport.counts.Stats().Panics)

	trace.inFlight = unknownMethod
	require.Nil(t, finish(trace).CloudFetch)
}

func TestPanicsWhileAFileIsReadAreContained(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.execute(ctx, operationA)
	url := linkTo("0")
	s.sendLinks(operationA, url)
	s.serve(url, answer{code: http.StatusOK, body: []byte("abc"), cut: errReset})

	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	require.NoError(t, err)
	resp, err := s.transport.Downloads().RoundTrip(req)
	require.NoError(t, err)
	resp.Body.(*downloadBody).ctx = nil // panics at the error
	got, err := io.ReadAll(resp.Body)
	require.ErrorIs(t, err, errReset)
	require.Equal(t, "abc", string(got))
	require.NoError(t, resp.Body.Close())
	require.EqualValues(t, 1, s.transport.counts.Stats().Panics)
	require.Nil(t, finish(trace).CloudFetch)
}

// Behind driverwrap.Wrap no call is seen: one that failed may have been sent.
func TestWhereTheWireIsNotReadNoCallIsKnownToBeUnsent(t *testing.T) {
	var trace Trace
	trace.Start(time.Now(), false)
	require.Equal(t, Fault{}, trace.Fault())
	require.Equal(t, Fault{}, trace.CloseFault())
}

func TestAFaultIsOfTheFirstCallThatFailed(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	require.Equal(t, Fault{Observed: true}, trace.Fault())
	s.execute(ctx, operationA)
	require.Equal(t, Fault{Observed: true}, trace.Fault())

	poll, fetch, closing := operationRequest(getOperationStatus, 2, operationA), operationRequest(fetchResults, 4, operationA), operationRequest(closeOperation, 5, operationA)
	s.answers = []answer{{code: 503}, {err: errReset}, {code: 401}}
	for _, want := range []Fault{{Observed: true, CallFailed: true, Status: 503}, {Observed: true, CallFailed: true, Broke: errReset}, {Observed: true, CallFailed: true, Status: 401}} {
		_, _ = s.rpc(ctx, poll)
		require.Equal(t, want, trace.Fault())
	}
	// What the driver does then says nothing of why.
	refused := fStruct(1, fI32(1, 3), fString(3, "HY000"))
	s.answer(wireReply(getResultSetMetadata, 3, refused), wireReply(closeOperation, 5, refused))
	s.mustRPC(ctx, operationRequest(getResultSetMetadata, 3, operationA))
	s.mustRPC(ctx, closing)
	require.Equal(t, Fault{Observed: true, CallFailed: true, Status: 401}, trace.Fault())
	require.Equal(t, Fault{Observed: true, SQLState: "HY000", CallFailed: true, Status: 200, Refused: true}, trace.CloseFault())

	// A call that is answered after all is no fault.
	s.answers = []answer{{code: 200, body: statusReply(2, 2)}, {code: 200, body: []byte("\x80\x01\x00\x02"), cut: errReset}}
	s.mustRPC(ctx, poll)
	require.Equal(t, Fault{Observed: true}, trace.Fault())
	_, _ = s.rpc(ctx, fetch)
	require.Equal(t, Fault{Observed: true, CallFailed: true, Status: 200, Broke: errReset, RowsFetched: true}, trace.Fault())

	var none *Trace
	require.Zero(t, none.Fault())
	require.Zero(t, none.CloseFault())
	require.Zero(t, (*Session)(nil).Fault())
}

func TestRowsThatCameWholeAreEvidence(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.execute(ctx, operationA)
	s.answer(wireReply(getResultSetMetadata, 4, metadataOf(3)...))
	s.mustRPC(ctx, operationRequest(getResultSetMetadata, 4, operationA))
	require.Empty(t, trace.Fault().Complete, "no page came yet")
	s.sendLinks(operationA, linkTo("a"))
	require.Empty(t, trace.Fault().Complete, "no file came yet")
	s.serve(linkTo("a"), answer{code: 200, body: []byte("whole")})
	_, err := s.get(context.Background(), linkTo("a"))
	require.NoError(t, err)
	require.Equal(t, telemetry.FormatExternalLinks, trace.Fault().Complete)
	require.True(t, trace.Fault().RowsFetched)
	require.False(t, trace.Fault().CallFailed)
	trace.ReadBegun(10, time.Now()) // no row is left
	require.Equal(t, telemetry.FormatExternalLinks, trace.Fault().Complete)
}

// The driver refuses an answer with another number.
func TestAnAnswerToAnotherCallIsNotUnderstood(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.answer(wireReply(executeStatement, 7, fStatus(okStatus), fHandle(2, operationA)))
	s.mustRPC(ctx, executeRequest(1))
	require.True(t, trace.Fault().CallFailed)
	require.Empty(t, finish(trace).StatementID)
}

// The driver refuses an answer without its required fields.
func TestAnAnswerWithoutAStatusIsNotUnderstood(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.answer(wireReply(executeStatement, 1, fHandle(2, operationA)))
	s.mustRPC(ctx, executeRequest(1))
	require.True(t, trace.Fault().CallFailed)
}

func TestCountsThatCannotBeAddedAreUnknown(t *testing.T) {
	for name, counts := range map[string][]int64{"huge": {math.MaxInt64, math.MaxInt64}, "negative": {-1}} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			ctx, trace := traced()
			s.execute(ctx, operationA)
			for i, n := range counts {
				s.answer(fetchReply(int32(i+2), true, 0, fList(1281, tStruct, wireBatch("x", n))))
				s.mustRPC(ctx, operationRequest(fetchResults, int32(i+2), operationA))
			}
			requireUncounted(t, finish(trace))
		})
	}
}

// Streams are passed on undecoded, and not counted: every file that was sent must have come.
func TestStreamsAreCompleteWithAllTheirFiles(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.execute(ctx, operationA)
	s.sendLinks(operationA, linkTo("a"))
	trace.CallReturned(time.Now())
	trace.ReadBegun(-1, time.Now())
	require.Empty(t, trace.Fault().Complete, "no file came")
	s.serve(linkTo("a"), answer{code: 200, body: []byte("whole")})
	_, err := s.get(context.Background(), linkTo("a"))
	require.NoError(t, err)
	require.Equal(t, telemetry.FormatExternalLinks, trace.Fault().Complete)
	s.sendLinks(operationA, "http://h/a b")
	require.Empty(t, trace.Fault().Complete, "whether it came is not known")
}
