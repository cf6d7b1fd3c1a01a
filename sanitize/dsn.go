package sanitize

import "strings"

// dsnLike reports whether an atom with an @ has the form user:password@host.
func dsnLike(a string) bool {
	n := strings.IndexByte(a, ':')
	return n >= 0 && n < strings.LastIndexByte(a, '@')
}

// dsn emits what may stay of a data source name:
//
//	[scheme://] user:secret@ host:port /path ?parameter=value&...
func (s *scanner) dsn(text string) {
	if name := schemeOf(text); name != "" {
		s.emit(name + "://")
		text = text[len(name)+len("://"):]
	}
	text, parameters, found := strings.Cut(text, "?")
	if n := strings.LastIndexByte(text, '@'); n >= 0 {
		user, _, password := strings.Cut(text[:n], ":")
		if user != "token" && user != "" {
			user = redacted
		}
		s.emit(user)
		if password {
			s.emit(":" + redacted)
		}
		s.emit("@")
		text = text[n+1:]
	}
	end := strings.IndexByte(text, '/')
	if end < 0 {
		end = len(text)
	}
	s.authority(text[:end])
	if rest := text[end:]; len(rest) > 1 {
		s.rooted(rest)
	} else {
		s.emit(rest)
	}
	if found {
		s.emit("?")
		s.parameters(parameters)
	}
}

// parameters emits the parameters that are known and the values that say nothing.
func (s *scanner) parameters(text string) {
	for i := 0; text != "" && !s.full; i++ {
		var p string
		p, text, _ = strings.Cut(text, "&")
		if i > 0 {
			s.emit("&")
		}
		name, v, assigned := strings.Cut(p, "=")
		switch {
		case p == "":
			continue
		case !isClass(name, parameter):
			s.emit(redacted)
			continue
		}
		s.emit(name)
		if !assigned {
			continue
		}
		s.emit("=")
		switch {
		case v == "":
		case isPlaceholder(v):
			s.emit(v)
		case namesSecret(name):
			s.emit(redacted)
		case isClass(v, boolean), isQuantity(v), containsWord(parameterValues, v):
			s.emit(v)
		default:
			s.emit(value)
		}
	}
}

// parameterValues are the values of parameters with a fixed set of them.
const parameterValues = "pat oauthm2m oauthu2m off error warn info debug utc"

// wholeDSN is the rule of DSN.
func (s *scanner) wholeDSN(text string) {
	text = strings.TrimSpace(text)
	if text == "" || isPlaceholder(text) && text != host {
		s.emit(text)
		return
	}
	s.dsn(text)
}
