// Package sidebyside runs programs the way their users do, each in its own process against its own
// simulated workspace, and compares everything visible of two runs.
package sidebyside

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

// Host is the name of the workspace. The native driver and other clients send some of their
// requests only to Databricks hosts.
const Host = "simulated.cloud.databricks.com"

// Program is one run of a program.
type Program struct {
	Binary string
	Args   []string
	Folder string   // copied; the program runs in the copy
	Env    []string // in addition to the variables that say how to reach the workspace
	Path   string   // the PATH
	Stdin  string

	Workspace workspace.Options
	Prepare   []string // statements that put its tables in place
}

// Running is a program that has been started.
type Running struct {
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer
	ctx            context.Context // ends with the test's time
	ws             *workspace.Workspace
}

// Outcome is everything that can be seen of a run.
type Outcome struct {
	Exit           int
	Stdout, Stderr string
	Files          map[string]string // in its folder after it ended
	Workspace      *workspace.Workspace
}

// Start starts a program as its author did, in its own folder and with a .env, against its own
// workspace. The workspace appears at https port 443 of a Databricks host: environment variables
// make the program use a proxy that leads there, and trust the certificate.
func Start(t *testing.T, p Program) *Running {
	t.Helper()
	opts := p.Workspace
	opts.TLS, opts.Hostname, opts.TelemetryFlag = true, Host, workspace.FlagOn
	opts.WarehouseID = "0123456789abcdef" // appears in messages
	opts.WorkspaceID = 42
	opts.FailuresByHandle = true // so that the report of a failure names its statement
	if opts.DirectResultWait == 0 {
		opts.DirectResultWait = time.Hour // so that polls do not depend on how busy this machine is
	}
	ws := workspace.New(t, opts)
	require.NoError(t, ws.Exec(t.Context(), p.Prepare...))

	folder := t.TempDir()
	require.NoError(t, os.CopyFS(folder, os.DirFS(p.Folder)))
	settings := append([]string{
		"DATABRICKS_HOST=" + Host, "DATABRICKS_PORT=443", "DATABRICKS_HTTPPATH=" + ws.HTTPPath(),
		"DATABRICKS_ACCESSTOKEN=" + ws.Token(), "DATABRICKS_ACCESS_TOKEN=" + ws.Token(),
		"DATABRICKS_CLIENT_ID=" + ws.ClientID(), "DATABRICKS_CLIENT_SECRET=" + ws.ClientSecret(),
		"DATABRICKS_DSN=token:" + ws.Token() + "@" + Host + ":443" + ws.HTTPPath(),
	}, p.Env...)
	write(t, filepath.Join(folder, ".env"), []byte(strings.Join(settings, "\n"))) // some programs read it and fail without it
	authority := filepath.Join(t.TempDir(), "authority.pem")
	write(t, authority, ws.AuthorityPEM())

	r := &Running{ws: ws, ctx: eventually.Context(t)}
	r.cmd = exec.CommandContext(r.ctx, p.Binary, p.Args...)
	r.cmd.Dir = folder
	r.cmd.Env = append(settings, // without the environment of the tests
		"DATABRICKS_TELEMETRY_CLOSE_TIMEOUT=5m", // enough to report everything, however busy this machine is
		"PATH="+p.Path, "TZ=UTC", "SSL_CERT_FILE="+authority, "HTTPS_PROXY="+tunnel(t, ws))
	r.cmd.Stdin = strings.NewReader(p.Stdin)
	r.cmd.Stdout, r.cmd.Stderr = &r.stdout, &r.stderr
	r.cmd.WaitDelay = time.Second
	require.NoError(t, r.cmd.Start())
	return r
}

// Wait returns when the program has ended.
func (r *Running) Wait(t *testing.T) Outcome {
	t.Helper()
	if err := r.cmd.Wait(); err != nil {
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
	}
	require.NoError(t, r.ctx.Err(), "%s did not end:\n%s%s", r.cmd.Path, &r.stdout, &r.stderr)
	return Outcome{
		Exit: r.cmd.ProcessState.ExitCode(), Stdout: r.stdout.String(), Stderr: r.stderr.String(),
		Files: filesIn(t, r.cmd.Dir), Workspace: r.ws,
	}
}

// filesIn reads every file of a folder but the .env.
func filesIn(t *testing.T, folder string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == ".env" {
			return err
		}
		content, err := os.ReadFile(path)
		name, _ := filepath.Rel(folder, path)
		files[name] = string(content)
		return err
	}))
	return files
}

// tunnel starts a proxy that connects the workspace's host to the workspace, and no other host.
func tunnel(t *testing.T, ws *workspace.Workspace) string {
	t.Helper()
	inside := net.JoinHostPort(ws.Host(), strconv.Itoa(ws.Port()))
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Host != Host+":443" {
			http.Error(w, "no way to "+r.Host, http.StatusBadGateway)
			return
		}
		server, err := new(net.Dialer).DialContext(r.Context(), "tcp", inside)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer func() { _ = server.Close() }()
		client, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = client.Close() }()
		_, _ = io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n")
		go func() {
			_, _ = io.Copy(server, client)
			_ = server.Close()
		}()
		_, _ = io.Copy(client, server)
	}))
	t.Cleanup(proxy.Close)
	return proxy.URL
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, content, 0o644))
}
