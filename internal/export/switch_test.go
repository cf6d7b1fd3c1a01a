package export_test

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// The body of 101 Switching Protocols is the connection itself, and no context ends a read of it: a
// server that answers so and then sends nothing must not hold up the pipeline.
func TestASwitchOfProtocolsHoldsUpNothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		w.WriteHeader(http.StatusSwitchingProtocols)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			t.Cleanup(func() { _ = conn.Close() })
		}
	})}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	for name, force := range map[string]bool{"upload": true, "flag": false} {
		t.Run(name, func(t *testing.T) {
			var x export.Exporter
			h := x.Open(export.Connection{
				Scheme: "http", Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, Authenticator: &bearer{token: "t0"},
			}, telemetry.Settings{ForceEnable: force, CloseTimeout: time.Millisecond})
			h.SessionOpened(opened())
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			err := h.Flush(ctx)
			require.ErrorContains(t, err, "HTTP 101")
			require.NotErrorIs(t, err, context.DeadlineExceeded)
			_ = h.Close(ctx)
		})
	}
}
