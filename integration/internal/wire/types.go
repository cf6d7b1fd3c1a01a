package wire

import "errors"

// fieldType is the type byte in front of every Thrift field, list element and map entry.
type fieldType byte

const (
	typeStop   fieldType = 0
	typeBool   fieldType = 2
	typeI8     fieldType = 3
	typeDouble fieldType = 4
	typeI16    fieldType = 6
	typeI32    fieldType = 8
	typeI64    fieldType = 10
	typeString fieldType = 11
	typeStruct fieldType = 12
	typeMap    fieldType = 13
	typeSet    fieldType = 14
	typeList   fieldType = 15
)

// minSize is the fewest bytes one value of the type can take on the wire; 0 for a type byte
// that does not exist. A claimed element count is checked against it before anything is
// allocated.
func (t fieldType) minSize() int {
	switch t {
	case typeBool, typeI8, typeStruct:
		return 1
	case typeI16:
		return 2
	case typeI32, typeString:
		return 4
	case typeI64, typeDouble:
		return 8
	case typeList, typeSet:
		return 5
	case typeMap:
		return 6
	}
	return 0
}

// maxDepth bounds how deep structs, lists and maps may nest. The deepest real message, a
// result schema, nests eight levels.
const maxDepth = 32

// What can be wrong with a message.
var (
	ErrTruncated  = errors.New("wire: message ends inside a value")
	ErrBadLength  = errors.New("wire: length is negative or larger than the message")
	ErrBadType    = errors.New("wire: unknown type byte")
	ErrTooDeep    = errors.New("wire: nesting too deep")
	ErrNotStrict  = errors.New("wire: not a strict binary protocol message")
	ErrNoArgument = errors.New("wire: call carries no argument")
)
