package sanitize

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

const mebibyte = 1 << 20

// adversaries are texts that would cost more than their length if any rule looked twice at
// what it passed.
func adversaries() map[string]string {
	m := map[string]string{"prose": fill("The statement failed because it took too long. ")}
	for _, unit := range []string{
		"'", "\"", "`", "@", "/", "=", "eyJ", "7", "<", "</", "<a ", "<!a>", "<x></x>", "[", "{", "\\", " ", "\n", ":", "a:", "a.", "a-", "a=", "&", "?", "-----BEGIN ", "== ", "\xff", "é", "“", "“a ", "'a ", "`a` ",
		"`a`.", "SQLSTATE", "select", "token:", "password=", "https://", "a@b.", "<Key>", "<Key></Key>", "{\"message\":\"", "\\\"", "\x00", "…",
	} {
		m[unit] = fill(unit)
		m[unit+" after a statement"] = "SELECT " + fill(unit)
		m[unit+" in a quotation"] = "\"" + fill(unit) + "\""
		m[unit+" in a URL"] = "https://" + fill(unit)
	}
	return m
}

func fill(unit string) string { return strings.Repeat(unit, mebibyte/len(unit)+1)[:mebibyte] }

func TestTimeIsLinearOnAdversarialText(t *testing.T) {
	const (
		times  = 16        // a text that is so many times as long
		limit  = 4 * times // takes so many times as long at most; if time were quadratic, 256
		rounds = 100
	)
	for name, text := range adversaries() {
		text = text[:mebibyte/4]
		for i, f := range []func(string) string{Message, URL, DSN, Path} {
			short, long := time.Duration(math.MaxInt64/limit), time.Duration(math.MaxInt64)
			for round := 0; long > limit*max(short, time.Microsecond) && round < rounds; round++ { // the machine may be busy; the least is the code's
				short, long = min(short, took(f, text[:len(text)/times])), min(long, took(f, text))
			}
			assert.LessOrEqual(t, long, limit*max(short, time.Microsecond), "%s, function %d", name, i)
		}
	}
}

func took(f func(string) string, text string) time.Duration {
	start := time.Now()
	f(text)
	return time.Since(start)
}

func BenchmarkMessage1MiB(b *testing.B) {
	for _, unit := range []string{"The statement failed because it took too long. ", "'", "`", "\"", "@", "/", "=", "eyJ", "7", " ", "<!a>", "\xff"} {
		text := fill(unit)
		b.Run(strings.ToValidUTF8(strings.TrimSpace(unit), "invalid"), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(mebibyte)
			for b.Loop() {
				Message(text)
			}
		})
	}
}

func BenchmarkMessage(b *testing.B) {
	for _, bench := range []struct{ name, text string }{
		{"clean", "context deadline exceeded"},
		{"server", corpus[0].text},
		{"network", corpus[8].text},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Message(bench.text)
			}
		})
	}
}
