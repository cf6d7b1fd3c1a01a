package soak

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// service is the workspace all processes of a fleet report to, as an http.RoundTripper in
// fake time. The service counts the requests of each second.
type service struct {
	began   time.Time
	latency time.Duration // of every answer
	// answer returns the status and Retry-After (0 for none) for a request that arrives at this time
	// after the start, as the nth of its second.
	answer func(at time.Duration, nth int) (status int, retryAfter time.Duration)

	mu       sync.Mutex
	arrivals []int // uploads and requests for the flag, by second; guarded by mu
	flags    []int // requests for the flag alone; guarded by mu
	taken    int   // events; guarded by mu
	bytes    int   // of uploads; guarded by mu
}

func newService(length time.Duration) *service {
	seconds := int(length/time.Second) + 1
	return &service{
		began: time.Now(), latency: 40 * time.Millisecond, arrivals: make([]int, seconds), flags: make([]int, seconds),
		answer: func(time.Duration, int) (int, time.Duration) { return http.StatusOK, 0 },
	}
}

// arrive counts a request and returns its time of arrival and its number within that second.
func (s *service) arrive(flag bool) (at time.Duration, nth int) {
	at = time.Since(s.began)
	s.mu.Lock()
	defer s.mu.Unlock()
	second := min(int(at/time.Second), len(s.arrivals)-1)
	s.arrivals[second]++
	if flag {
		s.flags[second]++
	}
	return at, s.arrivals[second]
}

// history is what the service has received so far.
func (s *service) history() history {
	s.mu.Lock()
	defer s.mu.Unlock()
	return history{
		arrivals: slices.Clone(s.arrivals[:len(s.arrivals)-1]), flags: slices.Clone(s.flags),
		bytes: s.bytes, taken: s.taken, stats: telemetry.ExportStats{Dropped: map[string]int64{}},
	}
}

// RoundTrip answers a request as answer decides.
func (s *service) RoundTrip(r *http.Request) (*http.Response, error) {
	defer func() { _ = r.Body.Close() }()
	flag := r.Method == http.MethodGet
	status, after := s.answer(s.arrive(flag))
	select {
	case <-time.After(s.latency):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	body := `{"flags":[{"name":"databricks.partnerplatform.clientConfigsFeatureFlags.enableTelemetryForGoDriver","value":"true"}],"ttl_seconds":900}`
	if !flag {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		events := bytes.Count(raw, []byte("frontend_log_event_id"))
		s.mu.Lock()
		s.bytes += len(raw)
		if status == http.StatusOK {
			s.taken += events
		}
		s.mu.Unlock()
		body = `{"errors":[],"numProtoSuccess":` + strconv.Itoa(events) + `}`
	}
	header := http.Header{}
	if after > 0 {
		header.Set("Retry-After", strconv.Itoa(int(after/time.Second)))
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r, ProtoMajor: 1, ProtoMinor: 1}, nil
}
