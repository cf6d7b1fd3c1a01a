// Package adoption takes programs in the style of users of databricks-sql-go, adopts each with the lines that
// docs/ADOPTION.md tells its readers to change, and runs them both ways. Everything a program shows must be
// the same, its workspace must have received the same requests, and everything that the adopted program did
// must have been reported to Databricks exactly once.
//
//	program ──┬─ as it is ──────────────────────► build ─► run ─► output
//	          │                                                     ║
//	          └─ with the diffs of ADOPTION.md ─► build ─► run ─► output
package adoption

import (
	"bytes"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	_ "github.com/seed-01322ee7/databricks-telemetry/driverwrap" // of the adopted programs
	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/sidebyside"
)

func TestProgramsOfUsersRunTheSameWhenAdopted(t *testing.T) {
	switch runtime.GOOS {
	case "windows", "darwin", "ios":
		t.Skip("the environment cannot make programs trust a certificate: no SSL_CERT_FILE on " + runtime.GOOS)
	}
	guide, err := os.ReadFile("../../docs/ADOPTION.md")
	require.NoError(t, err)
	diffs := diffsOf(string(guide))
	bin, err := filepath.Abs("../../bin/adoption") // the folder is kept, so that the go command links only programs that changed
	require.NoError(t, err)
	for _, m := range modules {
		m.build(t, bin, diffs)
	}
	require.Empty(t, slices.Sorted(maps.Keys(diffs)), "diffs of ADOPTION.md for files that no program here has")
	for _, m := range modules {
		for _, p := range m.programs {
			t.Run(path.Base(p.pkg), func(t *testing.T) {
				t.Parallel()
				native, adopted := p.start(t, filepath.Join(bin, "native")), p.start(t, filepath.Join(bin, "adopted"))
				was, is := native.Wait(t), adopted.Wait(t)
				require.Equal(t, p.exit, was.Exit, "%s%s", was.Stdout, was.Stderr)
				for _, line := range p.says {
					require.Contains(t, was.Stdout+was.Stderr, line)
				}
				sidebyside.RequireSame(t, was, is)
				if !p.wraps {
					sidebyside.RequireReportedOnce(t, is.Workspace)
				}
			})
		}
	}
}

// build builds the programs of a module both ways, into bin/native and bin/adopted. Applied diffs are removed
// from diffs.
func (m module) build(t *testing.T, bin string, diffs map[string]string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	copied := t.TempDir()
	require.NoError(t, os.CopyFS(copied, programsOnly{os.DirFS(m.folder)}))
	goTool(t, copied, "mod", "edit",
		"-replace="+ownModule+"="+root, "-replace="+ownModule+"/integration="+filepath.Join(root, "integration"))
	folders := map[string]string{"": copied}
	for _, fork := range m.forks { // a dependency's code is changed in a copy, which replaces it
		folders[fork] = t.TempDir()
		goTool(t, m.folder, "mod", "download", fork) // before the first build it may not be in the cache, and has no folder then
		source := strings.TrimSpace(goTool(t, m.folder, "list", "-m", "-f", "{{.Dir}}", fork))
		require.NoError(t, os.CopyFS(folders[fork], os.DirFS(source)))
		goTool(t, copied, "mod", "edit", "-replace="+fork+"="+folders[fork])
	}
	for _, d := range takeDiffs(diffs, m) {
		file := filepath.Join(folders[d.fork], filepath.FromSlash(d.file))
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		changed, err := apply(d.diff, string(source))
		require.NoError(t, err, "the diff of %s in ADOPTION.md", d.name)
		require.NoError(t, os.WriteFile(file, []byte(changed), 0o644))
	}
	for flavour, folder := range map[string]string{"native": m.folder, "adopted": copied} {
		out := filepath.Join(bin, flavour)
		require.NoError(t, os.MkdirAll(out, 0o755))
		args := []string{"build", "-trimpath", "-ldflags=-s -w", "-tags=" + m.tags, "-o", out + string(filepath.Separator)}
		for _, p := range m.programs {
			args = append(args, p.pkg)
		}
		goTool(t, folder, args...)
	}
}

func (p program) start(t *testing.T, bin string) *sidebyside.Running {
	t.Helper()
	return sidebyside.Start(t, sidebyside.Program{
		Binary: filepath.Join(bin, path.Base(p.pkg)), Args: p.args, Folder: t.TempDir(), Stdin: p.stdin,
		Env: []string{"HOME=" + t.TempDir()}, Workspace: p.workspace, Prepare: p.prepare,
	})
}

// goTool runs the go command in a folder and returns what it printed. Programs are built without
// the race detector: their dependencies are large, and not what is tested.
func goTool(t *testing.T, folder string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off", "CGO_ENABLED=0")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	require.NoError(t, cmd.Run(), "go %s\n%s", strings.Join(args, " "), &errs)
	return out.String()
}

// programsOnly is a folder without its tests.
type programsOnly struct{ fs.FS }

func (f programsOnly) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(f.FS, name)
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return strings.HasSuffix(e.Name(), "_test.go") }), err
}
