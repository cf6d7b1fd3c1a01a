package wrapped

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	dbsqlrows "github.com/databricks/databricks-sql-go/rows"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// Verdicts on statements in which several things happen or go wrong. Each test has a sentence, a category
// or a picture that was once wrong.

func performed(t *testing.T, s scene) (*telemetry.Statement, explain.Verdict) {
	t.Helper()
	if s.entry == "" {
		s.entry = "NewConnector"
	}
	if s.reader == "" {
		s.reader = "rows"
	}
	got := s.perform(t)
	require.NotNil(t, got.record)
	v := explain.Of(got.record)
	t.Logf("error: %v\noutcome %s %+v\n%s\n%s\n%v", got.err, got.record.Outcome, got.record.Failure, v.Sentence, v.Advice, got.record.Split)
	return got.record, v
}

var (
	inlinePages  = workspace.Options{CloudFetchThreshold: -1, PageRows: pageRows}
	polledPages  = workspace.Options{CloudFetchThreshold: -1, PageRows: pageRows, NoDirectResults: true}
	filesOfPages = workspace.Options{CloudFetchThreshold: 1, FileRows: pageRows, LinksPerPage: -1}
)

// call and download are faults of the first requests after those that are skipped; 0 means all.
func call(first, skip int, method string, do workspace.Action) workspace.Fault {
	return workspace.Fault{On: workspace.Method(method), First: first, Skip: skip, Do: do}
}

func download(first, skip int, do workspace.Action) workspace.Fault {
	return workspace.Fault{On: workspace.ResultDownloads(), First: first, Skip: skip, Do: do}
}

// rawly reads rows below database/sql, which closes rows when their context is done.
func rawly(ctx context.Context, db *sql.DB, query string, read func(context.Context, driver.Rows) error) error {
	c, err := db.Conn(context.Background())
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Raw(func(conn any) error {
		rows, err := conn.(driver.QueryerContext).QueryContext(ctx, query, nil)
		if err != nil {
			return err
		}
		return read(ctx, rows)
	})
}

func readRaw(query string, deadline, hold time.Duration) func(context.Context, *sql.DB) error {
	return func(ctx context.Context, db *sql.DB) error {
		ctx, cancel := context.WithTimeout(ctx, deadline)
		defer cancel()
		return rawly(ctx, db, query, func(ctx context.Context, rows driver.Rows) (err error) {
			defer rows.Close()
			for dest := make([]driver.Value, 2); err == nil; err = rows.Next(dest) {
			}
			elsewhere(hold)
			return err
		})
	}
}

func TestAStatementIsNotCanceledByAContextThatEndsBeforeAnAnswerThatRefuses(t *testing.T) {
	r, _ := performed(t, scene{opts: inlinePages, program: readRaw(statement(sceneRows), time.Second, 0), faults: []workspace.Fault{
		call(0, 0, "FetchResults", workspace.Latency(5*time.Second)), call(0, 0, "FetchResults", workspace.Status(504)),
	}})
	require.Equal(t, telemetry.OutcomeFailed, r.Outcome)
}

func TestAFileThatCannotBeReadIsNotADownloadThatFailed(t *testing.T) {
	r, v := performed(t, scene{opts: filesOfPages, threads: 5, query: statement(pageRows + 1), through: func(base http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			resp, err := base.RoundTrip(r)
			if err != nil || !strings.HasPrefix(r.URL.Path, "/results/") {
				return resp, err
			}
			b, _ := io.ReadAll(resp.Body)
			if len(b) < 1200 { // file 1
				return &http.Response{StatusCode: 403, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
			}
			elsewhere(2 * time.Second)
			resp.Body = io.NopCloser(bytes.NewReader(bytes.Repeat([]byte{0x5a}, len(b))))
			return resp, nil
		})
	}})
	require.Equal(t, telemetry.CategoryArrowSchema, r.Failure.Category)
	require.NotContains(t, v.Advice, "refused access")
}

func TestTheRetriesOfOneFileDoNotHaveTheStatusOfAnother(t *testing.T) {
	_, v := performed(t, scene{opts: filesOfPages, pause: 5 * time.Second, faults: []workspace.Fault{download(3, 0, workspace.Status(503)), download(0, 2, workspace.Status(403))}})
	require.NotContains(t, v.Sentence, "one file needed 4 attempts, last status 403")
}

