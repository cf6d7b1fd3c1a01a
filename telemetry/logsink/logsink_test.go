package logsink_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/logsink"
)

var failure = &telemetry.Failure{Category: telemetry.CategorySyntax, SQLState: "42601"}

// messages passes one record of each kind to a sink and returns the messages with their levels.
func messages(sink *logsink.Sink, out *bytes.Buffer) (lines []string) {
	sink.SessionOpened(&telemetry.SessionOpened{Failure: failure})
	sink.SessionOpened(&telemetry.SessionOpened{})
	sink.StatementFinished(&telemetry.Statement{Total: time.Second})
	sink.StatementFinished(&telemetry.Statement{Total: time.Minute})
	sink.StatementFinished(&telemetry.Statement{Failure: failure})
	sink.SessionClosed(&telemetry.SessionClosed{})
	for l := range strings.Lines(out.String()) {
		var r struct{ Level, Msg string }
		_ = json.Unmarshal([]byte(l), &r)
		lines = append(lines, r.Level+" "+strings.TrimPrefix(r.Msg, "databricks "))
	}
	return lines
}

func TestMessagesBelowTheLevelAreNotWritten(t *testing.T) {
	all := []string{
		"ERROR session could not be opened", "INFO session opened", "INFO statement",
		"WARN statement was slow", "WARN statement failed", "INFO session closed",
	}
	for level, want := range map[slog.Level][]string{
		slog.LevelDebug: all,
		slog.LevelInfo:  all,
		slog.LevelWarn:  {all[0], all[3], all[4]},
		slog.LevelError: {all[0]},
	} {
		var out bytes.Buffer
		logger := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
		require.Equal(t, want, messages(logsink.New(logger, level, 0), &out), level)
	}
}

// line is the message of a statement as a text handler writes it at a level, without times.
func line(level slog.Level, slow time.Duration, s *telemetry.Statement) string {
	var out bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "started" {
			return slog.Attr{}
		}
		return a
	}}))
	logsink.New(logger, level, slow).StatementFinished(s)
	return out.String()
}

func TestASlowStatementHasAVerdict(t *testing.T) {
	s := &telemetry.Statement{
		StatementID: "q-1", Kind: telemetry.KindQuery, Outcome: telemetry.OutcomeCompleted, Execute: 1500 * time.Millisecond, Total: 2 * time.Second,
		RPCs: []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1}}, RowsRead: telemetry.Known[int64](3),
		Split: telemetry.Split{telemetry.PartServer: 1500 * time.Millisecond, telemetry.PartNetwork: 500 * time.Millisecond},
	}
	require.Equal(t, `level=WARN msg="databricks statement was slow" `+
		`verdict="server-bound: 75 % of 2.0 s waiting for the server, as seen on the wire" `+
		"statement_id=q-1 outcome=completed total_ms=2000 rows_read=3\n", line(slog.LevelInfo, 2*time.Second, s))
	require.Equal(t, `level=INFO msg="databricks statement" statement_id=q-1 outcome=completed total_ms=2000 rows_read=3`+"\n",
		line(slog.LevelInfo, 3*time.Second, s))
	require.Contains(t, line(slog.LevelDebug, 3*time.Second, s), "statement_id=q-1 kind=QUERY outcome=completed execute_ms=1500 total_ms=2000 rows_read=3 rpcs=1 ")
}

func TestAFailedStatementHasAVerdictWhereItTookLong(t *testing.T) {
	s := &telemetry.Statement{Outcome: telemetry.OutcomeFailed, Failure: failure, Execute: 9 * time.Second, Total: 9 * time.Second}
	s.Split[telemetry.PartNetwork] = 9 * time.Second
	require.Contains(t, line(slog.LevelWarn, 9*time.Second, s), ` msg="databricks statement failed" verdict="network-bound: `)
	require.NotContains(t, line(slog.LevelWarn, 0, s), "verdict=", "the time of a fast failure explains nothing")

	s.Split = telemetry.Split{telemetry.PartRetry: 8 * time.Second, telemetry.PartServer: time.Second}
	require.Contains(t, line(slog.LevelWarn, 0, s), `verdict="retry-bound: 89 % of 9.0 s `)
}

