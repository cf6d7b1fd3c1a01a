// Package privacy plants a token in every place where an application, a server or a storage can put text, runs
// statements of every kind and outcome with the real driver, and looks for the tokens in everything that comes out.
package privacy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/databricks/databricks-sql-go/logger"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/testenv"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

var (
	planted tokens
	trusted = x509.NewCertPool()
	named   sync.Map // the addresses of hosts
	infoLog = &testenv.Buffer{}
	proxy   = &forwarder{to: map[string]*httputil.ReverseProxy{}}
)

// oauthHost is a name that the driver asks for tokens.
const oauthHost = "canary.cloud.databricks.com"

func TestMain(m *testing.M) {
	testenv.Prepare("OTEL_")
	logger.SetLogOutput(io.Discard)
	log.SetOutput(io.Discard)
	server := httptest.NewServer(proxy)
	// Package net/http reads the proxy once in the life of a process.
	user := planted.add("user of the proxy", driverOnly) + ":" + planted.add("password of the proxy", driverOnly)
	_ = os.Setenv("HTTP_PROXY", strings.Replace(server.URL, "http://", "http://"+user+"@", 1))
	_ = os.Setenv("NO_PROXY", "")
	for _, name := range []string{
		"USER", "HOSTNAME", "LANG", "DATABRICKS_HOST", "DATABRICKS_TOKEN", "DATABRICKS_CLIENT_SECRET", "DATABRICKS_TELEMETRY_NOT_KNOWN",
	} {
		_ = os.Setenv(name, planted.add("environment "+name, driverOnly))
	}
	_ = os.Setenv("DATABRICKS_TELEMETRY_"+planted.add("name of a variable", driverOnly), "1")
	// The driver asks for a token, and downloads files, with http.DefaultClient.
	transport := http.DefaultTransport.(*http.Transport)
	transport.TLSClientConfig = &tls.Config{RootCAs: trusted}
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if to, ok := named.Load(address); ok {
			address = to.(string)
		}
		return dial(ctx, network, address)
	}
	slog.SetDefault(slog.New(slog.NewJSONHandler(infoLog, nil))) // of telemetry_log_level
	code := m.Run()
	server.Close()
	os.Exit(code)
}

// forwarder is a proxy. It forwards to workspaces, by the name of the host, and plants headers in the answers.
type forwarder struct {
	mu sync.Mutex
	to map[string]*httputil.ReverseProxy // guarded by mu
}

func (f *forwarder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, _, _ := net.SplitHostPort(r.Host)
	if name == "" {
		name = r.Host
	}
	f.mu.Lock()
	to := f.to[strings.ToLower(name)]
	f.mu.Unlock()
	if to == nil {
		http.Error(w, "no such host", http.StatusBadGateway)
		return
	}
	to.ServeHTTP(w, r)
}

func (f *forwarder) add(name string, ws *workspace.Workspace, plant func(*http.Response)) {
	target, _ := url.Parse(ws.URL())
	to := &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: func(r *http.Response) error { plant(r); return nil },
		ErrorLog:       log.New(io.Discard, "", 0),
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.to[strings.ToLower(name)] = to
}
