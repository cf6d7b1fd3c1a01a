package adoption

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// change is a diff of ADOPTION.md: what to change in one file.
type change struct {
	name string // as in the fence
	fork string // the dependency that the file belongs to; "" for the module itself
	file string
	diff string
}

var diffFence = regexp.MustCompile("(?ms)^```diff (\\S+)\n(.*?)^```$")

// diffsOf are the diffs of a Markdown text, by file: fences that begin with "```diff <file>".
func diffsOf(text string) map[string]string {
	diffs := map[string]string{}
	for _, fence := range diffFence.FindAllStringSubmatch(text, -1) {
		diffs[fence[1]] += fence[2]
	}
	return diffs
}

// takeDiffs removes the diffs for a module's programs from all and returns them. Every program has one.
func takeDiffs(all map[string]string, m module) (changes []change) {
	for name, diff := range all {
		c := change{name: name, file: name, diff: diff}
		for _, fork := range m.forks {
			if file, ok := strings.CutPrefix(name, fork+"/"); ok {
				c.fork, c.file = fork, file
			}
		}
		if c.fork == "" && !slices.ContainsFunc(m.programs, func(p program) bool {
			return strings.HasPrefix("./"+name, p.pkg+"/")
		}) {
			continue
		}
		changes = append(changes, c)
		delete(all, name)
	}
	return changes
}

// apply applies a diff to a text. A hunk ends at an empty line or at "@@"; it must match in exactly one
// place.
func apply(diff, text string) (string, error) {
	var was, is strings.Builder
	end := func() error {
		if was.Len() == 0 {
			return nil
		}
		if n := strings.Count(text, was.String()); n != 1 {
			return fmt.Errorf("%d places for\n%s", n, was.String())
		}
		text = strings.Replace(text, was.String(), is.String(), 1)
		was.Reset()
		is.Reset()
		return nil
	}
	for line := range strings.Lines(diff) {
		switch sign, rest := line[:1], line[1:]; sign {
		case "-":
			was.WriteString(rest)
		case "+":
			is.WriteString(rest)
		case " ":
			was.WriteString(rest)
			is.WriteString(rest)
		default:
			if err := end(); err != nil {
				return "", err
			}
		}
	}
	return text, end()
}

func TestApplyChangesWhatADiffNames(t *testing.T) {
	const text = "a\nb\nc\nd\n"
	got, err := apply("-b\n+B\n\n c\n+C\n@@\n-d\n", text)
	require.NoError(t, err)
	require.Equal(t, "a\nB\nc\nC\n", got)
	for _, diff := range []string{"-x\n", "-a\n-c\n", "-b\n\n-b\n"} {
		_, err := apply(diff, text)
		require.Error(t, err, diff)
	}
	_, err = apply("-a\n+b\n", "a\na\n")
	require.Error(t, err, "two places")
}