func TestTheRetriesOfOneCallDoNotHaveTheStatusOfTheNext(t *testing.T) {
	_, v := performed(t, scene{opts: inlinePages, pause: 10 * time.Second, faults: []workspace.Fault{call(1, 0, "FetchResults", workspace.Status(503)), call(0, 1, "FetchResults", workspace.Status(403))}})
	require.NotContains(t, v.Sentence, "1 retry of FetchResults, last status 403")
}

func TestRepeatedStatusCallsDoNotHaveTheStatusOfTheNext(t *testing.T) {
	o := polledPages
	o.ExecutionTime = func(string) time.Duration { return time.Hour }
	_, v := performed(t, scene{opts: o, pause: 30 * time.Second, faults: []workspace.Fault{call(1, 3, "GetOperationStatus", workspace.Status(503)), call(0, 10, "GetOperationStatus", workspace.Status(401))}})
	require.NotContains(t, v.Sentence, "(1 retry, last status 401)")
}

func TestRowsThatWereReadAndLeftOpenWereNotReadSlowly(t *testing.T) {
	_, v := performed(t, scene{opts: inlinePages, program: func(ctx context.Context, db *sql.DB) error {
		rows, err := db.QueryContext(ctx, statement(1))
		if err != nil {
			return err
		}
		defer rows.Close()
		var id, s any
		if rows.Next() {
			err = rows.Scan(&id, &s)
		}
		elsewhere(8 * time.Second)
		return err
	}})
	require.NotContains(t, v.Sentence, "between rows")
	require.NotContains(t, v.Advice, "reads slower than rows arrive")
}

func TestRowsThatCouldNotBeReadHadNotEnded(t *testing.T) {
	_, v := performed(t, scene{opts: inlinePages, program: readRaw(statement(sceneRows), time.Hour, 10*time.Second), faults: []workspace.Fault{call(0, 0, "FetchResults", workspace.Status(403))}})
	require.NotContains(t, v.Sentence, "after the rows had ended")
}

func TestAFileThatFailedBeforeDidNotFailThen(t *testing.T) {
	_, v := performed(t, scene{opts: filesOfPages, program: readRaw(statement(sceneRows), time.Hour, 10*time.Second), faults: []workspace.Fault{download(0, 1, workspace.Status(403))}})
	require.NotContains(t, v.Sentence, "then 1 file failed")
}

func TestSupportIsGivenTheRequestThatWasRepeated(t *testing.T) {
	o := inlinePages
	o.OperationTimeout = 8 * time.Second
	r, v := performed(t, scene{opts: o, pause: 5 * time.Second, faults: []workspace.Fault{call(0, 0, "FetchResults", workspace.Reset())}})
	closing := r.Calls[len(r.Calls)-1]
	require.Equal(t, "CloseOperation", closing.Method)
	require.NotContains(t, v.Advice, closing.RequestID)
}

func TestConnectionsThatWereNeverMadeDidNotBreakOff(t *testing.T) {
	o := inlinePages
	_, v := performed(t, scene{opts: o, pause: 5 * time.Second, through: func(base http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.GetBody != nil {
				b, _ := r.GetBody()
				if body, _ := io.ReadAll(b); bytes.Contains(body[:min(len(body), 60)], []byte("FetchResults")) {
					return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
				}
			}
			return base.RoundTrip(r)
		})
	}})
	require.NotContains(t, v.Advice, "broke off before the answer was complete")
}

func TestAHangIsNoConnectionThatBrokeOff(t *testing.T) {
	r, v := performed(t, scene{opts: inlinePages, faults: []workspace.Fault{call(0, 0, "FetchResults", workspace.Hang())}})
	require.Equal(t, telemetry.CategoryTimeout, r.Failure.Category)
	require.NotContains(t, v.Advice, "Connections broke off")
}

func TestPagesDoNotWaitForADescriptionThatWasRepeated(t *testing.T) {
	_, v := performed(t, scene{opts: polledPages, pause: 8 * time.Second, faults: []workspace.Fault{call(1, 0, "GetResultSetMetadata", workspace.Status(503)), call(1, 0, "FetchResults", workspace.Latency(10*time.Second))}})
	require.NotContains(t, v.Sentence, "GetResultSetMetadata took") // all 10 s of the part are FetchResults
}

