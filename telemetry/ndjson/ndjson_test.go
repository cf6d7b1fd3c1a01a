package ndjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/ndjson"
)

var (
	start = time.Date(2026, 3, 1, 12, 30, 0, 123456789, time.FixedZone("CET", 3600))

	full = &telemetry.Statement{
		Started: start, Server: "127.0.0.1:443", SessionID: "s-1", StatementID: "q-1",
		Kind: telemetry.KindVolume, Volume: telemetry.VolumePut, Internal: true, Prepared: true, Outcome: telemetry.Failed,
		Failure:      &telemetry.Failure{Category: telemetry.CategorySyntax, SQLState: "42601", Retryable: true, Message: "[PARSE_SYNTAX_ERROR] <sql>"},
		CloseFailure: &telemetry.Failure{Category: telemetry.CategoryConnection},
		Execute:      1234567 * time.Nanosecond, FirstRow: telemetry.Known(time.Duration(0)),
		Consume: telemetry.Known(2 * time.Second), Close: telemetry.Known(time.Millisecond), Total: 3 * time.Second,
		RowsRead: telemetry.Known[int64](0), RowsAffected: telemetry.Known[int64](42),
		WorkspaceID: "1234567890",
		Result: telemetry.Result{
			Evidence: telemetry.EvidenceWire, Format: telemetry.ExternalLinks, Compressed: telemetry.Known(true), Cache: "MISS",
			UncompressedBytes: telemetry.Known[int64](4096), CompressedBytes: telemetry.Known[int64](1024),
			Direct: telemetry.Known(false), Pages: telemetry.Known[int64](2), Rows: telemetry.Known[int64](1000),
		},
		Polling: telemetry.Known(telemetry.Polling{Calls: 3, Latency: 4500 * time.Microsecond}),
		CloudFetch: &telemetry.CloudFetch{
			Present: 20, Downloaded: 17, Failed: 1, Abandoned: 2, Bytes: 4096, Received: 3000, Attempts: 22, Retries: 4,
			First: 10 * time.Millisecond, Slowest: 90 * time.Millisecond, Sum: 500 * time.Millisecond,
			FailedIndex: telemetry.Known[int64](17), FailedStatus: telemetry.Known[int64](403),
		},
		RPCs: []telemetry.RPC{
			{Method: "ExecuteStatement", Calls: 1, Retries: 2, Latency: time.Second, BytesOut: 100, BytesIn: 200, LastStatus: 200},
			{Method: "FetchResults", Calls: 2, Retries: 1, BytesOut: 50, BytesIn: 5000, LastStatus: 200},
			{Method: "CloseOperation", Calls: 1},
		},
		Split: telemetry.Split{
			Server: telemetry.Known(800 * time.Millisecond), PollWait: telemetry.Known(200 * time.Millisecond),
			Pages: telemetry.Known(50 * time.Millisecond), Files: telemetry.Known(1500 * time.Millisecond), Reading: telemetry.Known(450 * time.Millisecond),
		},
	}
	bare   = &telemetry.Statement{Started: start, Outcome: telemetry.Completed}
	opened = &telemetry.SessionOpened{
		Started: start, Server: "127.0.0.1:443", WorkspaceID: "1234567890", Latency: 5 * time.Millisecond, Retries: telemetry.Known[int64](0),
		Driver: telemetry.DriverConfig{
			Version: "1.13.1", AuthMech: "PAT", AuthFlow: "TOKEN_PASSTHROUGH",
			CloudFetch: telemetry.Known(true), Arrow: telemetry.Known(true), LZ4: telemetry.Known(false),
			MaxRows: telemetry.Known[int64](100000), DownloadThreads: telemetry.Known[int64](10),
			QueryTimeout: telemetry.Known(time.Duration(0)), PollInterval: telemetry.Known(time.Second),
			ClientTimeout: telemetry.Known(15 * time.Minute), RetryMax: telemetry.Known[int64](4),
		},
	}
	closed = &telemetry.SessionClosed{
		Started: start, SessionID: "s-1", Latency: time.Millisecond, Lifetime: time.Minute,
		Statements: 3, Reused: 2, Abandoned: 1, Failure: &telemetry.Failure{Category: telemetry.CategoryConnection},
	}
)

func TestEveryRecordIsOneDocumentedLine(t *testing.T) {
	var out bytes.Buffer
	sink := ndjson.New(&out)
	sink.SessionOpened(opened)
	sink.StatementFinished(full)
	sink.StatementFinished(bare)
	sink.SessionClosed(closed)
	require.NoError(t, sink.Err())

	const golden = "testdata/records.ndjson"
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(golden, out.Bytes(), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), out.String())

	lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
	require.Len(t, lines, 4)
	documented := []map[string]bool{names(telemetry.SessionOpenedFields), names(telemetry.StatementFields), names(telemetry.StatementFields), names(telemetry.SessionClosedFields)}
	for i, line := range lines {
		var record map[string]any
		require.NoError(t, json.Unmarshal(line, &record))
		delete(record, "event")
		for key := range record {
			require.True(t, documented[i][key], "%s is not in the registry", key)
		}
	}
	var record map[string]any
	require.NoError(t, json.Unmarshal(lines[1], &record))
	require.Len(t, record, 1+len(telemetry.StatementFields), "a field of a full record is missing")
}

func names[R any](fields []telemetry.Field[R]) map[string]bool {
	all := map[string]bool{}
	for _, f := range fields {
		all[f.Name] = true
	}
	return all
}

// failing refuses every other write.
type failing struct{ n int }

func (f *failing) Write(p []byte) (int, error) {
	if f.n++; f.n%2 == 1 {
		return 0, errors.New("disk full")
	}
	return len(p), nil
}

func TestAFailingWriterIsToldAndAskedAgain(t *testing.T) {
	w := &failing{}
	sink := ndjson.New(w)
	sink.StatementFinished(bare)
	require.EqualError(t, sink.Err(), "disk full")
	sink.StatementFinished(bare)
	require.Equal(t, 2, w.n)
}
