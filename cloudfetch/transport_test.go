package cloudfetch

import (
	"bytes"
	"context"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestStatementIsFollowedFromExecuteToClose(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.execute(ctx, operationA)
	s.answer(
		statusReply(2, 1),
		statusReply(3, 2, fI64(7, 1700000000123), fI64(8, 1700000000124), fI64(11, 9)),
		wireReply(getResultSetMetadata, 4, metadataOf(0)...),
		fetchReply(5, true, 0, fList(1281, tStruct, wireBatch("xxxx", 30), wireBatch("yy", 12))),
		fetchReply(6, false, 42, fList(1281, tStruct, wireBatch("z", 8))),
		wireReply(closeOperation, 7, fStatus(okStatus)),
	)
	background := context.Background()
	s.mustRPC(ctx, operationRequest(getOperationStatus, 2, operationA))
	s.mustRPC(ctx, operationRequest(getOperationStatus, 3, operationA))
	s.mustRPC(background, operationRequest(getResultSetMetadata, 4, operationA))
	s.mustRPC(background, operationRequest(fetchResults, 5, operationA))
	s.mustRPC(background, operationRequest(fetchResults, 6, operationA))
	s.mustRPC(background, operationRequest(closeOperation, 7, operationA))

	require.Equal(t, "FINISHED", trace.state)
	require.Equal(t, telemetry.Known(false), trace.MoreRows())
	f := finish(trace)
	require.Equal(t, operationID(operationA), f.StatementID)
	require.Equal(t, operationID(sessionA), f.SessionID)
	require.Equal(t, "1234567890", f.WorkspaceID)
	require.Empty(t, f.Kind)
	require.Equal(t, telemetry.Known(time.Millisecond), f.ServerTime)
	require.Equal(t, telemetry.Result{
		Evidence: telemetry.EvidenceWire, Format: telemetry.FormatExternalLinks, // of the last metadata
		Compressed: telemetry.Known(true), Cache: "MISS", Direct: telemetry.Known(false),
		UncompressedBytes: telemetry.Known(int64(9000)), CompressedBytes: telemetry.Known(int64(900)),
		Pages: telemetry.Known(int64(2)), Rows: telemetry.Known(int64(50)),
	}, f.Result)
	require.Nil(t, f.CloudFetch)
	require.EqualValues(t, 2, f.Polling.Or(telemetry.Polling{}).Calls)
	var listed []string
	for _, c := range f.Calls {
		listed = append(listed, c.Method)
	}
	require.Equal(t, []string{"ExecuteStatement", "GetOperationStatus", "GetOperationStatus", "GetResultSetMetadata", "FetchResults", "FetchResults", "CloseOperation"}, listed)
	require.Equal(t, telemetry.Known(int64(42)), f.Calls[4].Rows)
	require.Equal(t, telemetry.Known(int64(8)), f.Calls[5].Rows)
	for m, count := range map[method]int64{
		executeStatement: 1, getOperationStatus: 2, getResultSetMetadata: 1, fetchResults: 2, closeOperation: 1,
		cancelOperation: 0, openSession: 0,
	} {
		rpc := rpcOf(f, m)
		require.Equal(t, count, rpc.Calls, m)
		require.Zero(t, rpc.Retries, m)
		if count > 0 {
			require.Equal(t, 200, rpc.LastStatus, m)
			require.Positive(t, rpc.BytesIn, m)
			require.Positive(t, rpc.BytesOut, m)
		}
	}
	require.EqualValues(t, len(executeRequest(1)), rpcOf(f, executeStatement).BytesOut)
	require.Equal(t, telemetry.WireStats{Messages: 7}, s.transport.counts.Stats())
	require.Zero(t, s.transport.registry.busy.Load())
}

func TestServerTimesThatAStepOfItsClockMadeWrongAreUnknown(t *testing.T) {
	const began = 1700000000123
	for worked, want := range map[int64]telemetry.Maybe[time.Duration]{
		0:                     telemetry.Known(time.Duration(0)),
		1333:                  telemetry.Known(1333 * time.Millisecond),
		2010:                  telemetry.Known(2010 * time.Millisecond), // the clocks do not run equally fast
		3000:                  {},
		86400_000:             {},
		-1:                    {},
		-86400_000:            {},
		math.MaxInt64 - began: {},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newStage(t)
			ctx, trace := traced()
			s.execute(ctx, operationA)
			time.Sleep(2 * time.Second)
			s.answer(statusReply(2, 2, fI64(7, began), fI64(8, began+worked)))
			s.mustRPC(ctx, operationRequest(getOperationStatus, 2, operationA))
			f := finish(trace)
			require.Equal(t, want, f.ServerTime, worked)
			server := min(want.Or(2*time.Second), 2*time.Second)
			require.Equal(t, telemetry.Split{telemetry.PartServer: server, telemetry.PartPoll: 2*time.Second - server}, f.Split, worked)
		})
	}
}