func TestPagesDoNotWaitForAnAnswerWithoutRows(t *testing.T) {
	_, v := performed(t, scene{opts: polledPages, faults: []workspace.Fault{call(1, 0, "ExecuteStatement", workspace.SlowBody(8*time.Second)), call(1, 0, "FetchResults", workspace.Latency(10*time.Second))}})
	require.NotContains(t, v.Sentence, "the rest of the answer to ExecuteStatement")
}

func TestTheSlowestFileIsThatOfThoseThatAreComplete(t *testing.T) {
	_, v := performed(t, scene{opts: filesOfPages, faults: []workspace.Fault{download(1, 0, workspace.Latency(40*time.Millisecond)), download(1, 1, workspace.Latency(60*time.Second)), download(0, 1, workspace.Status(403))}})
	require.NotContains(t, v.Sentence, "slowest 40 ms")
}

func TestAStatusCallThatIsRepeatedDoesNotNoticeLate(t *testing.T) {
	o := polledPages
	o.ExecutionTime = func(string) time.Duration { return 10500 * time.Millisecond }
	r, v := performed(t, scene{opts: o, pause: 9 * time.Second, faults: []workspace.Fault{call(1, 10, "GetOperationStatus", workspace.Status(503))}})
	require.Equal(t, 11*time.Second, r.Split[telemetry.PartServer]) // last seen running at 10 s: at most 1 s of it was late
	require.NotContains(t, v.Sentence, "may have finished up to 10 s before")
}

func TestACallThatReturnedRowsDidNotFail(t *testing.T) {
	o := filesOfPages
	o.ExecutionTime = func(string) time.Duration { return 3 * time.Second }
	r, _ := performed(t, scene{opts: o, faults: []workspace.Fault{download(0, 0, workspace.Status(403))}})
	require.False(t, explain.TimelineOf(r).Lanes[0].Bars[0].Failed)
}

func TestTheApplicationHadNoControlWhileRowsWereDescribed(t *testing.T) {
	r, _ := performed(t, scene{opts: polledPages, faults: []workspace.Fault{call(1, 0, "GetResultSetMetadata", workspace.Latency(10*time.Second))}, program: func(ctx context.Context, db *sql.DB) error {
		rows, err := db.QueryContext(ctx, statement(10))
		if err != nil {
			return err
		}
		defer rows.Close()
		_, _ = rows.ColumnTypes()
		elsewhere(12 * time.Second)
		for rows.Next() {
		}
		return rows.Err()
	}})
	for _, l := range explain.TimelineOf(r).Lanes {
		for _, b := range l.Bars {
			if b.Kind == breakdown.BarApplication {
				require.GreaterOrEqual(t, b.Start, 11*time.Second, "until then the driver waited for GetResultSetMetadata")
			}
		}
	}
}

func TestSupportIsGivenTheCallThatTheStatementFailedWith(t *testing.T) {
	r, v := performed(t, scene{opts: inlinePages, faults: []workspace.Fault{call(1, 0, "FetchResults", workspace.Latency(10*time.Second)), call(0, 1, "FetchResults", workspace.Status(403))}})
	require.Contains(t, v.Advice, "refused access")
	require.NotContains(t, v.Advice, r.Calls[1].RequestID, "this call was slow, and has brought its rows")
	require.Contains(t, v.Advice, r.Calls[2].RequestID)
}

func TestAnAnswerThatCannotBeReadIsNotOneThatBrokeOff(t *testing.T) {
	r, v := performed(t, scene{opts: inlinePages, faults: []workspace.Fault{call(0, 0, "FetchResults", workspace.Latency(5*time.Second)), call(0, 0, "FetchResults", workspace.Garbage())}})
	require.Contains(t, v.Sentence, "with an answer that could not be read")
	for _, l := range explain.TimelineOf(r).Lanes {
		for _, b := range l.Bars {
			require.NotContains(t, b.Note, "without a complete answer")
		}
	}
}

