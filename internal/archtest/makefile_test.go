package archtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// runMake runs make in the root of the repository.
func runMake(t *testing.T, arguments ...string) (output string, err error) {
	t.Helper()
	binary, err := exec.LookPath("make")
	if err != nil {
		t.Skip("make is not in PATH")
	}
	cmd := exec.CommandContext(t.Context(), binary, append([]string{"--no-print-directory", "-C", "../.."}, arguments...)...)
	cmd.Env = append(os.Environ(), "MAKEFLAGS=") // not those of a make that runs this test
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestHelpListsEveryCommand(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	require.NoError(t, err)
	help, err := runMake(t, "help")
	require.NoError(t, err, help)
	commands := regexp.MustCompile(`(?m)^\.PHONY: (.*)$`).FindAllStringSubmatch(string(makefile), -1)
	require.NotEmpty(t, commands)
	for _, command := range commands {
		require.Regexp(t, `(?m)^  make `+command[1]+` +\S`, help)
	}
}

// A module that cannot be listed has no fuzz targets to show for it.
func TestFuzzingFailsWhereAModuleCannotBeListed(t *testing.T) {
	broken := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(broken, "go.mod"), []byte("module broken\n\nno directive\n"), 0o600))
	out, err := runMake(t, "fuzz", "MODULES="+filepath.ToSlash(broken))
	require.Error(t, err, out)
	require.Contains(t, out, "go.mod")
}

// A go.work above the clone, of other modules, is not in the way.
func TestCommandsDoNotUseTheWorkspaceOfTheUser(t *testing.T) {
	workspace := filepath.Join(t.TempDir(), "go.work")
	require.NoError(t, os.WriteFile(workspace, []byte("go 1.25.0\n"), 0o600))
	t.Setenv("GOWORK", workspace)
	out, err := runMake(t, "fuzz", "MODULES=internal/queue", "FUZZINPUTS=10")
	require.NoError(t, err, out)
	require.NotContains(t, out, "go.work")
}

func TestTheRaceDetectorsNeedIsNamed(t *testing.T) {
	t.Setenv("CGO_ENABLED", "0")
	for _, command := range []string{"test", "test-conformance", "test-modules", "soak"} {
		out, err := runMake(t, command)
		require.Error(t, err, "make %s: %s", command, out)
		require.Contains(t, out, "install gcc", "make %s", command)
		require.NotContains(t, out, "== go test", "make %s", command)
	}
}

// grep -q ends with its first match, and what writes into the pipe is then killed: under pipefail that
// is a failure, which "!" turns into a success. Whether there is one is a matter of luck.
func TestNoCheckPipesIntoAGrepThatEndsFirst(t *testing.T) {
	for _, script := range []string{"../../Makefile", "../../.ci/run", "../../.ci/release-check"} {
		text, err := os.ReadFile(script)
		require.NoError(t, err)
		require.NotRegexp(t, `\| *grep (-\w+ )*-\w*q`, string(text), script)
	}
}
