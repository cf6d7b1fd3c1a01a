package engine

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// FuzzNested reads arbitrary text as values of arbitrary types. The value must be the same after it is
// written and read again, and sort equal to itself.
func FuzzNested(f *testing.F) {
	for _, seed := range [][2]string{
		{"ARRAY<INT>", "[1,2,null]"}, {"MAP<STRING,ARRAY<DECIMAL(5,2)>>", `[["a\"\\",[1.50]],["",null]]`}, {"STRUCT<a:DOUBLE,b:BINARY,c:STRUCT<d:DATE>>", `[1e300,"\0x",[19000]]`},
		{"ARRAY<ARRAY<STRING>>", `[["`}, {"MAP<INT,INT>", "[[1,2"}, {"ARRAY<DOUBLE>", "[NaN,+Inf,-0]"}, {"STRUCT<>", "[1,2]"}, {"ARRAY<INT>", "[[[["}, {"a INT, b STRING", "[1]"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, typ, text string) {
		typed, err := parseSchema(typ)
		if err != nil || !typed.isNested() {
			return
		}
		again, err := parseSchema(typed.String())
		if !assert.Nil(t, err) {
			return
		}
		assert.Equal(t, typed, again, "a type reads back as itself")
		v := readNested(text, typed)
		written := nestedText(v, typed)
		assert.Equal(t, written, nestedText(readNested(written, typed), typed), "a value reads back as itself")
		assert.Zero(t, compareNested(written, written))
		_, _ = compareNested(text, written), compareNested(written, text) // must end
	})
}
