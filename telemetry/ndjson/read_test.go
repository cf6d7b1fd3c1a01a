package ndjson_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/ndjson"
)

// copyOf reads lines and writes what was read. Errors of lines are returned as text.
func copyOf(t *testing.T, in io.Reader) (written string, broken []string) {
	var out bytes.Buffer
	sink := ndjson.New(&out)
	for record, err := range ndjson.Read(in) {
		switch r := record.(type) {
		case *telemetry.Statement:
			sink.StatementFinished(r)
		case *telemetry.SessionOpened:
			sink.SessionOpened(r)
		case *telemetry.SessionClosed:
			sink.SessionClosed(r)
		case *telemetry.ServerReport:
			sink.ServerReported(r)
		default:
			require.Error(t, err)
			broken = append(broken, err.Error())
		}
	}
	return out.String(), broken
}

func TestWhatWasReadIsWrittenAsTheSameLine(t *testing.T) {
	golden, err := os.ReadFile("testdata/records.ndjson") // every field of the registries is in it
	require.NoError(t, err)
	written, broken := copyOf(t, iotest.OneByteReader(bytes.NewReader(golden)))
	require.Empty(t, broken)
	require.Equal(t, string(golden), written)
}

// Whatever a record says, a process that reads its line explains it as the one that wrote it.
func TestARecordThatWasReadIsExplainedAsTheOneThatWasWritten(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		written := &telemetry.Statement{}
		fill(random, reflect.ValueOf(written).Elem(), "")
		if written.Outcome != telemetry.OutcomeFailed && written.Outcome != telemetry.OutcomeCanceled {
			written.Failure = nil
		} else if written.Failure == nil {
			written.Failure = &telemetry.Failure{Category: telemetry.CategoryOther}
		}
		if random.IntN(2) == 0 {
			written.Total = written.Split.Total()
		}
		var out bytes.Buffer
		ndjson.New(&out).StatementFinished(written)
		for record, err := range ndjson.Read(&out) {
			require.NoError(t, err)
			read := record.(*telemetry.Statement)
			require.Equal(t, breakdown.PartsOf(written), breakdown.PartsOf(read))
			require.Equal(t, explain.Of(written), explain.Of(read))
			require.Equal(t, explain.TimelineOf(written), explain.TimelineOf(read))
			written.CloudFetch, read.CloudFetch = nil, nil
			require.Equal(t, written.QueryTags, read.QueryTags)
			require.Equal(t, written.Attributes, read.Attributes, "in their order, and of their kinds")
			require.Equal(t, written.RPCs, read.RPCs)
			require.Equal(t, written.Calls, read.Calls)
		}
	}
}

// The native driver takes any duration as a timeout. Some programs set the longest one for "no limit".
func TestASessionWithAnyTimeoutIsRead(t *testing.T) {
	for _, timeout := range []time.Duration{math.MaxInt64, -5 * time.Second} {
		var out bytes.Buffer
		ndjson.New(&out).SessionOpened(&telemetry.SessionOpened{
			SessionID: "s", Driver: telemetry.DriverConfig{QueryTimeout: telemetry.Known(timeout), PollInterval: telemetry.Known(timeout), ClientTimeout: telemetry.Known(timeout)},
		})
		for record, err := range ndjson.Read(&out) {
			require.NoError(t, err, timeout)
			read := record.(*telemetry.SessionOpened)
			require.Equal(t, "s", read.SessionID)
			require.Equal(t, telemetry.Known(min(timeout, 10*365*24*time.Hour)), read.Driver.QueryTimeout)
		}
	}
}

// database/sql closes rows within a microsecond of their end.
func TestATimeBelowAMicrosecondIsNotReadAsNone(t *testing.T) {
	written := &telemetry.Statement{
		Total: 8*time.Second + 300, Outcome: telemetry.OutcomeCompleted, RPCs: []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1}}, RowsRead: telemetry.Known[int64](40),
		Result: telemetry.Result{Rows: telemetry.Known[int64](40)}, Application: telemetry.Application{Between: 8 * time.Second, After: 300}, Split: telemetry.Split{telemetry.PartApplication: 8*time.Second + 300},
	}
	var out bytes.Buffer
	ndjson.New(&out).StatementFinished(written)
	for record, err := range ndjson.Read(&out) {
		require.NoError(t, err)
		require.Equal(t, explain.Of(written).Sentence, explain.Of(record.(*telemetry.Statement)).Sentence)
	}
}

