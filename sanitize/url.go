package sanitize

import "strings"

// schemeOf returns the scheme of a URL, or "".
func schemeOf(text string) string {
	n := strings.Index(text[:min(len(text), 24)], "://")
	if n <= 0 || !isClass(text[:n], locatorName) {
		return ""
	}
	return text[:n]
}

// url emits what may stay of a URL, which is all of text.
func (s *scanner) url(text string) {
	name := schemeOf(text)
	if name == "" {
		s.emit(locator)
		return
	}
	s.emit(name + "://")
	text = text[len(name)+len("://"):]
	if text == "" {
		return
	}
	if isClass(name, storage) {
		s.emit(path)
		return
	}
	end := strings.IndexAny(text, "/?#")
	if end < 0 {
		end = len(text)
	}
	authority, rest := text[:end], text[end:]
	if n := strings.LastIndexByte(authority, '@'); n >= 0 {
		s.emit(redacted + "@")
		authority = authority[n+1:]
	} else if strings.IndexByte(pathOf(rest), '@') >= 0 {
		// The slash was part of a password: nothing here is what it seems.
		s.emit(host)
		return
	}
	s.authority(authority)
	if rest == "" || rest == "/" {
		s.emit(rest)
		return
	}
	s.rooted(rest)
}

// pathOf is rest up to the query.
func pathOf(rest string) string {
	if n := strings.IndexAny(rest, "?#"); n >= 0 {
		return rest[:n]
	}
	return rest
}

// authority emits a placeholder for the host, and the port.
func (s *scanner) authority(a string) {
	if a == "" {
		return
	}
	s.emit(host)
	if n := strings.LastIndexByte(a, ':'); n >= 0 && port(a[n+1:]) {
		s.emit(a[n:])
	}
}

// rooted emits the path, query and fragment behind a host.
func (s *scanner) rooted(rest string) {
	name := pathOf(rest)
	if n := routeLength(name); n > 0 {
		s.emit(name[:n])
		s.emit(behindRoute(name, n))
	} else if len(name) > 1 {
		s.emit("/" + path)
	} else {
		s.emit(name)
	}
	if len(name) < len(rest) {
		s.emit("?" + query)
	}
}

// route emits a path that stands for itself.
func (s *scanner) route(name string) {
	n := routeLength(pathOf(name))
	if n == 0 {
		s.emit(path)
		return
	}
	rest := name
	if rest[0] != '/' { // sql/protocolv1/..., as in a configuration
		s.emit(pathOf(rest)[:n])
		s.emit(behindRoute(pathOf(rest), n))
		return
	}
	s.rooted(rest)
}

// routeLength returns the length of the front of a path that names a route of a
// Databricks API, with the slash behind it.
func routeLength(name string) int {
	i := 0
	if name != "" && name[0] == '/' {
		i = 1
	}
	known := 0
	for segment, wanted := i, routeRoot; segment < len(name); wanted = route {
		end := strings.IndexByte(name[segment:], '/')
		if end < 0 {
			end = len(name) - segment
		}
		if end == 0 || !isClass(name[segment:segment+end], wanted) {
			break
		}
		known = min(len(name), segment+end+1)
		segment += end + 1
	}
	return known
}

// behindRoute is what stands for the rest of a path.
func behindRoute(name string, n int) string {
	front, rest := strings.TrimSuffix(name[:n], "/"), name[n:]
	switch {
	case rest == "" || isPlaceholder(rest):
		return rest
	case strings.HasSuffix(front, "warehouses"), strings.HasSuffix(front, "endpoints"), strings.HasSuffix(front, "/o"),
		strings.HasSuffix(front, "statements"):
		return opaque
	}
	return path
}

// wholeURL is the rule of URL.
func (s *scanner) wholeURL(raw string) {
	raw = strings.TrimSpace(raw)
	switch {
	case raw == "":
	case isPlaceholder(raw):
		s.emit(raw)
	case raw[0] == '/':
		s.rooted(raw)
	default:
		s.url(raw)
	}
}

// wholePath is the rule of Path.
func (s *scanner) wholePath(name string) {
	switch {
	case name == "" || isPlaceholder(name):
		s.emit(name)
	case schemeOf(name) != "":
		s.url(name)
	default:
		s.route(name)
	}
}
