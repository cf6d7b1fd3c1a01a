package otelsink

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAnApplicationOfManySchemasDoesNotFillTheMemory(t *testing.T) {
	s := New()
	for i := range 2 * maxOperations {
		schema := target{server: "adb-1.azuredatabricks.net:443", name: "QUERY", namespace: namespace{"main", strconv.Itoa(i)}}
		require.Equal(t, schema, s.operation(schema).target)
		require.Equal(t, schema, s.operation(schema).target)
	}
	kept := 0
	s.operations.Range(func(any, any) bool { kept++; return true })
	require.Equal(t, maxOperations, kept)
}

func BenchmarkOperation(b *testing.B) {
	s := New()
	t := target{server: "adb-1.azuredatabricks.net:443", name: "QUERY"}
	o := s.operation(t)
	for name, f := range map[string]func(){
		"found":       func() { s.operation(t) },
		"built":       func() { s.newOperation(t) },
		"label found": func() { o.and(rpcMethodKey, "FetchResults") },
		"label built": func() { o.labeled.Clear(); o.and(rpcMethodKey, "FetchResults") },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}
