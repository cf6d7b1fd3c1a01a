package wire

import (
	"encoding/binary"
	"reflect"
)

// MessageType says what a message is.
type MessageType byte

// The message types of the protocol.
const (
	Call      MessageType = 1
	Reply     MessageType = 2
	Exception MessageType = 3
	OneWay    MessageType = 4
)

const versionMask, version1 = 0xffff_0000, 0x8001_0000

// Header begins every message. A reply repeats the header of its call.
type Header struct {
	Type   MessageType
	Method string
	Seq    int32
}

// ApplicationException is the protocol's own refusal of a call, as opposed to an answer
// whose status is an error.
type ApplicationException struct {
	Message string `thrift:"1"`
	Kind    int32  `thrift:"2"`
}

// Kinds of ApplicationException.
const (
	ExceptionUnknownMethod int32 = 1
	ExceptionInternal      int32 = 6
	ExceptionProtocol      int32 = 7
)

// argument and result are the structs Thrift wraps around a call's parameter (field 1) and
// around its return value (field 0).
type argument[T any] struct {
	Value *T `thrift:"1"`
}

type result[T any] struct {
	Value *T `thrift:"0"`
}

// ReadHeader reads the header of a message and returns the bytes that follow it.
func ReadHeader(message []byte) (Header, []byte, error) {
	r := &reader{buf: message}
	v := uint32(r.i32())
	if r.err == nil && v&versionMask != version1 {
		return Header{}, nil, ErrNotStrict
	}
	h := Header{Type: MessageType(v & 0xff), Method: string(r.bytes()), Seq: r.i32()}
	if r.err != nil {
		return Header{}, nil, r.err
	}
	return h, r.buf[r.off:], nil
}

// Argument reads the one parameter of a call from the bytes after its header.
func Argument[T any](rest []byte) (*T, error) {
	var a argument[T]
	if err := unmarshal(rest, reflect.ValueOf(&a).Elem()); err != nil {
		return nil, err
	}
	if a.Value == nil {
		return nil, ErrNoArgument
	}
	return a.Value, nil
}

// Result reads the return value from the bytes after a reply's header.
func Result[T any](rest []byte) (*T, error) {
	var a result[T]
	if err := unmarshal(rest, reflect.ValueOf(&a).Elem()); err != nil {
		return nil, err
	}
	if a.Value == nil {
		return nil, ErrNoArgument
	}
	return a.Value, nil
}

// AppendCall appends a call of method with one parameter.
func AppendCall[T any](b []byte, method string, seq int32, v *T) []byte {
	b = appendHeader(b, Header{Type: Call, Method: method, Seq: seq})
	return marshal(b, reflect.ValueOf(argument[T]{v}))
}

// AppendReply appends the answer to the call with header h.
func AppendReply[T any](b []byte, h Header, v *T) []byte {
	h.Type = Reply
	return marshal(appendHeader(b, h), reflect.ValueOf(result[T]{v}))
}

// AppendException appends the refusal of the call with header h.
func AppendException(b []byte, h Header, e ApplicationException) []byte {
	h.Type = Exception
	return marshal(appendHeader(b, h), reflect.ValueOf(e))
}

func appendHeader(b []byte, h Header) []byte {
	b = binary.BigEndian.AppendUint32(b, version1|uint32(h.Type))
	b = appendString(b, h.Method)
	return binary.BigEndian.AppendUint32(b, uint32(h.Seq))
}

func unmarshal(b []byte, v reflect.Value) error {
	r := &reader{buf: b}
	codecFor(v.Type()).read(r, v)
	return r.err
}

func marshal(b []byte, v reflect.Value) []byte { return codecFor(v.Type()).write(b, v) }
