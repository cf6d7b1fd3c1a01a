package wrapped

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	dbsqlrows "github.com/databricks/databricks-sql-go/rows"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// The workspace knows what it did; every counted field of every record must equal that. A field may be
// unknown if the connection broke, but never wrong.

// tuned sets what the driver has no option for: its polling interval, and LZ4.
func tuned(lz4 bool) dbsql.ConnOption {
	return setting(dbsql.WithPort(0), map[string]any{"PollInterval": 20 * time.Millisecond, "UseLz4Compression": lz4})
}

func setting[C any, Option ~func(*C)](_ Option, fields map[string]any) Option {
	return func(c *C) {
		for name, value := range fields {
			reflect.ValueOf(c).Elem().FieldByName(name).Set(reflect.ValueOf(value))
		}
	}
}

// reading is one way an application takes rows.
type reading func(ctx context.Context, db *sql.DB, n int) (rows int64, err error)

var readings = map[string]reading{
	"rows": func(ctx context.Context, db *sql.DB, n int) (int64, error) {
		return drain(db.QueryContext(ctx, statement(n)))
	},
	"prepared": func(ctx context.Context, db *sql.DB, n int) (int64, error) {
		stmt, err := db.PrepareContext(ctx, statement(n))
		if err != nil {
			return 0, err
		}
		defer stmt.Close()
		return drain(stmt.QueryContext(ctx))
	},
	"closed early": func(ctx context.Context, db *sql.DB, n int) (int64, error) {
		rows, err := db.QueryContext(ctx, statement(n))
		if err != nil {
			return 0, err
		}
		defer rows.Close()
		var got int64
		for range 3 {
			if rows.Next() {
				got++
			}
		}
		return got, rows.Close()
	},
	"canceled": func(ctx context.Context, db *sql.DB, n int) (int64, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		rows, err := db.QueryContext(ctx, statement(n))
		if err != nil {
			return 0, err
		}
		defer rows.Close()
		var got int64
		for rows.Next() {
			if got++; got == 2 {
				cancel()
				break
			}
		}
		return got, rows.Close()
	},
	"arrow": arrowRead(func(rows dbsqlrows.Rows) (int64, error) {
		it, err := rows.GetArrowBatches(context.Background())
		if err != nil {
			return 0, err
		}
		defer it.Close()
		var got int64
		for it.HasNext() {
			record, err := it.Next()
			if err != nil {
				return got, err
			}
			got += record.NumRows()
			record.Release()
		}
		if _, err := it.Next(); err != io.EOF { // HasNext is false after an error, too
			return got, err
		}
		return got, nil
	}),
	"ipc": arrowRead(func(rows dbsqlrows.Rows) (int64, error) {
		it, err := rows.GetArrowIPCStreams(context.Background())
		if err != nil {
			return 0, err
		}
		defer it.Close()
		for it.HasNext() {
			stream, err := it.Next()
			if err != nil {
				return -1, err
			}
			if _, err := io.Copy(io.Discard, stream); err != nil {
				return -1, err
			}
		}
		return -1, nil // rows are not counted here
	}),
	"exec": func(ctx context.Context, db *sql.DB, n int) (int64, error) {
		_, err := db.ExecContext(ctx, statement(n))
		return -1, err
	},
	"fails": func(ctx context.Context, db *sql.DB, n int) (int64, error) {
		return drain(db.QueryContext(ctx, "SELECT secret FROM nowhere WHERE n = "+fmt.Sprint(n)))
	},
}

func statement(n int) string {
	return fmt.Sprintf("SELECT id, concat('row number ', id) AS s FROM range(%d)", n)
}

func drain(rows *sql.Rows, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var got int64
	for rows.Next() {
		var id int64
		var s string
		if err := rows.Scan(&id, &s); err != nil {
			return got, err
		}
		if id != got || s != fmt.Sprint("row number ", id) {
			return got, fmt.Errorf("row %d is %d, %q", got, id, s)
		}
		got++
	}
	return got, rows.Err()
}

