package ndjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/registry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/ndjson"
)

var (
	start = time.Date(2026, 3, 1, 12, 30, 0, 123456789, time.FixedZone("CET", 3600))

	full = &telemetry.Statement{
		Started: start, Connector: 1, TraceID: [16]byte{0x4b, 15: 1}, SpanID: [8]byte{0xf0, 7: 2},
		Server: "127.0.0.1:443", SessionID: "s-1", StatementID: "q-1",
		WarehouseID: "0a1b2c3d4e5f6789", InitialCatalog: "main", InitialSchema: "sales", CorrelationID: "c-1", QueryTags: map[string]string{"team": "data", "ad hoc": ""},
		Attributes: []slog.Attr{slog.String("route", "/orders"), slog.Int64("attempt", 2), slog.Float64("share", 1), slog.Bool("dry", false)},
		Query:      "SELECT 'ä', \"<b>\"\nFROM t", Shape: "829505c512fdbfd1",
		Kind: telemetry.KindVolume, Volume: "PUT", Internal: true, Prepared: true, Outcome: telemetry.OutcomeFailed,
		Failure:      &telemetry.Failure{Category: telemetry.CategorySyntax, SQLState: "42601", Retryable: true, Message: "[PARSE_SYNTAX_ERROR] <sql>"},
		CloseFailure: &telemetry.Failure{Category: telemetry.CategoryConnection},
		CancelError:  telemetry.CategoryConnection,
		Execute:      1234567 * time.Nanosecond, FirstRow: telemetry.Known(time.Duration(0)),
		Consume: telemetry.Known(2 * time.Second), Close: telemetry.Known(time.Millisecond), Total: 3 * time.Second,
		RowsEvidence: telemetry.EvidenceWire, RowsRead: telemetry.Known[int64](0), RowsAffected: telemetry.Known[int64](42),
		WorkspaceID: "1234567890",
		Result: telemetry.Result{
			Evidence: telemetry.EvidenceWire, Format: telemetry.FormatExternalLinks, Compressed: telemetry.Known(true), Cache: "MISS",
			UncompressedBytes: telemetry.Known[int64](4096), CompressedBytes: telemetry.Known[int64](1024),
			Direct: telemetry.Known(false), Pages: telemetry.Known[int64](2), Rows: telemetry.Known[int64](1000),
		},
		Polling: telemetry.Known(telemetry.Polling{Calls: 3, Latency: 4500 * time.Microsecond, Unseen: 900 * time.Millisecond}),
		CloudFetch: &telemetry.CloudFetch{
			Present: 20, Downloaded: 17, Failed: 1, Abandoned: 2, Bytes: 4096, Received: 3000, Attempts: 22, Retries: 4,
			Retried: 3, MostAttempts: 3, RetryStatus: 503,
			First: 10 * time.Millisecond, Slowest: 90 * time.Millisecond, Sum: 500 * time.Millisecond,
			FailedIndex: telemetry.Known[int64](17), FailedStatus: telemetry.Known[int64](403),
			Files: []telemetry.File{
				{
					Index: 16, State: "FAILED", Rows: 500, Bytes: 2048, Received: 100, Attempts: 3, Status: 403,
					Latest: 3 * time.Millisecond, Retried: []telemetry.Attempt{{Start: 2 * time.Millisecond, End: 2500 * time.Microsecond, Status: 503}},
					Queued: telemetry.Known(time.Millisecond), Start: telemetry.Known(2 * time.Millisecond),
					FirstByte: telemetry.Known(3 * time.Millisecond), End: telemetry.Known(4 * time.Millisecond),
				},
				{Index: 17, State: "ABANDONED", Queued: telemetry.Known(time.Duration(0))},
			},
		},
		RPCs: []telemetry.RPC{
			{
				Method: "ExecuteStatement", Calls: 1, Retries: 2, Latency: time.Second, Backoff: 30 * time.Millisecond, Slowest: time.Second, Connecting: 8 * time.Millisecond,
				BytesOut: 100, BytesIn: 200, LastStatus: 200, FailedStatus: 503,
			},
			{Method: "FetchResults", Calls: 2, Retries: 1, BytesOut: 50, BytesIn: 5000, LastStatus: 200},
			{Method: "CloseOperation", Calls: 1},
		},
		Calls: []telemetry.Call{
			{
				Method: "ExecuteStatement", Start: 10 * time.Microsecond, FirstByte: telemetry.Known(900 * time.Microsecond), End: telemetry.Known(time.Millisecond),
				Status: 200, Attempts: 3, RequestID: "0a1b2c3d-0000-4000-8000-000000000001", Rows: telemetry.Known[int64](0), Files: 20,
				Latest: 30 * time.Microsecond, Retried: []telemetry.Attempt{{Start: 10 * time.Microsecond, End: 20 * time.Microsecond, Status: 503, RequestID: "0a1b2c3d-0000-4000-8000-000000000000"}},
			},
			{Method: "FetchResults", Start: 2 * time.Millisecond, Attempts: 1, Failed: true},
		},
		State: "FINISHED", ServerTime: telemetry.Known(800 * time.Millisecond),
		Split: telemetry.Split{
			telemetry.PartServer: 800 * time.Millisecond, telemetry.PartPoll: 200 * time.Millisecond, telemetry.PartRetry: 30 * time.Millisecond,
			telemetry.PartPage: 50 * time.Millisecond, telemetry.PartFile: 1500 * time.Millisecond, telemetry.PartTransfer: 20 * time.Millisecond,
			telemetry.PartDecode: 50 * time.Millisecond, telemetry.PartApplication: 300 * time.Millisecond, telemetry.PartClose: 20 * time.Millisecond,
			telemetry.PartNetwork: 20 * time.Millisecond, telemetry.PartUnknown: 10 * time.Millisecond,
		},
		Application: telemetry.Application{Before: 100 * time.Millisecond, Between: 150 * time.Millisecond, After: 50 * time.Millisecond},
	}
	bare   = &telemetry.Statement{Started: start, Outcome: telemetry.OutcomeCompleted}
	opened = &telemetry.SessionOpened{
		Connector: 1, Started: start, Server: "127.0.0.1:443", SessionID: "s-1", WorkspaceID: "1234567890", Latency: 5 * time.Millisecond, Retries: telemetry.Known[int64](0), FailedStatus: 401, RequestID: "0a1b2c3d-0000-4000-8000-000000000002",
		Failure: &telemetry.Failure{Category: telemetry.CategoryAuth, SQLState: "28000", Message: "401 Unauthorized"},
		Driver: telemetry.DriverConfig{
			Version: "1.13.1", AuthMech: "PAT", AuthFlow: "TOKEN_PASSTHROUGH",
			CloudFetch: telemetry.Known(true), Arrow: telemetry.Known(true), LZ4: telemetry.Known(false),
			MaxRows: telemetry.Known[int64](100000), DownloadThreads: telemetry.Known[int64](10),
			QueryTimeout: telemetry.Known(time.Duration(0)), PollInterval: telemetry.Known(time.Second),
			ClientTimeout: telemetry.Known(15 * time.Minute), RetryMax: telemetry.Known[int64](4),
		},
	}
	closed = &telemetry.SessionClosed{
		Connector: 1, Started: start, Server: "127.0.0.1:443", SessionID: "s-1", Latency: time.Millisecond, Retries: telemetry.Known[int64](1), RequestID: "0a1b2c3d-0000-4000-8000-000000000003", Lifetime: time.Minute,
		Statements: 3, Reused: 2, Abandoned: 1, Failure: &telemetry.Failure{Category: telemetry.CategoryConnection, Message: "EOF"},
	}
	report = &telemetry.ServerReport{
		Started: start, Reported: start.Add(12 * time.Second), Connector: 1, Server: "127.0.0.1:443", StatementID: "q-1",
		Status: "FINISHED", Final: true, StatementType: "SELECT", WarehouseID: "abcdef0123456789", Total: telemetry.Known(14 * time.Second),
		WaitingForCompute: telemetry.Known(11 * time.Second), QueuedAtCapacity: telemetry.Known(400 * time.Millisecond),
		Compiling: telemetry.Known(600 * time.Millisecond), Executing: telemetry.Known(2 * time.Second), ResultFetch: telemetry.Known(time.Duration(0)),
		TaskTime: telemetry.Known(16 * time.Second), PhotonShare: telemetry.Known(0.875), FromCache: telemetry.Known(false),
		BytesRead: telemetry.Known[int64](40e9), BytesReadRemote: telemetry.Known[int64](39e9), BytesReadCache: telemetry.Known[int64](1e9),
		FilesRead: telemetry.Known[int64](400), PartitionsRead: telemetry.Known[int64](12), FilesPruned: telemetry.Known[int64](0), BytesPruned: telemetry.Known[int64](0),
		BytesSpilled: telemetry.Known[int64](12e9), BytesWritten: telemetry.Known[int64](7), BytesSent: telemetry.Known[int64](4096),
		RowsRead: telemetry.Known[int64](1e9), RowsProduced: telemetry.Known[int64](500),
	}
)

