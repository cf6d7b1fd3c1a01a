package wrapped

import (
	"bytes"
	"context"
	"database/sql"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/databricks/databricks-sql-go/auth"
	"github.com/databricks/databricks-sql-go/driverctx"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// isCall reports whether a request is a call of a method.
func isCall(r *http.Request, method string) bool {
	if r.Method != http.MethodPost || r.GetBody == nil {
		return false
	}
	b, _ := r.GetBody()
	body, _ := io.ReadAll(b)
	return bytes.Contains(body[:min(len(body), 60)], []byte(method))
}

// volumeExec runs a statement on a volume; d is the deadline, 0 for none.
func volumeExec(query string, d time.Duration) func(context.Context, *sql.DB) error {
	return func(ctx context.Context, db *sql.DB) error {
		if d > 0 {
			within, cancel := context.WithTimeout(ctx, d)
			defer cancel()
			ctx = within
		}
		_, err := db.ExecContext(driverctx.NewContextWithStagingInfo(ctx, []string{"/"}), query)
		return err
	}
}

func putStatement(t *testing.T) string {
	file := filepath.Join(t.TempDir(), "a.csv")
	require.NoError(t, os.WriteFile(file, []byte("1,2"), 0o600))
	return "PUT '" + file + "' INTO '/Volumes/main/default/v/a.csv' OVERWRITE"
}

func transfers(do workspace.Action) workspace.Fault {
	return workspace.Fault{On: workspace.VolumeTransfers(), Do: do}
}

// An Exec that the server has ended with an error: the driver asks for the description of its result before it
// looks at the error.

func TestADescriptionThatIsRefusedAfterAnErrorIsNotWhyAnExecFailed(t *testing.T) {
	for _, query := range []string{"SELECT * FROM nowhere", "SELEC 1"} {
		o := polledPages
		o.FailuresByHandle = true
		r, v := performed(t, scene{opts: o, reader: "exec", query: query, faults: []workspace.Fault{call(0, 0, "GetResultSetMetadata", workspace.Status(403))}})
		require.Equal(t, "ERROR", r.State)
		require.NotContains(t, v.Sentence, "GetResultSetMetadata failed")
		require.NotContains(t, v.Advice, "refused access")
	}
}

// canceledByServer has the twelfth status call say that the statement was canceled, without a SQLSTATE.
func canceledByServer(base http.RoundTripper) http.RoundTripper {
	n := 0
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		status := isCall(r, "GetOperationStatus")
		resp, err := base.RoundTrip(r)
		if err != nil || !status || resp.StatusCode != 200 {
			return resp, err
		}
		b, _ := io.ReadAll(resp.Body)
		if n++; n == 12 {
			b = bytes.Replace(b, []byte{8, 0, 2, 0, 0, 0, 1}, []byte{8, 0, 2, 0, 0, 0, 3}, 1)
		}
		resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
		return resp, nil
	})
}

func TestTheCategoryOfAnExecIsNotThatOfADescriptionAfterItsEnd(t *testing.T) {
	r, _ := performed(t, scene{opts: working(polledPages, time.Hour), reader: "exec", through: canceledByServer, faults: []workspace.Fault{call(0, 0, "GetResultSetMetadata", workspace.Status(403))}})
	require.Equal(t, "CANCELED", r.State)
	require.NotEqual(t, telemetry.CategoryPermission, r.Failure.Category, "the server canceled the statement")
}

func TestTheSQLStateOfAnExecIsNotThatOfADescriptionAfterItsEnd(t *testing.T) {
	r, _ := performed(t, scene{opts: working(polledPages, time.Hour), reader: "exec", through: canceledByServer})
	require.Equal(t, "CANCELED", r.State)
	require.Empty(t, r.Failure.SQLState, "the refusal of GetResultSetMetadata has this one; the statement's end had none")
}

// A CloseOperation that fails while rows are read, or before a volume's file is transferred: the driver ignores
// it and goes on.

