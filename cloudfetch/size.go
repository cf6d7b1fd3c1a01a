package cloudfetch

import "encoding/binary"

// valueSize returns the length of a value that is complete in p. It returns 0 for a value that is
// incomplete or invalid, which the reader then follows step by step. Most of a message is skipped,
// and skipping whole values is quicker: reading an answer with direct results takes 1.5 µs, and 3.8
// µs without valueSize (BenchmarkReaderAhead/direct).
func valueSize(p []byte, typ byte, depth int) int {
	switch {
	case depth <= 0 || int(typ) >= len(widths):
		return 0
	case widths[typ] > 0:
		if int(widths[typ]) <= len(p) {
			return int(widths[typ])
		}
	case typ == tString && len(p) >= 4:
		n := int64(int32(binary.BigEndian.Uint32(p)))
		if n >= 0 && n <= int64(len(p)-4) {
			return 4 + int(n)
		}
	case typ == tStruct:
		return structSize(p, depth-1)
	case (typ == tList || typ == tSet) && len(p) >= 5:
		return elementsSize(p, 5, int32(binary.BigEndian.Uint32(p[1:])), depth-1, p[0])
	case typ == tMap && len(p) >= 6:
		return elementsSize(p, 6, int32(binary.BigEndian.Uint32(p[2:])), depth-1, p[0], p[1])
	}
	return 0
}

// structSize is valueSize for the fields of a struct, including its end.
func structSize(p []byte, depth int) int {
	for n := 0; n < len(p); {
		typ := p[n]
		if typ == tStop {
			return n + 1
		}
		if n += 3; n >= len(p) {
			break
		}
		size := valueSize(p[n:], typ, depth)
		if size == 0 {
			break
		}
		n += size
	}
	return 0
}

// elementsSize is valueSize for n elements, or pairs of them, that begin at the given offset.
func elementsSize(p []byte, at int, n int32, depth int, types ...byte) int {
	if n < 0 {
		return 0
	}
	for range n {
		for _, typ := range types {
			size := valueSize(p[at:], typ, depth)
			if size == 0 {
				return 0
			}
			at += size
		}
	}
	return at
}
