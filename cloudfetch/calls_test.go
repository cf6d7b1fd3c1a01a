package cloudfetch

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// listed counts the calls of a record by method.
func listed(r *telemetry.Statement) map[string]int {
	n := map[string]int{}
	for _, c := range r.Calls {
		n[c.Method]++
	}
	return n
}

func TestCallsAreListedFromTheirBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		ctx, trace := traced()
		time.Sleep(time.Second)
		s.execute(ctx, operationA)
		var during *telemetry.Statement
		inner := s.transport.base.Workspace
		s.transport.base.Workspace = roundTripFunc(func(req *http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			during = soFar(trace)
			return inner.RoundTrip(req)
		})
		s.answers = []answer{{code: 503}, {code: 200, body: fetchReply(5, true, 0, fList(1281, tStruct, wireBatch("x", 3)))}, {err: errReset}}

		_, _ = s.rpc(context.Background(), operationRequest(fetchResults, 5, operationA))
		underWay := telemetry.Call{Method: "FetchResults", Start: time.Second, Latest: time.Second, Attempts: 1}
		require.Equal(t, underWay, during.Calls[1])

		_, _ = s.rpc(context.Background(), operationRequest(fetchResults, 5, operationA))
		underWay.Attempts, underWay.Latest, underWay.Retried = 2, 2*time.Second, []telemetry.Attempt{{Start: time.Second, End: 2 * time.Second, Status: 503}}
		require.Equal(t, underWay, during.Calls[1], "repeated")
		page := telemetry.Call{
			Method: "FetchResults", Start: time.Second, FirstByte: telemetry.Known(3 * time.Second), End: telemetry.Known(3 * time.Second),
			Status: 200, Attempts: 2, Latest: 2 * time.Second, Retried: underWay.Retried, Rows: telemetry.Known(int64(3)),
		}
		require.Equal(t, page, soFar(trace).Calls[1])

		_, _ = s.rpc(context.Background(), operationRequest(fetchResults, 6, operationA))
		broken := telemetry.Call{Method: "FetchResults", Start: 3 * time.Second, End: telemetry.Known(4 * time.Second), Latest: 3 * time.Second, Failed: true, Attempts: 1}
		require.Equal(t, broken, soFar(trace).Calls[2])
		execute := telemetry.Call{
			Method: "ExecuteStatement", Start: time.Second, FirstByte: telemetry.Known(time.Second), End: telemetry.Known(time.Second),
			Status: 200, Latest: time.Second, Attempts: 1,
		}
		require.Equal(t, []telemetry.Call{execute, page, broken}, finish(trace).Calls)
	})
}

func TestAStatementWithoutCallsIsKnownToHaveNone(t *testing.T) {
	_, trace := traced()
	require.Equal(t, []telemetry.RPC{}, finish(trace).RPCs)
	require.Zero(t, finish(trace).Result)
	unread := &Trace{}
	unread.Start(time.Now(), false)
	require.Nil(t, finish(unread).RPCs)
}

func TestAnAnswerThatIsClosedUnreadHasFailed(t *testing.T) {
	st := newStage(t)
	ctx, trace := traced()
	st.answer(handleReply[:8])
	resp, err := st.transport.RoundTrip(thriftRequest(ctx, executeRequest(1)))
	require.NoError(t, err)
	_, err = io.ReadFull(resp.Body, make([]byte, 4))
	require.NoError(t, err)
	require.False(t, soFar(trace).Calls[0].Failed)
	require.NoError(t, resp.Body.Close())
	require.True(t, soFar(trace).Calls[0].Failed)
	require.EqualValues(t, 8, soFar(trace).RPCs[0].BytesIn, "they arrived")
}

// The client's own end of an attempt is not why the attempts before it failed.
func TestAnAttemptThatTheClientGaveUpDoesNotSayWhyTheCallFailed(t *testing.T) {
	for err, status := range map[error]int{context.Canceled: 503, context.DeadlineExceeded: 503, errReset: 0} {
		st := newStage(t)
		ctx, trace := traced()
		st.answers = []answer{{code: http.StatusServiceUnavailable}, {err: err}}
		for range 2 {
			_, _ = st.rpc(ctx, executeRequest(1))
		}
		require.Equal(t, status, finish(trace).RPCs[0].FailedStatus, err)
	}
}

// A host that asks to sign in answers with a redirect, which net/http follows without the call.
func TestACallThatWasSentElsewhereHasFailedWithThatStatus(t *testing.T) {
	st := newStage(t)
	inner, codes := st.transport.base.Workspace, []int{503, 303, 0, 307}
	answering := func(req *http.Request) (*http.Response, error) {
		code := codes[0]
		codes = codes[1:]
		switch {
		case code >= 300 && code < 400:
			return redirect(req, code, "https://elsewhere.example.com/login")
		case code == 0:
			return inner.RoundTrip(req)
		}
		return &http.Response{StatusCode: code, Body: http.NoBody, Request: req}, nil
	}
	ctx, trace := traced()
	st.execute(ctx, operationA)
	st.transport.base.Workspace = roundTripFunc(answering)
	st.answers = []answer{{code: 200, body: statusReply(3, 1)}}
	var failed []int
	for _, seq := range []int32{2, 2, 3, 4} {
		_, _ = st.rpc(ctx, operationRequest(getOperationStatus, seq, operationA))
		failed = append(failed, soFar(trace).RPCs[1].FailedStatus)
	}
	require.Equal(t, []int{503, 303, 303, 307}, failed)

	session := new(Session)
	codes = []int{503, 303}
	for range 2 {
		_, _ = st.rpc(NewSessionContext(context.Background(), session), wireCall(openSession, 1))
	}
	opened := telemetry.SessionOpened{Failure: &telemetry.Failure{}}
	session.FillOpened(&opened)
	require.Equal(t, 303, opened.FailedStatus)
}