func TestAFileAfterACloseThatFailedIsNotARequestThatIsRepeated(t *testing.T) {
	r, v := performed(t, scene{opts: asked(filesOfPages), query: statement(30), faults: []workspace.Fault{call(1, 0, "CloseOperation", workspace.Status(404)), download(0, 0, workspace.Latency(5*time.Second))}})
	require.Equal(t, telemetry.OutcomeCompleted, r.Outcome)
	require.Zero(t, r.Split[telemetry.PartRetry], v.Sentence) // nothing was repeated
	require.Equal(t, 5*time.Second, r.Split[telemetry.PartFile])
}

func TestATransferAfterACloseThatFailedIsNotARequestThatIsRepeated(t *testing.T) {
	r, v := performed(t, scene{opts: polledPages, program: volumeExec(putStatement(t), 0), faults: []workspace.Fault{call(1, 0, "CloseOperation", workspace.Status(404)), transfers(workspace.Latency(10 * time.Second))}})
	require.Equal(t, telemetry.OutcomeCompleted, r.Outcome)
	require.Zero(t, r.Split[telemetry.PartRetry], v.Sentence) // nothing was repeated
	require.Equal(t, 10*time.Second, r.Split[telemetry.PartTransfer])
}

func TestAFileAfterACloseThatWasRedirectedIsNotClosing(t *testing.T) {
	r, v := performed(t, scene{opts: asked(filesOfPages), query: statement(30), faults: []workspace.Fault{call(1, 0, "CloseOperation", workspace.RedirectToLogin()), download(0, 0, workspace.Latency(5*time.Second))}})
	require.Equal(t, telemetry.OutcomeCompleted, r.Outcome)
	require.Zero(t, r.Split[telemetry.PartClose], v.Sentence)
	require.Equal(t, 5*time.Second, r.Split[telemetry.PartFile])
}

// A redirect that net/http follows: the redirect itself is not the answer to the call.

// redirected answers the first request of each call of a method with 307.
func redirected(method string, then func(base http.RoundTripper, r *http.Request) (*http.Response, error)) func(base http.RoundTripper) http.RoundTripper {
	return func(base http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			switch {
			case !isCall(r, method):
				return base.RoundTrip(r)
			case r.Response != nil:
				return then(base, r)
			}
			h := http.Header{"Location": {r.URL.String() + "?again=1"}}
			return &http.Response{StatusCode: 307, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: h, Body: http.NoBody, Request: r}, nil
		})
	}
}

func TestACallThatBrokeOffAfterARedirectWasNotSentElsewhere(t *testing.T) {
	r, v := performed(t, scene{opts: inlinePages, through: redirected("ExecuteStatement", func(http.RoundTripper, *http.Request) (*http.Response, error) {
		elsewhere(5 * time.Second)
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	})})
	require.Equal(t, telemetry.CategoryConnection, r.Failure.Category)
	require.NotContains(t, v.Sentence, "last status 307")
	require.NotContains(t, v.Advice, "sent the request elsewhere")
}

func TestACallThatHangsAfterARedirectHasNoAnswer(t *testing.T) {
	got := scene{entry: "NewConnector", reader: "rows", opts: inlinePages, at: 10 * time.Minute, through: redirected("ExecuteStatement", func(base http.RoundTripper, r *http.Request) (*http.Response, error) {
		elsewhere(14 * time.Minute)
		return base.RoundTrip(r)
	})}.perform(t)
	_, since, ok := explain.Unanswered(got.look)
	require.True(t, ok, "%+v", got.look.Calls[0])
	require.Equal(t, 10*time.Minute, since)
	require.False(t, got.look.Calls[0].Failed, "it is under way")
}

// The round trip, which is subtracted from ExecuteStatement's time.

func TestTheRoundTripIsWithoutTheTimeToDial(t *testing.T) {
	o := inlinePages
	works := time.Duration(0)
	o.ExecutionTime = func(string) time.Duration { return works }
	r, v := performed(t, scene{opts: o, through: dialing(3*time.Second, 0), program: func(ctx context.Context, db *sql.DB) error {
		if _, err := drain(db.QueryContext(ctx, statement(sceneRows))); err != nil {
			return err
		}
		works = 4 * time.Second
		_, err := drain(db.QueryContext(ctx, statement(20)))
		return err
	}})
	require.Equal(t, 3*time.Second, r.RPCs[0].Connecting)
	require.Equal(t, 4*time.Second, r.Split[telemetry.PartServer], v.Sentence)
}

