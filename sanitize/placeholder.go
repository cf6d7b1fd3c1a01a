package sanitize

import (
	"regexp"
	"strings"
	"time"
)

// placeholders replace text that does not pass, by kind.
var placeholders = []string{"<name>", "<number>", "<host>", "<path>", "<url>", "<email>", "<id>", "<value>", "<class>", "<sql>"}

// placeholderOf returns the placeholder for a word that does not pass. Only the name of the placeholder
// depends on the kind, so the rules are simple rather than complete.
func placeholderOf(word string) string {
	switch {
	case strings.Contains(word, "://"):
		return "<url>"
	case strings.Contains(word, "@"):
		if strings.ContainsAny(word, ":/") {
			return "<url>" // a data source name
		}
		return "<email>"
	case strings.ContainsAny(word, `/\`):
		return "<path>"
	case address.MatchString(word), hostPort.MatchString(word), hostName.MatchString(word):
		return "<host>"
	case number.MatchString(word), instant.MatchString(word), isDuration(word):
		return "<number>"
	case len(word) >= 8 && hexID.MatchString(word):
		return "<id>"
	}
	return "<name>"
}

var (
	constantName = regexp.MustCompile(`^[A-Z][A-Z0-9]*([_.][A-Z0-9]+)+$`)
	address      = regexp.MustCompile(`^\d+\.\d+\.\d+\.\d+(:\d+)?$|^[0-9a-fA-F]*(:[0-9a-fA-F]*){2,}(%\w+)?$`)
	hostPort     = regexp.MustCompile(`^[A-Za-z0-9.*-]*[A-Za-z*][A-Za-z0-9.*-]*:\d+$`)
	hostName     = regexp.MustCompile(`(?i)^[a-z0-9.*-]+\.(com|net|org|io|dev|cloud|local|internal|us|cn|eu)$`)
	number       = regexp.MustCompile(`^[+-]?[\d.,:+%-]*\d[\d.,:+%-]*([eE]\d+|[A-Za-z]{1,3})?$`)
	instant      = regexp.MustCompile(`^\d{4}-\d\d-\d\d[T_]?[\d:.]*(Z|[+-][\d:]+)?$`)
	hexID        = regexp.MustCompile(`^[0-9a-fA-F-]*\d[0-9a-fA-F-]*$`)
)

func isDuration(word string) bool {
	_, err := time.ParseDuration(word)
	return err == nil
}
