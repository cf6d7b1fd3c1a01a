package cloudfetch

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestStatementIsFollowedFromExecuteToClose(t *testing.T) {
	s := newStage(t, Options{})
	ctx, trace := traced()
	s.execute(ctx, operationA)
	s.answer(
		statusReply(2, 1),
		statusReply(3, 2, fI64(7, 1700000000123), fI64(8, 1700000001456), fI64(11, 9)),
		wireReply(GetResultSetMetadata, 4, metadataOf(0)...),
		fetchReply(5, true, 0, fList(1281, tStruct, wireBatch("xxxx", 30), wireBatch("yy", 12))),
		fetchReply(6, false, 42, fList(1281, tStruct, wireBatch("z", 8))),
		wireReply(CloseOperation, 7, fStatus(okStatus)),
	)
	background := context.Background()
	s.mustRPC(ctx, operationRequest(GetOperationStatus, 2, operationA))
	s.mustRPC(ctx, operationRequest(GetOperationStatus, 3, operationA))
	s.mustRPC(background, operationRequest(GetResultSetMetadata, 4, operationA))
	s.mustRPC(background, operationRequest(FetchResults, 5, operationA))
	s.mustRPC(background, operationRequest(FetchResults, 6, operationA))
	s.mustRPC(background, operationRequest(CloseOperation, 7, operationA))

	f := trace.Finish()
	require.Equal(t, operationID(operationA), f.StatementID.String())
	require.Equal(t, operationID(sessionA), f.SessionID.String())
	require.Equal(t, "1234567890", f.WorkspaceID)
	require.Equal(t, known(Asked{Async: true, DirectResults: true, DirectRows: 100000, Arrow: true, Download: true, LZ4: true}), f.Asked)
	require.Equal(t, StateFinished, f.State)
	require.Equal(t, time.UnixMilli(1700000000123), f.ServerStarted)
	require.Equal(t, time.UnixMilli(1700000001456), f.ServerCompleted)
	require.Equal(t, known(int64(9)), f.ModifiedRows)
	require.Equal(t, known(true), f.HasResultSet)
	require.Equal(t, known(false), f.DirectResults)
	require.Equal(t, ExternalLinks, f.Format) // of the last metadata
	require.Equal(t, known(true), f.Compressed)
	require.Equal(t, CacheMiss, f.Cache)
	require.Equal(t, known(int64(9000)), f.UncompressedBytes)
	require.Equal(t, known(int64(900)), f.CompressedBytes)
	require.Equal(t, known(3), f.Columns)
	require.Equal(t, known(false), f.Staging)
	require.Equal(t, 2, f.PageCount)
	require.EqualValues(t, 50, f.RowsDelivered)
	require.Equal(t, known(int64(42)), f.Pages[0].Rows)
	require.Equal(t, 2, f.Pages[0].Batches)
	require.EqualValues(t, 6, f.Pages[0].BatchBytes)
	require.Equal(t, known(int64(42)), f.Pages[1].Offset)
	require.Equal(t, known(false), f.MoreRows)
	require.Len(t, f.Polls, 2)
	require.Zero(t, f.Gaps)
	for m, count := range map[Method]int{
		ExecuteStatement: 1, GetOperationStatus: 2, GetResultSetMetadata: 1, FetchResults: 2, CloseOperation: 1,
		CancelOperation: 0, OpenSession: 0,
	} {
		rpc := f.RPC(m)
		require.Equal(t, count, rpc.Count, m)
		require.Equal(t, count, rpc.Attempts, m)
		require.Zero(t, rpc.Failures, m)
		if count > 0 {
			require.Equal(t, 200, rpc.LastStatus, m)
			require.Positive(t, rpc.BytesIn, m)
			require.Positive(t, rpc.BytesOut, m)
		}
	}
	require.EqualValues(t, len(executeRequest(1)), f.RPC(ExecuteStatement).BytesOut)
	require.Equal(t, Stats{Messages: 7}, s.transport.Stats())
	require.Zero(t, s.transport.registry.busy.Load())
}