func TestOneCallThatTheServerAnsweredLateIsNotTheRoundTrip(t *testing.T) {
	o := inlinePages
	works := time.Duration(0)
	o.ExecutionTime = func(string) time.Duration { return works }
	r, v := performed(t, scene{opts: o, faults: []workspace.Fault{call(1, 0, "CloseOperation", workspace.Latency(9*time.Second))}, program: func(ctx context.Context, db *sql.DB) error {
		if _, err := drain(db.QueryContext(ctx, statement(sceneRows))); err != nil {
			return err
		}
		works = 4 * time.Second
		_, err := drain(db.QueryContext(ctx, statement(sceneRows)))
		return err
	}})
	require.Equal(t, telemetry.PartServer, v.Part, "of 4 s, the server worked 4 s: %s %v", v.Sentence, r.Split)
}

// Arrow readers fetch a page before the rows they return are counted: the segment that was read is not passed.

type slowSignIn struct {
	token string
	pages *int
}

func (a slowSignIn) Authenticate(r *http.Request) error {
	if isCall(r, "FetchResults") {
		if *a.pages++; *a.pages == 2 {
			elsewhere(20 * time.Second) // as an OAuth token that has run out
		}
	}
	r.Header.Set("Authorization", "Bearer "+a.token)
	return nil
}

func TestSigningInIsNotDecoding(t *testing.T) {
	for _, reader := range []string{"driver rows", "arrow", "ipc"} {
		t.Run(reader, func(t *testing.T) {
			got := scene{entry: "NewConnector", opts: inlinePages, reader: reader, at: 15 * time.Second, signIn: func(token string) auth.Authenticator {
				return slowSignIn{token, new(int)}
			}}.perform(t)
			require.NoError(t, got.err)
			require.Zero(t, got.look.Split[telemetry.PartDecode], "while it signs in")
			require.Equal(t, got.look.Total, got.look.Split.Total())
			require.Zero(t, got.record.Split[telemetry.PartDecode])
		})
	}
}

// signInToClose takes long to sign in for the first CloseOperation.
type signInToClose struct {
	token string
	once  *sync.Once
}

func (a signInToClose) Authenticate(r *http.Request) error {
	if isCall(r, "CloseOperation") {
		a.once.Do(func() { elsewhere(20 * time.Second) })
	}
	r.Header.Set("Authorization", "Bearer "+a.token)
	return nil
}

// A volume's operation is closed before the transfer, and that of files before the driver asks for more of them.
func TestSigningInIsNeitherATransferNorAFile(t *testing.T) {
	for name, s := range map[string]scene{
		"transfer": {opts: polledPages, reader: "exec", query: putStatement(t)},
		"file":     {opts: asked(filesOfPages), reader: "driver rows"},
	} {
		t.Run(name, func(t *testing.T) {
			s.entry, s.at = "NewConnector", 15*time.Second
			s.signIn = func(token string) auth.Authenticator { return signInToClose{token, new(sync.Once)} }
			got := s.perform(t)
			require.NoError(t, got.err)
			for _, r := range []*telemetry.Statement{got.look, got.record} {
				require.Zero(t, r.Split[telemetry.PartTransfer]+r.Split[telemetry.PartFile], r.Outcome)
				require.Equal(t, r.Total, r.Split.Total())
			}
		})
	}
}

// The bounds of lists change no verdict (256 pages, 64 status calls are listed).

