package debugpage

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// fixture is a page over connectors, pools, statistics and documents that a test sets.
type fixture struct {
	page
	all   []telemetry.Connector
	db    []telemetry.Pool
	stats telemetry.ExportStats
	sent  []export.Document

	process telemetry.Stats
}

func newFixture() *fixture {
	f := &fixture{}
	f.page = page{
		memory:     newMemory(func() []telemetry.Pool { return f.db }),
		connectors: func() []telemetry.Connector { return f.all },
		exporter:   f,
		stats: func() telemetry.Stats {
			s := f.process
			s.Export = f.stats
			return s
		},
	}
	return f
}

func (f *fixture) Recent() []export.Document { return f.sent }

func (f *fixture) get(t *testing.T, target string) *httptest.ResponseRecorder {
	t.Helper()
	response := httptest.NewRecorder()
	f.ServeHTTP(response, httptest.NewRequest(http.MethodGet, "http://localhost"+target, nil))
	return response
}

func (f *fixture) html(t *testing.T, target string) string {
	t.Helper()
	response := f.get(t, target)
	require.Equal(t, http.StatusOK, response.Code, response.Body.String())
	return response.Body.String()
}

func (f *fixture) json(t *testing.T, target string, into any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(f.get(t, target).Body.Bytes(), into))
}

// connector returns what a test sets; every method but Documents panics if broken is true.
type connector struct {
	info    telemetry.ConnectorInfo
	running []*telemetry.Statement
	docs    []string
	broken  bool
}

func (c *connector) Info() telemetry.ConnectorInfo {
	if c.broken {
		panic("no info")
	}
	return c.info
}

func (c *connector) Running() []*telemetry.Statement {
	if c.broken {
		panic("nothing runs")
	}
	return c.running
}

func (c *connector) Documents(any) []string { return c.docs }

// Times of the records below are relative to the clock of the synctest bubble, so that pages are
// the same in every run.

// downloaded waited for its files, one of which failed after three attempts.
func downloaded() *telemetry.Statement {
	at := telemetry.Known[time.Duration]
	s := &telemetry.Statement{
		Started: time.Now().Add(-ms(4200)), Connector: 1, Server: "dbc.example.com:443", TraceID: [16]byte{0xab, 1}, SpanID: [8]byte{2},
		SessionID: "01f0a1b2-0000-1000-8000-00000000000a", StatementID: "01f0a1b2-0000-1000-8000-000000000001",
		WarehouseID: "abc123", InitialCatalog: "main", InitialSchema: "sales", CorrelationID: "req-1", QueryTags: map[string]string{"team": "orders"},
		Attributes: []slog.Attr{slog.String("http.route", "/orders")},
		Kind:       telemetry.KindQuery, Outcome: telemetry.OutcomeCompleted, Query: "SELECT * FROM orders WHERE note = '<b>'", Shape: telemetry.ShapeOf("SELECT * FROM orders WHERE note = ?"),
		Execute: ms(700), FirstRow: at(ms(900)), Consume: at(ms(2550)), Close: at(ms(50)), Total: ms(4200),
		RowsRead: telemetry.Known[int64](24000), WorkspaceID: "123",
		Result: telemetry.Result{Evidence: telemetry.EvidenceWire, Format: telemetry.FormatExternalLinks, Pages: telemetry.Known[int64](1), Rows: telemetry.Known[int64](24000)},
		RPCs: []telemetry.RPC{
			{Method: "ExecuteStatement", Calls: 1, Retries: 1, Latency: ms(590), Backoff: ms(100), Slowest: ms(690), BytesOut: 300, BytesIn: 2300, LastStatus: 200, FailedStatus: 503},
			{Method: "FetchResults", Calls: 1, Latency: ms(20), Slowest: ms(20), BytesOut: 200, BytesIn: 3600, LastStatus: 200},
			{Method: "CloseOperation", Calls: 1, Latency: ms(45), Slowest: ms(45), BytesOut: 180, BytesIn: 90, LastStatus: 200},
		},
		Calls: []telemetry.Call{
			{
				Method: "ExecuteStatement", FirstByte: at(ms(680)), End: at(ms(690)), Status: 200, Attempts: 2, RequestID: "0a1b2c3d-0000-4000-8000-000000000002",
				Retried: []telemetry.Attempt{{End: ms(30), Status: 503, RequestID: "0a1b2c3d-0000-4000-8000-000000000001"}},
			},
			{Method: "FetchResults", Start: ms(700), FirstByte: at(ms(715)), End: at(ms(720)), Status: 200, Attempts: 1, Rows: telemetry.Known[int64](24000), Files: 6},
			{Method: "CloseOperation", Start: ms(4152), FirstByte: at(ms(4196)), End: at(ms(4197)), Status: 200, Attempts: 1},
		},
		State: "FINISHED", Polling: telemetry.Known(telemetry.Polling{}), Application: telemetry.Application{Before: ms(60), Between: ms(390)},
		CloudFetch: &telemetry.CloudFetch{Present: 6, Downloaded: 5, Failed: 1, Bytes: 6 << 20, Received: 5 << 20, Attempts: 8, Retries: 2, Retried: 1, MostAttempts: 3, RetryStatus: 403, FailedStatus: telemetry.Known[int64](403), First: ms(800), Slowest: ms(1500), Sum: ms(5000)},
		Split: telemetry.Split{
			telemetry.PartServer: ms(550), telemetry.PartRetry: ms(130), telemetry.PartPage: ms(20), telemetry.PartFile: ms(2980),
			telemetry.PartApplication: ms(450), telemetry.PartClose: ms(50), telemetry.PartNetwork: ms(20),
		},
	}
	for i := range int64(6) {
		start := ms(720 + int(i/2)*1100)
		f := telemetry.File{Index: i, State: "DOWNLOADED", Rows: 4000, Bytes: 1 << 20, Received: 1 << 20, Attempts: 1,
			Queued: at(ms(720)), Start: at(start), FirstByte: at(start + ms(300)), End: at(start + ms(1000))}
		if i == 4 {
			f.State, f.Status, f.Attempts, f.FirstByte = "FAILED", 403, 3, telemetry.Maybe[time.Duration]{}
			f.Retried = []telemetry.Attempt{{Start: start, End: start + ms(100), Status: 403}, {Start: start + ms(300), End: start + ms(400), Status: 403}}
		}
		s.CloudFetch.Files = append(s.CloudFetch.Files, f)
	}
	return s
}