// words are what fields of text say, by name; others say "text".
var words = map[string][]string{
	"Method":    {"ExecuteStatement", "GetOperationStatus", "GetResultSetMetadata", "FetchResults", "CancelOperation", "CloseOperation"},
	"Outcome":   {"running", "completed", "failed", "canceled", "closed_early", "abandoned"},
	"Volume":    {"", "PUT", "GET", "DELETE"},
	"RequestID": {"", "0a1b2c3d-0000-4000-8000-000000000001"},
	"Format":    {"", "INLINE_ARROW", "EXTERNAL_LINKS"},
	"State":     {"RUNNING", "FINISHED", "FAILED", "ABANDONED", "DOWNLOADED"},
}

// fill fills every field of a record at random, with times of whole microseconds, as lines have them.
func fill(r *rand.Rand, v reflect.Value, name string) {
	switch p := v.Addr().Interface().(type) {
	case *time.Time:
		*p = start
		return
	case *time.Duration:
		*p = time.Duration(r.IntN(3)*r.IntN(1e6)) * time.Microsecond
		return
	case *map[string]string:
		*p = []map[string]string{nil, {"team": "data", "empty": "", "a:b": "\"ä\n"}}[r.IntN(2)]
		return
	case *[]slog.Attr:
		*p = telemetry.AttributesFromContext(telemetry.WithAttributes(context.Background(), [][]slog.Attr{nil, {
			slog.String("route", "/orders"), slog.Int("n", r.IntN(9)-4), slog.Float64("whole", float64(r.IntN(4))),
			slog.Float64("share", r.NormFloat64()), slog.Float64("large", 1e21), slog.Bool("dry", r.IntN(2) == 0), slog.Any("b", nil), slog.Int("a", 0), slog.Float64("none", math.NaN()),
		}}[r.IntN(2)]...))
		return
	case *telemetry.Maybe[time.Duration]:
		*p = maybe[time.Duration](r)
		return
	case *telemetry.Maybe[int64]:
		*p = maybe[int64](r)
		return
	case *telemetry.Maybe[bool]:
		*p = maybe[bool](r)
		return
	case *telemetry.Maybe[telemetry.Polling]:
		*p = maybe[telemetry.Polling](r)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(r, v.Field(i), v.Type().Field(i).Name)
		}
	case reflect.Pointer:
		if r.IntN(2) == 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(r, v.Elem(), name)
		}
	case reflect.Slice:
		if n := r.IntN(4); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
		}
		for i := range v.Len() {
			fill(r, v.Index(i), name)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(r, v.Index(i), name)
		}
	case reflect.String:
		said := words[name]
		if said == nil {
			said = []string{"text"}
		}
		v.SetString(said[r.IntN(len(said))])
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(r.IntN(2) * r.IntN(600)))
	default:
		v.SetUint(r.Uint64N(100))
	}
}

func maybe[T any](r *rand.Rand) (m telemetry.Maybe[T]) {
	if r.IntN(2) == 0 {
		return m
	}
	var value T
	fill(r, reflect.ValueOf(&value).Elem(), "")
	return telemetry.Known(value)
}

func TestABrokenLineIsNamedAndTheRestIsRead(t *testing.T) {
	const good = `{"event":"statement","started":"2026-03-01T11:30:00Z","outcome":"completed","execute_ms":0,"total_ms":0}` + "\n"
	written, broken := copyOf(t, strings.NewReader(strings.Join([]string{
		good, "\n", " \r\n",
		"panic: no JSON\n",
		`{"level":"info","msg":"the log of another program"}` + "\n",
		`{"event":"statement","total_ms":"long"}` + "\n",
		`{"event":"statement","total_ms":1e300}` + "\n",
		`{"event":"statement","total_ms":-7200000}` + "\n",
		`{"event":"statement","trace_id":"4b"}` + "\n",
		`{"event":"statement","file_list":[{"index":0},{"index":"one"}]}` + "\n",
		`{"event":"statement","calls":[null]}` + "\n",
		"null\n",
		`{"event":"statement_started","of":"a newer version"}` + "\n",
		strings.TrimSuffix(good, "}\n") + `,"of":{"a":["newer","version"]},"rows_read":null}` + "\n",
		`{"event":"session_opened","started":"yest`,
	}, "")))
	require.Equal(t, good+good, written) //nolint:testifylint // to the byte
	require.Equal(t, []string{
		"line 4: not JSON: invalid character 'p' looking for beginning of value",
		`line 5: not a record: it has no "event"`,
		`line 6: "total_ms": json: cannot unmarshal string into Go value of type float64`,
		`line 7: "total_ms": not a duration of 0 to 10 years`,
		`line 8: "total_ms": not a duration of 0 to 10 years`,
		`line 9: "trace_id": 2 hexadecimal digits instead of 32`,
		`line 10: "file_list": 1: "index": json: cannot unmarshal string into Go value of type int64`,
		`line 11: "calls": 0: not an object`,
		`line 12: not a record: it has no "event"`,
		"line 15: unexpected EOF",
	}, broken)
}

