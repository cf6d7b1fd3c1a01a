package telemetry

import (
	"crypto/sha256"
	"encoding/hex"
	"math"

	"github.com/seed-01322ee7/databricks-telemetry/internal/sqltext"
)

// ShapeOf returns the shape of a text of SQL: 16 hexadecimal digits that are equal for texts that
// differ only in literals, comments and white space. A text has the same shape in every process. Only
// the first 64 KiB of a text count. The shape of an empty text is "".
//
// A shape does not reveal its text, but a guess of the text can be checked against it.
func ShapeOf(query string) string {
	if query == "" {
		return ""
	}
	var room [1 << 10]byte // most texts fit, and take no memory
	sum := sha256.Sum256(sqltext.AppendWithoutLiterals(room[:0], query, math.MaxInt))
	var digits [16]byte
	hex.Encode(digits[:], sum[:8])
	return string(digits[:])
}
