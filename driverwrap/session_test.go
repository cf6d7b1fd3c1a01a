package driverwrap_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// A session that is over is released: what closes a session is found by the session's id, and here a later session
// has the same id.
func TestASessionThatIsOverIsNotObservedAnyMore(t *testing.T) {
	opened, err := os.ReadFile("../cloudfetch/testdata/captured/inline-OpenSession-1.response")
	require.NoError(t, err)
	status := []byte{12, 0, 1, 8, 0, 1, 0, 0, 0} // TStatus, statusCode, and all but the last byte of its value
	refused := bytes.Replace(opened, append(status, 0), append(status, 3), 1)
	require.NotEqual(t, opened, refused)
	for name, first := range map[string][]byte{"closed": opened, "not opened": refused} {
		t.Run(name, func(t *testing.T) {
			answer := first
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if body, _ := io.ReadAll(r.Body); !bytes.Contains(body, []byte("OpenSession")) {
					w.WriteHeader(http.StatusForbidden)
					return
				}
				w.Header().Set("Content-Type", "application/x-thrift")
				_, _ = w.Write(answer)
			}))
			defer server.Close()
			sink := &memory{}
			c, err := driverwrap.Config{Sinks: []telemetry.Sink{sink}, Settings: telemetry.Settings{Enabled: telemetry.SwitchOff}}.OpenConnector(
				"http://token:dapi0@" + strings.TrimPrefix(server.URL, "http://") + "/p")
			require.NoError(t, err)
			for _, answer = range [][]byte{first, opened} {
				if conn, err := c.Connect(t.Context()); err == nil {
					require.Error(t, conn.Close())
				}
			}
			require.NoError(t, c.(io.Closer).Close())
			require.Equal(t, name == "not opened", sink.opened[0].Failed())
			require.NotEmpty(t, sink.closed)
			for _, r := range sink.closed {
				require.Equal(t, telemetry.CategoryPermission, r.Failure.Category)
			}
		})
	}
}
