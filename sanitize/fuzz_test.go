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
	for _, a := range contexts {
		f.Add(a[0] + "'x\\\"y'" + a[1])
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := requireGuarantees(t, text)
		// Every word of the result is on a list or a code.
		for _, kind := range placeholders {
			got = strings.ReplaceAll(got, kind, " ")
		}
		for _, word := range strings.FieldsFunc(got, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("()[]{},;=?…>", r) }) {
			word = strings.Trim(word, ":.")
			ok := word == "" || word == "-" || passes(word) || isClass(word) || isStatus(word) || isSQLState(word)
			if !ok { // part of a reason phrase, whose words may be joined
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

// FuzzPlantedSecret plants a secret of any letters anywhere. The result does not contain the
// secret, in upper or lower case, unless the secret is part of a list.
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
			got := strings.ToLower(requireGuarantees(t, text[:at]+space+secret+space+text[at:]))
			if len(secret) < 4 || isListed(secret) || strings.Contains(before, strings.ToLower(secret)) {
				continue
			}
			require.NotContains(t, got, strings.ToLower(secret), "%q", text)
		}
	})
}

// isListed reports whether letters are part of something that passes, which nothing can
// distinguish from a secret.
func isListed(secret string) bool {
	return strings.Contains(lists, strings.ToLower(secret))
}

var lists = strings.ToLower(vocabularyText + classesText + reasons + strings.Join(placeholders, " "))
