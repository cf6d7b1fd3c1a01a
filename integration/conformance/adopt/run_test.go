package adopt

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/sidebyside"
)

// start starts one flavor of a program.
func (e *examples) start(t *testing.T, flavour string, p program) *sidebyside.Running {
	t.Helper()
	return sidebyside.Start(t, sidebyside.Program{
		Binary: filepath.Join(e.bin, flavour, p.name), Folder: filepath.Join(e.source, p.name),
		Env: p.env, Path: browserPath(t), Workspace: p.workspace, Prepare: p.prepare,
	})
}

// A program that wants its user to log in starts a browser. Here that is this test binary under the
// browser's name. It exits at once, as a browser's launcher does, and a child process follows the link
// until the login has returned to the program.
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

// loginPort is where the driver waits for a login to return. It is fixed, so programs that log in run one
// at a time.
const loginPort = "localhost:8030"

var loggingIn sync.Mutex

// errPortTaken means that another process on this machine uses the port.
var errPortTaken = errors.New("port 8030, where the driver waits for a login, is taken")

func loginPortFree() error {
	l, err := net.Listen("tcp", loginPort)
	if err != nil {
		return errPortTaken
	}
	return l.Close()
}
