package ndjson

import (
	"bytes"
	"encoding/json"
	"iter"
)

// The functions below split JSON that is known to be valid. Package encoding/json would copy the text
// at each level, which would take most of the time of reading.

// members iterates over the keys and values of an object, in their order. Keys are without quotes.
func members(object []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		for rest := skipBlank(object[1:]); rest[0] != '}'; {
			n := stringLength(rest)
			key := unquoted(rest[:n])
			rest = skipBlank(skipBlank(rest[n:])[1:]) // the colon
			n = valueLength(rest)
			if !yield(key, rest[:n]) {
				return
			}
			rest = skipComma(rest[n:])
		}
	}
}

// elements iterates over the elements of an array.
func elements(array []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for rest := skipBlank(array[1:]); rest[0] != ']'; {
			n := valueLength(rest)
			if !yield(rest[:n]) {
				return
			}
			rest = skipComma(rest[n:])
		}
	}
}

// skipComma returns what follows a value in its object or array: the next value, or the closing
// bracket.
func skipComma(rest []byte) []byte {
	if rest = skipBlank(rest); rest[0] == ',' {
		return skipBlank(rest[1:])
	}
	return rest
}

func skipBlank(rest []byte) []byte {
	for i, c := range rest {
		if c > ' ' {
			return rest[i:]
		}
	}
	return nil
}

// valueLength returns the length of the value at the beginning of rest.
func valueLength(rest []byte) int {
	depth := 0
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '"':
			i += stringLength(rest[i:]) - 1
		case c == '{' || c == '[':
			depth++
		case depth == 0 && (c <= ' ' || c == ',' || c == '}' || c == ']'):
			return i
		case c == '}' || c == ']':
			depth--
		}
	}
	return len(rest)
}

// stringLength returns the length of the string at the beginning of rest, quotes included.
func stringLength(rest []byte) int {
	for n := 1; ; n++ {
		switch rest[n] {
		case '\\':
			n++
		case '"':
			return n + 1
		}
	}
}

// unquoted returns the text of a JSON string.
func unquoted(quoted []byte) []byte {
	text := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(text, '\\') < 0 {
		return text
	}
	var s string
	_ = json.Unmarshal(quoted, &s) // it is valid
	return []byte(s)
}
