package wrapped

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

func laneOf(t *testing.T, r *telemetry.Statement, name string) explain.Lane {
	for _, l := range explain.TimelineOf(r).Lanes {
		if l.Name == name {
			return l
		}
	}
	require.Fail(t, "no lane "+name)
	return explain.Lane{}
}

// Beyond the bound of the list, the latest call is listed: its bar has the number of another one.
func TestABarOfTheLatestPollHasItsOwnNumber(t *testing.T) {
	r, _ := performed(t, scene{opts: working(polledPages, 299*time.Second+time.Second/2)})
	require.Equal(t, int64(300), r.Polling.Or(telemetry.Polling{}).Calls)
	l := laneOf(t, r, "polls")
	b := l.Bars[len(l.Bars)-1]
	require.Equal(t, 300*time.Second, b.Start, "the 300th status call")
	require.NotEqual(t, "poll 64", b.Label)
}

func TestABarOfTheLatestPageHasItsOwnNumber(t *testing.T) {
	o := inlinePages
	o.PageRows = 1
	r, _ := performed(t, scene{opts: o, query: statement(400)})
	l := laneOf(t, r, "pages")
	require.Less(t, len(l.Bars), 399)
	require.NotEqual(t, "page 255", l.Bars[len(l.Bars)-1].Label)
}

// A CloseOperation answer that cannot be parsed is not a server error.
func TestAGarbledAnswerToCloseIsNoError(t *testing.T) {
	o := filesOfPages
	o.LinksPerPage = 2
	r, _ := performed(t, scene{opts: o, faults: []workspace.Fault{call(0, 0, "CloseOperation", workspace.Garbage())}})
	for _, b := range laneOf(t, r, "close").Bars {
		require.NotContains(t, b.Note, "answered with an error")
	}
}

// refusing answers calls of a method, from the nth on, with a Thrift status of error and no state.
func refusing(method string, from int, sqlState string) func(base http.RoundTripper) http.RoundTripper {
	return func(base http.RoundTripper) http.RoundTripper {
		n := 0
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if !isCall(r, method) {
				return base.RoundTrip(r)
			}
			if n++; n < from {
				return base.RoundTrip(r)
			}
			b, _ := r.GetBody()
			body, _ := io.ReadAll(b)
			head := 8 + int(binary.BigEndian.Uint32(body[4:8])) + 4
			answer := bytes.Clone(body[:head])
			answer[3] = 2 // a reply
			answer = append(answer, 12, 0, 0, 12, 0, 1, 8, 0, 1, 0, 0, 0, 3)
			if sqlState != "" {
				answer = append(answer, 11, 0, 3, 0, 0, 0, 5)
				answer = append(answer, sqlState...)
			}
			answer = append(answer, 11, 0, 5, 0, 0, 0, 4, 'o', 'o', 'p', 's', 0, 0, 0)
			return &http.Response{StatusCode: 200, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {"application/x-thrift"}}, ContentLength: int64(len(answer)), Body: io.NopCloser(bytes.NewReader(answer)), Request: r}, nil
		})
	}
}

func TestADescriptionThatIsRefusedAfterTheFirstStatusCallWasIsNotWhyAnExecFailed(t *testing.T) {
	for _, state := range []string{"", "42000"} {
		_, v := performed(t, scene{opts: working(polledPages, time.Hour), reader: "exec", through: refusing("GetOperationStatus", 1, state), faults: []workspace.Fault{call(0, 0, "GetResultSetMetadata", workspace.Latency(2*time.Second)), call(0, 0, "GetResultSetMetadata", workspace.Status(403))}})
		require.NotContains(t, v.Sentence, "GetResultSetMetadata failed")
		require.NotContains(t, v.Advice, "refused access")
	}
}

// A CloseOperation that the driver repeated, gave up and ignores: the transfer follows, which no transport of the
// wrapper carries.
func TestATransferAfterACloseThatWasGivenUpIsNotARequestThatIsRepeated(t *testing.T) {
	for _, do := range []workspace.Action{workspace.Status(503), workspace.Reset()} {
		r, v := performed(t, scene{opts: polledPages, program: volumeExec(putStatement(t), 0), faults: []workspace.Fault{call(5, 0, "CloseOperation", do), transfers(workspace.Latency(10 * time.Second))}})
		require.Equal(t, telemetry.OutcomeCompleted, r.Outcome)
		require.Equal(t, 10*time.Second, r.Split[telemetry.PartTransfer], v.Sentence)
	}
}