func TestALineHasTwelveAttributesAtTheMost(t *testing.T) {
	var out bytes.Buffer
	sink := logsink.New(slog.New(slog.NewJSONHandler(&out, nil)), slog.LevelInfo, time.Second)
	everything := telemetry.Statement{}
	fill(reflect.ValueOf(&everything).Elem())
	everything.Total, everything.Internal = time.Hour, false
	opened, closed := telemetry.SessionOpened{}, telemetry.SessionClosed{}
	fill(reflect.ValueOf(&opened).Elem())
	fill(reflect.ValueOf(&closed).Elem())
	sink.StatementFinished(&everything)
	sink.SessionOpened(&opened)
	sink.SessionClosed(&closed)
	lines := 0
	for l := range strings.Lines(out.String()) {
		lines++
		attributes := map[string]any{}
		require.NoError(t, json.Unmarshal([]byte(l), &attributes))
		delete(attributes, slog.TimeKey)
		delete(attributes, slog.LevelKey)
		delete(attributes, slog.MessageKey)
		require.LessOrEqual(t, len(attributes), 12, l)
		require.Greater(t, len(attributes), 4, l)
	}
	require.Equal(t, 3, lines)
}

// fill gives every field of a record a value.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if known := v.Addr().MethodByName("Get"); known.IsValid() && v.NumField() == 2 {
			knownOne(v)
			return
		}
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i))
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.String:
		v.SetString("x")
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(time.Second))
	case reflect.Bool:
		v.SetBool(true)
	}
}

// knownOne sets a Maybe.
func knownOne(v reflect.Value) {
	switch to := v.Addr().Interface().(type) {
	case *telemetry.Maybe[int64]:
		*to = telemetry.Known[int64](1)
	case *telemetry.Maybe[time.Duration]:
		*to = telemetry.Known(time.Second)
	case *telemetry.Maybe[bool]:
		*to = telemetry.Known(true)
	}
}

func TestAHandlerReceivesTheStatementsSpan(t *testing.T) {
	var got trace.SpanContext
	sink := logsink.New(slog.New(handlerFunc(func(ctx context.Context, _ slog.Record) { got = trace.SpanContextFromContext(ctx) })), slog.LevelInfo, 0)
	sink.StatementFinished(&telemetry.Statement{TraceID: [16]byte{1}, SpanID: [8]byte{2}})
	require.Equal(t, trace.TraceID{1}, got.TraceID())
	require.Equal(t, trace.SpanID{2}, got.SpanID())
}

// handlerFunc is a handler of all messages.
type handlerFunc func(context.Context, slog.Record)

func (handlerFunc) Enabled(context.Context, slog.Level) bool          { return true }
func (h handlerFunc) Handle(ctx context.Context, r slog.Record) error { h(ctx, r); return nil }
func (h handlerFunc) WithAttrs([]slog.Attr) slog.Handler              { return h }
func (h handlerFunc) WithGroup(string) slog.Handler                   { return h }

func TestOfAStormOfEqualLinesTheFirstIsWrittenAndThenHowManyThereWere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var (
			mu    sync.Mutex
			lines []string
		)
		sink := logsink.New(slog.New(handlerFunc(func(_ context.Context, r slog.Record) {
			mu.Lock()
			defer mu.Unlock()
			text := r.Message
			r.Attrs(func(a slog.Attr) bool {
				if a.Key == "repeated" || a.Key == "error_category" {
					text += " " + a.String()
				}
				return true
			})
			lines = append(lines, strings.TrimPrefix(text, "databricks statement "))
		})), slog.LevelWarn, time.Second)
		fail := func(c telemetry.Category, times int) {
			for range times {
				sink.StatementFinished(&telemetry.Statement{Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{Category: c}})
			}
		}
		written := func(from int) []string {
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(lines[from:])
		}
		pause := func(d time.Duration) {
			time.Sleep(d)
			synctest.Wait() // the lines at the end of an interval are written on goroutines of their own
		}
		fail(telemetry.CategoryTimeout, 5)
		fail(telemetry.CategorySyntax, 1)
		sink.StatementFinished(&telemetry.Statement{Total: time.Second}) // slow
		require.Equal(t, []string{"failed error_category=timeout", "failed error_category=syntax_error", "was slow"}, written(0))

		pause(11 * time.Second)
		require.Equal(t, []string{"failed repeated=4 error_category=timeout"}, written(3))
		fail(telemetry.CategoryTimeout, 2) // the storm goes on
		pause(10 * time.Second)
		require.Equal(t, []string{"failed repeated=2 error_category=timeout"}, written(4))
		pause(11 * time.Second) // it is over
		fail(telemetry.CategoryTimeout, 1)
		require.Equal(t, []string{"failed error_category=timeout"}, written(5))
		pause(time.Minute)
		require.Len(t, written(0), 6)
	})
}

