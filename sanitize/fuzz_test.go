package sanitize

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// promises checks what every function of the package says of its results.
func promises(t *testing.T, f func(string) string, text string) string {
	t.Helper()
	got := f(text)
	require.True(t, utf8.ValidString(got), "valid UTF-8: %q", got)
	require.LessOrEqual(t, utf8.RuneCountInString(got), MaxRunes)
	for _, r := range got {
		require.False(t, unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029', "one line: %q", got)
	}
	require.Equal(t, got, f(got), "idempotent: from %q", text)
	return got
}

func FuzzMessage(f *testing.F) {
	for _, tt := range corpus {
		f.Add(tt.text)
	}
	for _, text := range awkward {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		promises(t, Message, text)
		promises(t, Path, text)
		for _, name := range []string{"Authorization", "Content-Type", "Retry-After", "Location", "Cookie"} {
			promises(t, func(v string) string { return Header(name, v) }, text)
		}
	})
}

func FuzzURL(f *testing.F) {
	for _, tt := range urls {
		f.Add(tt.text)
	}
	for _, tt := range dsns {
		f.Add(tt.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := promises(t, URL, text)
		// Nothing of a query survives, whatever it is.
		if name, _, ok := strings.Cut(got, "?"); ok {
			require.Equal(t, name+"?"+query, got)
		}
	})
}

func FuzzDSN(f *testing.F) {
	for _, tt := range dsns {
		f.Add(tt.text, uint64(1))
	}
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		promises(t, DSN, text)
		for _, alphabet := range []string{hex, base64, base64URL} {
			body := random(seed, alphabet, 36)
			for _, dsn := range []string{
				"token:" + body + "@" + text, text + body + "@host:443/", "token:" + body + text,
				"token:x@host:443/sql/1.0/warehouses/y?" + text + "&clientSecret=" + body,
				"host:443/" + body + text, text + body,
			} {
				requireGone(t, body, DSN(dsn), dsn)
			}
		}
	})
}

const (
	hex       = "0123456789abcdef"
	base64    = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	base64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	small     = "abcdefghijklmnopqrstuvwxyz"
	capitals  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
)

// random returns n characters, with a digit among every seven so that no stretch of
// a planted secret is a word by chance.
func random(seed uint64, alphabet string, n int) string {
	r := rand.New(rand.NewPCG(seed, 7))
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
		if i%7 == 3 && alphabet != small {
			b[i] = byte('2' + r.IntN(6))
		}
	}
	return string(b)
}

// planted are the kinds of secrets: what stands before the body, its alphabet and
// length, and what stands behind it.
var planted = []struct {
	before, alphabet string
	length           int
	behind           string
}{
	{"dapi", hex, 32, ""},
	{"dapi", hex, 32, "-2"},
	{"dkea", hex, 32, ""},
	{"doseb", hex, 32, ""},
	{"eyJhbGciOiJSUzI1NiJ9.eyJ", base64URL, 60, ".c2ln"},
	{"access_token=", base64URL, 40, ""},
	{`"refresh_token":"`, base64URL, 40, `"`},
	{`"client_secret": "`, base64, 40, `"`},
	{"client_secret=", base64, 40, "&scope=all-apis"},
	{"AKIA", capitals, 16, ""},
	{"ASIA", capitals, 16, ""},
	{"aws_secret_access_key = ", base64, 40, ""},
	{"X-Amz-Signature=", hex, 64, "&x=1"},
	{"X-Amz-Security-Token=", base64, 100, "=="},
	{"X-Amz-Credential=AKIA", capitals, 16, "%2F20240101%2Fus-east-1"},
	{"sig=", base64, 43, "%3D"},
	{"AccountKey=", base64, 86, "==;"},
	{"AIza", base64URL, 35, ""},
	{"X-Goog-Signature=", hex, 128, ""},
	{"-----BEGIN PRIVATE KEY-----\n", base64, 64, "\n-----END PRIVATE KEY-----"},
	{"Authorization: Bearer ", base64URL, 40, ""},
	{"Authorization: Basic ", base64, 40, "="},
	{"authorization:", base64, 40, ""},
	{"https://user:", base64URL, 24, "@host/"},
	{"https://bucket.s3.amazonaws.com/key?X=", base64, 40, " "},
	{"token:dapi", hex, 32, "@adb-1.azuredatabricks.net:443/sql/1.0/warehouses/a"},
	{"password=", small, 24, ""},
	{"password=", small, 12, ""},
	{"--password=", small, 12, " "},
	{"PWD=", small, 16, ";"},
	{" WHERE x = '", small, 16, "'"},
	{"= '", small, 16, "'"},
	{"`", small, 16, "`"},
	{"\n== SQL ==\nselect ", small, 16, " from t"},
	{" SELECT * FROM ", small, 16, " WHERE 1"},
	{"/home/", small, 12, "/file "},
	{"/Users/", small, 12, "/file "},
	{`C:\Users\`, small, 12, `\file`},
	{"/Volumes/main/", small, 12, "/v/file.csv"},
	{"s3://", small, 12, "/key"},
	{"", small, 12, "@example.com"},
}

// requireGone fails if eight bytes of body in a row are in got.
func requireGone(t *testing.T, body, got, text string) {
	t.Helper()
	const stretch = 8
	for i := 0; i+stretch <= len(body); i++ {
		if strings.Contains(got, body[i:i+stretch]) {
			t.Fatalf("%q of the secret %q survives in %q\nfrom %q", body[i:i+stretch], body, got, text)
		}
	}
}

func FuzzPlantedSecret(f *testing.F) {
	for i, text := range awkward {
		f.Add(text, awkward[len(awkward)-1-i], uint64(i))
	}
	for i, tt := range corpus {
		f.Add(tt.text, " ", uint64(i))
		f.Add("", tt.text, uint64(i))
	}
	f.Fuzz(func(t *testing.T, before, behind string, seed uint64) {
		for _, p := range planted {
			body := random(seed, p.alphabet, p.length)
			if strings.Contains(before+behind, body[:8]) {
				continue
			}
			text := before + p.before + body + p.behind + behind
			got := Message(text)
			requireGone(t, body, got, text)
		}
	})
}
