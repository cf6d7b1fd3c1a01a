package engine

// likePart is one character of a LIKE pattern.
type likePart struct {
	r    rune
	kind byte // 'c' this character, '_' any one, '%' any number
}

// likePattern parses a pattern. The character after the escape character is taken literally.
func likePattern(text string, escape rune) []likePart {
	var parts []likePart
	escaped := false
	for _, r := range text {
		switch {
		case escaped:
			parts, escaped = append(parts, likePart{r, 'c'}), false
		case r == escape:
			escaped = true
		case r == '%' && len(parts) > 0 && parts[len(parts)-1].kind == '%':
		case r == '%' || r == '_':
			parts = append(parts, likePart{kind: byte(r)})
		default:
			parts = append(parts, likePart{r, 'c'})
		}
	}
	return parts
}

// matchLike matches in time proportional to text times pattern: after a mismatch, only the last %
// is extended by one character.
func matchLike(text []rune, pattern []likePart) bool {
	t, p := 0, 0
	star, mark := -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p].kind == '%':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p].kind == '_' || pattern[p].r == text[t] && pattern[p].kind == 'c'):
			t, p = t+1, p+1
		case star >= 0:
			mark++
			t, p = mark, star+1
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p].kind == '%' {
		p++
	}
	return p == len(pattern)
}