func arrowRead(read func(dbsqlrows.Rows) (int64, error)) reading {
	return func(ctx context.Context, db *sql.DB, n int) (got int64, err error) {
		c, err := db.Conn(ctx)
		if err != nil {
			return 0, err
		}
		defer c.Close()
		err = c.Raw(func(conn any) error {
			rows, err := conn.(driver.QueryerContext).QueryContext(ctx, statement(n), nil)
			if err != nil {
				return err
			}
			got, err = read(rows.(dbsqlrows.Rows))
			return errors.Join(err, rows.Close())
		})
		return got, err
	}
}

func TestEveryRecordEqualsWhatTheServerDid(t *testing.T) {
	small := workspace.Options{DirectResultWait: 30 * time.Millisecond, CaptureBodies: false}
	inline, files, columnar := small, small, small
	inline.CloudFetchThreshold, inline.PageRows, inline.BatchRows = -1, 100, 40
	files.CloudFetchThreshold, files.FileRows, files.LinksPerPage = 1, 60, 3
	columnar.ProtocolVersion, columnar.CloudFetchThreshold, columnar.PageRows = 42241, -1, 120
	cached := inline
	cached.ResultCache = true
	polled, polledFiles := inline, files
	polled.NoDirectResults, polledFiles.NoDirectResults = true, true
	cached.ServerTimes, polled.ServerTimes, polledFiles.ServerTimes = true, true, true
	slow := files
	slow.ServerTimes = true
	slow.ExecutionTime = func(string) time.Duration { return 100 * time.Millisecond }

	warehouses := []struct {
		name   string
		opts   workspace.Options
		lz4    bool
		faults []workspace.Fault
	}{
		{"inline", inline, false, nil},
		{"inline, LZ4", inline, true, nil},
		{"inline, cached", cached, false, nil},
		{"columnar", columnar, false, nil},
		{"files", files, false, nil},
		{"files, LZ4", files, true, nil},
		{"polled", polled, false, nil},
		{"polled files", polledFiles, false, nil},
		{"slow", slow, false, nil},
		{"busy server", inline, false, []workspace.Fault{
			{On: workspace.Method("ExecuteStatement"), Share: 0.3, Do: workspace.StatusRetryAfter(503, 0)},
			{On: workspace.Method("FetchResults"), Share: 0.3, Do: workspace.Status(429)},
			{On: workspace.Method("CloseOperation"), Share: 0.2, Do: workspace.Status(503)},
		}},
		{"bad storage", files, false, []workspace.Fault{
			{On: workspace.ResultDownloads(), Share: 0.2, Do: workspace.Status(503)},
			{On: workspace.ResultDownloads(), Share: 0.1, Do: workspace.Reset()},
			{On: workspace.ResultDownloads(), Share: 0.1, Do: workspace.HalfBody()},
		}},
		{"forbidden storage", files, false, []workspace.Fault{{On: workspace.ResultDownloads(), Skip: 5, Share: 0.1, Do: workspace.Status(403)}}},
		{"breaking server", inline, false, []workspace.Fault{
			{On: workspace.Method("FetchResults"), Share: 0.1, Do: workspace.Reset()},
			{On: workspace.Method("FetchResults"), Share: 0.1, Do: workspace.HalfBody()},
			{On: workspace.Method("ExecuteStatement"), Share: 0.1, Do: workspace.Garbage()},
			{On: workspace.Method("GetOperationStatus"), Share: 0.1, Do: workspace.Reset()},
		}},
	}
	for _, w := range warehouses {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			ws := workspace.New(t, w.opts)
			for _, f := range w.faults {
				ws.Inject(f)
			}
			sink := &memory{}
			c, err := listening(sink).NewConnector(
				append(options(ws), dbsql.WithRetries(4, time.Millisecond, 5*time.Millisecond), tuned(w.lz4))...)
			require.NoError(t, err)
			db := sql.OpenDB(c)
			took := runMix(t, db, 50, len(w.faults) > 0)
			require.NoError(t, db.Close())

			records := sink.statements
			require.Len(t, records, took.statements, "one record per statement")
			checked := 0
			for _, r := range records {
				if truth, ok := ws.Statement(r.StatementID); ok && r.StatementID != "" {
					compare(t, truth, r, len(w.faults) > 0)
					checked++
				} else {
					require.NotNil(t, r.Failure, "a statement the server does not know has failed: %+v", r)
				}
			}
			t.Logf("%d records compared with the server, %d statements never got there", checked, len(records)-checked)
			require.Greater(t, checked, len(records)/2)
			require.Zero(t, telemetry.ReadStats().Incidents())
		})
	}
}