func TestDirectResults(t *testing.T) {
	s := newStage(t, Options{})
	ctx, trace := traced()
	s.answer(directReply(1, true, fList(1281, tStruct, wireBatch("x", 5))))
	s.mustRPC(ctx, executeRequest(1))
	f := trace.Finish()
	require.Equal(t, known(true), f.DirectResults)
	require.Equal(t, known(true), f.ServerClosed)
	require.Equal(t, InlineArrow, f.Format)
	require.EqualValues(t, 5, f.RowsDelivered)
	require.True(t, f.Pages[0].Direct)
	require.Equal(t, f.Execute(), f.Pages[0].Fetch)
}

func TestNothingIsLearntFromAnAnswerThatBreaksOff(t *testing.T) {
	whole := directReply(1, true, fList(1282, tStruct, wireLink(linkTo("a"), 1, 0, 7, 8), wireLink(linkTo("b"), 1, 7, 7, 8)))
	for n := range whole {
		s := newStage(t, Options{})
		ctx, trace := traced()
		s.answers = []answer{{code: 200, body: whole[:n], cut: errReset}}
		_, err := s.rpc(ctx, executeRequest(1))
		require.ErrorIs(t, err, errReset)
		require.Zero(t, s.transport.registry.linked.Load())
		f := trace.Finish()
		require.Zero(t, f.StatementID)
		require.Zero(t, f.PageCount)
		require.Zero(t, f.RowsDelivered)
		require.Zero(t, f.Files)
		require.False(t, f.DirectResults.Known)
		require.Equal(t, StateUnknown, f.State)
		require.Zero(t, f.Gaps)
		require.Equal(t, 1, f.RPC(ExecuteStatement).Failures)
		require.EqualValues(t, n, f.RPC(ExecuteStatement).BytesIn)
	}
}

func TestRetriesAreToldFromCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{})
		ctx, trace := traced()
		s.execute(ctx, operationA)
		fail := func(a answer, request []byte) {
			s.answers = append(s.answers, a)
			_, _ = s.rpc(context.Background(), request)
		}
		poll := func(seq int32) []byte { return operationRequest(GetOperationStatus, seq, operationA) }
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

		f := trace.Finish()
		rpc := f.RPC(GetOperationStatus)
		require.Equal(t, 4, rpc.Count)
		require.Equal(t, 6, rpc.Attempts)
		require.Equal(t, 2, rpc.Retries)
		require.Equal(t, 3, rpc.Failures)
		require.Equal(t, 3*time.Second, rpc.Backoff)
		require.EqualValues(t, len("busy")+3*len(statusReply(2, 1)), rpc.BytesIn)
		require.Len(t, f.Polls, 4)
		require.Equal(t, 3*time.Second, f.Polls[0].Duration())
	})
}

func TestSameNumberInAnotherSessionIsAnotherCall(t *testing.T) {
	s := newStage(t, Options{})
	ctx, trace := traced()
	execute := func(session string) []byte {
		return wireCall(ExecuteStatement, 2, fSession(1, session), fString(2, "select 1"))
	}
	s.answers = []answer{{err: errReset}, {code: 200, body: wireReply(ExecuteStatement, 2, fStatus(okStatus), fHandle(2, operationA))}}
	_, _ = s.rpc(ctx, execute(sessionA))
	s.mustRPC(ctx, execute("session-B-guid-0"))
	rpc := rpcOf(trace.Finish(), ExecuteStatement)
	require.Equal(t, 2, rpc.Count)
	require.Zero(t, rpc.Retries)
}

func TestRedirectedCallIsOneAttempt(t *testing.T) {
	s := newStage(t, Options{})
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
			resp := response(req, http.StatusTemporaryRedirect, nil, nil)
			resp.Header.Set("Location", "https://elsewhere")
			return resp, nil
		}
		return response(req, 200, wireReply(ExecuteStatement, 1, fStatus(okStatus), fHandle(2, operationA)), nil), nil
	}))
	request(request(nil))
	f := trace.Finish()
	require.Equal(t, operationID(operationA), f.StatementID.String())
	rpc := f.RPC(ExecuteStatement)
	require.Equal(t, []int{1, 1, 0, 0}, []int{rpc.Count, rpc.Attempts, rpc.Retries, rpc.Failures})
}

