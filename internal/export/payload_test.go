package export_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	native "github.com/databricks/databricks-sql-go/telemetry"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/internal/registry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// fullStatement has everything a statement can have.
func fullStatement() *telemetry.Statement {
	return &telemetry.Statement{
		Started: noon, Server: "dbc-1.cloud.databricks.com:443", SessionID: sessionID, StatementID: statementID,
		Kind: telemetry.KindQuery, Internal: true, Prepared: true, Outcome: telemetry.OutcomeFailed,
		Failure:      &telemetry.Failure{Category: telemetry.CategoryChunkDownload, SQLState: "08000"},
		CloseFailure: &telemetry.Failure{Category: telemetry.CategoryConnection},
		CancelError:  telemetry.CategoryConnection,
		Execute:      1200 * time.Millisecond, FirstRow: telemetry.Known(30 * time.Millisecond), Consume: telemetry.Known(4 * time.Second),
		Close: telemetry.Known(25 * time.Millisecond), Total: 6 * time.Second,
		RowsRead: telemetry.Known(int64(7)), RowsAffected: telemetry.Known(int64(8)), WorkspaceID: "1234567890123456",
		Result: telemetry.Result{
			Evidence: telemetry.EvidenceWire, Format: telemetry.FormatExternalLinks, Compressed: telemetry.Known(true), Cache: "MISS",
			UncompressedBytes: telemetry.Known(int64(1)), CompressedBytes: telemetry.Known(int64(1)), Direct: telemetry.Known(true),
			Pages: telemetry.Known(int64(2)), Rows: telemetry.Known(int64(9)),
		},
		Polling: telemetry.Known(telemetry.Polling{Calls: 3, Latency: 90 * time.Millisecond}),
		CloudFetch: &telemetry.CloudFetch{
			Present: 20, Downloaded: 18, Failed: 1, Abandoned: 1, Bytes: 5, Received: 6, Attempts: 22, Retries: 2,
			First: 100 * time.Millisecond, Slowest: 900 * time.Millisecond, Sum: 5 * time.Second,
			FailedIndex: telemetry.Known(int64(19)), FailedStatus: telemetry.Known(int64(403)), Files: make([]telemetry.File, 20),
		},
		RPCs: []telemetry.RPC{
			{Method: "ExecuteStatement", Calls: 1, Retries: 2, Latency: time.Second},
			{Method: "CancelOperation", Calls: 1, Latency: 12 * time.Millisecond},
			{Method: "CloseOperation", Calls: 1, Retries: 1, Latency: 20 * time.Millisecond},
		},
	}
}

// records are one of each kind, with the name of its golden file.
func records() map[string]any {
	return map[string]any{
		"statement":         fullStatement(),
		"statement_minimal": &telemetry.Statement{Started: noon, Execute: time.Millisecond},
		"statement_volume":  &telemetry.Statement{Started: noon, Kind: telemetry.KindVolume, Volume: "PUT", Outcome: telemetry.OutcomeCompleted, Execute: time.Millisecond},
		"statement_inferred": &telemetry.Statement{Started: noon, Kind: telemetry.KindUpdate, Execute: time.Millisecond,
			Result: telemetry.Result{Evidence: telemetry.EvidenceInferred, Format: telemetry.FormatInlineArrow}},
		"session_opened": &telemetry.SessionOpened{Started: noon, Server: "dbc-1.cloud.databricks.com:443", SessionID: sessionID,
			WorkspaceID: "1234567890123456", Latency: 80 * time.Millisecond, Retries: telemetry.Known(int64(1))},
		"session_failed": &telemetry.SessionOpened{Started: noon, Latency: 10 * time.Second,
			Failure: &telemetry.Failure{Category: telemetry.CategoryAuth, SQLState: "28000"}},
		"session_closed": &telemetry.SessionClosed{Started: noon, SessionID: sessionID, Latency: 15 * time.Millisecond,
			Retries: telemetry.Known(int64(0)), Lifetime: time.Hour, Statements: 5, Reused: 4, Abandoned: 1},
	}
}

var (
	anyUUID    = regexp.MustCompile(`"frontend_log_event_id": "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"`)
	anyProcess = regexp.MustCompile(`"(runtime_version|os_name|os_version|os_arch)": "[^"]*"`)
)