func TestFilesThatFailDifferentlyDoNotShareAStatus(t *testing.T) {
	refusals := map[int64]int{1648: 403, 1672: 404} // of files 1 and 2, by their length
	r, v := performed(t, scene{opts: filesOfPages, threads: 3, through: func(base http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			resp, err := base.RoundTrip(r)
			if err != nil || !strings.HasPrefix(r.URL.Path, "/results/") {
				return resp, err
			}
			if resp.StatusCode = refusals[resp.ContentLength]; resp.StatusCode == 0 {
				resp.StatusCode = 200
				elsewhere(20 * time.Second)
			}
			return resp, err
		})
	}})
	require.EqualValues(t, 2, r.CloudFetch.Failed)
	require.NotContains(t, v.Sentence, "2 files failed, last status")
	require.Contains(t, v.Sentence, "2 files failed (the first of them: last status 403)")
}

func TestAStatementThatWaitedForFilesSaysWhichCallItFailedWith(t *testing.T) {
	o := filesOfPages
	o.LinksPerPage = 1
	_, v := performed(t, scene{opts: o, faults: []workspace.Fault{download(1, 0, workspace.Latency(20*time.Second)), call(0, 0, "FetchResults", workspace.Status(403))}})
	require.Contains(t, v.Sentence, "waiting for 1 file")
	require.Contains(t, v.Sentence, "FetchResults failed, last status 403")
	require.Contains(t, v.Advice, "The workspace refused access")
}

func TestACallThatFailedIsNamedOnce(t *testing.T) {
	_, v := performed(t, scene{opts: polledPages, pause: 9 * time.Second, faults: []workspace.Fault{call(0, 0, "GetResultSetMetadata", workspace.Status(404)), call(1, 0, "FetchResults", workspace.Status(503))}})
	require.Equal(t, 1, strings.Count(v.Sentence, "GetResultSetMetadata failed"), v.Sentence)
}

func TestRowsThatHaveNotArrivedMayBeMore(t *testing.T) {
	_, v := performed(t, scene{opts: inlinePages, ending: closedEarly, stop: 10, sleeps: map[moment]time.Duration{leftOpenAtRow: 8 * time.Second}})
	require.NotContains(t, v.Sentence, "10 of 40 rows", "the result has 120")
	o := inlinePages
	o.PageRows = 1
	_, v = performed(t, scene{opts: o, ending: closedEarly, stop: 1, sleeps: map[moment]time.Duration{leftOpenAtRow: 8 * time.Second}})
	require.NotContains(t, v.Sentence, "1 of 1 row")
}

func TestTheReadThatFailedWasAskedFor(t *testing.T) {
	o := inlinePages
	o.OperationTimeout = 5 * time.Second
	r, v := performed(t, scene{opts: o, sleeps: map[moment]time.Duration{amidRows: 20 * time.Second}})
	require.Equal(t, telemetry.OutcomeFailed, r.Outcome)
	require.NotContains(t, v.Sentence, "after the last it read")
}

func TestTheApplicationHadControlUntilItAskedForADescriptionOrRows(t *testing.T) {
	for name, test := range map[string]struct {
		describes bool
		want      []time.Duration // beginning and end of each bar
	}{
		"rows":          {false, []time.Duration{1 * time.Second, 6 * time.Second}},
		"a description": {true, []time.Duration{1 * time.Second, 3 * time.Second, 5 * time.Second, 8 * time.Second}},
	} {
		r, _ := performed(t, scene{opts: polledPages, faults: []workspace.Fault{call(1, 0, "GetResultSetMetadata", workspace.Latency(2*time.Second)), call(1, 0, "FetchResults", workspace.Latency(9*time.Second))}, program: func(ctx context.Context, db *sql.DB) error {
			rows, err := db.QueryContext(ctx, statement(10))
			if err != nil {
				return err
			}
			defer rows.Close()
			elsewhere(2 * time.Second)
			if test.describes {
				_, _ = rows.ColumnTypes()
			}
			elsewhere(3 * time.Second)
			for rows.Next() {
			}
			return rows.Err()
		}})
		var got []time.Duration
		for _, l := range explain.TimelineOf(r).Lanes {
			for _, b := range l.Bars {
				if b.Kind == breakdown.BarApplication {
					got = append(got, b.Start, b.End)
				}
			}
		}
		require.Equal(t, test.want, got, name)
	}
}

func TestRowsThatAreClosedByTheirContextMayHaveBeenLeftOpen(t *testing.T) {
	r, v := performed(t, scene{opts: inlinePages, program: func(ctx context.Context, db *sql.DB) error {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		rows, err := db.QueryContext(ctx, statement(sceneRows))
		if err != nil {
			return err
		}
		for range 10 {
			rows.Next()
		}
		elsewhere(2 * time.Minute)
		return nil
	}})
	require.Equal(t, telemetry.OutcomeCanceled, r.Outcome)
	require.NotContains(t, v.Sentence, "decoding")
	require.NotContains(t, v.Advice, "reads slower than rows arrive")
}

