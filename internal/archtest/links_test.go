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

var (
	link    = regexp.MustCompile(`\]\(([^)#\s]*)(?:#([^)\s]*))?\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	notID   = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// TestLinksOfTheDocumentsLeadSomewhere checks links between files of this repository, and the headings
// they name.
func TestLinksOfTheDocumentsLeadSomewhere(t *testing.T) {
	found := 0
	require.NoError(t, filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "bin" || d.Name() == "testdata"):
			return fs.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".md":
			return nil
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, l := range link.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(l[1], "://") || strings.HasPrefix(l[1], "mailto:") {
				continue
			}
			found++
			to := path
			if l[1] != "" {
				to = filepath.Join(filepath.Dir(path), filepath.FromSlash(l[1]))
				require.True(t, exists(to), "%s: %s", path, l[0])
			}
			if l[2] != "" {
				target, err := os.ReadFile(to)
				require.NoError(t, err)
				require.Contains(t, anchors(string(target)), l[2], "%s: %s", path, l[0])
			}
		}
		return nil
	}))
	require.Greater(t, found, 50)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// anchors are the ids that GitHub gives to the headings of a document.
func anchors(text string) (ids []string) {
	for _, h := range heading.FindAllStringSubmatch(text, -1) {
		ids = append(ids, strings.ReplaceAll(notID.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-"))
	}
	return ids
}

// The module has no package at its root, so go get of the module alone would leave out the checksums
// that a build needs.
func TestGoGetNamesPackages(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	get := regexp.MustCompile(`(?m)^go get (\S+)$`).FindAllStringSubmatch(string(readme), -1)
	require.NotEmpty(t, get)
	for _, command := range get {
		require.Equal(t, strings.TrimSuffix(module, "/")+"/...", command[1])
	}
}