func TestDirectResults(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.answer(directReply(1, true, fList(1281, tStruct, wireBatch("x", 5))))
	s.mustRPC(ctx, executeRequest(1))
	f := finish(trace)
	require.Equal(t, telemetry.Known(true), f.Result.Direct)
	require.Equal(t, telemetry.FormatInlineArrow, f.Result.Format)
	require.EqualValues(t, 5, f.Result.Rows.Or(-1))
	require.Len(t, f.Calls, 1)
	require.Equal(t, "ExecuteStatement", f.Calls[0].Method)
	require.Equal(t, telemetry.Known(int64(5)), f.Calls[0].Rows)
}

func TestRetriesAreDistinguishedFromCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		ctx, trace := traced()
		s.execute(ctx, operationA)
		fail := func(a answer, request []byte) {
			s.answers = append(s.answers, a)
			_, _ = s.rpc(context.Background(), request)
		}
		poll := func(seq int32) []byte { return operationRequest(getOperationStatus, seq, operationA) }
		// One call in three attempts.
		fail(answer{code: 503, body: []byte("busy")}, poll(2))
		time.Sleep(time.Second)
		fail(answer{err: errReset}, poll(2))
		time.Sleep(2 * time.Second)
		fail(answer{code: 200, body: statusReply(2, 1)}, poll(2))
		// A call that failed for good, and one after it.
		fail(answer{err: errReset}, poll(3))
		time.Sleep(4 * time.Second)
		fail(answer{code: 200, body: statusReply(4, 2)}, poll(4))
		// A number that comes again after an answer is a new call.
		fail(answer{code: 200, body: statusReply(4, 2)}, poll(4))

		f := finish(trace)
		rpc := rpcOf(f, getOperationStatus)
		require.EqualValues(t, 4, rpc.Calls)
		require.EqualValues(t, 2, rpc.Retries)
		require.Equal(t, 3*time.Second, rpc.Backoff)
		require.Equal(t, 4*time.Second, f.Split[telemetry.PartRetry], "the time after a failure that nothing followed; the statement ran while the first call was repeated")
		require.EqualValues(t, len("busy")+3*len(statusReply(2, 1)), rpc.BytesIn)
		require.Len(t, f.Calls, 5)
		require.Equal(t, telemetry.Known(3*time.Second), f.Calls[1].End, "of one call in three attempts")
	})
}

func TestSameNumberInAnotherSessionIsAnotherCall(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	execute := func(session string) []byte {
		return wireCall(executeStatement, 2, fSession(1, session), fString(2, "select 1"))
	}
	s.answers = []answer{{err: errReset}, {code: 200, body: wireReply(executeStatement, 2, fStatus(okStatus), fHandle(2, operationA))}}
	_, _ = s.rpc(ctx, execute(sessionA))
	s.mustRPC(ctx, execute("session-B-guid-0"))
	rpc := rpcOf(finish(trace), executeStatement)
	require.EqualValues(t, 2, rpc.Calls)
	require.Zero(t, rpc.Retries)
}

func TestRedirectedCallIsOneAttempt(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	request := func(prior *http.Response) *http.Response {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewBuffer(executeRequest(1)))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/x-thrift")
		req.Response = prior
		resp, err := s.transport.RoundTrip(req)
		require.NoError(t, err)
		_, _ = io.ReadAll(resp.Body)
		return resp
	}
	s.transport.base = WrapBase(roundTripFunc(func(req *http.Request) (*http.Response, error) {
		if req.Response == nil {
			return redirect(req, http.StatusTemporaryRedirect, "https://elsewhere")
		}
		return response(req, 200, wireReply(executeStatement, 1, fStatus(okStatus), fHandle(2, operationA)), nil), nil
	}))
	request(request(nil))
	f := finish(trace)
	require.Equal(t, operationID(operationA), f.StatementID)
	rpc := rpcOf(f, executeStatement)
	require.Equal(t, []int64{1, 0}, []int64{rpc.Calls, rpc.Retries})
}

func TestRedirectThatLeadsNowhereIsAFailure(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.transport.base = WrapBase(roundTripFunc(func(req *http.Request) (*http.Response, error) {
		return redirect(req, http.StatusSeeOther, "https://login.example.com")
	}))
	for range 2 {
		_, err := s.rpc(ctx, executeRequest(1))
		require.NoError(t, err)
	}
	rpc := rpcOf(finish(trace), executeStatement)
	require.Equal(t, []int64{1, 1}, []int64{rpc.Calls, rpc.Retries})
	require.Equal(t, http.StatusSeeOther, rpc.LastStatus)
}

