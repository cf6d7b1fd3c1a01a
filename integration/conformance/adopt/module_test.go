package adopt

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/stretchr/testify/require"
)

// The two flavors of every program.
const (
	native  = "native"
	adopted = "adopted"
)

// examples is the native driver's folder of examples, built in both flavors.
type examples struct {
	source  string         // the driver's examples folder
	bin     string         // <bin>/<flavor>/<program>
	names   []string       // of the programs: their folders
	changes map[string]int // places adoption changed in each program
}

// build makes one module of the driver's example programs, both unchanged and adopted, with the
// dependencies of these tests, and builds it. The programs stay in place for the next run, so that the go
// command links only those that changed.
func build(t *testing.T) *examples {
	t.Helper()
	root, err := filepath.Abs("../../..")
	require.NoError(t, err)
	dir := t.TempDir()

	ownModule := moduleFile(t)
	text, err := os.ReadFile(ownModule)
	require.NoError(t, err)
	write(t, filepath.Join(dir, "go.mod"), text)
	const module = "github.com/seed-01322ee7/databricks-telemetry"
	goTool(t, dir, "mod", "edit", "-module=examples",
		"-replace="+module+"="+root,
		"-replace="+module+"/integration="+filepath.Join(root, "integration"))

	// The driver's module names the programs' other dependencies, with their checksums.
	driver := strings.TrimSpace(goTool(t, dir, "list", "-m", "-f", "{{.Dir}}", nativePath))
	var sums []byte
	for _, file := range []string{strings.TrimSuffix(ownModule, ".mod") + ".sum", filepath.Join(driver, "go.sum")} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		sums = append(append(sums, text...), '\n')
	}
	write(t, filepath.Join(dir, "go.sum"), sums)

	e := &examples{source: filepath.Join(driver, "examples"), bin: filepath.Join(root, "bin", "adopt", dbsql.DriverVersion), changes: map[string]int{}}
	mains, err := filepath.Glob(filepath.Join(e.source, "*", "main.go"))
	require.NoError(t, err)
	require.NotEmpty(t, mains, "the driver brings its examples")
	for _, path := range mains {
		name := filepath.Base(filepath.Dir(path))
		source, err := os.ReadFile(path)
		require.NoError(t, err)
		rewritten, changes, err := adopt(source)
		require.NoError(t, err, name)
		write(t, filepath.Join(dir, native, name, "main.go"), source)
		write(t, filepath.Join(dir, adopted, name, "main.go"), rewritten)
		e.names = append(e.names, name)
		e.changes[name] = changes
	}
	for _, flavour := range []string{native, adopted} {
		out := filepath.Join(e.bin, flavour)
		require.NoError(t, os.MkdirAll(out, 0o755))
		goTool(t, dir, "build", "-trimpath", "-ldflags=-s -w", "-o", out, "./"+flavour+"/...")
	}
	return e
}

// moduleFile is the module file these tests were built with: the one that names the driver's
// version.
func moduleFile(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("../*.mod")
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		if bytes.Contains(text, []byte(nativePath+" v"+dbsql.DriverVersion+"\n")) {
			return file
		}
	}
	require.FailNow(t, "no module file", "none of %v requires driver version %s", files, dbsql.DriverVersion)
	return ""
}

// goTool runs the go command in a folder and returns what it printed.
func goTool(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "CGO_ENABLED=0")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	require.NoError(t, cmd.Run(), "go %s\n%s", strings.Join(args, " "), &errs)
	return out.String()
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, content, 0o644))
}
