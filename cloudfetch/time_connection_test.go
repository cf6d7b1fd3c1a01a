package cloudfetch

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// net/http opens a connection for a request, sends the request over another one that becomes free
// meanwhile, and goes on opening the first.
func TestAConnectionThatNoCallWaitsForIsNotNetworkTime(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		opened := make(chan struct{})
		c.beforeAnswer = func() {
			request := c.trace.connect()
			go func() {
				<-opened
				c.trace.connected(request)
			}()
		}
		c.call(2*s, executeRequest(1), ok(handleReply))
		c.beforeAnswer = nil
		c.call(1*s, operationRequest(getOperationStatus, 2, operationA), ok(finishedReply(2)))
		c.call(4*s, operationRequest(fetchResults, 3, operationA), ok(fetchReply(3, true, 0)))
		c.beforeAnswer = func() {
			request := c.trace.connect()
			close(opened) // says nothing of the connection for this call
			time.AfterFunc(1*s, func() { c.trace.connected(request) })
		}
		c.call(3*s, operationRequest(fetchResults, 4, operationA), ok(fetchReply(4, false, 0)))
		require.Equal(t, 2*s, rpcOf(soFar(c.trace), executeStatement).Connecting)
		require.Equal(t, 1*s, rpcOf(soFar(c.trace), fetchResults).Connecting)
		require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartServer: 1 * s, telemetry.PartPage: 6 * s, telemetry.PartNetwork: 3 * s}, c.split())
	})
}

// The goroutine on which net/http opens a connection may begin late, when the answer has come over
// another one.
func TestAConnectionThatIsOpenedDuringAnAnswerIsNotNetworkTime(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		c.call(1*s, executeRequest(1), ok(handleReply))
		c.call(1*s, operationRequest(getOperationStatus, 2, operationA), ok(finishedReply(2)))
		c.answer(fetchReply(3, false, 0))
		resp, err := c.transport.RoundTrip(thriftRequest(c.ctx, operationRequest(fetchResults, 3, operationA)))
		require.NoError(t, err)
		request := c.trace.connect()
		time.Sleep(4 * s)
		_, err = io.ReadAll(resp.Body)
		require.NoError(t, err)
		c.trace.connected(request)
		require.Zero(t, rpcOf(soFar(c.trace), fetchResults).Connecting)
		require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartServer: 2 * s, telemetry.PartPage: 4 * s}, c.split())
	})
}

// A connection to the old address, which is still being opened, says nothing of that to the new one.
func TestARedirectWaitsForAConnectionOfItsOwn(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		var toOld int32
		c.transport.base = WrapBase(roundTripFunc(func(req *http.Request) (*http.Response, error) {
			if req.Response == nil {
				toOld = c.trace.connect()
				time.Sleep(1 * s)
				return redirect(req, http.StatusTemporaryRedirect, "https://elsewhere")
			}
			toNew := c.trace.connect()
			c.trace.connected(toOld)
			time.Sleep(2 * s)
			c.trace.connected(toNew)
			time.Sleep(4 * s)
			return response(req, http.StatusOK, handleReply, nil), nil
		}))
		c.redirected(executeRequest(1))
		require.Equal(t, 3*s, rpcOf(soFar(c.trace), executeStatement).Connecting)
		require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartServer: 4 * s, telemetry.PartNetwork: 3 * s}, c.split())
	})
}

func TestTheServerHasTheTimeAfterARedirect(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		c.transport.base = WrapBase(roundTripFunc(func(req *http.Request) (*http.Response, error) {
			if req.Response == nil {
				time.Sleep(1 * s)
				return redirect(req, http.StatusTemporaryRedirect, "https://elsewhere")
			}
			time.Sleep(5 * s)
			return response(req, http.StatusOK, handleReply, nil), nil
		}))
		c.redirected(executeRequest(1))
		require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartServer: 6 * s}, c.split())
	})
}

func TestTheServerWorksWhileAConnectionForAStatusCallIsOpened(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		over := c.transport.base.Workspace
		c.transport.base = WrapBase(roundTripFunc(func(r *http.Request) (*http.Response, error) {
			request := c.trace.connect()
			time.Sleep(2 * s)
			c.trace.connected(request)
			return over.RoundTrip(r)
		}))
		c.call(1*s, executeRequest(1), ok(handleReply))
		c.call(1*s, operationRequest(getOperationStatus, 2, operationA), ok(runningReply(2)))
		c.call(1*s, operationRequest(getOperationStatus, 3, operationA), ok(finishedReply(3)))
		c.call(1*s, operationRequest(fetchResults, 4, operationA), ok(fetchReply(4, false, 0)))
		r := soFar(c.trace)
		require.Equal(t, 4*s, r.RPCs[1].Connecting, "it is known what it took, nevertheless")
		require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartServer: 7 * s, telemetry.PartNetwork: 4 * s, telemetry.PartPage: 1 * s}, c.split())
	})
}

// net/http sends the request over a connection that becomes free while another one cannot be opened.
func TestACallDoesNotWaitForAConnectionThatCouldNotBeOpened(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		c.beforeAnswer = func() {
			_, err := dialFunc(func(context.Context, string, string) (net.Conn, error) {
				time.Sleep(1 * s)
				return nil, errReset
			}).observed(c.ctx, "tcp", "workspace.example.com:443")
			require.Equal(t, errReset, err)
		}
		c.call(2*s, executeRequest(1), ok(handleReply))
		require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartNetwork: 1 * s, telemetry.PartServer: 2 * s}, c.split())
	})
}