func TestATransferAfterACloseThatWasRedirectedIsNotClosing(t *testing.T) {
	r, v := performed(t, scene{opts: polledPages, program: volumeExec(putStatement(t), 0), faults: []workspace.Fault{call(1, 0, "CloseOperation", workspace.RedirectToLogin()), transfers(workspace.Latency(10 * time.Second))}})
	require.Equal(t, telemetry.OutcomeCompleted, r.Outcome)
	require.Equal(t, 10*time.Second, r.Split[telemetry.PartTransfer], v.Sentence)
}

func TestAFarWorkspaceIsNotAServerAtWork(t *testing.T) {
	o := inlinePages
	far := workspace.Latency(1200 * time.Millisecond) // every call, as by satellite, or a proxy that inspects
	_, v := performed(t, scene{opts: o, faults: []workspace.Fault{call(0, 0, "ExecuteStatement", far), call(0, 0, "CloseOperation", far), call(0, 0, "FetchResults", far)}, program: func(ctx context.Context, db *sql.DB) error {
		for range 5 {
			if _, err := drain(db.QueryContext(ctx, statement(sceneRows))); err != nil {
				return err
			}
		}
		_, err := drain(db.QueryContext(ctx, statement(20)))
		return err
	}})
	require.NotEqual(t, telemetry.PartServer, v.Part, v.Sentence)
}

// signInBefore takes 20 s to sign in before the first call of a method.
type signInBefore struct {
	token, method string
	done          *bool
}

func (a signInBefore) Authenticate(r *http.Request) error {
	if !*a.done && isCall(r, a.method) {
		*a.done = true
		elsewhere(20 * time.Second) // as an OAuth token that has run out
	}
	r.Header.Set("Authorization", "Bearer "+a.token)
	return nil
}

// signedIn performs a scene whose authenticator takes 20 s before the first call of a method.
func signedIn(t *testing.T, s scene, method string) (r *telemetry.Statement) {
	synctest.Test(t, func(t *testing.T) {
		s.opts.InMemory = true
		ws, err := workspace.Start(s.opts)
		require.NoError(t, err)
		transport := ws.Transport()
		storage := ws.StorageURL()[len("http://"):]
		inMemory.Store(storage, transport)
		defer func() {
			inMemory.Delete(storage)
			transport.CloseIdleConnections()
			require.NoError(t, ws.Close())
			time.Sleep(time.Hour)
		}()
		sink := &memory{}
		c, err := listening(sink).NewConnector(append(options(ws), dbsql.WithTransport(transport), dbsql.WithAuthenticator(signInBefore{ws.Token(), method, new(bool)}))...)
		require.NoError(t, err)
		db := sql.OpenDB(c)
		require.NoError(t, s.run(t, ws, db, sink).err)
		require.NoError(t, db.Close())
		time.Sleep(time.Minute)
		r = sink.statements[0]
	})
	return r
}

func TestSigningInBeforeACloseIsNoTransfer(t *testing.T) {
	r := signedIn(t, scene{opts: polledPages, program: volumeExec(putStatement(t), 0)}, "CloseOperation")
	require.Zero(t, r.Split[telemetry.PartTransfer])
}

func TestSigningInBeforeACloseIsNotDecoding(t *testing.T) {
	for _, reader := range []string{"driver rows", "arrow", "ipc"} {
		r := signedIn(t, scene{opts: inlinePages, reader: reader}, "CloseOperation")
		require.Zero(t, r.Split[telemetry.PartDecode])
	}
}

func TestSigningInBeforeACloseIsNoFile(t *testing.T) {
	for _, reader := range []string{"driver rows", "arrow", "ipc"} {
		r := signedIn(t, scene{opts: asked(filesOfPages), reader: reader}, "CloseOperation")
		require.Zero(t, r.Split[telemetry.PartFile])
	}
}

