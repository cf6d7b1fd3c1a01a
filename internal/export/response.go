package export

import "encoding/json"

// uploadCounts is what the telemetry service answers to an upload: numbers of events, not which
// events they are.
type uploadCounts struct {
	accepted int // as the service says; may be more than was sent
	errors   int
}

// parseUploadResponse reads the body of a 2xx response. One without a count of accepted events is
// not the service's, but that of a proxy or a login page.
func parseUploadResponse(body []byte) (uploadCounts, bool) {
	var a struct {
		Errors     []json.RawMessage `json:"errors"` // strings or objects
		NumSuccess *int64            `json:"numSuccess"`
		NumProto   *int64            `json:"numProtoSuccess"`
	}
	if json.Unmarshal(body, &a) != nil {
		return uploadCounts{}, false
	}
	n := a.NumProto
	if n == nil {
		n = a.NumSuccess
	}
	if n == nil {
		return uploadCounts{}, false
	}
	return uploadCounts{accepted: int(min(max(*n, 0), 1<<30)), errors: len(a.Errors)}, true
}
