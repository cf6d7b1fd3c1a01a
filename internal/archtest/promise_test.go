package archtest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// promising are the pages that make promises about privacy. Each has one table of proofs between
// markers, with a row for each promise: | sentence | tests |.
var promising = []string{"docs/PRIVACY.md", "docs/DEBUGPAGE.md", "README.md"}

var (
	proofTable = regexp.MustCompile(`(?s)<!-- proofs -->\n(.*?)<!-- end: proofs -->`)
	testName   = regexp.MustCompile("`((?:Test|Fuzz)\\w+)`")
	testFunc   = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
)

// tests are the names of all test functions of the repository, those of nested modules included.
func tests(t *testing.T, root string) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	require.NoError(t, filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range testFunc.FindAllStringSubmatch(string(source), -1) {
			all[m[1]] = true
		}
		return err
	}))
	return all
}

// Every row of a table of proofs names tests that exist.
func TestEveryPromiseNamesTheTestThatProvesIt(t *testing.T) {
	root := filepath.Join("..", "..")
	known := tests(t, root)
	for _, page := range promising {
		text, err := os.ReadFile(filepath.Join(root, page))
		require.NoError(t, err)
		table := proofTable.FindStringSubmatch(string(text))
		require.NotNil(t, table, "%s has no table of proofs", page)
		rows := 0
		for line := range strings.Lines(table[1]) {
			if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| promise") {
				continue
			}
			rows++
			names := testName.FindAllStringSubmatch(line, -1)
			require.NotEmpty(t, names, "%s: no test proves: %s", page, line)
			for _, name := range names {
				require.True(t, known[name[1]], "%s: there is no %s, which should prove: %s", page, name[1], line)
			}
		}
		require.GreaterOrEqual(t, rows, 3, page)
	}
}
