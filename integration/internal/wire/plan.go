package wire

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// codec reads and writes one Go type. Codecs are built once per type and are stateless, so
// any number of goroutines may use one at the same time.
type codec struct {
	wireType fieldType
	// read stores the value at the reader's position into v, which is settable.
	read func(r *reader, v reflect.Value)
	// write appends v.
	write func(b []byte, v reflect.Value) []byte
	// absent reports whether an optional value is missing and must not be written.
	absent func(v reflect.Value) bool
}

// structPlan holds the tagged fields of one struct, in the order of their ids.
type structPlan struct {
	fields []plannedField
	byID   map[int16]int
}

type plannedField struct {
	id        int16
	index     int
	omitEmpty bool
	codec     *codec
}

var codecs sync.Map // reflect.Type → *codec

// codecFor panics for a type that this package cannot encode. Only a mistake in a message
// declaration causes that, never input, and TestEveryMessageHasAPlan finds it.
func codecFor(t reflect.Type) *codec {
	if c, ok := codecs.Load(t); ok {
		return c.(*codec)
	}
	c, _ := codecs.LoadOrStore(t, buildCodec(t))
	return c.(*codec)
}

func buildCodec(t reflect.Type) *codec {
	switch t.Kind() {
	case reflect.Bool:
		return boolCodec()
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return intCodec(t.Kind())
	case reflect.Float64:
		return doubleCodec()
	case reflect.String:
		return stringCodec()
	case reflect.Pointer:
		return pointerCodec(t)
	case reflect.Struct:
		return structCodec(planStruct(t))
	case reflect.Map:
		return mapCodec(t)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return binaryCodec()
		}
		return listCodec(t)
	}
	panic(fmt.Sprintf("wire: no Thrift type for %s", t))
}

func planStruct(t reflect.Type) *structPlan {
	p := &structPlan{byID: map[int16]int{}}
	for i := range t.NumField() {
		tag, ok := t.Field(i).Tag.Lookup("thrift")
		if !ok {
			continue
		}
		id, rest, _ := strings.Cut(tag, ",")
		n, err := strconv.ParseInt(id, 10, 16)
		if err != nil {
			panic(fmt.Sprintf("wire: %s.%s: bad field id %q", t, t.Field(i).Name, id))
		}
		p.fields = append(p.fields, plannedField{
			id:        int16(n),
			index:     i,
			omitEmpty: rest == "omitempty",
			codec:     codecFor(t.Field(i).Type),
		})
	}
	slices.SortFunc(p.fields, func(a, b plannedField) int { return cmp.Compare(a.id, b.id) })
	for i, f := range p.fields {
		if _, twice := p.byID[f.id]; twice {
			panic(fmt.Sprintf("wire: %s: field id %d is used twice", t, f.id))
		}
		p.byID[f.id] = i
	}
	return p
}

func (p *structPlan) read(r *reader, v reflect.Value) {
	if !r.enter() {
		return
	}
	defer r.leave()
	for r.err == nil {
		t := fieldType(r.u8())
		if t == typeStop {
			return
		}
		id := r.i16()
		i, known := p.byID[id]
		if !known || p.fields[i].codec.wireType != t {
			r.skip(t)
			continue
		}
		p.fields[i].codec.read(r, v.Field(p.fields[i].index))
	}
}

func (p *structPlan) write(b []byte, v reflect.Value) []byte {
	for i := range p.fields {
		f := &p.fields[i]
		fv := v.Field(f.index)
		if f.codec.absent != nil && f.codec.absent(fv) || f.omitEmpty && fv.IsZero() {
			continue
		}
		b = append(b, byte(f.codec.wireType), byte(uint16(f.id)>>8), byte(f.id))
		b = f.codec.write(b, fv)
	}
	return append(b, byte(typeStop))
}