func TestRedirectThatLeadsNowhereIsAFailure(t *testing.T) {
	s := newStage(t, Options{})
	ctx, trace := traced()
	s.transport.base = WrapBase(roundTripFunc(func(req *http.Request) (*http.Response, error) {
		resp := response(req, http.StatusSeeOther, nil, nil)
		resp.Header.Set("Location", "https://login.example.com")
		return resp, nil
	}))
	for range 2 {
		_, err := s.rpc(ctx, executeRequest(1))
		require.NoError(t, err)
	}
	rpc := rpcOf(trace.Finish(), ExecuteStatement)
	require.Equal(t, []int{1, 2, 1, 2}, []int{rpc.Count, rpc.Attempts, rpc.Retries, rpc.Failures})
	require.Equal(t, http.StatusSeeOther, rpc.LastStatus)
}

func TestInnermostTraceCounts(t *testing.T) {
	s := newStage(t, Options{})
	ctx, outer := traced()
	s.execute(ctx, operationA)
	inner := NewTrace()
	s.execute(NewContext(ctx, inner), operationB)
	s.answer(fetchReply(5, false, 0, fList(1281, tStruct, wireBatch("x", 3))), fetchReply(5, false, 0, fList(1281, tStruct, wireBatch("x", 4))))
	// The operation in the request decides, whatever the context says.
	s.mustRPC(NewContext(ctx, inner), operationRequest(FetchResults, 5, operationA))
	s.mustRPC(ctx, operationRequest(FetchResults, 5, operationB))
	require.EqualValues(t, 3, outer.Finish().RowsDelivered)
	require.EqualValues(t, 4, inner.Finish().RowsDelivered)
	require.Zero(t, outer.Facts().Gaps)
}

func TestSecondStatementOfATraceIsLeftOut(t *testing.T) {
	s := newStage(t, Options{})
	ctx, trace := traced()
	s.execute(ctx, operationA)
	s.execute(ctx, operationB)
	f := trace.Finish()
	require.Equal(t, operationID(operationA), f.StatementID.String())
	require.Equal(t, 1, f.RPC(ExecuteStatement).Count)
	require.True(t, f.Gaps.Has(GapOthers))
}

func TestStatementsWithoutTracePassUnseen(t *testing.T) {
	s := newStage(t, Options{})
	s.execute(context.Background(), operationA)
	ctx, trace := traced()
	s.execute(ctx, operationB)
	s.answer(statusReply(2, 2))
	s.mustRPC(ctx, operationRequest(GetOperationStatus, 2, operationA)) // not this trace's
	require.Zero(t, rpcOf(trace.Finish(), GetOperationStatus))
}

func TestFinishedTraceIsNotResurrected(t *testing.T) {
	s := newStage(t, Options{})
	ctx, trace := traced()
	s.execute(ctx, operationA)
	before := trace.Finish()
	s.answer(statusReply(2, 5), fetchReply(5, false, 0, fList(1282, tStruct, wireLink(linkTo("a"), 1, 0, 1, 1))))
	s.mustRPC(ctx, operationRequest(GetOperationStatus, 2, operationA))
	s.mustRPC(ctx, operationRequest(FetchResults, 5, operationA))
	s.execute(ctx, operationB)
	require.Equal(t, before, trace.Finish())
	require.Equal(t, before, trace.Facts())
	require.Zero(t, s.transport.registry.busy.Load())
	require.Zero(t, s.transport.registry.linked.Load())
}

func TestAnswerOfARunningCallAfterFinishIsIgnored(t *testing.T) {
	s := newStage(t, Options{})
	ctx, trace := traced()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewBuffer(executeRequest(1)))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-thrift")
	s.answer(directReply(1, false, fList(1282, tStruct, wireLink(linkTo("a"), 1, 0, 1, 1))))
	resp, err := s.transport.RoundTrip(req)
	require.NoError(t, err)
	before := trace.Finish()
	_, err = io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, before, trace.Facts())
	require.Zero(t, s.transport.registry.busy.Load())
	require.Zero(t, s.transport.registry.linked.Load())
}