func TestLinesAboutStatementsOfOtherShapesAreNotTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lockedBuffer // lines at the end of an interval are written on goroutines of their own
		sink := logsink.New(slog.New(slog.NewTextHandler(&out, nil)), slog.LevelWarn, time.Second)
		slow := func(text, kept string) {
			sink.StatementFinished(&telemetry.Statement{Shape: telemetry.ShapeOf(text), Query: kept, Total: time.Second, Split: telemetry.Split{telemetry.PartServer: time.Second}})
		}
		for n := range 3 {
			slow(fmt.Sprint("SELECT a FROM t WHERE id = ", n), "")
			slow(fmt.Sprint("SELECT b FROM t WHERE id = ", n), "")
			slow(fmt.Sprint("SELECT c FROM t WHERE id = ", n), fmt.Sprint("SELECT c FROM t WHERE id = ", n))
		}
		a, b, c := telemetry.ShapeOf("SELECT a FROM t WHERE id = ?"), telemetry.ShapeOf("SELECT b FROM t WHERE id = ?"), telemetry.ShapeOf("SELECT c FROM t WHERE id = ?")
		require.Equal(t, 3, strings.Count(out.String(), "\n"))
		for _, shape := range []string{a, b} {
			require.Equal(t, 1, strings.Count(out.String(), "query_shape="+shape), "a person finds the statement on the page and with dbtel")
		}
		require.Contains(t, out.String(), `query_text="SELECT c FROM t WHERE id = 0"`)
		require.NotContains(t, out.String(), c, "the text says it")
		time.Sleep(11 * time.Second)
		synctest.Wait()
		for _, shape := range []string{a, b, c} {
			require.Contains(t, out.String(), "repeated=2 within_ms=10000 bound=server-bound query_shape="+shape)
		}
		time.Sleep(time.Minute)
	})
}

func TestAStormOnOneServerHidesNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lockedBuffer
		sink := logsink.New(slog.New(slog.NewTextHandler(&out, nil)), slog.LevelInfo, time.Second)
		for range 3 {
			for _, server := range []string{"a:443", "b:443"} {
				sink.SessionOpened(&telemetry.SessionOpened{Server: server, Failure: failure})
				sink.StatementFinished(&telemetry.Statement{Server: server, Failure: failure})
				sink.StatementFinished(&telemetry.Statement{Server: server, Total: time.Second})
				sink.ServerReported(&telemetry.ServerReport{Server: server, Total: telemetry.Known(time.Second), Executing: telemetry.Known(time.Second)})
				sink.ServerReported(&telemetry.ServerReport{Server: server, Status: "FAILED"}) // without a time
			}
		}
		require.Equal(t, 5, strings.Count(out.String(), "server=a:443"))
		require.Equal(t, 5, strings.Count(out.String(), "server=b:443"))
		time.Sleep(11 * time.Second)
		synctest.Wait()
		require.Equal(t, 5, strings.Count(out.String(), "repeated=2 within_ms=10000 server=b:443"))
		time.Sleep(time.Minute)
	})
}