func TestAPageThatHangsIsUnansweredWhereverItIs(t *testing.T) {
	for _, skip := range []int{200, 280} {
		o := inlinePages
		o.PageRows = 1
		got := scene{entry: "NewConnector", reader: "driver rows", opts: o, query: statement(400), at: 10 * time.Minute, faults: []workspace.Fault{
			call(1, 0, "FetchResults", workspace.Latency(40*time.Millisecond)), call(1, skip, "FetchResults", workspace.Latency(12*time.Minute)),
		}}.perform(t)
		v := explain.Of(got.look)
		require.NotContains(t, v.Sentence, "slowest 40 ms", "one page has been awaited for 10 min")
		_, _, ok := explain.Unanswered(got.look)
		require.True(t, ok)
	}
}

func TestAStatusCallThatHangsIsUnansweredWhereverItIs(t *testing.T) {
	for _, skip := range []int{30, 80} {
		got := scene{entry: "NewConnector", reader: "driver rows", opts: working(polledPages, 20*time.Minute), poll: 5 * time.Second, at: 10 * time.Minute, faults: []workspace.Fault{
			call(1, skip, "GetOperationStatus", workspace.Latency(12*time.Minute)),
		}}.perform(t)
		_, _, ok := explain.Unanswered(got.look)
		require.True(t, ok)
	}
}

func TestTheLastStatusIsTheLastWhereverItCame(t *testing.T) {
	for _, skip := range []int{200, 280} {
		o := inlinePages
		o.PageRows = 1
		_, v := performed(t, scene{opts: o, query: statement(400), pause: 10 * time.Second, faults: []workspace.Fault{
			call(1, 5, "FetchResults", workspace.Status(503)), call(1, skip, "FetchResults", workspace.StatusRetryAfter(429, time.Minute)),
		}})
		require.Contains(t, v.Sentence, "2 retries of FetchResults, last status 429")
		require.Contains(t, v.Advice, "asked to slow down")
	}
}

func TestAStatusCallThatFoundTheServerAtWorkTookNoRetryTimeHoweverManyFollow(t *testing.T) {
	for _, poll := range []time.Duration{time.Second, 100 * time.Millisecond} {
		_, v := performed(t, scene{opts: working(asked(filesOfPages), 20*time.Second), poll: poll, pause: 9 * time.Second, faults: []workspace.Fault{
			call(1, 1, "GetOperationStatus", workspace.Status(503)), download(4, 0, workspace.Status(429)),
		}})
		require.Equal(t, telemetry.PartRetry, v.Part)
		require.NotContains(t, v.Sentence, "GetOperationStatus", "its pause is the server's time")
	}
}

// Calls that failed, but were not repeated and did not cause a failure.

func TestACloseThatFailedTookNoTimeOfFilesThatWereRepeated(t *testing.T) {
	r, v := performed(t, scene{opts: filesOfPages, pause: 9 * time.Second, faults: []workspace.Fault{call(0, 0, "CloseOperation", workspace.Status(404)), download(2, 0, workspace.Status(503))}})
	require.Equal(t, telemetry.OutcomeCompleted, r.Outcome)
	require.NotContains(t, v.Sentence, "CloseOperation failed")
	require.NotContains(t, v.Advice, "look at the error of the statement", "it has none")
}

func TestADescriptionThatFailedTookNoTimeOfFilesThatWereRepeated(t *testing.T) {
	r, v := performed(t, scene{opts: asked(filesOfPages), pause: 9 * time.Second, program: describeThenReadArrow, faults: []workspace.Fault{call(1, 0, "GetResultSetMetadata", workspace.Status(403)), download(2, 0, workspace.Status(503))}})
	require.Equal(t, telemetry.OutcomeCompleted, r.Outcome)
	require.NotContains(t, v.Advice, "look at the credential", "only the storage had failed, with 503, and was asked again")
}

// The server has canceled the statement: as for any other end by the server, no warehouse is large enough.

func TestAStatementThatTheServerCanceledNeedsNoLargerWarehouse(t *testing.T) {
	r, v := performed(t, scene{opts: working(polledPages, time.Hour), through: canceledByServer})
	require.Equal(t, "CANCELED", r.State)
	require.NotContains(t, v.Advice, "larger warehouse")
}

// The slowest page is the slowest of the part's time, as for status calls.

