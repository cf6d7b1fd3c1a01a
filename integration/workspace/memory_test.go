package workspace_test

import (
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

func TestAWorkspaceInMemoryRunsInFakeTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ws, err := workspace.Start(workspace.Options{InMemory: true})
		require.NoError(t, err)
		client := ws.Transport()
		get := func() (status int, err error) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, ws.URL()+"/login.html", strings.NewReader(""))
			require.NoError(t, err)
			resp, err := client.RoundTrip(req)
			if err != nil {
				return 0, err
			}
			defer resp.Body.Close()
			_, err = io.Copy(io.Discard, resp.Body)
			return resp.StatusCode, err
		}
		for _, slow := range []workspace.Action{workspace.Latency(time.Hour), workspace.SlowBody(time.Hour)} {
			injected := ws.Inject(workspace.Fault{Do: slow})
			began := time.Now()
			status, err := get()
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, status)
			require.Equal(t, time.Hour, time.Since(began))
			injected.Remove()
		}
		client.CloseIdleConnections()
		ws.Inject(workspace.Fault{Do: workspace.Reset()})
		_, err = get()
		require.ErrorIs(t, err, syscall.ECONNRESET)
		require.NoError(t, ws.Close())
		_, err = get()
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
		client.CloseIdleConnections()
	})
}
