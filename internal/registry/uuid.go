package registry

import (
	"crypto/rand"
	"encoding/hex"
)

// UUID is an id of version 4. As a value of a field it is a *UUID: its text would be a string
// per event.
type UUID [16]byte

// NewUUID returns a random id.
func NewUUID() (id UUID) {
	_, _ = rand.Read(id[:]) // never fails
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id
}

// Append appends the id as 36 characters: 8-4-4-4-12 hexadecimal digits.
func (id *UUID) Append(b []byte) []byte {
	for i, part := range [...][]byte{id[0:4], id[4:6], id[6:8], id[8:10], id[10:16]} {
		if i > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, part)
	}
	return b
}
