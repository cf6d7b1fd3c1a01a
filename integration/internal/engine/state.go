package engine

import "strings"

// Namespace is the catalog and the schema in which names without either are looked up.
func (s *Session) Namespace() (catalog, schema string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.catalog, s.schema
}

// Setting is the value of a configuration key, whatever its case, as SET or the opening of the
// session gave it, or "".
func (s *Session) Setting(key string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conf[strings.ToLower(key)]
}
