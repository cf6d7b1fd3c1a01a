package sanitize

// MaxRunes bounds what every function of this package returns, in runes. A text
// that does not fit is cut between two tokens and ends in an ellipsis, which
// counts.
const MaxRunes = 500

// maxRounds is how often a text is scanned before it is given up. One round does
// the work and one confirms it; more are needed only by text made to confuse.
const maxRounds = 6

// Message removes secrets, personal data, identifiers and SQL from text meant for
// people: an error message, a log line, the body of an error response.
//
// Whatever the input, the result is valid UTF-8 on one line without control
// characters, has at most MaxRunes runes, and is a fixed point:
// Message(Message(text)) == Message(text). The time is linear in len(text), and
// beyond what fits the bound the rest is not even looked at. A text that is
// already clean is returned as it is, without an allocation.
func Message(text string) string {
	return settle(text, asMessage)
}

// URL removes from a URL everything but its scheme, its port and the parts of its
// path that name Databricks API routes: user information, host, identifiers in the
// path, the whole query (where presigned URLs carry their signature) and the
// fragment.
// It makes the promises of Message: linear, bounded, idempotent. What is not a
// URL comes back as a placeholder.
func URL(raw string) string {
	return settle(raw, asURL)
}

// DSN removes from a data source name the token, the host, the warehouse and every
// parameter that is not known to be harmless. What stays says how the driver is
// configured: token:<redacted>@<host>:443/sql/1.0/warehouses/<id>?timeout=60.
// It makes the promises of Message: linear, bounded, idempotent.
func DSN(dsn string) string {
	return settle(dsn, asDSN)
}

// Path reduces a path. An HTTP path keeps the Databricks API route in front and
// loses what follows it: /sql/1.0/warehouses/<id>. A file, volume or storage path
// becomes a placeholder.
// It makes the promises of Message: linear, bounded, idempotent.
func Path(name string) string {
	return settle(name, asPath)
}

// Header returns what may be shown of the value of the HTTP header with this name.
// Names on a short list of harmless ones keep their value as far as it is
// understood, URLs and messages are treated as by URL and Message, an authorization
// keeps its scheme, and of every other header nothing is left. The name itself is
// not part of the result; it is compared as HTTP does, in any case.
// It makes the promises of Message, for the same name: linear, bounded, idempotent.
func Header(name, value string) string {
	return settle(value, headerRule(name))
}

// A rule says what a text is.
type rule uint8

const (
	asMessage rule = iota
	asURL
	asDSN
	asPath
	asCredential // the value of an Authorization header
	asMoment     // a date, or a number of seconds
	asSecret     // of which nothing stays
)

func (s *scanner) apply(rule rule, text string) {
	switch rule {
	case asMessage:
		s.run(text)
	case asURL:
		s.wholeURL(text)
	case asDSN:
		s.wholeDSN(text)
	case asPath:
		s.wholePath(text)
	case asCredential:
		s.credential(text)
	case asMoment:
		s.moment(text)
	default:
		s.nothing(text)
	}
}

// settle applies rule until it changes nothing more, so that the result is a fixed
// point by construction and not by the cleverness of the rules. The result of a
// round is short, so the rounds after the first cost next to nothing.
func settle(text string, rule rule) string {
	for range maxRounds {
		var s scanner
		s.apply(rule, text)
		out := s.finish()
		if string(out) == text {
			return text
		}
		text = string(out)
	}
	return redacted
}
