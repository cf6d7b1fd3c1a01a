package sanitize

import (
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

func FuzzMessage(f *testing.F) {
	for _, line := range corpus(f) {
		f.Add(unmarked(line))
	}
	for _, a := range around {
		f.Add(a[0] + "'x\\\"y'" + a[1])
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := promises(t, text)
		// Every word of the result is one of a list, or in its place.
		for _, kind := range placeholders {
			got = strings.ReplaceAll(got, kind, " ")
		}
		for _, word := range strings.FieldsFunc(got, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("()[]{},;=?…>", r) }) {
			word = strings.Trim(word, ":.")
			ok := word == "" || word == "-" || passes(word) || isClass(word) || isStatus(word) || isSQLState(word)
			if !ok { // of a reason phrase, in which words may be joined
				ok = strings.Contains(got, " "+word) || strings.HasPrefix(got, word)
				ok = ok && strings.Contains(reasons, strings.ToLower(word))
			}
			require.True(t, ok, "%q in %q", word, got)
		}
	})
}

var reasons = func() string {
	var all strings.Builder
	for n := 100; n < 600; n++ {
		all.WriteString(strings.ToLower(reason(string([]byte{byte('0' + n/100), byte('0' + n/10%10), byte('0' + n%10)}))) + " ")
	}
	return all.String()
}()

// FuzzPlantedSecret plants a secret of any letters anywhere. What is no word of the vocabulary
// is not in the result, in any case.
func FuzzPlantedSecret(f *testing.F) {
	lines := corpus(f)
	for i, secret := range passwords {
		f.Add(lines[i%len(lines)], secret, uint(i*7))
	}
	f.Fuzz(func(t *testing.T, text, secret string, at uint) {
		secret = strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) {
				return r
			}
			return -1
		}, secret)
		text = unmarked(text)
		before := strings.ToLower(Message(text))
		at %= uint(len(text) + 1)
		for _, space := range []string{"", " "} {
			got := strings.ToLower(promises(t, text[:at]+space+secret+space+text[at:]))
			if len(secret) < 4 || inAList(secret) || strings.Contains(before, strings.ToLower(secret)) {
				continue
			}
			require.NotContains(t, got, strings.ToLower(secret), "%q", text)
		}
	})
}

// inAList reports whether letters stand in something that passes: then nothing tells them
// from it.
func inAList(secret string) bool {
	return strings.Contains(lists, strings.ToLower(secret))
}

var lists = strings.ToLower(vocabularyText + classesText + reasons + strings.Join(placeholders, " "))
