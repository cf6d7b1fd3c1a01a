package sanitize

import "strings"

// maxPhrase is how many words behind a verb are looked at to tell SQL from English.
const maxPhrase = 8

// sql handles SQL text: all that follows is masked, for nothing says where a
// statement ends. The SQLSTATE that servers put behind it stays.
func (s *scanner) sql() {
	s.mask(statement)
	rest := s.text[s.i:]
	s.i = len(s.text)
	const label = "SQLSTATE"
	for {
		n := strings.Index(rest, label)
		if n < 0 {
			return
		}
		rest = rest[n+len(label):]
		code := strings.TrimLeft(rest[:min(len(rest), 4)], ":= ")
		skipped := min(len(rest), 4) - len(code)
		code = rest[skipped:min(len(rest), skipped+5)]
		if isSQLState(code) && (len(rest) == skipped+5 || !isWord(rest[skipped+5])) {
			s.space = true
			s.emit(label + ":")
			s.space = true
			s.emit(code)
			return
		}
	}
}

// section handles the heading of a section in a server's message, "== SQL ==": all
// that follows is SQL, a plan, or a call site.
func (s *scanner) section(text string) bool {
	const open, shut = "== ", " =="
	end := strings.Index(text[len(open):min(len(text), 48)], shut)
	if end < 0 {
		return false
	}
	heading := text[len(open) : len(open)+end]
	for i := range len(heading) {
		if c := heading[i]; !isWord(c) && strings.IndexByte(" (),", c) < 0 {
			return false
		}
	}
	if strings.HasPrefix(heading, "SQL") {
		s.emit("== SQL ==")
		s.space = true
	}
	s.i += len(open) + end + len(shut)
	s.sql()
	return true
}

// startsSQL reports whether word, which ends at i, starts SQL text rather than being
// a word of English or the name of a privilege.
func startsSQL(text, word string, i int) bool {
	c := class(word)
	if c&(verb|clause) == 0 {
		return false
	}
	if len(word) > 1 && isUpper(word[0]) && isUpper(word[1]) {
		return uppercaseSQL(text, i)
	}
	return c&verb != 0 && lowercaseSQL(text, word, i)
}

// uppercaseSQL decides for a verb in capitals. More keywords in capitals may follow;
// then comes English ("SELECT on table", "DROP VIEW IF EXISTS or") or the end of the
// sentence, or it is SQL.
func uppercaseSQL(text string, i int) bool {
	for range maxPhrase {
		word, next := nextWord(text, i)
		if word == "" {
			return !endsPhrase(text, i)
		}
		if isUpper(word[0]) && isClass(word, keyword|verb) && word == strings.ToUpper(word) {
			i = next
			continue
		}
		behind := next
		if behind < len(text) && text[behind] == ',' {
			behind++
		}
		third, _ := nextWord(text, behind)
		return !isLower(word[0]) || !isClass(word, joining) || equalFold(third, "from") ||
			endsList(text, next) && (behind == next || !isClass(third, joining))
	}
	return true
}

// lowercaseSQL decides for a verb in small letters, which may be English.
func lowercaseSQL(text, word string, i int) bool {
	second, i := nextWord(text, i)
	if equalFold(word, "select") {
		switch {
		case second == "":
			return !endsPhrase(text, i)
		case isClass(second, harmless) && !endsList(text, i):
			// "select a warehouse", "the select failed"; but "select name from t".
			third, _ := nextWord(text, i)
			return equalFold(third, "from") && !isClass(second, joining)
		}
		return true
	}
	third, j := nextWord(text, i)
	fourth, _ := nextWord(text, j)
	switch {
	case equalFold(word, "update"):
		return equalFold(third, "set")
	case equalFold(word, "insert"), equalFold(word, "merge"):
		return equalFold(second, "into") && !isClass(third, harmless)
	case equalFold(word, "delete"):
		return equalFold(second, "from") && (!isClass(third, harmless) || equalFold(fourth, "where"))
	case equalFold(word, "create"), equalFold(word, "drop"), equalFold(word, "alter"), equalFold(word, "truncate"):
		return isClass(second, noun) && (!isClass(third, harmless) && third != "" || equalFold(third, "if")) ||
			equalFold(second, "or") && equalFold(third, "replace")
	case equalFold(word, "with"):
		return equalFold(third, "as") && nextByte(text[min(len(text), j):]) == '('
	}
	return false
}

// nextWord returns the word behind i, if only spaces are between, and where it ends.
func nextWord(text string, i int) (string, int) {
	for i < len(text) && i < i+8 && text[i] <= ' ' {
		i++
	}
	start := i
	for i < len(text) && i-start < 64 && isWord(text[i]) {
		i++
	}
	return text[start:i], i
}

// endsPhrase reports whether the text ends at i, or a sentence or clause does.
func endsPhrase(text string, i int) bool {
	rest := text[min(i, len(text)):]
	return rest == "" || strings.IndexByte(".:;,)]!?", nextByte(rest)) >= 0 || nextByte(rest) == 0
}

// endsList reports whether a comma or an operator follows, as in a list of columns.
func endsList(text string, i int) bool {
	return i < len(text) && strings.IndexByte(",(.*+-/", nextByte(text[i:])) >= 0 && !endsSentence(text, i)
}

// endsSentence reports whether a full stop at i is one.
func endsSentence(text string, i int) bool {
	return text[i] == '.' && (i+1 == len(text) || text[i+1] <= ' ')
}

// isSQLState recognises the code of a known class.
func isSQLState(code string) bool {
	if len(code) != 5 {
		return false
	}
	for i := range len(code) {
		if !isDigit(code[i]) && !isUpper(code[i]) {
			return false
		}
	}
	return strings.Contains(sqlStateClasses, " "+code[:2]+" ")
}

const sqlStateClasses = " 00 01 02 07 08 09 0A 0B 0D 0K 0L 0N 0P 0Z 10 20 21 22 23 24 25 26 27 28 2B 2D 2F " +
	"34 38 39 3B 3D 3F 40 42 44 46 50 51 53 54 55 56 57 58 5U F0 HV HY HZ KD P0 XX "
