package driverwrap

import "testing"

// BenchmarkLease compares passing the lease of a session from rows to rows with making one
// for each rows.
func BenchmarkLease(b *testing.B) {
	var spare spareLease
	b.Run("reused", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			spare.release(spare.acquire())
		}
	})
	b.Run("made", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			newLease()
		}
	})
}