func TestAnswerThatIsNotUnderstoodLeavesAGap(t *testing.T) {
	s := newStage(t, Options{})
	ctx, trace := traced()
	s.answer([]byte("<html>login</html>"))
	_, err := s.rpc(ctx, executeRequest(1))
	require.NoError(t, err)
	require.True(t, trace.Facts().Gaps.Has(GapMessages))
	require.EqualValues(t, len("<html>login</html>"), rpcOf(trace.Facts(), ExecuteStatement).BytesIn)
	// The driver understood it, as the next call shows: the trace goes on.
	s.answer(statusReply(2, 2), fetchReply(5, false, 0, fList(1281, tStruct, wireBatch("x", 3))))
	s.mustRPC(ctx, operationRequest(GetOperationStatus, 2, operationA))
	s.mustRPC(context.Background(), operationRequest(FetchResults, 5, operationA))
	f := trace.Finish()
	require.Equal(t, operationID(operationA), f.StatementID.String())
	require.Equal(t, StateFinished, f.State)
	require.EqualValues(t, 3, f.RowsDelivered)
	require.True(t, f.Gaps.Has(GapMessages))
	require.EqualValues(t, 1, s.transport.Stats().Lost)
}

func TestAnswerToAnotherCallIsNotTaken(t *testing.T) {
	s := newStage(t, Options{})
	ctx, trace := traced()
	s.answer(statusReply(1, 2))
	_, _ = s.rpc(ctx, executeRequest(1))
	f := trace.Finish()
	require.Equal(t, StateUnknown, f.State)
	require.True(t, f.Gaps.Has(GapMessages))
}

func TestErrorsAreKeptWithoutText(t *testing.T) {
	s := newStage(t, Options{})
	ctx, trace := traced()
	s.answer(wireExamples()["execute refused"])
	s.mustRPC(ctx, executeRequest(2))
	f := trace.Finish()
	require.Equal(t, "42P01", f.SQLState)
	require.Equal(t, known(int32(17)), f.ErrorCode)
	require.Equal(t, 1, f.RPC(ExecuteStatement).Errors)
	require.Zero(t, f.RPC(ExecuteStatement).Failures)

	ctx, trace = traced()
	s.execute(ctx, operationA)
	s.answer(wireExamples()["error state"], wireReply(CloseOperation, 9, fStruct(1, fI32(1, 3), fString(3, "HY000"))), wireException(FetchResults, 8, "x"))
	s.mustRPC(ctx, operationRequest(GetOperationStatus, 4, operationA))
	s.mustRPC(ctx, operationRequest(CloseOperation, 9, operationA))
	s.mustRPC(ctx, operationRequest(FetchResults, 8, operationA))
	f = trace.Finish()
	require.Equal(t, StateError, f.State)
	require.Equal(t, "22012", f.SQLState)
	require.Equal(t, 1, f.RPC(CloseOperation).Errors)
	require.Equal(t, 1, f.RPC(FetchResults).Errors)
	require.Zero(t, f.PageCount)
}

func TestSession(t *testing.T) {
	s := newStage(t, Options{})
	session := NewSession()
	ctx := NewSessionContext(context.Background(), session)
	s.answers = []answer{{code: 503}, {code: 200, body: wireReply(OpenSession, 1, fStatus(okStatus), fI32(2, 42248), fSession(3, sessionA))}}
	open := wireCall(OpenSession, 1, fI64(1282, 42248))
	_, _ = s.rpc(ctx, open)
	s.mustRPC(ctx, open)
	s.answer(wireReply(CloseSession, 2, fStatus(okStatus)), wireReply(CloseSession, 2, fStatus(okStatus)))
	s.mustRPC(context.Background(), wireCall(CloseSession, 2, fSession(1, "session-B-guid-0"))) // another's
	s.mustRPC(context.Background(), wireCall(CloseSession, 2, fSession(1, sessionA)))
	f := session.Finish()
	require.Equal(t, operationID(sessionA), f.SessionID.String())
	require.Equal(t, known(int32(42248)), f.Protocol)
	require.Equal(t, "1234567890", f.WorkspaceID)
	require.Equal(t, 1, f.OpenRPC.Retries)
	require.Equal(t, 1, f.CloseRPC.Count)
	require.False(t, f.Open.End.IsZero() || f.Close.End.IsZero())
	require.Zero(t, s.transport.registry.busy.Load())
}