func TestRowsThatCouldNotBeReadWereNotLeftOpen(t *testing.T) {
	o := filesOfPages
	o.FileRows = 1
	r, v := performed(t, scene{opts: o, query: statement(3), program: readRowThen(8 * time.Second), faults: []workspace.Fault{download(0, 1, workspace.Status(403))}})
	require.Equal(t, telemetry.OutcomeFailed, r.Outcome)
	require.NotContains(t, v.Sentence, "left open")
}

// readRowThen reads three rows, and does something else after the first.
func readRowThen(hold time.Duration) func(context.Context, *sql.DB) error {
	return func(ctx context.Context, db *sql.DB) error {
		rows, err := db.QueryContext(ctx, statement(3))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			elsewhere(hold)
			hold = 0
		}
		return rows.Err()
	}
}

func TestReadingIsNotDrawnOverRowsThatHaveEnded(t *testing.T) {
	o, bars := inlinePages, 0
	o.ExecutionTime = func(string) time.Duration { return time.Second }
	got := scene{entry: "NewConnector", reader: "rows", opts: o, at: 10 * time.Second, program: readRaw(statement(sceneRows), time.Hour, 10*time.Second)}.perform(t)
	require.Equal(t, 9*time.Second, got.look.Application.After)
	for _, l := range explain.TimelineOf(got.look).Lanes {
		for _, b := range l.Bars {
			switch b.Kind {
			case breakdown.BarReading:
				require.Equal(t, time.Second, b.End)
				require.False(t, b.Open)
				bars++
			case breakdown.BarApplication:
				require.Equal(t, 9*time.Second, b.End-b.Start)
				require.True(t, b.Open)
				bars++
			}
		}
	}
	require.Equal(t, 2, bars)
}

func TestAStatementThatWasClosedSlowlySaysWhichCallItFailedWith(t *testing.T) {
	_, v := performed(t, scene{opts: inlinePages, faults: []workspace.Fault{call(0, 0, "FetchResults", workspace.Status(403)), call(1, 0, "CloseOperation", workspace.Latency(5*time.Second))}})
	require.Contains(t, v.Sentence, "CloseOperation took 5.0 s")
	require.Contains(t, v.Sentence, "FetchResults failed, last status 403")
}

func TestADescriptionThatIsFetchedAgainIsNotTheApplicationsTime(t *testing.T) {
	r, _ := performed(t, scene{opts: polledPages, pause: time.Second, faults: []workspace.Fault{call(5, 0, "GetResultSetMetadata", workspace.Status(503)), call(1, 0, "GetResultSetMetadata", workspace.Latency(10*time.Second))}, program: func(ctx context.Context, db *sql.DB) error {
		rows, err := db.QueryContext(ctx, statement(10))
		if err != nil {
			return err
		}
		defer rows.Close()
		_, _ = rows.ColumnTypes() // fails after 4 s
		for rows.Next() {
		}
		return rows.Err()
	}})
	require.Zero(t, r.Split[telemetry.PartApplication])
	require.Equal(t, 10*time.Second, r.Split[telemetry.PartPage])
}

func TestAStatusCallThatFoundTheServerAtWorkTookNoRetryTime(t *testing.T) {
	o := filesOfPages
	o.NoDirectResults, o.ExecutionTime = true, func(string) time.Duration { return 15 * time.Second }
	r, v := performed(t, scene{opts: o, pause: 9 * time.Second, faults: []workspace.Fault{call(1, 1, "GetOperationStatus", workspace.Status(503)), download(4, 0, workspace.Status(429))}})
	require.Equal(t, telemetry.PartRetry, v.Part)
	require.GreaterOrEqual(t, r.Split[telemetry.PartServer], 15*time.Second, "the pause is in it")
	require.Contains(t, v.Sentence, "one file needed 5 attempts, last status 429")
	require.NotContains(t, v.Sentence, "GetOperationStatus")
	require.Contains(t, v.Advice, "The storage asked to slow down")
	require.NotContains(t, v.Advice, "The workspace")
}