func TestAPageAfterAPauseThatWaitsForANewConnectionIsNotSlow(t *testing.T) {
	r, v := performed(t, scene{opts: inlinePages, through: dialing(3*time.Second, 5*time.Second), sleeps: map[moment]time.Duration{atBoundary: 20 * time.Second}})
	require.Zero(t, r.Split[telemetry.PartPage], v.Sentence)
}

func TestARoundTripIsWithoutTheTimeToDialAfterAPause(t *testing.T) {
	o := inlinePages
	works := time.Duration(0)
	o.ExecutionTime = func(string) time.Duration { return works }
	r, v := performed(t, scene{opts: o, through: dialing(800*time.Millisecond, 5*time.Second), program: func(ctx context.Context, db *sql.DB) error {
		for range 3 {
			rows, err := db.QueryContext(ctx, statement(sceneRows))
			if err != nil {
				return err
			}
			rows.Next()
			elsewhere(time.Minute) // a proxy has closed the connection meanwhile
			if err := rows.Close(); err != nil {
				return err
			}
			works = 800 * time.Millisecond
		}
		_, err := drain(db.QueryContext(ctx, statement(20)))
		return err
	}})
	require.Equal(t, telemetry.PartServer, v.Part, "the server worked for 800 ms, the way there takes no time: %v", r.Split)
}

func TestACloseThatFailedTookNoTimeOfFilesThatAreRepeatedNow(t *testing.T) {
	got := scene{entry: "NewConnector", reader: "driver rows", opts: asked(filesOfPages), pause: 9 * time.Second, at: 15 * time.Second, faults: []workspace.Fault{
		call(0, 0, "CloseOperation", workspace.Status(404)), download(3, 0, workspace.Status(503)),
	}}.perform(t)
	v := explain.Of(got.look)
	require.NotContains(t, v.Sentence, "CloseOperation failed")
	require.NotContains(t, v.Advice, "look at the error of the statement", "it has none")
}

func TestTheSlowestFileIsWithoutItsRepetition(t *testing.T) {
	r, v := performed(t, scene{opts: filesOfPages, query: statement(10 * pageRows), pause: 9 * time.Second, faults: []workspace.Fault{
		download(1, 4, workspace.Status(503)), download(0, 0, workspace.Latency(2*time.Second)),
	}})
	require.Equal(t, 20*time.Second, r.Split[telemetry.PartFile])
	require.NotRegexp(t, `slowest ([3-9]|1[0-9])`, v.Sentence, "each file took 2 s; the pause of about 9 s is in retry")
}

// The driver returns only that the context has ended.
func TestACancellationThatIsRefusedIsKnown(t *testing.T) {
	opts := asked(workspace.Options{ExecutionTime: func(string) time.Duration { return time.Hour }})
	for name, c := range map[string]struct {
		faults []workspace.Fault
		want   telemetry.Category
	}{
		"accepted": {nil, ""},
		"refused":  {[]workspace.Fault{call(0, 0, "CancelOperation", workspace.Status(403))}, telemetry.CategoryPermission},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := performed(t, scene{opts: opts, reader: "driver rows", at: time.Second / 2, cancel: true, faults: c.faults})
			require.Equal(t, telemetry.OutcomeCanceled, r.Outcome)
			require.Equal(t, telemetry.CategoryCanceled, r.Failure.Category)
			require.Equal(t, c.want, r.CancelError)
		})
	}
}

// The server has said that there are no more rows.
func TestRowsThatWereAllReadAreCompleteIfTheApplicationClosesThem(t *testing.T) {
	for end, want := range map[ending]telemetry.Outcome{
		closedEarly: telemetry.OutcomeCompleted,
		dropped:     telemetry.OutcomeAbandoned,
	} {
		t.Run(string(end), func(t *testing.T) {
			r, _ := performed(t, scene{opts: filesOfPages, reader: "driver rows", ending: end, stop: sceneRows})
			require.Equal(t, telemetry.Known(int64(sceneRows)), r.RowsRead)
			require.Equal(t, want, r.Outcome)
		})
	}
}