func TestForgottenTracesAreBounded(t *testing.T) {
	s := newStage(t, Options{MaxStatements: 3})
	var traces []*Trace
	for i := range 10 {
		ctx, trace := traced()
		id := "operation-" + string(rune('0'+i)) + "-guid"
		s.execute(ctx, id+strings.Repeat("x", 16-len(id)))
		s.handOut(id+strings.Repeat("x", 16-len(id)), linkTo(id))
		traces = append(traces, trace)
	}
	require.EqualValues(t, 3, s.transport.registry.busy.Load())
	require.EqualValues(t, 3, s.transport.registry.linked.Load())
	require.EqualValues(t, 7, s.transport.Stats().Evicted)
	f := traces[0].Finish()
	require.True(t, f.Gaps.Has(GapEvicted))
	require.Equal(t, 1, f.Files.Unknown)
	require.Equal(t, FileUnknown, f.Files.List[0].State)
	sumsAdd(t, f.Files)
	require.False(t, traces[9].Finish().Gaps.Has(GapEvicted))
	require.EqualValues(t, 2, s.transport.registry.busy.Load())
}

func TestRequestWithoutGetBodyIsWatched(t *testing.T) {
	s := newStage(t, Options{})
	ctx, trace := traced()
	body := executeRequest(1)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, io.NopCloser(bytes.NewReader(body)))
	require.NoError(t, err)
	require.Nil(t, req.GetBody)
	req.ContentLength = int64(len(body))
	req.Header.Set("Content-Type", "application/x-thrift")
	s.answer(wireReply(ExecuteStatement, 1, fStatus(okStatus), fHandle(2, operationA)))
	resp, err := s.transport.RoundTrip(req)
	require.NoError(t, err)
	_, _ = io.ReadAll(resp.Body)
	require.Equal(t, body, s.sent[0])
	f := trace.Finish()
	require.Equal(t, operationID(operationA), f.StatementID.String())
	require.EqualValues(t, len(body), f.RPC(ExecuteStatement).BytesOut)
}

func TestRequestThatIsNotUnderstoodPasses(t *testing.T) {
	s := newStage(t, Options{})
	ctx, trace := traced()
	for _, body := range [][]byte{[]byte("{}"), executeRequest(1)[:40], wireMessage(callMessage, "GetTables", 1, structOf(fStruct(1)))} {
		s.answer([]byte("anything"))
		got, err := s.rpc(ctx, body)
		require.NoError(t, err)
		require.Equal(t, "anything", string(got))
	}
	require.True(t, trace.Finish().Gaps.Has(GapMessages))
	require.EqualValues(t, 2, s.transport.Stats().Lost)
}

func TestMistakesAreContained(t *testing.T) {
	s := newStage(t, Options{})
	ctx, _ := traced()
	s.execute(ctx, operationA)
	b := &exchangeBody{ReadCloser: io.NopCloser(strings.NewReader("abc")), exchange: exchange{counts: s.transport.counts}}
	got, err := io.ReadAll(b) // has no owner: panics inside
	require.NoError(t, err)
	require.Equal(t, "abc", string(got))
	require.NoError(t, b.Close())

	d := &downloadBody{ReadCloser: io.NopCloser(strings.NewReader("abc")), download: download{counts: s.transport.counts}}
	got, err = io.ReadAll(d)
	require.NoError(t, err)
	require.Equal(t, "abc", string(got))
	require.Positive(t, s.transport.Stats().Panics)
}

func rpcOf(f Facts, m Method) RPC { return f.RPC(m) }
