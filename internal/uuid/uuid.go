// Package uuid has identifiers of 16 bytes that are written as 8-4-4-4-12 hexadecimal digits.
package uuid

import (
	"crypto/rand"
	"encoding/hex"
)

// UUID is an identifier.
type UUID [16]byte

// New returns a random identifier (version 4).
func New() (id UUID) {
	_, _ = rand.Read(id[:]) // never fails
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id
}

// textLength is the number of characters of an identifier.
const textLength = 36

// groups are the bytes of an identifier between its hyphens.
var groups = [...]struct{ from, to int }{{0, 4}, {4, 6}, {6, 8}, {8, 10}, {10, 16}}

// String returns the identifier in lower case.
func (id UUID) String() string { return string(id.Append(make([]byte, 0, textLength))) }

// Append appends what String returns.
func (id UUID) Append(b []byte) []byte {
	for _, g := range groups {
		if g.from > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, id[g.from:g.to])
	}
	return b
}

// Parse parses what String returns, in upper or lower case. For any other text, ok is false and the
// identifier is zero.
func Parse(s string) (id UUID, ok bool) {
	if len(s) != textLength {
		return UUID{}, false
	}
	for _, g := range groups {
		if g.from > 0 {
			if s[0] != '-' {
				return UUID{}, false
			}
			s = s[1:]
		}
		digits := 2 * (g.to - g.from)
		if _, err := hex.Decode(id[g.from:g.to], []byte(s[:digits])); err != nil {
			return UUID{}, false
		}
		s = s[digits:]
	}
	return id, true
}
