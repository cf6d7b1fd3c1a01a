package adopt

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

// host is the workspace's name. The drivers ask only hosts of Databricks for OAuth tokens.
const host = "simulated.cloud.databricks.com"

// running is a program that has been started.
type running struct {
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer
	ctx            context.Context // ends with the test's time
	ws             *workspace.Workspace
}

// outcome is everything a run can be seen by.
type outcome struct {
	exit           int
	stdout, stderr string
	files          map[string]string // in its folder when it had ended
	ws             *workspace.Workspace
}

// start starts a program as its author did, in its own folder and with a .env, against a
// workspace of its own. The workspace is on https and port 443 of a Databricks host: the
// program gets there through a proxy and trusts its certificate, both by environment.
func (e *examples) start(t *testing.T, flavour string, p program) *running {
	t.Helper()
	opts := p.workspace
	opts.TLS, opts.Hostname, opts.TelemetryFlag = true, host, workspace.FlagOn
	opts.WarehouseID = "0123456789abcdef" // in messages
	opts.WorkspaceID = 42
	opts.FailuresByHandle = true // so that what is reported of a failure names its statement
	if opts.DirectResultWait == 0 {
		opts.DirectResultWait = time.Hour // so that polls do not depend on how busy this machine is
	}
	ws := workspace.New(t, opts)
	require.NoError(t, ws.Exec(t.Context(), p.prepare...))

	folder := t.TempDir()
	require.NoError(t, os.CopyFS(folder, os.DirFS(filepath.Join(e.source, p.name))))
	settings := append([]string{
		"DATABRICKS_HOST=" + host, "DATABRICKS_PORT=443", "DATABRICKS_HTTPPATH=" + ws.HTTPPath(),
		"DATABRICKS_ACCESSTOKEN=" + ws.Token(), "DATABRICKS_ACCESS_TOKEN=" + ws.Token(),
		"DATABRICKS_CLIENT_ID=" + ws.ClientID(), "DATABRICKS_CLIENT_SECRET=" + ws.ClientSecret(),
	}, p.env...)
	write(t, filepath.Join(folder, ".env"), []byte(strings.Join(settings, "\n"))) // some read it, and fail without
	authority := filepath.Join(t.TempDir(), "authority.pem")
	write(t, authority, ws.AuthorityPEM())

	r := &running{ws: ws, ctx: eventually.Context(t)}
	r.cmd = exec.CommandContext(r.ctx, filepath.Join(e.bin, flavour, p.name))
	r.cmd.Dir = folder
	r.cmd.Env = append(settings, // and no setting of whoever runs the tests
		"DATABRICKS_TELEMETRY_CLOSE_TIMEOUT=5m", // everything is reported, however busy this machine is
		"PATH="+browserPath(t), "TZ=UTC", "SSL_CERT_FILE="+authority, "HTTPS_PROXY="+tunnel(t, ws))
	r.cmd.Stdout, r.cmd.Stderr = &r.stdout, &r.stderr
	r.cmd.WaitDelay = time.Second
	require.NoError(t, r.cmd.Start())
	return r
}

// wait returns when the program has ended.
func (r *running) wait(t *testing.T) outcome {
	t.Helper()
	if err := r.cmd.Wait(); err != nil {
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
	}
	require.NoError(t, r.ctx.Err(), "%s did not end:\n%s%s", r.cmd.Path, &r.stdout, &r.stderr)
	return outcome{
		exit: r.cmd.ProcessState.ExitCode(), stdout: r.stdout.String(), stderr: r.stderr.String(),
		files: filesIn(t, r.cmd.Dir), ws: r.ws,
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

// tunnel is a proxy that leads the workspace's host to the workspace, and nowhere else.
func tunnel(t *testing.T, ws *workspace.Workspace) string {
	t.Helper()
	inside := net.JoinHostPort(ws.Host(), strconv.Itoa(ws.Port()))
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Host != host+":443" {
			http.Error(w, "no way to "+r.Host, http.StatusBadGateway)
			return
		}
		server, err := new(net.Dialer).DialContext(r.Context(), "tcp", inside)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer server.Close()
		client, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer client.Close()
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

// A program that wants its user to log in starts a browser. Ours is this very binary under
// the browser's name: it leaves at once, as the real one's starter does, and what stays
// behind follows the link until the login has come back to the program.
const (
	browserName  = "xdg-open"
	browsingName = "browsing"
)

// browserPath makes a folder with the browser in it, to be a program's PATH.
func browserPath(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	folder := t.TempDir()
	require.NoError(t, os.Symlink(self, filepath.Join(folder, browserName)))
	return folder
}

func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case browserName:
		self, err := os.Executable()
		if err == nil {
			cmd := &exec.Cmd{Path: self, Args: []string{browsingName, os.Args[1]}, Env: os.Environ()}
			err = cmd.Start()
		}
		exitWith(err)
	case browsingName:
		resp, err := http.Get(os.Args[1]) //nolint:noctx // the process is the request
		if err == nil {
			err = resp.Body.Close()
		}
		exitWith(err)
	}
	os.Exit(m.Run())
}

func exitWith(err error) {
	if err != nil {
		_, _ = io.WriteString(os.Stderr, err.Error()+"\n")
		os.Exit(1)
	}
	os.Exit(0)
}

// loginPort is where the driver waits for a login to come back. It is fixed, so programs that
// log in run one at a time.
const loginPort = "localhost:8030"

var loggingIn sync.Mutex

// errPortTaken says that somebody else on this machine has the port.
var errPortTaken = errors.New("port 8030, where the driver waits for a login, is taken")

func loginPortFree() error {
	l, err := net.Listen("tcp", loginPort)
	if err != nil {
		return errPortTaken
	}
	return l.Close()
}
