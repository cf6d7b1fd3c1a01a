package sanitize

import (
	"regexp"
	"strings"
	"time"
)

// placeholders stand for what does not pass, by its kind.
var placeholders = []string{"<name>", "<number>", "<host>", "<path>", "<url>", "<email>", "<id>", "<value>", "<class>", "<sql>"}

const longestPlaceholder = len("<number>")

// The kinds. Nothing depends on them but what a placeholder is called, so they are plain
// rather than complete.
var (
	constant = regexp.MustCompile(`^[A-Z][A-Z0-9]*([_.][A-Z0-9]+)+$`)
	address  = regexp.MustCompile(`^\d+\.\d+\.\d+\.\d+(:\d+)?$|^[0-9a-fA-F]*(:[0-9a-fA-F]*){2,}(%\w+)?$`)
	hostPort = regexp.MustCompile(`^[A-Za-z0-9.*-]*[A-Za-z*][A-Za-z0-9.*-]*:\d+$`)
	hostName = regexp.MustCompile(`(?i)^[a-z0-9.*-]+\.(com|net|org|io|dev|cloud|local|internal|us|cn|eu)$`)
	number   = regexp.MustCompile(`^[+-]?[\d.,:+%-]*\d[\d.,:+%-]*([eE]\d+|[A-Za-z]{1,3})?$`)
	moment   = regexp.MustCompile(`^\d{4}-\d\d-\d\d[T_]?[\d:.]*(Z|[+-][\d:]+)?$`)
	hexID    = regexp.MustCompile(`^[0-9a-fA-F-]*\d[0-9a-fA-F-]*$`)
)

// kindOf names the kind of what does not pass.
func kindOf(word string) string {
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
	case number.MatchString(word), moment.MatchString(word), isDuration(word):
		return "<number>"
	case len(word) >= 8 && hexID.MatchString(word):
		return "<id>"
	}
	return "<name>"
}

func isDuration(word string) bool {
	_, err := time.ParseDuration(word)
	return err == nil
}
