package cloudfetch

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName bounds a name that is kept, in bytes: Unity Catalog allows 255 characters. A longer one
// is not kept at all, because the beginning of a name is another name.
const maxName = 255

// names are the catalog and the schema in an answer to OpenSession: the only text that a reader
// keeps, until it takes the next message.
type names [2][]byte

func (n *names) of(f field) *[]byte { return &n[f-initialCatalog] }

func (n *names) clear() {
	for i := range n {
		n[i] = n[i][:0]
	}
}

// name returns the text of initialCatalog or initialSchema; empty where the message has none, or
// one that is no name.
func (r *reader) name(f field) string {
	b := *r.names.of(f)
	if !r.msg.has.has(f) || !utf8.Valid(b) {
		return ""
	}
	name := string(b)
	if strings.ContainsFunc(name, unicode.IsControl) {
		return ""
	}
	return name
}