// taken counts what the application did.
type taken struct{ statements int }

// runMix runs n statements of every kind over several goroutines.
//
// The native Arrow iterator ends silently when fetching a page fails: HasNext is false and
// Next says io.EOF. With faults its number of rows proves nothing.
func runMix(t *testing.T, db *sql.DB, n int, faults bool) taken {
	names := make([]string, 0, len(readings))
	for name := range readings {
		names = append(names, name)
	}
	var wg sync.WaitGroup
	for g := range 4 {
		random := rand.New(rand.NewPCG(7, uint64(g)))
		wg.Go(func() {
			for range n / 4 {
				name, size := names[random.IntN(len(names))], []int{0, 1, 5, 99, 100, 101, 350, 700}[random.IntN(8)]
				got, err := readings[name](t.Context(), db, size)
				if err == nil && got >= 0 && name != "closed early" && name != "canceled" && (!faults || name != "arrow") && int(got) != size {
					t.Errorf("%s of %d rows got %d", name, size, got)
				}
			}
		})
	}
	wg.Wait()
	return taken{statements: n / 4 * 4}
}

// compare compares one record with what the server did. If faults broke connections, the server may have
// sent data that never arrived, and a count may be unknown.
func compare(t *testing.T, truth workspace.StatementFacts, r *telemetry.Statement, faults bool) {
	t.Helper()
	about := fmt.Sprintf("%s\nserver: %+v\nrecord: %+v", truth.SQL, truth, *r)
	require.Equal(t, truth.SessionID, r.SessionID, about)

	attempts, calls := map[string]int{}, map[string]int{}
	for _, rpc := range r.RPCs {
		attempts[rpc.Method] = int(rpc.Calls + rpc.Retries)
		calls[rpc.Method] = int(rpc.Calls)
	}
	require.Equal(t, nonzero(truth.Attempts), attempts, about)
	require.Equal(t, nonzero(truth.Calls), calls, about)

	equal(t, string(truth.Format), string(r.Result.Format), faults && r.Result.Format == "", "format", about)
	if compressed, ok := r.Result.Compressed.Get(); ok {
		require.Equal(t, truth.LZ4, compressed, about)
	}
	if r.Result.Cache != "" {
		want := map[string]string{"INELIGIBLE": "INELIGIBLE", "HIT": "LOCAL_HIT", "MISS": "MISS"}[truth.CacheResult]
		require.Equal(t, want, r.Result.Cache, about)
	}
	if polls, ok := r.Polling.Get(); ok || !faults {
		require.Equal(t, calls["GetOperationStatus"], int(polls.Calls), about)
	}
	if pages, ok := r.Result.Pages.Get(); ok || !faults {
		sent, rows := arrived(truth)
		if faults {
			require.LessOrEqual(t, int(pages), sent, about)
		} else {
			require.Equal(t, sent, int(pages), about)
			require.Equal(t, rows, r.Result.Rows.Or(-1), about)
			if direct, known := r.Result.Direct.Get(); known {
				require.Equal(t, len(truth.Pages) > 0 && truth.Pages[0].Direct, direct, about)
			}
		}
	}
	if truth.SQLState != "" && r.Failure != nil {
		require.Equal(t, truth.SQLState, r.Failure.SQLState, about)
	}
	if r.Kind == telemetry.KindUpdate && r.Failure == nil {
		require.Equal(t, max(0, truth.UpdatedRows), r.RowsAffected.Or(0), about)
	}
	if server, ok := r.ServerTime.Get(); ok {
		wall := truth.Completed.UnixMilli() - truth.Started.UnixMilli() // a goroutine may lose its CPU between reading the two clocks
		require.InDelta(t, wall, server.Milliseconds(), 1, about)
	}
	if read, ok := r.RowsRead.Get(); ok && r.Outcome == telemetry.OutcomeCompleted && !faults && truth.Rows > 0 && r.Kind == telemetry.KindQuery {
		require.Equal(t, truth.Rows, read, about)
		if longestPause(r.Calls) < 100*time.Millisecond { // a busy machine may make more, which are not understood
			require.Zero(t, r.Split[telemetry.PartUnknown], about)
		}
	}
	require.Equal(t, r.Total, r.Split.Total(), about)
	for part, took := range r.Split {
		require.GreaterOrEqual(t, took, time.Duration(0), "%s: %s", about, telemetry.Part(part))
	}
	if len(truth.Links) == 0 {
		require.Zero(t, r.Split[telemetry.PartFile], about)
	}
	compareFiles(t, truth, r, faults, about)
}

