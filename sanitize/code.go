package sanitize

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// isStatus reports whether a word is an HTTP status, 100 to 599.
func isStatus(word string) bool {
	return len(word) == 3 && '1' <= word[0] && word[0] <= '5' && isDigit(word[1]) && isDigit(word[2])
}

// reason returns the reason phrase of a status, or "" if there is none.
func reason(status string) string {
	n, _ := strconv.Atoi(status)
	return http.StatusText(n)
}

// isSQLState reports whether a word is a known class of SQLSTATE followed by three characters. The
// few classes that begin with a letter have subclasses that begin with a digit, a T or a K; with
// other letters, the five characters could be a word.
func isSQLState(word string) bool {
	if len(word) != 5 || !slices.Contains(stateClasses, word[:2]) {
		return false
	}
	if word[0] > '9' && !strings.ContainsAny(word[2:3], "0123456789TK") {
		return false
	}
	return !strings.ContainsFunc(word, func(r rune) bool { return (r < '0' || r > '9') && (r < 'A' || r > 'Z') })
}

// stateClasses are the first two characters of the SQLSTATEs of the standard, of Spark and of
// Databricks.
var stateClasses = strings.Fields(`00 01 02 03 07 08 09 0A 0B 0D 0E 0F 0K 0L 0M 0N 0P 0S 0T 0U 0V 0W 0X 0Y 0Z
	10 20 21 22 23 24 25 26 27 28 2B 2C 2D 2E 2F 2H 30 33 34 35 36 38 39 3B 3C 3D 3F
	40 42 44 45 46 51 53 54 55 56 57 58 72 82 HV HY HZ KD P0 XX`)

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