func TestEventsLookLikeTheirGoldenFiles(t *testing.T) {
	t.Setenv("LC_ALL", "de_DE.UTF-8")
	var x export.Exporter
	h := x.Open(driversOwnTransport(), telemetry.Settings{})
	for name, record := range records() {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			for _, doc := range h.Preview(record) {
				var v any
				require.NoError(t, json.Unmarshal([]byte(doc), &v))
				pretty, err := json.MarshalIndent(v, "", "  ")
				require.NoError(t, err)
				require.Regexp(t, anyUUID, string(pretty))
				b.Write(pretty)
				b.WriteByte('\n')
			}
			got := anyUUID.ReplaceAllString(b.String(), `"frontend_log_event_id": "<uuid>"`)
			got = anyProcess.ReplaceAllString(got, `"$1": "<of this process>"`)
			got = strings.ReplaceAll(got, "databricks-telemetry/"+telemetry.Version, "databricks-telemetry/<version>")
			got = regexp.MustCompile(`\s+"locale_name": "[^"]*",`).ReplaceAllString(got, "")
			file := filepath.Join("testdata", name+".json")
			if os.Getenv("UPDATE_GOLDEN") != "" {
				require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, string(want), got, "UPDATE_GOLDEN=1 go test ./internal/export")
		})
	}
}

// driversOwnTransport is a connection without a user-supplied transport, for previews.
func driversOwnTransport() export.Connection {
	c := connection(nil)
	c.Transport = nil
	return c
}

// A transport that the application supplies does not ask the environment for a proxy, unless it is told to.
func TestTheProxyOfAUsersTransportIsUnknown(t *testing.T) {
	for _, record := range records() {
		for _, doc := range export.Preview(connection(newService()), record) {
			require.NotContains(t, doc, "proxy")
		}
	}
	require.Contains(t, export.Preview(driversOwnTransport(), fullStatement())[0], `"use_proxy":`)
}

// registered collects the paths of the registry that may leave the process.
func registered(t *testing.T) map[string]registry.Payload {
	t.Helper()
	paths := map[string]registry.Payload{}
	collect(t, paths, registry.EventFields)
	collect(t, paths, registry.ConnectionFields)
	collect(t, paths, registry.ProcessFields)
	collect(t, paths, registry.StatementFields)
	collect(t, paths, registry.StatementExecutedFields)
	collect(t, paths, registry.StatementClosedFields)
	collect(t, paths, registry.StatementCanceledFields)
	collect(t, paths, registry.SessionOpenedFields)
	collect(t, paths, registry.SessionClosedFields)
	return paths
}

func collect[R any](t *testing.T, paths map[string]registry.Payload, fields []registry.Field[R]) {
	for _, f := range fields {
		require.Equal(t, f.Scope&registry.ScopeDatabricks != 0, f.Payload.Path != "", "%s: scope and payload path must agree", f.Name)
		if f.Payload.Path == "" {
			continue
		}
		if known, again := paths[f.Payload.Path]; again {
			require.Equal(t, known.Type, f.Payload.Type, f.Payload.Path)
			f.Payload.Anonymous = f.Payload.Anonymous || known.Anonymous
		}
		paths[f.Payload.Path] = f.Payload
	}
}

// walk calls leaf with every value of a document and its path.
func walk(path string, v any, leaf func(path string, v any)) {
	object, ok := v.(map[string]any)
	if !ok {
		leaf(path, v)
		return
	}
	for k, member := range object {
		walk(strings.TrimPrefix(path+"."+k, "."), member, leaf)
	}
}

func TestThePayloadHasOnlyFieldsOfTheRegistry(t *testing.T) {
	paths := registered(t)
	seen := map[string]bool{}
	var x export.Exporter
	h := x.Open(driversOwnTransport(), telemetry.Settings{})
	for name, record := range records() {
		for _, doc := range h.Preview(record) {
			var v any
			require.NoError(t, json.Unmarshal([]byte(doc), &v))
			walk("", v, func(path string, v any) {
				seen[path] = true
				wire, ok := paths[path]
				require.True(t, ok, "%s: %s is not registered", name, path)
				switch wire.Type {
				case registry.TypeBool:
					require.IsType(t, true, v, path)
				case registry.TypeInt32, registry.TypeInt64, registry.TypeSeconds:
					require.IsType(t, 0.0, v, path)
				case registry.TypeEnum:
					require.Contains(t, wire.Enum, v, path)
				default:
					require.IsType(t, "", v, path)
				}
			})
		}
	}
	for path := range paths {
		if path == "entry.sql_driver_log.system_configuration.locale_name" || strings.Contains(path, "proxy_host_info") {
			continue // depends on the environment
		}
		require.True(t, seen[path], "%s is registered and no record fills it", path)
	}
}

