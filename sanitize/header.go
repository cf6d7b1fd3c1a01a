package sanitize

import "strings"

// Headers by what may stay of their value; all others lose it.
const (
	// numbers, dates and words of the protocol
	plainHeaders = `accept accept-encoding accept-ranges age allow cache-control connection content-encoding content-length
 content-type date expires keep-alive last-modified pragma retry-after strict-transport-security te trailer transfer-encoding
 upgrade vary x-content-type-options x-databricks-reason-phrase x-thriftserver-error-message x-databricks-error-or-redirect-message`
	// references
	urlHeaders = "location content-location referer origin"
	// credentials with a scheme in front
	schemeHeaders = "authorization proxy-authorization www-authenticate proxy-authenticate"
)

// headerRule returns the rule for the value of the header called name.
func headerRule(name string) rule {
	name = strings.TrimSpace(name)
	switch {
	case len(name) > 2*maxName:
		return asSecret
	case equalFold(name, "date"), equalFold(name, "expires"), equalFold(name, "last-modified"), equalFold(name, "retry-after"):
		return asMoment
	case containsWord(plainHeaders, name):
		return asMessage
	case containsWord(urlHeaders, name):
		return asURL
	case containsWord(schemeHeaders, name):
		return asCredential
	}
	return asSecret
}

// nothing leaves nothing.
func (s *scanner) nothing(text string) {
	if text != "" {
		s.emit(redacted)
	}
}

// credential leaves the scheme.
func (s *scanner) credential(text string) {
	name, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	switch {
	case isClass(name, scheme):
		s.emit(name)
		s.space = rest != ""
		s.nothing(rest)
	default:
		s.nothing(text)
	}
}

// moment leaves a number of seconds or a date as HTTP writes it: "Sun, 06 Nov 1994
// 08:49:37 GMT".
func (s *scanner) moment(text string) {
	text = strings.TrimSpace(text)
	if len(text) <= maxDigits && allDigits(text) || text == "" || httpDate(text) {
		s.emit(text)
		return
	}
	s.emit(redacted)
}

// httpDate reports whether text has the form of the dates of HTTP.
func httpDate(text string) bool {
	const form = "Aaa, 00 Aaa 0000 00:00:00 GMT"
	if len(text) != len(form) {
		return false
	}
	for i := range len(form) {
		c := text[i]
		switch form[i] {
		case 'A':
			if !isUpper(c) {
				return false
			}
		case 'a':
			if !isLower(c) {
				return false
			}
		case '0':
			if !isDigit(c) {
				return false
			}
		default:
			if c != form[i] {
				return false
			}
		}
	}
	return isClass(text[:3], harmless) && (isClass(text[8:11], harmless) || strings.Contains(months, " "+text[8:11]+" "))
}

const months = " Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec "
