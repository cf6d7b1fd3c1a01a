package sanitize

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

const mebibyte = 1 << 20

// adversaries are texts of one MiB that would cost more than their length if any
// rule looked twice at what it passed.
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
	limit, rounds := 50*time.Millisecond, 3
	if raceEnabled {
		limit, rounds = 10*limit, 1
	}
	for name, text := range adversaries() {
		for _, f := range []func(string) string{Message, URL, DSN, Path} {
			least := time.Hour
			for range rounds { // the machine may be busy; the least is the code's
				start := time.Now()
				f(text)
				least = min(least, time.Since(start))
			}
			assert.Less(t, least, limit, name)
		}
	}
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