func TestTheNativeDriverUnderstandsThePayload(t *testing.T) {
	var x export.Exporter
	h := x.Open(connection(newService()), telemetry.Settings{})
	docs := h.Preview(fullStatement())
	require.Len(t, docs, 3)
	var log native.TelemetryFrontendLog
	require.NoError(t, json.Unmarshal([]byte(docs[0]), &log))
	require.Equal(t, int64(1234567890123456), log.WorkspaceID)
	e := log.Entry.SQLDriverLog
	require.Equal(t, sessionID, e.SessionID)
	require.Equal(t, statementID, e.SQLStatementID)
	require.EqualValues(t, 1200, e.OperationLatencyMs)
	require.Equal(t, "PAT", e.AuthType)
	require.Equal(t, &native.ChunkDetails{InitialChunkLatencyMs: 100, SlowestChunkLatencyMs: 900, TotalChunksPresent: 20, TotalChunksIterated: 18, SumChunksDownloadTimeMs: 5000}, e.SQLOperation.ChunkDetails)
	require.Equal(t, &native.ResultLatency{ResultSetReadyLatencyMs: 1200, ResultSetConsumptionLatencyMs: 4000}, e.SQLOperation.ResultLatency)
	require.Equal(t, &native.OperationDetail{NOperationStatusCalls: 3, OperationStatusLatencyMs: 90, OperationType: "EXECUTE_STATEMENT", IsInternalCall: true}, e.SQLOperation.OperationDetail)
	require.Equal(t, "EXTERNAL_LINKS", e.SQLOperation.ExecutionResult)
	require.EqualValues(t, 3+2, e.SQLOperation.RetryCount, "of calls and files")
	require.Equal(t, "chunk_download_error", e.ErrorInfo.ErrorName)
	require.Equal(t, "databricks-sql-go", e.SystemConfiguration.DriverName)
	require.Equal(t, "1.13.1", e.SystemConfiguration.DriverVersion)
	require.Equal(t, &native.DriverConnectionParameters{
		HTTPPath: "/sql/1.0/warehouses", Mode: "THRIFT", HostInfo: &native.HostDetails{Port: 443}, AuthMech: "PAT", AuthFlow: "TOKEN_PASSTHROUGH",
		EnableArrow: true, EnableDirectResults: true, SocketTimeout: 900,
	}, e.DriverConnectionParameters)
}

func TestUnknownFieldsAreLeftOut(t *testing.T) {
	var x export.Exporter
	c := connection(newService())
	c.Driver, c.HTTPPath, c.UserAgentEntry, c.Port = telemetry.DriverConfig{}, "/somewhere/else", "", 0
	h := x.Open(c, telemetry.Settings{})
	docs := h.Preview(&telemetry.Statement{Started: noon, StatementID: "not an id", WorkspaceID: "x", Kind: "DROP TABLE"})
	require.Len(t, docs, 1)
	for _, absent := range []string{"http_path", "port", "auth", "session_id", "sql_statement_id", "workspace_id", "statement_type", "DROP", "not an id", "error_info", "chunk", "null"} {
		require.NotContains(t, docs[0], absent)
	}
	require.Nil(t, h.Preview("a string"))
	require.Nil(t, h.Preview(&telemetry.ServerReport{StatementID: statementID}), "it stays in the process")
}

// The driver repeats the transfer of a volume file, which is not observed.
func TestRetriesOfAVolumeTransferAreUnknown(t *testing.T) {
	for pages, known := range map[int64]bool{0: true, 1: false} {
		r := statement()
		r.Kind, r.Volume, r.RPCs = telemetry.KindVolume, "PUT", []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, Retries: 2}}
		r.Result.Pages = telemetry.Known(pages)
		docs := export.Preview(connection(newService()), r)
		require.Len(t, docs, 1)
		require.Equal(t, known, strings.Contains(docs[0], `"retry_count":2`), docs[0])
		require.Equal(t, known, strings.Contains(docs[0], `"retry_count":`), docs[0])
	}
}
