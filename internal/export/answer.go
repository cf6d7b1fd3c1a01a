package export

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// answer is what the telemetry service says about an upload. It counts only; which events
// it means is not known.
type answer struct {
	accepted int // as it says; not checked against what was sent
	errors   int
}

// parseAnswer reads the body of a 2xx answer. An answer that has no count of what was
// accepted is from somebody else: a proxy, a login page.
func parseAnswer(body []byte) (answer, bool) {
	var a struct {
		Errors     []json.RawMessage `json:"errors"` // strings or objects
		NumSuccess *int64            `json:"numSuccess"`
		NumProto   *int64            `json:"numProtoSuccess"`
	}
	if json.Unmarshal(body, &a) != nil {
		return answer{}, false
	}
	n := a.NumProto
	if n == nil {
		n = a.NumSuccess
	}
	if n == nil {
		return answer{}, false
	}
	return answer{accepted: int(min(max(*n, 0), 1<<30)), errors: len(a.Errors)}, true
}

// maxRetryAfter caps what a server may ask for, so that a mistake there does not silence us
// for a day.
const maxRetryAfter = time.Minute

// parseRetryAfter reads the header: seconds, or a date. 0 when there is none that makes
// sense.
func parseRetryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if header == "" {
		return 0
	}
	if seconds, err := strconv.ParseUint(header, 10, 63); err == nil {
		return time.Duration(min(seconds, uint64(maxRetryAfter/time.Second))) * time.Second
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}
