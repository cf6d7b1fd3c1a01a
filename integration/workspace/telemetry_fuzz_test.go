package workspace

import (
	"encoding/json"
	"testing"
)

// FuzzTelemetry feeds arbitrary bytes to the telemetry service. The service must answer, not crash, and
// never call a document valid that its own types cannot hold.
func FuzzTelemetry(f *testing.F) {
	const id = "6f1c2a52-1f39-4b52-8f6e-2f1f3a0e8a11"
	for _, doc := range []string{
		`{}`, `null`, `[]`, `{"a":1}{`, `{"frontend_log_event_id":"` + id + `","entry":{"sql_driver_log":{}}}`,
		`{"frontend_log_event_id":"` + id + `","entry":{"sql_driver_log":{"operation_latency_ms":1e3}}}`,
		`{"entry":{"sql_driver_log":{"driver_connection_params":{"non_proxy_hosts":[1]}}}}`,
		`{"workspace_id":9223372036854775808}`, `{"entry":[[[[]]]]}`, `{"workspace_id":1,"workspace_id":"x"}`,
	} {
		f.Add([]byte(doc))
		frame, _ := json.Marshal(map[string]any{"uploadTime": 1, "items": []any{}, "protoLogs": []string{doc}})
		f.Add(frame)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		readPost(b)
		_, problems := checkDocument(b)
		if len(problems) > 0 {
			return
		}
		var doc TelemetryDocument
		if err := json.Unmarshal(b, &doc); err != nil {
			t.Fatalf("valid, but %v", err)
		}
	})
}
