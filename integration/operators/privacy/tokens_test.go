package privacy

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// tokens has the tokens that are planted, by their number, and where they were found.
type tokens struct {
	mu      sync.Mutex
	places  []string
	rules   []rule
	found   map[string]map[int]string // by output and number: an excerpt
	decoded map[string]bool           // what was decoded
}

// add plants a token. Each part of it that is eight characters long has the middle and the number, before or after.
func (g *tokens) add(place string, r rule) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := len(g.places)
	if n > 999 {
		panic("more tokens than numbers of three digits")
	}
	g.places, g.rules = append(g.places, place), append(g.rules, r)
	return fmt.Sprintf("q%03d%s%03dz", n, middle, n)
}

const middle = "xkvw"

// numberAt returns the number of a token from what is before or after its middle; -1 if both are cut off.
func numberAt(before, after string) int {
	for _, number := range []string{after[:min(3, len(after))], before[max(0, len(before)-3):]} {
		if n, err := strconv.Atoi(number); err == nil && n >= 0 && len(number) == 3 {
			return n
		}
	}
	return -1
}

// look looks for tokens in an output, also if they are encoded.
func (g *tokens) look(output, text string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.found == nil {
		g.found, g.decoded = map[string]map[int]string{}, map[string]bool{}
	}
	if g.found[output] == nil {
		g.found[output] = map[int]string{}
	}
	search := func(text string) {
		folded := strings.ToLower(text)
		for at := 0; ; at += len(middle) {
			next := strings.Index(folded[at:], middle)
			if next < 0 {
				return
			}
			at += next
			n := numberAt(folded[:at], folded[at+len(middle):])
			if g.found[output][n] == "" {
				g.found[output][n] = folded[max(0, at-150):min(len(folded), at+60)]
			}
		}
	}
	search(text)
	if strings.Contains(text, "&#") {
		search(html.UnescapeString(text))
	}
	for _, run := range strings.FieldsFunc(text, inNoCode) {
		if len(run) < 11 || g.decoded[run] {
			continue
		}
		g.decoded[run] = true
		plain := strings.NewReplacer("-", "+", "_", "/").Replace(run)
		for skip := range 4 {
			b, _ := base64.RawStdEncoding.DecodeString(plain[skip : skip+(len(plain)-skip)/4*4])
			search(string(b))
		}
		for skip := range 2 {
			b, _ := hex.DecodeString(run[skip:])
			search(string(b))
		}
	}
}

// inNoCode reports whether a character is neither of base64 nor a hexadecimal digit.
func inNoCode(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("+/-_", r)
}

// check compares what was found with the rules.
func (g *tokens) check(t *testing.T) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for output, found := range g.found {
		for n, excerpt := range found {
			switch {
			case n < 0 || n >= len(g.places):
				t.Errorf("a part of a token in %s: %s", output, excerpt)
			case !slices.Contains(g.rules[n].in, output):
				t.Errorf("%q in %s: %s", g.places[n], output, excerpt)
			}
		}
	}
	for n, r := range g.rules {
		for _, output := range r.must {
			if g.found[output][n] == "" {
				t.Errorf("%q is not in %s", g.places[n], output)
			}
		}
	}
}