// The answer with a page is lost and the call is repeated: the server sends the next page, and the driver
// goes back for the one it expects.
func TestAPageThatTheDriverPassesOverHasNoRowsOfTheResult(t *testing.T) {
	lost := []workspace.Fault{call(1, 0, "FetchResults", workspace.DropResponse())}
	o := filesOfPages
	o.LinksPerPage, o.NoDirectResults = 1, true
	for name, s := range map[string]scene{
		"pages": {opts: polledPages}, "files": {opts: o, faults: []workspace.Fault{download(1, 1, workspace.Latency(2*time.Second))}},
	} {
		t.Run(name, func(t *testing.T) {
			s.faults, s.sleeps = append(lost, s.faults...), map[moment]time.Duration{atBoundary: 20 * time.Second}
			r, v := performed(t, s)
			require.Equal(t, telemetry.Known(int64(sceneRows)), r.RowsRead)
			require.Equal(t, r.RowsRead, r.Result.Rows)
			require.NotContains(t, v.Sentence, "of at least", "all rows were read")
			require.Zero(t, r.Split[telemetry.PartDecode])
			if r.CloudFetch != nil {
				require.EqualValues(t, 3, r.CloudFetch.Present)
				require.Zero(t, r.CloudFetch.Abandoned)
				require.Equal(t, 2*time.Second, r.Split[telemetry.PartFile])
			}
		})
	}
}

// Each attempt is redirected after 2 s, and the first is then refused: the pause after that is a second.
func TestARepeatedAttemptThatWasRedirectedBeganWithItsFirstRequest(t *testing.T) {
	refused := 0
	r, _ := performed(t, scene{opts: inlinePages, pause: time.Second, through: func(base http.RoundTripper) http.RoundTripper {
		inner := redirected("FetchResults", func(base http.RoundTripper, r *http.Request) (*http.Response, error) {
			if refused++; refused <= 2 {
				return &http.Response{StatusCode: 503, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
			}
			return base.RoundTrip(r)
		})(base)
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if isCall(r, "FetchResults") && r.Response == nil {
				elsewhere(2 * time.Second)
			}
			return inner.RoundTrip(r)
		})
	}})
	for _, b := range laneOf(t, r, "pages").Bars[:4] {
		switch b.Kind {
		case breakdown.BarRetry:
			require.Equal(t, 2*time.Second, b.End-b.Start, "%+v", b)
		case breakdown.BarPause:
			require.Equal(t, time.Second, b.End-b.Start, "%+v", b)
		}
	}
}

func TestAResultWithoutRowsCannotBeSmaller(t *testing.T) {
	slow := []workspace.Fault{call(1, 0, "FetchResults", workspace.Latency(10*time.Second))}
	for name, s := range map[string]scene{
		"no rows": {opts: polledPages, query: statement(0), faults: slow},
		"volume":  {opts: polledPages, program: volumeExec(putStatement(t), 0), faults: slow},
	} {
		t.Run(name, func(t *testing.T) {
			_, v := performed(t, s)
			require.Equal(t, telemetry.PartPage, v.Part)
			require.NotContains(t, v.Advice, "smaller result")
		})
	}
}

func TestTheApplicationHadNoControlWhileAnArrowReaderWasClosed(t *testing.T) {
	o := filesOfPages
	o.LinksPerPage = 1
	r, _ := performed(t, scene{opts: o, faults: []workspace.Fault{download(0, 0, workspace.Status(403)), call(1, 0, "CloseOperation", workspace.Latency(3*time.Second))}, program: func(ctx context.Context, db *sql.DB) error {
		return rawly(ctx, db, statement(sceneRows), func(ctx context.Context, rows driver.Rows) error {
			it, err := rows.(dbsqlrows.Rows).GetArrowBatches(ctx)
			if err != nil {
				return err
			}
			for err == nil && it.HasNext() {
				_, err = it.Next()
			}
			elsewhere(4 * time.Second)
			it.Close()
			elsewhere(2 * time.Second)
			return errors.Join(err, rows.Close())
		})
	}})
	require.Equal(t, 6*time.Second, r.Application.After)
	require.Equal(t, 3*time.Second, r.Split[telemetry.PartClose])
	for _, b := range laneOf(t, r, "rows").Bars {
		require.NotEqual(t, breakdown.BarApplication, b.Kind, "when it had control is not known: %+v", b)
	}
}
