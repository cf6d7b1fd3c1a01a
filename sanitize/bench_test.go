package sanitize

import "testing"

func BenchmarkMessage(b *testing.B) {
	lines := corpus(b)
	for i := range lines {
		lines[i] = unmarked(lines[i])
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		Message(lines[i%len(lines)])
		i++
	}
}