// A process that is killed while it writes leaves an incomplete line, and the next one appends to the file.
func TestARecordThatIsAppendedToAnIncompleteLineIsRead(t *testing.T) {
	const whole, opened = `{"event":"session_closed","statements":3}`, `{"event":"session_opened","session_id":"s"}`
	written, want := copyOf(t, strings.NewReader(whole+"\n"+opened+"\n"+whole))
	require.Empty(t, want)
	for _, incomplete := range []string{`{"event":"statement","query_text":"SELECT '{\"event\":`, `{`, `{"event":"session`, `{"event":"statement","attributes":{"event":"x"`} {
		got, broken := copyOf(t, strings.NewReader(whole+"\n"+incomplete+opened+"\n"+whole))
		require.Equal(t, []string{"line 2: unexpected EOF"}, broken, incomplete)
		require.Equal(t, written, got, incomplete)
	}
	got, broken := copyOf(t, strings.NewReader(whole+opened+"\n"+whole))
	require.Empty(t, broken)
	require.Equal(t, written, got)
	_, broken = copyOf(t, strings.NewReader(`{"event":"statement","attributes":{"event":"x"},"kind":}`+"\n"))
	require.Len(t, broken, 1, "no record begins within")
}

// A file that is truncated, as logrotate's copytruncate does, while a process writes at its own offset begins with
// as many zero bytes as it had bytes before.
func TestZeroBytesAreNoPartOfALine(t *testing.T) {
	const opened = `{"event":"session_opened","session_id":"s"}`
	for _, zeros := range []int{1, 100, 64 << 10, 17 << 20} {
		n := 0
		for record, err := range ndjson.Read(strings.NewReader(strings.Repeat("\x00", zeros) + opened + "\n" + opened + "\n" + strings.Repeat("\x00", zeros))) {
			require.NoError(t, err)
			require.Equal(t, "s", record.(*telemetry.SessionOpened).SessionID)
			n++
		}
		require.Equal(t, 2, n, zeros)
	}
}

func TestAnErrorDoesNotQuoteATime(t *testing.T) {
	_, broken := copyOf(t, strings.NewReader(`{"event":"session_closed","started":"dapi0123456789abcdef"}`+"\n"))
	require.Equal(t, []string{`line 1: "started": not a time as RFC 3339 writes it`}, broken)
}

func TestTheLastLineNeedsNoEnd(t *testing.T) {
	written, broken := copyOf(t, strings.NewReader(`{"event":"session_closed","statements":3}`))
	require.Empty(t, broken)
	require.Contains(t, written, `"statements":3`)
	_, broken = copyOf(t, strings.NewReader("{}"))
	require.Equal(t, []string{`line 1: not a record: it has no "event"`}, broken, "it is whole, and wrong")
}