func failed() *telemetry.Statement {
	return &telemetry.Statement{
		Started: time.Now().Add(-ms(320)), Connector: 1, Server: "dbc.example.com:443", StatementID: "01f0a1b2-0000-1000-8000-000000000002",
		Kind: telemetry.KindUpdate, Outcome: telemetry.OutcomeFailed, Execute: ms(320), Total: ms(320),
		RPCs: []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1}}, Split: telemetry.Split{telemetry.PartServer: ms(310), telemetry.PartNetwork: ms(10)},
		Failure: &telemetry.Failure{Category: telemetry.CategorySyntax, SQLState: "42601", Message: "[PARSE_SYNTAX_ERROR] near <sql>"},
	}
}

// quick is a statement that took n ms.
func quick(n int) *telemetry.Statement {
	return &telemetry.Statement{
		Started: time.Now().Add(-ms(n)), Connector: 2, StatementID: fmt.Sprintf("01f0a1b2-0000-1000-8001-%012d", n),
		Kind: telemetry.KindQuery, Outcome: telemetry.OutcomeCompleted, Execute: ms(n), Total: ms(n), RowsRead: telemetry.Known(int64(n)),
		Result: telemetry.Result{Format: telemetry.FormatInlineArrow}, Split: telemetry.Split{telemetry.PartUnknown: ms(n)},
	}
}

func running() *telemetry.Statement {
	return &telemetry.Statement{
		Started: time.Now().Add(-90 * time.Second), Connector: 1, Kind: telemetry.KindQuery, Outcome: telemetry.OutcomeRunning, Total: 90 * time.Second,
		RPCs:  []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1}},
		Calls: []telemetry.Call{{Method: "ExecuteStatement", Start: ms(1), Attempts: 1}}, Split: telemetry.Split{telemetry.PartServer: 90 * time.Second},
	}
}

// retried was polled, and canceled while a page was repeated.
func retried() *telemetry.Statement {
	at := telemetry.Known[time.Duration]
	s := &telemetry.Statement{
		Started: time.Now().Add(-9 * time.Second), Connector: 1, StatementID: "01f0a1b2-0000-1000-8000-000000000003", Kind: telemetry.KindQuery,
		Outcome: telemetry.OutcomeCanceled, Failure: &telemetry.Failure{Category: telemetry.CategoryTimeout}, State: "FINISHED",
		Execute: ms(2600), FirstRow: at(ms(5100)), Total: 9 * time.Second, Close: at(ms(1300)),
		Polling: telemetry.Known(telemetry.Polling{Calls: 2, Latency: ms(60), Unseen: ms(1030)}),
		RPCs: []telemetry.RPC{
			{Method: "ExecuteStatement", Calls: 1, Slowest: ms(400)}, {Method: "GetOperationStatus", Calls: 2, Slowest: ms(30)},
			{Method: "FetchResults", Calls: 1, Retries: 2, FailedStatus: 503, Slowest: ms(5000), Backoff: ms(3900)}, {Method: "CancelOperation", Calls: 1, Slowest: ms(1300)},
		},
		Calls: []telemetry.Call{
			{Method: "ExecuteStatement", Start: ms(50), FirstByte: at(ms(440)), End: at(ms(450)), Status: 200, Attempts: 1},
			{Method: "GetOperationStatus", Start: ms(1450), FirstByte: at(ms(1475)), End: at(ms(1480)), Status: 200, Attempts: 1},
			{Method: "GetOperationStatus", Start: ms(2480), FirstByte: at(ms(2505)), End: at(ms(2510)), Status: 200, Attempts: 1},
			{
				Method: "FetchResults", Start: ms(2700), End: at(ms(7700)), Status: 503, Failed: true, Attempts: 3, RequestID: "0a1b2c3d-0000-4000-8000-000000000005",
				Retried: []telemetry.Attempt{{Start: ms(2700), End: ms(3000), Status: 429}, {Start: ms(4500), End: ms(4900)}},
			},
			{Method: "CancelOperation", Start: ms(7700), FirstByte: at(ms(8990)), End: at(9 * time.Second), Status: 200, Attempts: 1, RequestID: "0a1b2c3d-0000-4000-8000-000000000006"},
		},
	}
	s.Split = telemetry.Split{
		telemetry.PartServer: ms(2500), telemetry.PartPage: ms(700), telemetry.PartRetry: ms(4300), telemetry.PartClose: ms(1300), telemetry.PartApplication: ms(100), telemetry.PartNetwork: ms(100),
	}
	return s
}

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }
