package wrapped

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"io"
	"net/http"
	"testing"
	"time"

	dbsqlrows "github.com/databricks/databricks-sql-go/rows"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// working makes the server take this long for each statement.
func working(o workspace.Options, d time.Duration) workspace.Options {
	o.ExecutionTime = func(string) time.Duration { return d }
	return o
}

func TestStreamsWhoseLinkExpiredHaveNoWrongSchema(t *testing.T) {
	const life = 30 * time.Second
	o := filesOfPages
	o.LinkLifetime = life
	r, _ := performed(t, scene{opts: o, reader: "ipc", sleeps: map[moment]time.Duration{atBoundary: time.Minute}, through: func(base http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			resp, err := base.RoundTrip(r)
			if err != nil || r.Method != "POST" {
				return resp, err
			}
			b, _ := io.ReadAll(resp.Body)
			at := time.Now().Add(life).Truncate(time.Second) // in seconds, as the driver compares it
			b = bytes.ReplaceAll(b, binary.BigEndian.AppendUint64(nil, uint64(at.UnixMilli())), binary.BigEndian.AppendUint64(nil, uint64(at.Unix())))
			resp.Body = io.NopCloser(bytes.NewReader(b))
			return resp, nil
		})
	}})
	require.NotEqual(t, telemetry.CategoryArrowSchema, r.Failure.Category)
}

func TestRowsThatAreReadOnAsArrowWaitForTheirFile(t *testing.T) {
	r, v := performed(t, scene{opts: filesOfPages, faults: []workspace.Fault{download(1, 2, workspace.Latency(10*time.Second))}, program: func(ctx context.Context, db *sql.DB) error {
		return rawly(ctx, db, statement(sceneRows), func(ctx context.Context, rows driver.Rows) (err error) {
			defer rows.Close()
			dest := make([]driver.Value, 2)
			for range 10 {
				if err := rows.Next(dest); err != nil {
					return err
				}
			}
			c, _, err := cursorOf("arrow", rows)
			for err == nil {
				err = c.next()
			}
			return nil
		})
	}})
	require.Zero(t, r.Split[telemetry.PartDecode], v.Sentence)
}

func TestCallsThatDialEachWaitForConnections(t *testing.T) {
	r, v := performed(t, scene{opts: inlinePages, through: dialing(2*time.Second, 0)})
	require.Zero(t, r.Split[telemetry.PartPage], v.Sentence)
}

func TestTheServerSaysHowLongItWorked(t *testing.T) {
	o := working(polledPages, 10*time.Second)
	o.ServerTimes = true
	_, v := performed(t, scene{opts: o, poll: 11 * time.Second})
	require.NotContains(t, v.Sentence, "may have finished up to 11 s before")
}

func TestAStatusCallAfterTheServerHadFinishedIsNotWhyItWorked(t *testing.T) {
	o := working(polledPages, 7500*time.Millisecond)
	o.ServerTimes = true
	r, v := performed(t, scene{opts: o, faults: []workspace.Fault{call(1, 7, "GetOperationStatus", workspace.Latency(6*time.Second))}})
	require.Equal(t, 6500*time.Millisecond, r.Split[telemetry.PartPoll])
	require.NotContains(t, v.Sentence, "a status call itself took")
}

func TestThePagesThatCameWereNotSlow(t *testing.T) {
	_, v := performed(t, scene{opts: inlinePages, faults: []workspace.Fault{call(1, 0, "FetchResults", workspace.Latency(40*time.Millisecond)), call(1, 1, "FetchResults", workspace.Latency(60*time.Second)), call(0, 1, "FetchResults", workspace.Status(403))}})
	require.NotContains(t, v.Sentence, "2 result pages, slowest 60 s")
}

func TestTheApplicationHadControlMoreThanOnce(t *testing.T) {
	_, v := performed(t, scene{opts: inlinePages, program: func(ctx context.Context, db *sql.DB) error {
		return rawly(ctx, db, statement(20), func(ctx context.Context, rows driver.Rows) (err error) {
			elsewhere(4 * time.Second)
			dest := make([]driver.Value, 2)
			for i := 0; err == nil; i++ {
				if err = rows.Next(dest); i == 10 {
					elsewhere(3 * time.Second)
				}
			}
			elsewhere(3 * time.Second)
			return rows.Close()
		})
	}})
	require.NotContains(t, v.Sentence, "of 10 s in the application, before it asked for rows")
}

func TestABatchThatWasReadLateWasNotLeftOpen(t *testing.T) {
	o := filesOfPages
	o.FileRows = 1
	_, v := performed(t, scene{opts: o, reader: "arrow", query: statement(3), batches: func(it dbsqlrows.ArrowBatchIterator) error {
		defer it.Close()
		_ = it.HasNext()
		elsewhere(10 * time.Second)
		r, err := it.Next()
		if err == nil {
			r.Release()
		}
		return err // closed at once
	}})
	require.NotContains(t, v.Sentence, "1 of at least 3 rows read, then left open for 10 s")
}

func TestAReportOnARunningStatementDoesNotSayHowLongItWorked(t *testing.T) {
	r, _ := performed(t, scene{opts: working(polledPages, 15*time.Second), poll: 20 * time.Second})
	v := explain.WithReport(r, &telemetry.ServerReport{Status: "RUNNING", Total: telemetry.Known(time.Second), QueuedAtCapacity: telemetry.Known(time.Second)})
	require.NotContains(t, v.Sentence, "which worked for 1.0 s as the query history says")
}

func TestAStatementThatFinishedWasNotEndedByTheServer(t *testing.T) {
	o := working(inlinePages, 30*time.Second)
	o.OperationTimeout = 5 * time.Second
	r, v := performed(t, scene{opts: o, sleeps: map[moment]time.Duration{amidRows: 20 * time.Second}})
	require.Equal(t, "FINISHED", r.State)
	require.NotContains(t, v.Advice, "The server ended the statement with an error")
}

// The server closes a statement whose rows nobody asks for. It answers the next call, so the connection is fine.
func TestAStatementThatTheServerHasClosedIsNoConnectionError(t *testing.T) {
	o := inlinePages
	o.OperationTimeout = 5 * time.Second
	r, _ := performed(t, scene{opts: o, sleeps: map[moment]time.Duration{amidRows: 20 * time.Second}})
	require.Equal(t, "08000", r.Failure.SQLState)
	require.Equal(t, telemetry.CategoryStatementClosed, r.Failure.Category)
	require.Equal(t, telemetry.CategoryStatementClosed, r.CloseFailure.Category)

	r, _ = performed(t, scene{opts: o, ending: closedEarly, stop: 1, sleeps: map[moment]time.Duration{leftOpenAtRow: 20 * time.Second}})
	require.Nil(t, r.Failure)
	require.Equal(t, telemetry.CategoryStatementClosed, r.CloseFailure.Category)
}

func TestADeadlineThatEndsNothingCancelsNothing(t *testing.T) {
	r, _ := performed(t, scene{opts: filesOfPages, program: func(ctx context.Context, db *sql.DB) error {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second) // of the call, which has long returned
		defer cancel()
		return rawly(ctx, db, statement(sceneRows), func(_ context.Context, rows driver.Rows) error {
			it, err := rows.(dbsqlrows.Rows).GetArrowBatches(context.Background())
			if err != nil {
				return err
			}
			for range 2 {
				elsewhere(4 * time.Second)
				r, err := it.Next()
				if err != nil {
					return err
				}
				r.Release()
			}
			return rows.Close()
		})
	}})
	require.Nil(t, r.Failure, "no call failed")
	require.Equal(t, telemetry.OutcomeClosedEarly, r.Outcome)
}

func TestAnExecHasNoRowsToClose(t *testing.T) {
	got := scene{entry: "NewConnector", reader: "exec", opts: polledPages, at: 5 * time.Minute, faults: []workspace.Fault{call(0, 0, "CloseOperation", workspace.Hang())}}.perform(t)
	require.NotContains(t, explain.Of(got.look).Sentence, "closing the rows")
}

func TestAStatusCallThatPausedWasNotAnsweredLate(t *testing.T) {
	r, v := performed(t, scene{opts: working(polledPages, 20*time.Second), pause: 4 * time.Second, faults: []workspace.Fault{call(1, 0, "GetOperationStatus", workspace.Latency(9*time.Second)), call(1, 0, "GetOperationStatus", workspace.Status(503))}})
	require.NotContains(t, v.Sentence, "a status call itself took 13 s", "9 s until 503, a pause of 4 s, and an answer at once")
	require.NotContains(t, v.Advice, r.Calls[1].RequestID, "this request was answered at once")
}

func TestTheTimelineDoesNotSayThatRowsEnded(t *testing.T) {
	r, _ := performed(t, scene{opts: inlinePages, program: readRaw(statement(sceneRows), time.Hour, 10*time.Second), faults: []workspace.Fault{call(0, 0, "FetchResults", workspace.Status(403))}})
	for _, l := range explain.TimelineOf(r).Lanes {
		for _, b := range l.Bars {
			require.NotEqual(t, "after the last row", b.Note, "40 of 120 rows were read")
		}
	}
}

func TestRowsWhoseReadingFailedHaveNotEnded(t *testing.T) {
	got := scene{opts: inlinePages, at: 30 * time.Second, faults: []workspace.Fault{call(0, 1, "FetchResults", workspace.Status(403))}, program: func(ctx context.Context, db *sql.DB) error {
		return rawly(ctx, db, statement(20), func(ctx context.Context, rows driver.Rows) (err error) {
			dest := make([]driver.Value, 2)
			for err == nil {
				err = rows.Next(dest)
			}
			elsewhere(time.Minute)
			return rows.Close()
		})
	}}.perform(t)
	v := explain.Of(got.look)
	require.Equal(t, telemetry.PartApplication, v.Part)
	require.NotContains(t, v.Sentence, "after the rows had ended")
}

// pauseBar is the bar of the pause that a statement is in, or in which it was given up.
func pauseBar(r *telemetry.Statement) (pause explain.Bar) {
	for _, l := range explain.TimelineOf(r).Lanes {
		for _, b := range l.Bars {
			if b.Kind == breakdown.BarPause {
				pause = b
			}
		}
	}
	return pause
}

func TestThePauseThatAStatementIsInHasABar(t *testing.T) {
	for name, s := range map[string]scene{
		"ExecuteStatement": {opts: inlinePages, faults: []workspace.Fault{call(1, 0, "ExecuteStatement", workspace.StatusRetryAfter(503, 30*time.Second))}},
		"FetchResults":     {opts: inlinePages, faults: []workspace.Fault{call(1, 0, "FetchResults", workspace.StatusRetryAfter(503, 30*time.Second))}},
		"file 1":           {opts: filesOfPages, faults: []workspace.Fault{download(1, 1, workspace.StatusRetryAfter(503, 30*time.Second))}},
	} {
		s.entry, s.reader, s.at, s.pause = "NewConnector", "driver rows", 20*time.Second, 30*time.Second
		got := s.perform(t)
		b := pauseBar(got.look)
		require.Equal(t, 20*time.Second, b.End, name)
		require.True(t, b.Open, name)
		require.Equal(t, 20*time.Second, b.End-b.Start, name)
		if b = pauseBar(got.record); name != "file 1" { // its lane has a bar of the attempt
			require.Equal(t, 30*time.Second, b.End-b.Start, name)
		}
		require.False(t, b.Open, name)
	}
}