func TestALineThatIsTooLongCostsNoMemory(t *testing.T) {
	endless := io.LimitReader(zeros{}, 16<<20+1)
	written, broken := copyOf(t, io.MultiReader(endless, strings.NewReader("\n"+`{"event":"session_closed"}`)))
	require.Equal(t, []string{"line 1: longer than 16777216 bytes"}, broken)
	require.NotEmpty(t, written)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

func TestAReaderThatFailsEndsTheReading(t *testing.T) {
	broken := errors.New("disk removed")
	var got []error
	for _, err := range ndjson.Read(io.MultiReader(strings.NewReader("{\n{\n"), iotest.ErrReader(broken))) {
		got = append(got, err)
	}
	require.Len(t, got, 3)
	require.Equal(t, broken, got[2])
}

func TestReadingStopsWhenTheCallerDoes(t *testing.T) {
	n := 0
	for range ndjson.Read(strings.NewReader("{\n{\n{\n")) {
		n++
		break
	}
	require.Equal(t, 1, n)
}

func TestAFailedStatementIsOneWithoutACategory(t *testing.T) {
	for record, err := range ndjson.Read(strings.NewReader(`{"event":"statement","outcome":"canceled"}`)) {
		require.NoError(t, err)
		require.True(t, record.(*telemetry.Statement).Failed())
	}
}

// What was read once comes back unchanged ever after, whatever the lines were.
func FuzzRead(f *testing.F) {
	golden, err := os.ReadFile("testdata/records.ndjson")
	require.NoError(f, err)
	for line := range bytes.Lines(golden) {
		f.Add(line)
	}
	f.Add([]byte(`{"event":"server_report","photon_share":1e-320,"compiling_ms":-1,"bytes_read":-7,"final":false}`))
	f.Add([]byte(`{"event":"statement","rpcs":7,"retried":{"b":1,"":2,"a":-3,"b":4},"files":-1,"total_ms":0.0004999}`))
	f.Add([]byte(`{"event":"statement","rpcs_by_method":[{"backoff_ms":3e11},{"backoff_ms":3e11},{"method":"x"}],"rpcs":3,"retried":{"x":1}}`))
	f.Add([]byte(`{"event":"statement","rpcs_by_method":[],"calls":[{"retried":[{"status":503},{}]}],"state":"RUNNING","time_retry_ms":-1}`))
	f.Add([]byte(`{"event":"statement","query_text":"\ud800\u0000","calls":[{},null],"file_list":[]}` + "\n[1]\n\x00"))
	f.Add([]byte(`{"event":"statement","started":"9999-12-31T23:59:59.999999999-23:59","trace_id":"00000000000000000000000000000000"}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		first, _ := copyOf(t, bytes.NewReader(in))
		second, broken := copyOf(t, strings.NewReader(first))
		require.Empty(t, broken)
		require.Equal(t, first, second)
	})
}

func BenchmarkRead(b *testing.B) {
	golden, err := os.ReadFile("testdata/records.ndjson")
	require.NoError(b, err)
	b.SetBytes(int64(len(golden)))
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range ndjson.Read(bytes.NewReader(golden)) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func TestTheOrderOfKeysChangesNothing(t *testing.T) {
	const first = `{"event":"statement","started":"2026-03-01T11:30:00Z","outcome":"completed","execute_ms":5,"total_ms":5,`
	const sums = `"rpcs":1,"rpc_retries":1,"retried":{"ExecuteStatement":1},"bytes_out":10,"bytes_in":20`
	const byMethod = `"rpcs_by_method":[{"method":"ExecuteStatement","calls":1,"retries":1,"bytes_out":10,"bytes_in":20}]`
	for _, line := range []string{first + sums + "," + byMethod + "}", first + byMethod + "," + sums + "}"} {
		for record, err := range ndjson.Read(strings.NewReader(line)) {
			require.NoError(t, err)
			require.Equal(t, []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, Retries: 1, BytesOut: 10, BytesIn: 20}}, record.(*telemetry.Statement).RPCs)
		}
	}
}

func TestAByteOrderMarkIsNoPartOfALine(t *testing.T) {
	line := "\xef\xbb\xbf" + `{"event":"statement","started":"2026-03-01T11:30:00Z"}` + "\r\n"
	n := 0
	for _, err := range ndjson.Read(strings.NewReader(line + line)) { // two such files, one after the other
		require.NoError(t, err)
		n++
	}
	require.Equal(t, 2, n)
}

func TestRecordsWithoutNewlinesBetweenThemAreRead(t *testing.T) {
	record := `{"event":"statement","statement_id":"a","total_ms":5}`
	for end, broken := range map[string]int{"": 0, "\n": 0, `{"event":"sta`: 1} {
		read, errs := 0, 0
		for _, err := range ndjson.Read(strings.NewReader(strings.Repeat(record, 6) + end)) {
			if err != nil {
				errs++
				require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			} else {
				read++
			}
		}
		require.Equal(t, []int{6, broken}, []int{read, errs}, end)
	}
}

// A reader that fails, as at the end of a compressed file that is cut off, fails after the record before, of which only
// the newline is missing; what is left of a line is none.
func TestTheRecordBeforeAFailureOfTheReaderIsRead(t *testing.T) {
	record := `{"event":"statement","statement_id":"a","outcome":"completed","total_ms":1}`
	failure := errors.New("cut off")
	for text, want := range map[string]int{record: 1, record + "\n": 1, record + "\n" + record: 2, record + "\n" + record[:20]: 1, "": 0, "12": 0} {
		var records, failures int
		for record, err := range ndjson.Read(io.MultiReader(strings.NewReader(text), iotest.ErrReader(failure))) {
			if record != nil {
				records++
			}
			if err != nil {
				require.Equal(t, failure, err)
				failures++
			}
		}
		require.Equal(t, want, records, text)
		require.Equal(t, 1, failures, text)
	}
}

// Where a process writes its records to its standard error, another text may lack its newline.
func TestARecordAfterATextWithoutANewlineIsRead(t *testing.T) {
	record := `{"event":"statement","statement_id":"a","outcome":"completed","execute_ms":0,"total_ms":1}`
	for _, text := range []string{"loading… ", "time=2026 level=INFO msg=\"no", `[1,2`, `"`, `1`, `null`, `"outcome":"completed","total_ms":1}`} {
		written, broken := copyOf(t, strings.NewReader(text+record+"\n"+record+"\n"))
		require.Equal(t, 2, strings.Count(written, `"statement_id":"a"`), text)
		require.Len(t, broken, 1, text)
		require.Contains(t, broken[0], "line 1: not ", text)
	}
}
