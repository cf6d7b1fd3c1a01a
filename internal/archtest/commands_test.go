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
	// inlineMake matches commands in running text and in workflows.
	inlineMake = regexp.MustCompile("(?m)(?:`|run: )(make [a-z0-9-]+)")
	goCommand  = regexp.MustCompile(`^go (?:run|install|test|build) (?:-\S+ )*(\S+)`)
)

// TestTheCommandsOfTheDocumentsExist checks every command in documents and workflows that is make, or
// go with a path in this repository.
func TestTheCommandsOfTheDocumentsExist(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	require.NoError(t, err)
	found := 0
	check := func(file, folder, command string) {
		command, _, _ = strings.Cut(command, " #")
		if rest, ok := strings.CutPrefix(command, "make "); ok {
			for target := range strings.FieldsSeq(rest) {
				if !strings.Contains(target, "=") {
					found++
					require.Regexp(t, `(?m)^`+regexp.QuoteMeta(target)+`:`, string(makefile), "%s: make %s", file, target)
				}
			}
			return
		}
		at := goCommand.FindStringSubmatch(command)
		if at == nil {
			return
		}
		path := strings.TrimSuffix(at[1], "/...")
		if own, is := strings.CutPrefix(path, strings.TrimSuffix(module, "/")+"/"); is {
			path, _, _ = strings.Cut(own, "@")
			folder = "../.."
		} else if !strings.HasPrefix(path, ".") {
			return
		}
		found++
		require.DirExists(t, filepath.Join(folder, filepath.FromSlash(path)), "%s: %s", file, command)
	}

	require.NoError(t, filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		extension := filepath.Ext(path)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "bin" || d.Name() == "testdata"):
			return fs.SkipDir
		case d.IsDir() || extension != ".md" && extension != ".yml":
			return nil
		}
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, at := range inlineMake.FindAllStringSubmatch(string(content), -1) {
			check(path, "", at[1])
		}
		for _, block := range shellBlocks(string(content)) {
			folder := moduleFolder(path)
			for _, line := range block {
				for command := range strings.SplitSeq(strings.TrimPrefix(strings.TrimSpace(line), "$ "), " && ") {
					if to, ok := strings.CutPrefix(command, "cd "); ok {
						folder = filepath.Join("../..", to)
						continue
					}
					check(path, folder, command)
				}
			}
		}
		return nil
	}))
	require.Positive(t, found)
}

// shellBlocks are the lines of each fence that has no language, or a shell's.
func shellBlocks(text string) (blocks [][]string) {
	open, shell := false, false
	for line := range strings.Lines(text) {
		language, fence := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "```")
		switch {
		case fence && open:
			open = false
		case fence:
			open, shell = true, language == "" || language == "sh" || language == "console"
			if shell {
				blocks = append(blocks, nil)
			}
		case open && shell:
			blocks[len(blocks)-1] = append(blocks[len(blocks)-1], line)
		}
	}
	return blocks
}

// moduleFolder is the nearest folder above a document that has a go.mod.
func moduleFolder(document string) string {
	folder := filepath.Dir(document)
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder
		}
		folder = filepath.Dir(folder)
	}
}