func TestCallsBeyondTheBoundsAreSummed(t *testing.T) {
	for _, direct := range []bool{false, true} {
		t.Run(fmt.Sprintf("direct=%t", direct), func(t *testing.T) {
			s := newStage(t)
			ctx, trace := traced()
			pages := int64(maxPages)
			if direct {
				s.answer(directReply(1, false, fList(1281, tStruct, wireBatch("x", 3))))
				s.mustRPC(ctx, executeRequest(1))
				pages--
			} else {
				s.execute(ctx, operationA)
			}
			for i := range int32(maxPolls + 5) {
				s.answer(statusReply(i, 1))
				s.mustRPC(ctx, operationRequest(getOperationStatus, i, operationA))
			}
			fetch := func(i int32) {
				s.answer(fetchReply(i, true, 0, fList(1281, tStruct, wireBatch("x", 3))))
				s.mustRPC(ctx, operationRequest(fetchResults, i, operationA))
			}
			for i := range int32(pages) {
				fetch(i)
			}
			fetch(1000)
			require.EqualValues(t, 3*maxPages, trace.RowReturned(3*maxPages, time.Now()), "listed or not, a page has its boundary")
			require.EqualValues(t, 3*maxPages+3, trace.RowReturned(3*maxPages+1, time.Now()))

			f := finish(trace)
			require.Equal(t, map[string]int{"ExecuteStatement": 1, "GetOperationStatus": maxPolls, "FetchResults": int(pages)}, listed(f))
			require.EqualValues(t, maxPolls+5, f.Polling.Or(telemetry.Polling{}).Calls)
			require.EqualValues(t, maxPages+1, f.Result.Pages.Or(-1))
		})
	}
}

func TestARecordWithRoomIsFilledInPlace(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.execute(ctx, operationA)
	var (
		rpcs  [1]telemetry.RPC
		calls [1]telemetry.Call
	)
	r := telemetry.Statement{StatementID: "known", SessionID: "known", WorkspaceID: "1", RPCs: rpcs[:0], Calls: calls[:0]}
	trace.Finish(&r, time.Now())
	require.Equal(t, []string{trace.id.String(), "known", "1"}, []string{r.StatementID, r.SessionID, r.WorkspaceID})
	require.Equal(t, "ExecuteStatement", rpcs[0].Method)
	require.Equal(t, "ExecuteStatement", calls[0].Method)
	trace.Finish(nil, time.Now()) // again, for nothing
}

// A call that was repeated stays in the list, with the number that it had.
func TestTheListKeepsTheLatestCallAndThoseThatWereRepeated(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.answer(handleReply).mustRPC(ctx, executeRequest(1))
	for n := range int32(200) {
		if n == 63 || n == 99 {
			s.answers = append(s.answers, answer{code: 503})
			_, _ = s.rpc(ctx, operationRequest(getOperationStatus, n+2, operationA))
		}
		s.answer(runningReply(n+2)).mustRPC(ctx, operationRequest(getOperationStatus, n+2, operationA))
	}
	r := soFar(trace)
	require.Len(t, r.Calls, 1+maxPolls)
	numbers := map[int64]int64{} // attempts, by number
	for i, c := range r.Calls[1:] {
		numbers[cmp.Or(c.Number, int64(i+1))] = c.Attempts
	}
	require.Len(t, numbers, maxPolls)
	require.EqualValues(t, 2, numbers[64])
	require.EqualValues(t, 2, numbers[100])
	require.EqualValues(t, 1, numbers[200])
	require.NotContains(t, numbers, int64(199))
}

// An answer may come, and be read, after the driver has returned.
func TestACallThatIsAnsweredAfterTheEndChangesNothing(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		var ended *telemetry.Statement
		c.call(0, executeRequest(1), ok(handleReply))
		c.beforeAnswer = func() { ended = finish(c.trace) }
		c.call(1*s, operationRequest(getOperationStatus, 2, operationA), busy)
		require.Equal(t, ended, soFar(c.trace))

		c.next()
		c.beforeAnswer = nil
		c.answers = []answer{busy}
		resp, err := c.transport.RoundTrip(thriftRequest(c.ctx, executeRequest(1)))
		require.NoError(t, err)
		ended = finish(c.trace)
		time.Sleep(1 * s)
		c.trace.CallReturned(time.Now())
		_, err = io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, ended, soFar(c.trace))
	})
}