func TestAHandlerThatHangsHoldsOneGoroutineOfAStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hanging atomic.Int64
		release := make(chan struct{})
		sink := logsink.New(slog.New(handlerFunc(func(_ context.Context, r slog.Record) {
			first := true
			r.Attrs(func(a slog.Attr) bool { first = first && a.Key != "repeated"; return true })
			if !first {
				hanging.Add(1)
				<-release
			}
		})), slog.LevelWarn, time.Second)
		for range 100 {
			sink.StatementFinished(&telemetry.Statement{Failure: failure})
			time.Sleep(time.Second)
		}
		synctest.Wait()
		require.EqualValues(t, 1, hanging.Load())
		close(release)
		time.Sleep(11 * time.Second)
		require.EqualValues(t, 2, hanging.Load(), "the rest of the storm")
		time.Sleep(time.Minute)
	})
}

// Lines are left out while a handler hangs, too.
func TestASummarySaysWithinWhatTimeItsLinesWereLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var summaries []string
		sink := logsink.New(slog.New(handlerFunc(func(_ context.Context, r slog.Record) {
			values := map[string]slog.Value{}
			r.Attrs(func(a slog.Attr) bool {
				values[a.Key] = a.Value
				return true
			})
			if n, ok := values["repeated"]; ok {
				summaries = append(summaries, n.String()+" within "+values["within_ms"].String())
				time.Sleep(40 * time.Second)
			}
		})), slog.LevelWarn, time.Second)
		sink.StatementFinished(&telemetry.Statement{Failure: failure})
		time.Sleep(time.Second / 2)
		for range 58 {
			sink.StatementFinished(&telemetry.Statement{Failure: failure})
			time.Sleep(time.Second)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Equal(t, []string{"10 within 10000", "48 within 50000"}, summaries)
	})
}

func TestAHandlerThatEndsItsGoroutineDoesNotEndTheSummaries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var summaries atomic.Int64
		sink := logsink.New(slog.New(handlerFunc(func(_ context.Context, r slog.Record) {
			r.Attrs(func(a slog.Attr) bool {
				if a.Key == "repeated" {
					summaries.Add(1)
					runtime.Goexit()
				}
				return true
			})
		})), slog.LevelWarn, time.Second)
		for range 25 {
			sink.StatementFinished(&telemetry.Statement{Failure: failure})
			time.Sleep(time.Second)
		}
		synctest.Wait()
		require.EqualValues(t, 2, summaries.Load())
		time.Sleep(time.Minute)
	})
}

func TestLinesThatWarnOfNothingAreNotLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lockedBuffer
		sink := logsink.New(slog.New(slog.NewTextHandler(&out, nil)), slog.LevelInfo, time.Second)
		for range 3 {
			sink.StatementFinished(&telemetry.Statement{Server: "a:443"})
			sink.ServerReported(&telemetry.ServerReport{Server: "a:443", Executing: telemetry.Known(time.Millisecond)})
		}
		require.Equal(t, 6, strings.Count(out.String(), "server=a:443"))
	})
}

// lockedBuffer may be read while others write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestWithTheLevelDebugEveryLineIsWritten(t *testing.T) {
	lines := 0
	sink := logsink.New(slog.New(handlerFunc(func(context.Context, slog.Record) { lines++ })), slog.LevelDebug, time.Second)
	for range 5 {
		sink.StatementFinished(&telemetry.Statement{Outcome: telemetry.OutcomeFailed, Failure: failure})
	}
	require.Equal(t, 5, lines)
}

func TestAServerReportSaysWhyTheServerTookItsTime(t *testing.T) {
	var out bytes.Buffer
	sink := logsink.New(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})), slog.LevelInfo, 10*time.Second)
	report := &telemetry.ServerReport{
		StatementID: "q-1", Status: "FINISHED", WarehouseID: "w-1", Total: telemetry.Known(14 * time.Second),
		WaitingForCompute: telemetry.Known(11 * time.Second), Executing: telemetry.Known(3 * time.Second),
	}
	sink.ServerReported(report)
	require.Equal(t, `level=WARN msg="databricks server report" verdict="waited 11 s of 14 s for the warehouse to start; executed 3.0 s of 14 s" `+
		"statement_id=q-1 status=FINISHED warehouse_id=w-1 server_total_ms=14000 waiting_for_compute_ms=11000 executing_ms=3000\n", out.String())
	out.Reset()
	report.Total, report.WaitingForCompute = telemetry.Known(3*time.Second), telemetry.Maybe[time.Duration]{}
	sink.ServerReported(report)
	require.Contains(t, out.String(), `level=INFO msg="databricks server report" verdict="executed 3.0 s of 3.0 s"`)
}

