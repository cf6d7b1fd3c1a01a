package wire

import (
	"encoding/binary"
	"math"
	"reflect"
)

func boolCodec() *codec {
	return &codec{
		wireType: typeBool,
		read:     func(r *reader, v reflect.Value) { v.SetBool(r.u8() != 0) },
		write: func(b []byte, v reflect.Value) []byte {
			return appendBool(b, v.Bool())
		},
	}
}

func intCodec(k reflect.Kind) *codec {
	switch k {
	case reflect.Int8:
		return &codec{
			wireType: typeI8,
			read:     func(r *reader, v reflect.Value) { v.SetInt(int64(int8(r.u8()))) },
			write:    func(b []byte, v reflect.Value) []byte { return append(b, byte(v.Int())) },
		}
	case reflect.Int16:
		return &codec{
			wireType: typeI16,
			read:     func(r *reader, v reflect.Value) { v.SetInt(int64(r.i16())) },
			write: func(b []byte, v reflect.Value) []byte {
				return binary.BigEndian.AppendUint16(b, uint16(v.Int()))
			},
		}
	case reflect.Int32:
		return &codec{
			wireType: typeI32,
			read:     func(r *reader, v reflect.Value) { v.SetInt(int64(r.i32())) },
			write: func(b []byte, v reflect.Value) []byte {
				return binary.BigEndian.AppendUint32(b, uint32(v.Int()))
			},
		}
	default:
		return &codec{
			wireType: typeI64,
			read:     func(r *reader, v reflect.Value) { v.SetInt(r.i64()) },
			write: func(b []byte, v reflect.Value) []byte {
				return binary.BigEndian.AppendUint64(b, uint64(v.Int()))
			},
		}
	}
}

func doubleCodec() *codec {
	return &codec{
		wireType: typeDouble,
		read:     func(r *reader, v reflect.Value) { v.SetFloat(r.double()) },
		write: func(b []byte, v reflect.Value) []byte {
			return binary.BigEndian.AppendUint64(b, math.Float64bits(v.Float()))
		},
	}
}

func stringCodec() *codec {
	return &codec{
		wireType: typeString,
		read:     func(r *reader, v reflect.Value) { v.SetString(string(r.bytes())) },
		write:    func(b []byte, v reflect.Value) []byte { return appendString(b, v.String()) },
	}
}

func isNil(v reflect.Value) bool { return v.IsNil() }

func binaryCodec() *codec {
	return &codec{
		wireType: typeString,
		read: func(r *reader, v reflect.Value) {
			// A copy: the message may be a pooled buffer, and a small value must not keep
			// a large one alive.
			v.SetBytes(append([]byte{}, r.bytes()...))
		},
		write:  func(b []byte, v reflect.Value) []byte { return appendString(b, v.Bytes()) },
		absent: isNil,
	}
}

func pointerCodec(t reflect.Type) *codec {
	elem := codecFor(t.Elem())
	return &codec{
		wireType: elem.wireType,
		read: func(r *reader, v reflect.Value) {
			v.Set(reflect.New(t.Elem()))
			elem.read(r, v.Elem())
		},
		write:  func(b []byte, v reflect.Value) []byte { return elem.write(b, v.Elem()) },
		absent: isNil,
	}
}

func structCodec(p *structPlan) *codec {
	return &codec{wireType: typeStruct, read: p.read, write: p.write}
}

func mapCodec(t reflect.Type) *codec {
	key, val := codecFor(t.Key()), codecFor(t.Elem())
	return &codec{
		wireType: typeMap,
		read: func(r *reader, v reflect.Value) {
			if !r.enter() {
				return
			}
			defer r.leave()
			kt, vt, n := r.mapHeader()
			v.Set(reflect.MakeMap(t))
			matches := kt == key.wireType && vt == val.wireType
			for i := 0; i < n && r.err == nil; i++ {
				if !matches {
					r.skip(kt)
					r.skip(vt)
					continue
				}
				k, e := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
				key.read(r, k)
				val.read(r, e)
				if r.err == nil {
					v.SetMapIndex(k, e)
				}
			}
		},
		write: func(b []byte, v reflect.Value) []byte {
			b = append(b, byte(key.wireType), byte(val.wireType))
			b = binary.BigEndian.AppendUint32(b, uint32(v.Len()))
			for it := v.MapRange(); it.Next(); {
				b = key.write(b, it.Key())
				b = val.write(b, it.Value())
			}
			return b
		},
		absent: isNil,
	}
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

func appendString[S string | []byte](b []byte, s S) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
	return append(b, s...)
}
