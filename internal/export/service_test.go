package export_test

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

const (
	flagPath = "/api/2.0/connector-service/feature-flags/GOLANG/1.13.1"
	flagName = "databricks.partnerplatform.clientConfigsFeatureFlags.enableTelemetryForGoDriver"
)

// service is the workspace as an http.RoundTripper. Nothing leaves the test.
type service struct {
	// upload and flag answer instead of the service; a nil response and error leave it to
	// the service, as an unset func does.
	upload, flag func(*http.Request) (*http.Response, error)
	after        func(*http.Response) // changes the service's own answer

	mu       sync.Mutex
	requests []*http.Request
	bodies   []string
	events   map[string][]byte // taken, by id
	arrivals map[string]int    // by id
	taken    []string          // ids in order
	times    []time.Time
	enabled  string // value of the flag; "" is absent
	ttl      int
}

func newService() *service {
	return &service{events: map[string][]byte{}, arrivals: map[string]int{}, enabled: "true", ttl: 900}
}

type uploadBody struct {
	UploadTime int64             `json:"uploadTime"`
	Items      []json.RawMessage `json:"items"`
	ProtoLogs  []string          `json:"protoLogs"`
}

// idOf reads the id a document begins with.
func idOf(doc string) string {
	id, _, _ := strings.Cut(strings.TrimPrefix(doc, `{"frontend_log_event_id":"`), `"`)
	return id
}

func (s *service) RoundTrip(r *http.Request) (*http.Response, error) {
	defer func() { _ = r.Body.Close() }()
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	raw, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.requests = append(s.requests, r)
	s.bodies = append(s.bodies, string(raw))
	s.times = append(s.times, time.Now())
	var up uploadBody
	if r.Method == http.MethodPost {
		_ = json.Unmarshal(raw, &up)
		for _, d := range up.ProtoLogs {
			s.arrivals[idOf(d)]++
		}
	}
	upload, flag := s.upload, s.flag
	s.mu.Unlock()
	handle := upload
	if r.Method == http.MethodGet {
		handle = flag
	}
	if handle != nil {
		if resp, err := handle(r); resp != nil || err != nil {
			return resp, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method == http.MethodGet {
		return s.flagAnswer(r), nil
	}
	if up.Items == nil {
		return response(r, 500, "items"), nil
	}
	for _, d := range up.ProtoLogs {
		id := idOf(d)
		if _, again := s.events[id]; !again {
			s.taken = append(s.taken, id)
		}
		s.events[id] = []byte(d)
	}
	n := strconv.Itoa(len(up.ProtoLogs))
	resp := response(r, 200, `{"errors":[],"numSuccess":`+n+`,"numProtoSuccess":`+n+`,"numRealtimeSuccess":0}`)
	if s.after != nil {
		s.after(resp)
	}
	return resp, nil
}

// set changes the service while it serves.
func (s *service) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *service) flagAnswer(r *http.Request) *http.Response {
	flags := `[]`
	if s.enabled != "" {
		flags = `[{"name":"` + flagName + `","value":"` + s.enabled + `"}]`
	}
	return response(r, 200, `{"flags":`+flags+`,"ttl_seconds":`+strconv.Itoa(s.ttl)+`}`)
}

func response(r *http.Request, status int, body string, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: r, ProtoMajor: 1, ProtoMinor: 1}
}

// count is the number of requests of a path.
func (s *service) count(path string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.requests {
		if r.URL.Path == path {
			n++
		}
	}
	return n
}

func (s *service) uploads() int { return s.count("/telemetry-ext") }

// sizes is the number of events in each upload.
func (s *service) sizes() (sizes []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, r := range s.requests {
		if r.Method == http.MethodPost {
			var up uploadBody
			_ = json.Unmarshal([]byte(s.bodies[i]), &up)
			sizes = append(sizes, len(up.ProtoLogs))
		}
	}
	return sizes
}

