package history_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/internal/history"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// service is the query history as an http.RoundTripper. It answers every statement as finished, unless
// answer is set.
type service struct {
	mu       sync.Mutex                        // guards all below
	answer   func(ids []string) *http.Response // nil, or a nil response: the service answers
	asked    [][]string                        // the ids of each request
	at       []time.Duration
	requests []*http.Request
	began    time.Time
}

func (s *service) RoundTrip(r *http.Request) (*http.Response, error) {
	ids := r.URL.Query()["filter_by.statement_ids"]
	s.mu.Lock()
	if s.began.IsZero() {
		s.began = bubbleBegan
	}
	s.asked = append(s.asked, ids)
	s.at = append(s.at, time.Since(s.began))
	s.requests = append(s.requests, r)
	answer := s.answer
	s.mu.Unlock()
	if answer != nil {
		if resp := answer(ids); resp != nil {
			return resp, nil
		}
	}
	entries := make([]string, len(ids))
	for i, id := range ids {
		entries[i] = finished(id)
	}
	return page(entries...), nil
}

// bubbleBegan is when every bubble of testing/synctest begins.
var bubbleBegan = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func (s *service) answers(answer func(ids []string) *http.Response) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

// rest lets fake time pass.
func rest(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// times are when the requests were made, since the bubble began.
func (s *service) times() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at
}

func (s *service) batches() (sizes []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ids := range s.asked {
		sizes = append(sizes, len(ids))
	}
	return sizes
}

func finished(id string) string {
	return fmt.Sprintf(`{"query_id":%q,"status":"FINISHED","is_final":true,"metrics":{"total_time_ms":12}}`, id)
}

func running(id string) string {
	return fmt.Sprintf(`{"query_id":%q,"status":"RUNNING","is_final":false,"metrics":{"total_time_ms":7}}`, id)
}

func page(entries ...string) *http.Response {
	return response(200, `{"res":[`+strings.Join(entries, ",")+`],"has_next_page":false}`)
}

func response(status int, body string, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), ProtoMajor: 1, ProtoMinor: 1}
}

// authenticator counts how often it is asked.
type authenticator func(*http.Request) error

func (f authenticator) Authenticate(r *http.Request) error { return f(r) }

// token is a credential that two connections may share.
type token struct{ value string }

func (t *token) Authenticate(r *http.Request) error {
	r.Header.Set("Authorization", "Bearer "+t.value)
	return nil
}

func connection(s http.RoundTripper, a export.Authenticator) export.Connection {
	return export.Connection{Scheme: "https", Host: "dbc-1.cloud.databricks.com", HTTPPath: "/sql/1.0/warehouses/abcdef0123456789", Authenticator: a, Transport: s}
}

// sink keeps the reports it receives.
type sink struct {
	mu      sync.Mutex
	reports []*telemetry.ServerReport
	at      []time.Duration
}

func (s *sink) StatementFinished(*telemetry.Statement) {}

func (s *sink) ServerReported(r *telemetry.ServerReport) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reports = append(s.reports, r)
	s.at = append(s.at, time.Since(bubbleBegan))
}

func (s *sink) ids() (ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.reports {
		ids = append(ids, r.StatementID)
	}
	return ids
}

// fixture is one connector with a sink, in a bubble.
type fixture struct {
	*service
	*sink
	reader *history.Reader
	fanout *telemetry.Fanout
	handle *history.Handle
}

func (f *fixture) open(s telemetry.Settings) *history.Handle {
	return f.reader.Open(connection(f.service, &token{"t0"}), s, []*telemetry.Fanout{f.fanout})
}

// inBubble runs a test in fake time. It fails when a goroutine is left.
func inBubble(t *testing.T, s telemetry.Settings, test func(t *testing.T, f *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := &fixture{service: &service{}, sink: &sink{}, reader: &history.Reader{}, fanout: &telemetry.Fanout{}}
		defer f.fanout.Attach(f.sink)()
		f.handle = f.open(s)
		test(t, f)
		f.handle.Close(t.Context())
		synctest.Wait()
		require.NoError(t, f.fanout.Flush(t.Context()))
		balanced(t, f.reader)
	})
}

// balanced holds the invariant: every statement is in exactly one place.
func balanced(t *testing.T, r *history.Reader) telemetry.HistoryStats {
	t.Helper()
	s := r.Stats()
	sum := s.Reported + s.Waiting
	for _, n := range s.Dropped {
		sum += n
	}
	require.Equal(t, s.Statements, sum, "%+v", s)
	return s
}

var slow = telemetry.Settings{QueryHistory: "slow", SlowThreshold: time.Second}

// statement is one that has just ended, after a second.
func statement(n int) *telemetry.Statement {
	return &telemetry.Statement{Started: time.Now().Add(-time.Second), StatementID: "q-" + strconv.Itoa(n), Connector: 3, Server: "dbc-1:443", Total: time.Second}
}

func failed(n int) *telemetry.Statement {
	s := statement(n)
	s.Failure = &telemetry.Failure{}
	return s
}

func encode(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	return string(raw)
}