func TestThePauseInWhichAStatementWasGivenUpHasABar(t *testing.T) {
	got := scene{
		entry: "NewConnector", reader: "driver rows", opts: inlinePages, at: 20 * time.Second, cancel: true, pause: 30 * time.Second,
		faults: []workspace.Fault{call(1, 0, "ExecuteStatement", workspace.StatusRetryAfter(503, 30*time.Second))},
	}.perform(t)
	require.Equal(t, telemetry.OutcomeCanceled, got.record.Outcome)
	b := pauseBar(got.record)
	require.Equal(t, 20*time.Second, b.End-b.Start)
	require.False(t, b.Open)
}

// After the status call, the driver requests the description of an Exec's result, with a context that is
// done.
func TestACallThatWasGivenUpAtOnceIsNotWhatWasRepeated(t *testing.T) {
	got := scene{
		entry: "NewConnector", reader: "exec", opts: polledPages, at: 20 * time.Second, cancel: true, pause: 30 * time.Second,
		faults: []workspace.Fault{call(1, 0, "GetOperationStatus", workspace.StatusRetryAfter(503, 30*time.Second))},
	}.perform(t)
	require.Equal(t, telemetry.OutcomeCanceled, got.record.Outcome)
	v := explain.Of(got.record)
	require.Contains(t, v.Sentence, "1 retry of GetOperationStatus, last status 503")
	require.NotContains(t, v.Sentence, "GetResultSetMetadata")
}

// A status call fails after 1 s and is repeated 9 s later. Meanwhile the server works on, unseen, for 8.9 s.
func TestTheServerMayHaveWorkedWhileAStatusCallWasRepeated(t *testing.T) {
	o := polledPages
	o.ExecutionTime = func(string) time.Duration { return 9900 * time.Millisecond }
	for _, o.ServerTimes = range []bool{false, true} {
		r, v := performed(t, scene{opts: o, pause: 9 * time.Second, faults: []workspace.Fault{call(1, 0, "GetOperationStatus", workspace.Status(503))}})
		require.Equal(t, 9*time.Second, r.Split[telemetry.PartRetry])
		require.Contains(t, v.Sentence, "1 retry of GetOperationStatus, last status 503")
		require.Contains(t, v.Advice, "The server may have worked meanwhile")
	}
	// The server says that it worked for less than until the first status call.
	o.ExecutionTime = func(string) time.Duration { return 500 * time.Millisecond }
	_, v := performed(t, scene{opts: o, pause: 9 * time.Second, faults: []workspace.Fault{call(1, 0, "GetOperationStatus", workspace.Status(503))}})
	require.NotContains(t, v.Advice, "The server may have worked meanwhile")
}

func TestTheFirstRowThatNeverCameHasABar(t *testing.T) {
	r, _ := performed(t, scene{opts: polledPages, reader: "driver rows", faults: []workspace.Fault{call(0, 0, "FetchResults", workspace.Latency(10*time.Second)), call(0, 0, "FetchResults", workspace.Status(403))}})
	require.Equal(t, telemetry.OutcomeFailed, r.Outcome)
	found := false
	for _, l := range explain.TimelineOf(r).Lanes {
		for _, b := range l.Bars {
			found = found || b.Kind == breakdown.BarReading && b.Failed && b.End-b.Start == 10*time.Second
		}
	}
	require.True(t, found)
}

func TestAdviceOnRepeatedRequestsIsAboutThoseThatTookTheLongest(t *testing.T) {
	r, v := performed(t, scene{opts: inlinePages, reader: "driver rows", query: statement(400), pause: 10 * time.Millisecond, faults: []workspace.Fault{
		call(1, 0, "FetchResults", workspace.Latency(20*time.Second)), call(1, 0, "FetchResults", workspace.Status(503)), call(3, 0, "CloseOperation", workspace.Reset()),
	}})
	require.Equal(t, telemetry.OutcomeCompleted, r.Outcome)
	require.Contains(t, v.Sentence, "1 retry of FetchResults, last status 503; 3 retries of CloseOperation, last without a complete answer")
	require.Contains(t, v.Advice, "The workspace answered with errors")
}
