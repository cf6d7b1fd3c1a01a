package driverwrap_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// endpoint is a workspace's telemetry service behind net.Pipe, so that the real client talks to
// a real server in the fake time of a synctest bubble.
type endpoint struct {
	flag   func(*http.Request) string // value of the server's flag; nil: "true"
	upload func(*http.Request) int    // status; nil: 200

	mu      sync.Mutex
	flags   int         // guarded by mu, like all below
	uploads []time.Time // when each began
	sizes   []int       // events in each
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		value := "true"
		if e.flag != nil {
			value = e.flag(r)
		}
		e.mu.Lock()
		e.flags++
		e.mu.Unlock()
		_, _ = fmt.Fprintf(w, `{"flags":[{"name":"databricks.partnerplatform.clientConfigsFeatureFlags.enableTelemetryForGoDriver","value":%q}],"ttl_seconds":3600}`, value)
		return
	}
	began := time.Now()
	var body struct{ ProtoLogs []json.RawMessage }
	_ = json.NewDecoder(r.Body).Decode(&body)
	e.mu.Lock()
	e.uploads = append(e.uploads, began)
	e.sizes = append(e.sizes, len(body.ProtoLogs))
	e.mu.Unlock()
	if e.upload != nil {
		if status := e.upload(r); status != http.StatusOK {
			w.WriteHeader(status)
			return
		}
	}
	_, _ = fmt.Fprintf(w, `{"errors":[],"numSuccess":%[1]d,"numProtoSuccess":%[1]d,"numRealtimeSuccess":0}`, len(body.ProtoLogs))
}

// seen are the uploads so far, and the events in each.
func (e *endpoint) seen() (uploads []time.Time, sizes []int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.uploads, e.sizes
}

// open starts the server and joins an exporter of its own to it.
func (e *endpoint) open(t *testing.T, settings telemetry.Settings) (*export.Exporter, *export.Handle) {
	listener := &pipes{accept: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: e}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) })
	transport := &http.Transport{DialContext: listener.dial}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Close()
		serving.Wait()
	})
	x := &export.Exporter{}
	return x, x.Open(export.Connection{Scheme: "http", Host: "workspace", Port: 80, Transport: transport}, settings)
}

// pipes is a listener within the process.
type pipes struct {
	accept chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accept:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.accept <- server:
		return client, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
