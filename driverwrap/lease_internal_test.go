package driverwrap

import "testing"

// BenchmarkLease compares passing the lease of a connection from rows to rows with making one
// for each rows.
func BenchmarkLease(b *testing.B) {
	c := &conn{connector: &connector{}}
	b.Run("reused", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c.releaseLease(c.acquireLease())
		}
	})
	b.Run("made", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			newLease()
		}
	})
}
