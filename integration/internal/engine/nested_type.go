package engine

import (
	"strings"
	"unique"
)

// member is one of the types that make up a nested type, with a link to the next. It is interned,
// which keeps types comparable.
type member struct {
	name string
	typ  Type
	next unique.Handle[member]
	end  bool // nothing follows
}

// Member is a part of a nested type: the element of an ARRAY, the key and the value of a MAP,
// a field of a STRUCT.
type Member struct {
	Name string
	Type Type
}

func nestedType(id TypeID, parts ...Member) Type {
	t := Type{ID: id}
	for i := len(parts) - 1; i >= 0; i-- {
		m := member{name: parts[i].Name, typ: parts[i].Type, end: i == len(parts)-1}
		if !m.end {
			m.next = t.nested
		}
		t.nested = unique.Make(m)
	}
	return t
}

func arrayOf(element Type) Type { return nestedType(Array, Member{"element", element}) }

func mapOf(key, value Type) Type { return nestedType(Map, Member{"key", key}, Member{"value", value}) }

func structOf(fields ...Member) Type { return nestedType(Struct, fields...) }

func (t Type) isNested() bool { return t.ID == Array || t.ID == Map || t.ID == Struct }

// Members are the parts of a nested type; nil for other types and for an empty STRUCT.
func (t Type) Members() []Member {
	if t.nested == (unique.Handle[member]{}) {
		return nil
	}
	var all []Member
	for m := t.nested.Value(); ; m = m.next.Value() {
		all = append(all, Member{m.name, m.typ})
		if m.end {
			return all
		}
	}
}

// element is the type of an ARRAY's elements, or of a MAP's keys.
func (t Type) element() Type { return t.nested.Value().typ }

// value is the type of a MAP's values.
func (t Type) value() Type { return t.nested.Value().next.Value().typ }

// fieldIndex finds a field of a STRUCT; -1 when there is none.
func (t Type) fieldIndex(name string) int {
	for i, m := range t.Members() {
		if strings.EqualFold(m.Name, name) {
			return i
		}
	}
	return -1
}

// nestedText writes a nested type as an error message or SHOW CREATE TABLE does or, with simple, as
// typeof does.
func (t Type) nestedText(simple bool) string {
	space, text := " ", Type.String
	if simple {
		space, text = "", Type.simple
	}
	var parts []string
	for _, m := range t.Members() {
		if t.ID != Struct {
			parts = append(parts, text(m.Type))
			continue
		}
		name := m.Name
		if !simple && (lexWord(name, 0) != len(name) || name == "" || isDigit(name[0])) {
			name = quoteParts(name)
		}
		parts = append(parts, name+":"+space+text(m.Type))
	}
	return map[TypeID]string{Array: "ARRAY", Map: "MAP", Struct: "STRUCT"}[t.ID] + "<" + strings.Join(parts, ","+space) + ">"
}

// simple is the type as DESCRIBE and typeof write it.
func (t Type) simple() string {
	if !t.isNested() {
		return strings.ToLower(t.String())
	}
	text := t.nestedText(true)
	i := strings.IndexByte(text, '<')
	return strings.ToLower(text[:i]) + text[i:]
}

// commonNested is commonType for two nested types of one kind.
func commonNested(a, b Type) (Type, bool) {
	l, r := a.Members(), b.Members()
	if a.ID != b.ID || len(l) != len(r) {
		return Type{}, false
	}
	for i := range l {
		t, ok := commonType(l[i].Type, r[i].Type)
		if !ok {
			return Type{}, false
		}
		l[i].Type = t
	}
	return nestedType(a.ID, l...), true
}
