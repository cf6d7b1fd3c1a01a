package cloudfetch

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestSession(t *testing.T) {
	const id = "01f0c3a4-5b6d-1e7f-8a9b-0c1d2e3f4a5b"
	s := newStage(t)
	inner := s.transport.base.Workspace
	s.transport.base.Workspace = roundTripFunc(func(r *http.Request) (*http.Response, error) {
		resp, err := inner.RoundTrip(r)
		resp.Header.Set("X-Request-Id", id)
		return resp, err
	})
	session := new(Session)
	ctx := NewSessionContext(context.Background(), session)
	s.answers = []answer{{code: 503}, {code: 200, body: wireReply(openSession, 1, fStatus(okStatus), fI32(2, 42248), fSession(3, sessionA))}}
	open := wireCall(openSession, 1, fI64(1282, 42248))
	_, _ = s.rpc(ctx, open)
	s.mustRPC(ctx, open)
	s.answer(wireReply(closeSession, 2, fStatus(okStatus)), wireReply(closeSession, 2, fStatus(okStatus)))
	s.mustRPC(context.Background(), wireCall(closeSession, 2, fSession(1, "session-B-guid-0"))) // another's
	s.mustRPC(context.Background(), wireCall(closeSession, 2, fSession(1, sessionA)))
	session.Finish()
	require.Equal(t, operationID(sessionA), session.ID())
	var opened telemetry.SessionOpened
	session.FillOpened(&opened)
	require.Equal(t, telemetry.SessionOpened{
		SessionID: operationID(sessionA), WorkspaceID: "1234567890", Retries: telemetry.Known(int64(1)), FailedStatus: 503, RequestID: id,
	}, opened, "the call was repeated")
	var closed telemetry.SessionClosed
	session.FillClosed(&closed)
	require.Equal(t, telemetry.SessionClosed{Retries: telemetry.Known(int64(0))}, closed, "a quick call that succeeds is not asked about")
	closed.Latency = time.Second
	session.FillClosed(&closed)
	require.Equal(t, id, closed.RequestID)
	require.EqualValues(t, 1, session.methods.find(closeSession).rpc.Calls)
	require.Equal(t, answered, session.methods.find(closeSession).state)
	require.Zero(t, s.transport.registry.busy.Load())
}

// A login page of a proxy, and a refusal of the service, come with HTTP 200.
func TestASessionThatAnAnswerRefusedDidNotFailWithTheStatusOfAnAttemptBefore(t *testing.T) {
	for name, body := range map[string][]byte{
		"a login page": []byte("<html>sign in</html>"),
		"a refusal":    wireReply(openSession, 1, fStatus(3)),
	} {
		s := newStage(t)
		session := new(Session)
		ctx := NewSessionContext(context.Background(), session)
		s.answers = []answer{{code: 429}, {code: 200, body: body}}
		open := wireCall(openSession, 1, fI64(1282, 42248))
		_, _ = s.rpc(ctx, open)
		_, _ = s.rpc(ctx, open)
		opened := telemetry.SessionOpened{Failure: &telemetry.Failure{}}
		session.FillOpened(&opened)
		require.Zero(t, opened.FailedStatus, name)
		require.Equal(t, telemetry.Known(int64(1)), opened.Retries, name)
	}
}

// The close of a session that was dropped for others passes unobserved.
func TestADroppedSessionIsNotWhollyObserved(t *testing.T) {
	st := newStage(t)
	st.transport.registry.sessions.bound = 4
	open := func(id string) *Session {
		session := new(Session)
		st.answer(wireReply(openSession, 1, fStatus(okStatus), fSession(3, id)))
		st.mustRPC(NewSessionContext(context.Background(), session), wireCall(openSession, 1))
		return session
	}
	first := open(sessionA)
	for i := range 4 {
		open("session-" + string(rune('B'+i)) + "-guid-0")
	}
	st.answers = append(st.answers, answer{code: 500})
	_, _ = st.rpc(context.Background(), wireCall(closeSession, 2, fSession(1, sessionA)))
	require.False(t, first.Fault().Observed, "%+v", first.Fault())
}
