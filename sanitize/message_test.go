package sanitize

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// awkward texts are made of what opens and never closes, and of what looks like
// something else.
var awkward = []string{
	"", " ", "\x00", "\xff\xfe", "a\nb\r\nc", "\x1b[31mred\x1b[0m", "\u202eevil", "<", "<<<>>>", "<redacted>", "<redacted>bob", "<value", "''''", "'", "\"", "`", "``", "`a`b",
	"= = =", "a=b=c", "a==", "://", "https://", "https://@/?#", "s3://", "@", "a@b", "@@@@", "::", "::1", "1:2:3", "...", "1.2.3.4.5", "[[[", "]]]", "{\"message\":\"", "{\"message\":\"a\\\"b c\"}",
	"</", "<a", "<Key>", "<Key>x", "<x><y></x>", "<!x>", "<?", "== SQL ==", "== x", "select", "SELECT", "with x as (", "-----BEGIN", "x-----BEGIN KEY", "-----BEGIN X-----a-----END X-----",
	"Authorization:", "Authorization: Bearer", "Authorization: 'x' y", "password", "password:", "password = ", "token: ", "/", "//", "~", "\\", "$", "a\\'b", "…", "“", "“a", "‘it’s’", "don’t", "users' x", "O'Brien",
	"table", "table ,,, ", "1 2 3", "1m2m3m", "99999999", "not found: ", "state 42000", "SQLSTATE: 42P01", "1.", "v", "e.g.", "-> ->", "a->b", "<host>:443/x", "token:<redacted>@<host>:443",
}

func TestMessageKeepsWhatHelpsAndRemovesTheRest(t *testing.T) {
	for _, tt := range corpus {
		assert.Equal(t, tt.want, promises(t, Message, tt.text), "from %q", tt.text)
	}
}

func TestMessageReturnsCleanTextAsItIs(t *testing.T) {
	for _, text := range []string{
		"context deadline exceeded",
		"driver: bad connection",
		"net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)",
		"We couldn't finish within 30s; please try again, or ask your administrator (attempt 3 of 5).",
		"[DIVIDE_BY_ZERO] Division by zero. SQLSTATE: 22012",
		"HTTP 503 Service Unavailable",
	} {
		assert.Equal(t, text, Message(text))
		assert.Zero(t, testing.AllocsPerRun(100, func() { Message(text) }), text)
	}
}

func TestAwkwardTextKeepsThePromises(t *testing.T) {
	for _, text := range awkward {
		for _, f := range []func(string) string{Message, URL, DSN, Path} {
			promises(t, f, text)
			promises(t, f, strings.Repeat(text, 700))
		}
	}
}

// Scanning again is for confusing text; what servers say comes to rest at once, also
// when one message wraps another.
func TestMessagesComeToRest(t *testing.T) {
	for _, outer := range messages {
		for _, inner := range messages {
			for _, text := range []string{outer.text + ": " + inner.text, outer.text + "\n" + inner.text, `{"message":"` + outer.text + `"} ` + inner.text} {
				assert.NotEqual(t, redacted, Message(text), text)
			}
		}
	}
}

func TestMessageIsCutBetweenTokens(t *testing.T) {
	got := promises(t, Message, strings.Repeat("word ", 1000))
	assert.True(t, strings.HasSuffix(got, "word…"), got)
	got = promises(t, Message, `{"error_code":"PERMISSION_DENIED","message":"`+strings.Repeat("word ", 1000)+`"}`)
	assert.True(t, strings.HasSuffix(got, `word…"`), got)
	assert.Len(t, []rune(Message(strings.Repeat("x", 11)+" "+strings.Repeat("ab ", 163))), MaxRunes)

	// The head of a secret at the bound does not survive either.
	for n := range 80 {
		text := strings.Repeat("a ", 210+n/2) + strings.Repeat("b", n%2) + " dapi0123456789abcdef0123456789abcdef"
		require.NotContains(t, Message(text), "dapi")
	}
}

func TestPlantedSecretsAreGoneFromEveryContext(t *testing.T) {
	for _, p := range planted {
		for seed := range uint64(50) {
			body := random(seed, p.alphabet, p.length)
			for _, around := range [][2]string{{"", ""}, {"x", "y"}, {"x ", " y"}, {`"`, `"`}, {"'", "'"}, {"(", ")"}, {"[", "]"}, {"a=", ";"}, {"https://h/", " "}, {`{"message":"`, `"}`}} {
				text := around[0] + p.before + body + p.behind + around[1]
				requireGone(t, body, Message(text), text)
			}
		}
	}
}