// longestPause is the longest time between two calls.
func longestPause(calls []telemetry.Call) (longest time.Duration) {
	for i := 1; i < len(calls); i++ {
		longest = max(longest, calls[i].Start-calls[i-1].End.Or(calls[i].Start))
	}
	return longest
}

// arrived counts pages and rows that the server answered.
func arrived(truth workspace.StatementFacts) (pages int, rows int64) {
	for _, p := range truth.Pages {
		rows += p.Rows
	}
	return len(truth.Pages), rows
}

func compareFiles(t *testing.T, truth workspace.StatementFacts, r *telemetry.Statement, faults bool, about string) {
	t.Helper()
	if len(truth.Links) == 0 {
		require.Nil(t, r.CloudFetch, about)
		return
	}
	c := r.CloudFetch
	if c == nil {
		require.True(t, faults, "files are unknown without a fault: "+about)
		return
	}
	var bytes int64
	attempts, completed, asked := 0, 0, 0
	for _, l := range truth.Links {
		bytes += l.Bytes
		attempts += len(l.Downloads)
		if len(l.Downloads) > 0 {
			asked++
		}
		for _, d := range l.Downloads {
			if d.Completed {
				completed++
				break
			}
		}
	}
	require.EqualValues(t, len(truth.Links), c.Present, about)
	if !truth.LZ4 { // a link announces its size before compression
		require.Equal(t, bytes, c.Bytes, about)
	}
	require.Equal(t, c.Present, c.Downloaded+c.Failed+c.Abandoned, about)
	switch {
	case r.Outcome != telemetry.OutcomeCompleted: // a canceled download may or may not have reached the server, or been sent whole
		require.LessOrEqual(t, int(c.Downloaded), completed, about)
	case faults: // net/http repeats a GET by itself when a kept connection breaks
		require.EqualValues(t, completed, c.Downloaded, about)
		require.LessOrEqual(t, int(c.Attempts), attempts, about)
		require.LessOrEqual(t, int(c.Retries), attempts-asked, about)
	default:
		require.EqualValues(t, completed, c.Downloaded, about)
		require.EqualValues(t, attempts, c.Attempts, about)
		require.EqualValues(t, attempts-asked, c.Retries, about)
	}
	if i, ok := c.FailedIndex.Get(); ok {
		last := truth.Links[i].Downloads
		require.NotEmpty(t, last, about)
		require.False(t, last[len(last)-1].Completed, about)
		if status, ok := c.FailedStatus.Get(); ok && status != 200 {
			require.EqualValues(t, last[len(last)-1].Status, status, about)
		}
	}
	for _, f := range c.Files {
		if f.State == "DOWNLOADED" {
			require.Equal(t, truth.Links[f.Index].Bytes, f.Received, about)
			require.Equal(t, truth.Links[f.Index].Rows, f.Rows, about)
		}
	}
}

func equal(t *testing.T, want, got string, excused bool, what, about string) {
	t.Helper()
	if !excused {
		require.Equal(t, want, got, what+": "+about)
	}
}

func nonzero(m map[string]int) map[string]int {
	out := map[string]int{}
	for k, v := range m {
		if v > 0 && !strings.HasSuffix(k, "Session") {
			out[k] = v
		}
	}
	return out
}
