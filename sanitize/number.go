package sanitize

import "strings"

// Bounds of numbers that may stay: statuses, counts, positions and sizes are short;
// identifiers, telephone and card numbers are not.
const (
	maxDigits      = 6
	maxNamedDigits = 4
	maxQuantity    = 12
)

// numeric judges an atom of digits, or of digits among letters and hyphens.
func (s *scanner) numeric(a string, shape shape) verdict {
	if shape != digit {
		if isQuantity(a) || isVersion(a) {
			return s.quantity(a)
		}
		if s.suspicious() {
			return s.replace(s.hidden())
		}
		return s.replace(opaque)
	}
	// Digits in groups are one long number, of a telephone or a card.
	grouped := s.i+1 < len(s.text) && s.text[s.i] == ' ' && isDigit(s.text[s.i+1])
	behind := s.i - s.group - 1 - len(a) // the marks behind, if this continues a group
	if grouped || s.group > 0 && behind >= 0 && behind <= maxPunctuation {
		s.group = s.i
		return s.replace(opaque)
	}
	switch {
	case s.position == phrase && len(a) == 3 && a[0] < '6':
		return s.keep(a) // "cannot fetch token: 401 Unauthorized"
	case s.position == operand, s.position == phrase:
		return s.replace(s.hidden())
	case s.brackets > 0 && !s.code:
		return s.replace(value)
	case len(a) > maxDigits, s.position == named && (len(a) > maxNamedDigits || s.sensitive):
		return s.replace(opaque)
	}
	return s.keep(a)
}

// quantity keeps a number with a unit or decimals, where no literal is expected.
func (s *scanner) quantity(a string) verdict {
	if s.position == operand || s.position == phrase || s.brackets > 0 && !s.code || !isQuantity(a) && !isVersion(a) {
		return s.replace(value)
	}
	return s.keep(a)
}

// units may follow a number.
const units = " ns us µs ms s m h d w B kB KB MB GB TB KiB MiB GiB TiB kb mb gb k K M G x % st nd rd th "

// spans are the units that may be combined, as in 2m30s.
const spans = " ns us µs ms s m h "

// isQuantity recognises numbers with units and decimals: 1.5s, 2m30s, 64MB, 99.9%.
func isQuantity(a string) bool {
	if len(a) > maxQuantity || a == "" || !isDigit(a[0]) {
		return false
	}
	parts, digits := 0, 0
	for i := 0; i < len(a); parts++ {
		for dots := 0; i < len(a) && (isDigit(a[i]) || a[i] == '.' && dots == 0); i++ {
			if a[i] == '.' {
				dots++
			} else {
				digits++
			}
		}
		unit := i
		for i < len(a) && !isDigit(a[i]) && a[i] != '.' {
			i++
		}
		if i < len(a) || unit < i {
			if parts > 0 && !strings.Contains(spans, " "+a[unit:i]+" ") ||
				unit == i || strings.IndexByte(a[unit:i], ' ') >= 0 || !strings.Contains(units, " "+a[unit:i]+" ") {
				return false
			}
		}
	}
	return parts <= 4 && digits <= maxDigits && a[len(a)-1] != '.'
}

// isVersion recognises three short numbers, or one to three behind a v.
func isVersion(a string) bool {
	numbers := strings.TrimPrefix(a, "v")
	short := len(numbers) < len(a)
	if len(numbers) > 11 {
		return false
	}
	parts := 0
	for part := range strings.SplitSeq(numbers, ".") {
		if len(part) > 3 || !allDigits(part) {
			return false
		}
		parts++
	}
	return parts == 3 || short && parts < 3
}

// port reports whether a is a port number.
func port(a string) bool { return len(a) <= 5 && allDigits(a) }

// isIPv4 recognises four numbers and dots.
func isIPv4(a string) bool {
	if len(a) > 15 {
		return false
	}
	parts := 0
	for part := range strings.SplitSeq(a, ".") {
		if len(part) > 3 || !allDigits(part) {
			return false
		}
		parts++
	}
	return parts == 4
}

// isIPv6 recognises hexadecimal digits and at least two colons, with an IPv4 address
// or a zone at the end.
func isIPv6(a string) bool {
	a, _, _ = strings.Cut(a, "%")
	colons, hex := 0, 0
	for i := range len(a) {
		switch c := a[i]; {
		case c == ':':
			colons++
		case isDigit(c), c|0x20 >= 'a' && c|0x20 <= 'f':
			hex++
		case c != '.':
			return false
		}
	}
	return colons >= 2 && colons <= 7 && hex > 0 && len(a) <= 45
}