func TestTheSlowestPageIsWithoutItsRepetition(t *testing.T) {
	r, v := performed(t, scene{opts: inlinePages, query: statement(400), pause: 9 * time.Second, faults: []workspace.Fault{call(1, 4, "FetchResults", workspace.Status(503)), call(0, 0, "FetchResults", workspace.Latency(2*time.Second))}})
	require.Equal(t, 18*time.Second, r.Split[telemetry.PartPage])
	require.NotContains(t, v.Sentence, "slowest 11 s", "each page took 2 s; 9 s are in retry")
}

// The verdict on a failed transfer also applies to one that its context ended.

func TestATransferThatWasCanceledMayHaveBeenRepeated(t *testing.T) {
	r, v := performed(t, scene{opts: inlinePages, pause: time.Minute, program: volumeExec(putStatement(t), 20*time.Second), faults: []workspace.Fault{transfers(workspace.Status(503))}})
	require.Equal(t, telemetry.OutcomeCanceled, r.Outcome)
	require.NotContains(t, v.Advice, "The size of the file")
}

// The driver repeats the transfer of a volume's file by itself, unseen. A file of three bytes then takes minutes, and
// neither its size nor the network decides.

func TestATransferThatEndsWellMayHaveBeenRepeated(t *testing.T) {
	repeated := workspace.Fault{On: workspace.VolumeTransfers(), First: 2, Do: workspace.Status(503)}
	s := scene{opts: inlinePages, pause: time.Minute, reader: "exec", query: putStatement(t), at: 5 * time.Second, faults: []workspace.Fault{repeated}}
	s.entry = "NewConnector"
	got := s.perform(t)
	require.NoError(t, got.err)
	for _, r := range []*telemetry.Statement{got.look, got.record} {
		require.NotNil(t, r)
		v := explain.Of(r)
		require.Equal(t, telemetry.PartTransfer, v.Part, "%v", r.Split)
		require.Contains(t, v.Advice, "attempts that fail")
		require.Contains(t, v.Advice, "status of the storage")
	}
}

// A CloseOperation answer that cannot be parsed says nothing about files that were downloaded before.

func TestACloseThatIsNotUnderstoodHidesNoFiles(t *testing.T) {
	o := filesOfPages
	o.LinksPerPage = 2
	r, v := performed(t, scene{opts: o, pause: 9 * time.Second, faults: []workspace.Fault{call(0, 0, "CloseOperation", workspace.Garbage()), download(2, 0, workspace.Status(503))}})
	require.Equal(t, telemetry.OutcomeCompleted, r.Outcome)
	require.Equal(t, telemetry.PartRetry, v.Part)
	require.NotContains(t, v.Advice, "No complete answer came", "the storage answered 503")
}

// A page that waits for a network connection, which another statement has: the transport is asked for
// ExecuteStatement alone where the call that ended last had left its connection.

func TestAPageThatWaitsForAConnectionIsNotSlow(t *testing.T) {
	o := inlinePages
	works := time.Duration(0)
	o.ExecutionTime = func(string) time.Duration { return works }
	o.DirectResultWait = time.Minute
	r, v := performed(t, scene{opts: o, through: func(base http.RoundTripper) http.RoundTripper {
		tr := base.(*http.Transport).Clone()
		tr.MaxConnsPerHost = 1
		return tr
	}, program: func(ctx context.Context, db *sql.DB) error {
		other, err := db.Conn(ctx)
		if err != nil {
			return err
		}
		defer other.Close()
		var rows *sql.Rows
		if rows, err = db.QueryContext(ctx, statement(sceneRows)); err != nil {
			return err
		}
		for range pageRows {
			rows.Next()
		}
		works = 10 * time.Second
		done := make(chan error)
		go func() {
			_, err := drain(other.QueryContext(ctx, statement(20)))
			done <- err
		}()
		elsewhere(time.Second)
		for rows.Next() { // waits 9 s for the connection
		}
		defer rows.Close()
		err = <-done
		elsewhere(time.Second) // this statement ends last
		return err
	}})
	require.NotContains(t, v.Sentence, "slowest 9.0 s", "the server answered at once: %v", r.Split)
}