func TestEveryRecordIsOneDocumentedLine(t *testing.T) {
	var out bytes.Buffer
	sink := ndjson.New(&out)
	sink.SessionOpened(opened)
	sink.StatementFinished(full)
	sink.SessionClosed(closed)
	sink.ServerReported(report)
	sink.StatementFinished(bare)
	require.NoError(t, sink.Err())

	const golden = "testdata/records.ndjson"
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(golden, out.Bytes(), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), out.String())

	lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
	require.Len(t, lines, 5)
	documented := [][]string{
		names(registry.SessionOpenedFields),
		append(names(registry.StatementFields), "verdict", "rpcs_by_method", "calls", "file_list"),
		names(registry.SessionClosedFields),
		names(registry.ServerReportFields),
		names(registry.StatementFields),
	}
	for i, line := range lines {
		var record map[string]any
		require.NoError(t, json.Unmarshal(line, &record))
		delete(record, "event")
		keys := slices.Collect(maps.Keys(record))
		if i == len(lines)-1 {
			require.Subset(t, documented[i], keys, "the bare record")
			continue
		}
		require.ElementsMatch(t, documented[i], keys, "a full record has every field, and no other")
	}
}

func names[R any](fields []registry.Field[R]) (all []string) {
	for _, f := range fields {
		all = append(all, f.Name)
	}
	return all
}