// all is everything that was ever sent, headers and all.
func (s *service) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for i, r := range s.requests {
		b.WriteString(r.URL.String() + "\n" + s.bodies[i] + "\n")
		for _, k := range slices.Sorted(maps.Keys(r.Header)) {
			b.WriteString(k + ": " + strings.Join(r.Header[k], ", ") + "\n")
		}
	}
	return b.String()
}

// operations counts the events that were taken by operation.
func (s *service) operations(t *testing.T) map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := map[string]int{}
	for _, raw := range s.events {
		n[document(t, raw).log().SQLOperation.OperationDetail.OperationType]++
	}
	return n
}

// bearer is an authenticator with a token that can change.
type bearer struct {
	mu    sync.Mutex
	token string
	asked int
}

func (b *bearer) Authenticate(r *http.Request) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked++
	if b.token == "" {
		return errors.New("no token for alice@example.com")
	}
	r.Header.Set("Authorization", "Bearer "+b.token)
	return nil
}

func (b *bearer) set(token string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.token = token
}

func connection(s *service) export.Connection {
	return export.Connection{
		Scheme: "https", Host: "dbc-1.cloud.databricks.com", Port: 443, HTTPPath: "/sql/1.0/warehouses/abcdef0123456789",
		Authenticator: &bearer{token: "t0"}, Transport: s, UserAgentEntry: "billing/1.2",
		Driver: telemetry.DriverConfig{
			Version: "1.13.1", AuthMech: "PAT", AuthFlow: "TOKEN_PASSTHROUGH",
			Arrow: telemetry.Known(true), MaxRows: telemetry.Known(int64(100_000)), PollInterval: telemetry.Known(time.Second),
			ClientTimeout: telemetry.Known(900 * time.Second), DirectResults: telemetry.Known(true),
			MetricViewMetadata: telemetry.Known(false), PoolSize: telemetry.Known(int64(100)),
		},
	}
}

const (
	sessionID   = "01f0a1b2-0000-1000-8000-00000000000a"
	statementID = "01f0a1b2-0000-1000-8000-00000000000b"
)

func opened() *telemetry.SessionOpened {
	return &telemetry.SessionOpened{Started: time.Now(), SessionID: sessionID, WorkspaceID: "1234567890123456", Latency: 80 * time.Millisecond}
}

func statement() *telemetry.Statement {
	return &telemetry.Statement{Started: time.Now(), SessionID: sessionID, StatementID: statementID, Kind: telemetry.KindQuery, Execute: 5 * time.Millisecond}
}

func failed(c telemetry.Category) *telemetry.Statement {
	s := statement()
	s.Failure = &telemetry.Failure{Category: c}
	return s
}

// balanced holds the invariant: every event is in exactly one place.
func balanced(t *testing.T, x *export.Exporter) telemetry.ExportStats {
	t.Helper()
	s := x.Stats()
	sum := s.Sent + s.Pending
	for _, n := range s.Dropped {
		sum += n
	}
	require.Equal(t, s.Recorded, sum, "recorded = sent + dropped + pending: %+v", s)
	return s
}

// doc is a document as the native driver's types see it, and more.
type doc struct {
	WorkspaceID int64  `json:"workspace_id"`
	ID          string `json:"frontend_log_event_id"`
	Entry       struct {
		Log logEntry `json:"sql_driver_log"`
	} `json:"entry"`
}

type logEntry struct {
	SessionID    string `json:"session_id"`
	StatementID  string `json:"sql_statement_id"`
	SQLOperation struct {
		OperationDetail struct {
			OperationType string `json:"operation_type"`
		} `json:"operation_detail"`
	} `json:"sql_operation"`
	ErrorInfo struct {
		ErrorName string `json:"error_name"`
	} `json:"error_info"`
}

func (d doc) log() logEntry { return d.Entry.Log }

func document(t *testing.T, raw []byte) (d doc) {
	t.Helper()
	require.NoError(t, json.Unmarshal(raw, &d))
	return d
}
