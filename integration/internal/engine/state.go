package engine

import "strings"

// Namespace is the current catalog and schema, in which unqualified names are looked up.
func (s *Session) Namespace() (catalog, schema string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.catalog, s.schema
}

// Setting is the value of a configuration key, in any case, as set by SET or when the session was
// opened, or "".
func (s *Session) Setting(key string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conf[strings.ToLower(key)]
}
