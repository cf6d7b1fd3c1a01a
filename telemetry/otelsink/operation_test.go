package otelsink

import "testing"

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