func TestInnermostTraceCounts(t *testing.T) {
	s := newStage(t)
	ctx, outer := traced()
	s.execute(ctx, operationA)
	inner := newTrace()
	s.execute(contextOf(ctx, inner), operationB)
	s.answer(fetchReply(5, false, 0, fList(1281, tStruct, wireBatch("x", 3))), fetchReply(5, false, 0, fList(1281, tStruct, wireBatch("x", 4))))
	// The operation in the request decides, whatever the context says.
	s.mustRPC(contextOf(ctx, inner), operationRequest(fetchResults, 5, operationA))
	s.mustRPC(ctx, operationRequest(fetchResults, 5, operationB))
	require.EqualValues(t, 3, finish(outer).Result.Rows.Or(-1))
	require.EqualValues(t, 4, finish(inner).Result.Rows.Or(-1))
	requireCounted(t, soFar(outer))
}

func TestSecondStatementOfATraceIsLeftOut(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.execute(ctx, operationA)
	s.execute(ctx, operationB)
	f := finish(trace)
	require.Equal(t, operationID(operationA), f.StatementID)
	require.EqualValues(t, 1, rpcOf(f, executeStatement).Calls)
	requireUncounted(t, f)
}

func TestStatementsWithoutTracePassUnobserved(t *testing.T) {
	s := newStage(t)
	s.execute(context.Background(), operationA)
	ctx, trace := traced()
	s.execute(ctx, operationB)
	s.answer(statusReply(2, 2))
	s.mustRPC(ctx, operationRequest(getOperationStatus, 2, operationA)) // not this trace's
	require.Zero(t, rpcOf(finish(trace), getOperationStatus))
}

func TestFinishedTraceIsNotResurrected(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.execute(ctx, operationA)
	before := finish(trace)
	s.answer(statusReply(2, 5), fetchReply(5, false, 0, fList(1282, tStruct, wireLink(linkTo("a"), 1, 0, 1, 1))))
	s.mustRPC(ctx, operationRequest(getOperationStatus, 2, operationA))
	s.mustRPC(ctx, operationRequest(fetchResults, 5, operationA))
	s.execute(ctx, operationB)
	require.Equal(t, before, finish(trace))
	require.Equal(t, before, soFar(trace))
	require.Zero(t, s.transport.registry.busy.Load())
	require.Zero(t, s.transport.registry.linked.Load())
}

func TestAnswerOfARunningCallAfterFinishIsIgnored(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewBuffer(executeRequest(1)))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-thrift")
	s.answer(directReply(1, false, fList(1282, tStruct, wireLink(linkTo("a"), 1, 0, 1, 1))))
	resp, err := s.transport.RoundTrip(req)
	require.NoError(t, err)
	before := finish(trace)
	_, err = io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, before, soFar(trace))
	require.Zero(t, s.transport.registry.busy.Load())
	require.Zero(t, s.transport.registry.linked.Load())
}

func TestUnfinishedTracesAreBounded(t *testing.T) {
	s := newStage(t)
	s.transport.registry.statements.bound = 3
	var traces []*Trace
	for i := range 10 {
		ctx, trace := traced()
		id := "operation-" + string(rune('0'+i)) + "-guid"
		s.execute(ctx, id+strings.Repeat("x", 16-len(id)))
		s.sendLinks(id+strings.Repeat("x", 16-len(id)), linkTo(id))
		traces = append(traces, trace)
	}
	require.EqualValues(t, 3, s.transport.registry.busy.Load())
	require.EqualValues(t, 3, s.transport.registry.linked.Load())
	require.EqualValues(t, 7, s.transport.counts.Stats().Evicted)
	f := finish(traces[0])
	requireUncounted(t, f)
	requireCounted(t, finish(traces[9]))
	require.EqualValues(t, 2, s.transport.registry.busy.Load())
}

func TestRequestWithoutGetBodyPassesUnread(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	req := thriftRequest(ctx, executeRequest(1))
	req.GetBody = nil
	s.answer(wireReply(executeStatement, 1, fStatus(okStatus), fHandle(2, operationA)))
	resp, err := s.transport.RoundTrip(req)
	require.NoError(t, err)
	_, _ = io.ReadAll(resp.Body)
	require.Equal(t, executeRequest(1), s.sent[0])
	require.Empty(t, finish(trace).StatementID)
}

// As net/http's client makes it in some versions of Go.
func TestRedirectedRequestHasTheBodyOfTheOneBefore(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	body := executeRequest(1)
	req := thriftRequest(ctx, body)
	req.Response, req.GetBody = &http.Response{Request: thriftRequest(ctx, body)}, nil
	s.answer(wireReply(executeStatement, 1, fStatus(okStatus), fHandle(2, operationA)))
	resp, err := s.transport.RoundTrip(req)
	require.NoError(t, err)
	_, _ = io.ReadAll(resp.Body)
	f := finish(trace)
	require.Equal(t, operationID(operationA), f.StatementID)
	require.EqualValues(t, len(body), rpcOf(f, executeStatement).BytesOut)
}
