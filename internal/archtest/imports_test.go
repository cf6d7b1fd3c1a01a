package archtest

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/seed-01322ee7/databricks-telemetry/"

// mayImport lists, for every package of the main module, the other packages of the module that it may
// import. Imports point from the packages that applications use to those that import no other.
var mayImport = map[string][]string{
	"cloudfetch": {"internal/contain", "internal/uuid", "telemetry"},
	"sanitize":   {},
	"telemetry":  {"internal/contain", "internal/ondemand", "internal/queue", "internal/shared", "internal/sqltext"},

	"telemetry/explain": {"internal/breakdown", "internal/format", "telemetry"},
	"telemetry/ndjson":  {"internal/registry", "telemetry", "telemetry/explain"},
	"telemetry/logsink": {"internal/contain", "internal/registry", "internal/spancontext", "telemetry", "telemetry/explain"},

	"internal/export":     {"cloudfetch", "internal/contain", "internal/failure", "internal/lasting", "internal/ondemand", "internal/queue", "internal/registry", "internal/shared", "internal/uuid", "telemetry"},
	"internal/history":    {"internal/contain", "internal/export", "internal/lasting", "internal/ondemand", "internal/queue", "internal/settings", "internal/shared", "telemetry"},
	"telemetry/expvars":   {"telemetry"},
	"telemetry/otelsink":  {"internal/contain", "internal/shared", "internal/spancontext", "internal/sqltext", "telemetry", "internal/breakdown"},
	"telemetry/debugpage": {"internal/breakdown", "internal/buckets", "internal/sqltext", "internal/contain", "internal/format", "internal/registry", "internal/settings", "internal/shared", "telemetry", "telemetry/explain", "internal/export", "internal/history"},

	"driverwrap": {"cloudfetch", "internal/contain", "internal/failure", "internal/ondemand", "internal/settings", "internal/shared", "internal/spancontext", "internal/sqltext", "sanitize", "telemetry", "internal/export", "internal/history", "telemetry/logsink"},
	"cmd/dbtel":  {"internal/breakdown", "internal/buckets", "internal/format", "internal/sqltext", "telemetry", "telemetry/explain", "telemetry/ndjson"},

	"internal/contain":     {},
	"internal/failure":     {"cloudfetch", "internal/registry", "telemetry"},
	"internal/breakdown":   {"telemetry"},
	"internal/buckets":     {},
	"internal/format":      {},
	"internal/registry":    {"internal/uuid", "telemetry"},
	"internal/settings":    {"telemetry"},
	"internal/lasting":     {},
	"internal/ondemand":    {},
	"internal/queue":       {},
	"internal/shared":      {},
	"internal/uuid":        {},
	"internal/sqltext":     {},
	"internal/spancontext": {"telemetry"},
	"internal/archtest":    {},
}

// mayImportNative lists the packages that may import the native driver: one wraps it, one classifies
// its errors.
var mayImportNative = []string{"driverwrap", "internal/failure"}

type pkg struct {
	ImportPath, Dir  string
	Imports, GoFiles []string
}

func packages(t *testing.T) (all []pkg) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,Dir,GoFiles", module+"...").Output()
	require.NoError(t, err)
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p pkg
		require.NoError(t, dec.Decode(&p))
		all = append(all, p)
	}
	return all
}

func TestImportsPointOneWay(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		allowed, known := mayImport[name]
		require.True(t, known, "package %s is not in the table of this test: add it", name)
		for _, i := range p.Imports {
			if own, is := strings.CutPrefix(i, module); is {
				require.Contains(t, allowed, own, "%s must not import %s", name, own)
			}
			if strings.HasPrefix(i, "github.com/databricks/databricks-sql-go") {
				require.Contains(t, mayImportNative, name, "%s must not import %s", name, i)
			}
		}
	}
}

// Unexported fields of other modules are not written, neither by package unsafe nor by reflection.
func TestNothingReachesIntoTheNativeDriver(t *testing.T) {
	for _, p := range packages(t) {
		for _, i := range p.Imports {
			require.NotContains(t, i, "databricks-sql-go/internal", "%s", p.ImportPath)
			require.NotEqual(t, "unsafe", i, "%s", p.ImportPath)
		}
		for _, name := range p.GoFiles {
			code, err := os.ReadFile(filepath.Join(p.Dir, name))
			require.NoError(t, err)
			require.NotRegexp(t, `\.(UnsafePointer|UnsafeAddr|Pointer)\(\)|reflect\.NewAt|//go:linkname`, string(code), "%s/%s", p.ImportPath, name)
		}
	}
}