// partial writes as many bytes of the first line as it is told, and then fails as it is told.
type partial struct {
	bytes.Buffer

	n    int
	fail func() error // nil: a short write without an error
	done bool
}

func (p *partial) Write(b []byte) (int, error) {
	if p.done {
		return p.Buffer.Write(b)
	}
	p.done = true
	p.Buffer.Write(b[:p.n])
	if p.fail == nil {
		return p.n, nil
	}
	return p.n, p.fail()
}

func TestARecordAfterAPartialWriteCanBeRead(t *testing.T) {
	for name, w := range map[string]*partial{
		"nothing was written": {fail: func() error { return errors.New("disk full") }},
		"a part was written":  {n: 20, fail: func() error { return errors.New("disk full") }},
		"no error":            {n: 20},
		"a panic":             {n: 20, fail: func() error { panic("writer") }},
	} {
		sink := ndjson.New(w)
		func() {
			defer func() { _ = recover() }() // as the fan-out does
			sink.StatementFinished(bare)
			require.Error(t, sink.Err(), name)
		}()
		sink.StatementFinished(bare)
		sink.StatementFinished(bare)
		records := 0
		for record := range ndjson.Read(&w.Buffer) {
			if record != nil {
				records++
			}
		}
		require.Equal(t, 2, records, name)
	}
}

// stalled never returns from a write.
type stalled chan struct{}

func (s stalled) Write(p []byte) (int, error) {
	<-s
	return len(p), nil
}

func TestErrDoesNotWaitForAWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := make(stalled)
		sink := ndjson.New(w)
		go sink.StatementFinished(bare)
		synctest.Wait()
		require.NoError(t, sink.Err())
		close(w)
	})
}

// failing fails every other write.
type failing struct{ n int }

func (f *failing) Write(p []byte) (int, error) {
	if f.n++; f.n%2 == 1 {
		return 0, errors.New("disk full")
	}
	return len(p), nil
}

func TestAFailedWriteIsReportedAndTheNextRecordIsWritten(t *testing.T) {
	w := &failing{}
	sink := ndjson.New(w)
	sink.StatementFinished(bare)
	require.EqualError(t, sink.Err(), "disk full")
	sink.StatementFinished(bare)
	require.Equal(t, 2, w.n)
}
