package cloudfetch

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// TestNoTextIsKept looks through everything a trace and a transport hold.
func TestNoTextIsKept(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.execute(ctx, operationA)
	s.sendLinks(operationA, linkTo("a"), linkTo("b"))
	s.serve(linkTo("a"), answer{code: 503})
	_, _ = s.get(context.Background(), linkTo("a"))
	s.answer(wireExamples()["error state"], wireExamples()["execute refused"])
	s.mustRPC(ctx, operationRequest(getOperationStatus, 4, operationA))
	refusedCtx, refused := traced()
	s.mustRPC(refusedCtx, executeRequest(2))

	facts, err := json.Marshal([]any{soFar(trace), soFar(refused)})
	require.NoError(t, err)
	held := fmt.Sprintf("%+v %+v %+v %s", soFar(trace), trace.files, s.transport.registry.links, facts)
	for _, secret := range []string{"secret", "SELECT", "Signature", "amazonaws", "Bearer", "division", "no such table"} {
		require.NotContains(t, held, secret)
	}
}

func TestWorkspaceIdentifierIsANumber(t *testing.T) {
	for id, want := range map[string]string{"": "", "123": "123", "12a": "", "<script>": "", "123456789012345678901": ""} {
		require.Equal(t, want, workspaceOf(http.Header{"X-Databricks-Org-Id": {id}}), id)
	}
}

func TestRequestWhoseGetBodyFailsPasses(t *testing.T) {
	s := newStage(t)
	for _, getBody := range []func() (io.ReadCloser, error){
		func() (io.ReadCloser, error) { return nil, errReset },
		func() (io.ReadCloser, error) { return nil, nil }, //nolint:nilnil // a broken one
		func() (io.ReadCloser, error) { return io.NopCloser(&script{err: errReset}), nil },
		func() (io.ReadCloser, error) { panic("a broken one") },
	} {
		ctx, trace := traced()
		s.answer([]byte("anything"))
		req := thriftRequest(ctx, executeRequest(1))
		req.GetBody = getBody
		resp, err := s.transport.RoundTrip(req)
		require.NoError(t, err)
		got, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, "anything", string(got))
		require.Empty(t, finish(trace).StatementID)
	}
	require.EqualValues(t, 1, s.transport.counts.Stats().Panics)
}

func TestIdentifierOfAnotherTraceIsNotTaken(t *testing.T) {
	s := newStage(t)
	ctxA, a := traced()
	ctxB, b := traced()
	s.execute(ctxA, operationA)
	s.execute(ctxB, operationA) // a server that repeats itself
	require.Equal(t, operationID(operationA), finish(a).StatementID)
	f := finish(b)
	require.Empty(t, f.StatementID)
	requireUncounted(t, f)
	require.Zero(t, s.transport.registry.busy.Load())
}

func TestTraceOfAnotherTransportIsNotTaken(t *testing.T) {
	one, other := newStage(t), newStage(t)
	ctx, trace := traced()
	one.execute(ctx, operationA)
	other.execute(ctx, operationB)
	f := finish(trace)
	require.Equal(t, operationID(operationA), f.StatementID)
	requireUncounted(t, f)
	require.Zero(t, other.transport.registry.busy.Load())
}

func TestUnexpectedSessionMessages(t *testing.T) {
	s := newStage(t)
	session := new(Session)
	ctx := NewSessionContext(context.Background(), session)
	open := wireCall(openSession, 1)
	s.answer([]byte("<html>"), wireReply(openSession, 1, fStruct(1, fI32(1, 3), fString(3, "28000"))), wireException(openSession, 1, "x"))
	for range 3 {
		_, _ = s.rpc(ctx, open)
	}
	session.Finish()
	require.Equal(t, Fault{Observed: true, SQLState: "28000", CallFailed: true, Status: 200}, session.Fault())
	var opened telemetry.SessionOpened
	session.FillOpened(&opened)
	require.Equal(t, telemetry.SessionOpened{WorkspaceID: "1234567890", Retries: telemetry.Known(int64(0))}, opened)
	s.answer(wireReply(openSession, 1, fStatus(okStatus), fSession(3, sessionA)))
	s.mustRPC(ctx, open) // after Finish
	require.Empty(t, session.ID())
	require.Zero(t, s.transport.registry.busy.Load())
}

func TestBoundedMapDropsTheOldest(t *testing.T) {
	r := boundedMap[int, int]{bound: 3}
	var nodes [5]node[int, int]
	for i := range nodes {
		old, dropped := r.add(i, 10*i, &nodes[i])
		require.Equal(t, i >= 3, dropped)
		if dropped {
			require.Equal(t, 10*(i-3), old)
		}
	}
	for _, i := range []int{3, 3, 2, 4} {
		r.remove(&nodes[i])
	}
	require.Empty(t, r.nodes)
	require.True(t, r.first == nil && r.last == nil)
	require.Zero(t, r.get(4))
}

func TestBytesOfAnErrorBodyAreCounted(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.answers = []answer{{code: 500, body: bytes.Repeat([]byte("x"), 1000)}}
	_, err := s.rpc(ctx, executeRequest(1))
	require.NoError(t, err)
	f := finish(trace)
	require.EqualValues(t, 1000, rpcOf(f, executeStatement).BytesIn)
	require.Equal(t, 500, rpcOf(f, executeStatement).LastStatus)
	requireCounted(t, f)
}

// The driver refuses links without their fields at the first of them.
func TestEmptyLinksTakeNoMemory(t *testing.T) {
	s := newStage(t)
	ctx, _ := traced()
	s.execute(ctx, operationA)
	links := make([][]byte, 1<<18)
	for i := range links {
		links[i] = structOf()
	}
	body := fetchReply(2, false, 0, fList(1282, tStruct, links...))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s.answer(body)
	req := thriftRequest(context.Background(), operationRequest(fetchResults, 2, operationA))
	resp, err := s.transport.RoundTrip(req)
	require.NoError(t, err)
	_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, resp.Body, make([]byte, 8192))
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(40*len(body)), "%d bytes", len(body))
}
