package workspace_test

import (
	"encoding/binary"
	"fmt"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// thriftReader reads what the codec of package wire wrote, without using that codec, so that a table of
// answers is compared with bytes.
type thriftReader struct {
	t testing.TB
	b []byte
}

func (r *thriftReader) take(n int) []byte {
	require.LessOrEqual(r.t, n, len(r.b), "an answer that ends inside a value")
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *thriftReader) i32() int { return int(int32(binary.BigEndian.Uint32(r.take(4)))) }

// answer is the result of the reply in a body, written as its fields: "1{1} 2" is a struct 1 that holds
// a field 1, and a value 2. A list is shown as its first element, in brackets.
func answer(t testing.TB, body []byte) string {
	r := &thriftReader{t: t, b: body}
	r.take(4)       // version and type
	r.take(r.i32()) // method
	r.take(4)       // sequence number
	require.Equal(t, []byte{12, 0, 0}, r.take(3), "field 0 of a reply is its result")
	return r.fields()
}

func (r *thriftReader) fields() string {
	found := map[int]string{}
	var ids []int
	for {
		kind := r.take(1)[0]
		if kind == 0 {
			break
		}
		id := int(binary.BigEndian.Uint16(r.take(2)))
		ids = append(ids, id)
		found[id] = r.value(kind)
	}
	sort.Ints(ids)
	parts := make([]string, len(ids))
	for i, id := range ids {
		parts[i] = fmt.Sprint(id) + found[id]
	}
	return strings.Join(parts, " ")
}

func (r *thriftReader) value(kind byte) string {
	switch kind {
	case 2, 3:
		r.take(1)
	case 6:
		r.take(2)
	case 8:
		r.take(4)
	case 4, 10:
		r.take(8)
	case 11:
		r.take(r.i32())
	case 12:
		return "{" + r.fields() + "}"
	case 13:
		head := r.take(2)
		for range r.i32() {
			r.value(head[0])
			r.value(head[1])
		}
	case 15:
		elem := r.take(1)[0]
		first := ""
		for i := range r.i32() {
			if v := r.value(elem); i == 0 {
				first = "[" + strings.TrimSuffix(strings.TrimPrefix(v, "{"), "}") + "]"
			}
		}
		if first != "[]" {
			return first
		}
	default:
		require.Fail(r.t, "unknown type", "%d", kind)
	}
	return ""
}
