package archtest

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// firstWithKernel is the first tested version of the driver that has the kernel backend.
const firstWithKernel = "v1.15.1"

// The compatibility table is generated from go.mod, the Makefile and the conformance modules, so that
// it lists what is tested.
func TestTheCompatibilityTableIsWhatIsTested(t *testing.T) {
	oldest := find(t, "../../go.mod", `databricks-sql-go (v[\d.]+)`)
	floor := find(t, "../../go.mod", `(?m)^go (\d+\.\d+)`)
	drivers := append([]string{oldest}, strings.Fields(find(t, "../../Makefile", `(?m)^DRIVERS := (.*)$`))...)

	var b strings.Builder
	b.WriteString("| databricks-sql-go | `sql.Open`, `NewConnector` | `Wrap` | kernel backend (`useKernel`) |\n|---|---|---|---|\n")
	for _, d := range drivers {
		if d != oldest {
			require.FileExists(t, "../../integration/conformance/driver-"+d+".mod")
		}
		kernel := "not in this version"
		if d >= firstWithKernel {
			kernel = "like `Wrap`"
		}
		fmt.Fprintf(&b, "| %s | all facts | facts of `database/sql`, ids, result format | %s |\n", d, kernel)
	}
	fmt.Fprintf(&b, "\nGo %s or newer. `make test` runs the conformance suite on each of these versions.\n", floor)

	generated(t, "../../README.md", "compatibility", b.String())
}

func find(t *testing.T, file, pattern string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	m := regexp.MustCompile(pattern).FindStringSubmatch(string(raw))
	require.NotNil(t, m, "%s has no %s", file, pattern)
	return m[1]
}