func TestSummariesGoToTheDefaultLoggerOfTheirTime(t *testing.T) {
	old := slog.Default()
	defer slog.SetDefault(old)
	synctest.Test(t, func(t *testing.T) {
		var first, second lockedBuffer
		slog.SetDefault(slog.New(slog.NewTextHandler(&first, nil)))
		sink := logsink.New(nil, slog.LevelWarn, time.Second)
		for n := range 40 {
			if n == 5 {
				slog.SetDefault(slog.New(slog.NewTextHandler(&second, nil)))
			}
			sink.StatementFinished(&telemetry.Statement{Failure: failure})
			time.Sleep(time.Second)
		}
		synctest.Wait()
		require.NotEmpty(t, second.String(), "35 s of failures, and the logger of the application has none: %s", first.String())
		time.Sleep(time.Minute)
	})
}

func TestReportsWithOtherStatusesAreNotTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lockedBuffer
		sink := logsink.New(slog.New(slog.NewTextHandler(&out, nil)), slog.LevelInfo, time.Second)
		for _, id := range []string{"q-1", "q-2"} {
			shape := telemetry.ShapeOf("SELECT a FROM " + strings.Replace(id, "-", "", 1))
			sink.StatementFinished(&telemetry.Statement{StatementID: id, Shape: shape, Total: 2 * time.Second, Split: telemetry.Split{telemetry.PartServer: 2 * time.Second}})
			status := map[string]string{"q-1": "FINISHED", "q-2": "FAILED"}[id]
			sink.ServerReported(&telemetry.ServerReport{StatementID: id, Status: status, Total: telemetry.Known(2 * time.Second), Executing: telemetry.Known(2 * time.Second)})
		}
		time.Sleep(time.Minute)
		for _, id := range []string{"q-1", "q-2"} {
			require.Equal(t, 2, strings.Count(out.String(), "statement_id="+id), "the statement and its report: %s", out.String())
		}
	})
}

// A test in a bubble may end before an interval does.
func TestAStormInABubbleHidesNoLineOutside(t *testing.T) {
	lines := 0
	sink := logsink.New(slog.New(handlerFunc(func(context.Context, slog.Record) { lines++ })), slog.LevelWarn, 0)
	fail := func(*testing.T) { sink.StatementFinished(&telemetry.Statement{Failure: failure}) }
	synctest.Test(t, fail)
	synctest.Test(t, fail)
	fail(t)
	require.Equal(t, 3, lines)
}

// A server that refuses a session says why as it does of a statement: the schema of the DSN does not exist.
func TestASessionThatCouldNotBeOpenedHasItsSQLState(t *testing.T) {
	var out bytes.Buffer
	sink := logsink.New(slog.New(slog.NewJSONHandler(&out, nil)), slog.LevelInfo, time.Second)
	sink.SessionOpened(&telemetry.SessionOpened{Failure: &telemetry.Failure{Category: telemetry.CategoryNotFound, SQLState: "42704"}})
	require.Contains(t, out.String(), `"error_category":"not_found","sqlstate":"42704"`)
}

// A deadline that passes while the workspace refuses is a timeout; what the workspace answered is in the message.
func TestASessionThatCouldNotBeOpenedHasItsLastStatus(t *testing.T) {
	var out bytes.Buffer
	sink := logsink.New(slog.New(slog.NewJSONHandler(&out, nil)), slog.LevelInfo, time.Second)
	sink.SessionOpened(&telemetry.SessionOpened{FailedStatus: 429, Failure: &telemetry.Failure{Category: telemetry.CategoryTimeout}})
	require.Contains(t, out.String(), `"failed_status":429,"error_category":"timeout"`)
}
