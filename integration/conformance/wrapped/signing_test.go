package wrapped

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/databricks/databricks-sql-go/auth"
	"github.com/databricks/databricks-sql-go/auth/oauth/m2m"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/logsink"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/ndjson"
)

// tokenFromDatabase signs the first call of a method with a token that it reads from a database, within the
// context of the request, as token providers do.
type tokenFromDatabase struct {
	signer
	method string
	from   *sql.DB
	read   *bool
}

func (a tokenFromDatabase) Authenticate(r *http.Request) error {
	if !*a.read && isCall(r, a.method) {
		*a.read = true
		var token int
		if err := a.from.QueryRowContext(r.Context(), "SELECT 1").Scan(&token); err != nil {
			return err
		}
	}
	return a.signer.Authenticate(r)
}

func TestAStatementOfAnAuthenticatorIsNotTheStatementThatItSignsFor(t *testing.T) {
	for _, method := range []string{"OpenSession", "ExecuteStatement"} {
		t.Run(method, func(t *testing.T) {
			ws, other := workspace.New(t, workspace.Options{}), workspace.New(t, workspace.Options{})
			silent, err := driverwrap.Config{Settings: telemetry.Settings{Enabled: telemetry.SwitchOff}}.NewConnector(options(other)...)
			require.NoError(t, err)
			from := sql.OpenDB(silent)
			defer func() { require.NoError(t, from.Close()) }()
			sink := &memory{}
			c, err := listening(sink).NewConnector(append(options(ws), dbsql.WithAuthenticator(tokenFromDatabase{signer{ws.Token()}, method, from, new(bool)}))...)
			require.NoError(t, err)
			db := sql.OpenDB(c)
			_, err = drain(db.QueryContext(t.Context(), statement(3)))
			require.NoError(t, err)
			require.NoError(t, db.Close())

			require.Len(t, sink.statements, 1)
			r, truth := sink.statements[0], ws.Statements()[0]
			require.Equal(t, truth.ID, r.StatementID)
			require.Len(t, r.Calls, 1)
			require.Equal(t, telemetry.Known[int64](3), r.Calls[0].Rows, "the rows of the answer to its own ExecuteStatement")
			require.Len(t, sink.opened, 1)
			require.Equal(t, r.SessionID, sink.opened[0].SessionID)
		})
	}
}

// The driver passes ids to a callback in the context, which such a statement inherits.
func TestTheIDsOfAnAuthenticatorsStatementAreNotThoseOfTheStatementThatItSignsFor(t *testing.T) {
	for _, wrapped := range []bool{false, true} {
		for _, method := range []string{"GetOperationStatus", "GetResultSetMetadata", "FetchResults", "CloseOperation"} {
			t.Run(fmt.Sprint(method, ", Wrap ", wrapped), func(t *testing.T) {
				ws := workspace.New(t, workspace.Options{NoDirectResults: true, CloudFetchThreshold: -1})
				other := workspace.New(t, workspace.Options{})
				from := sql.OpenDB(nativeConnector(t, other.DSN("enableTelemetry=false")))
				defer func() { require.NoError(t, from.Close()) }()
				sink := &memory{}
				opts := append(options(ws), dbsql.WithAuthenticator(tokenFromDatabase{signer{ws.Token()}, method, from, new(bool)}))
				c, err := listening(sink).NewConnector(opts...)
				if wrapped {
					var native driver.Connector
					native, err = dbsql.NewConnector(opts...)
					c = listening(sink).Wrap(native)
				}
				require.NoError(t, err)
				db := sql.OpenDB(c)
				_, err = drain(db.QueryContext(t.Context(), statement(3)))
				require.NoError(t, err)
				require.NoError(t, db.Close())

				truth := ws.Statements()[0]
				require.Len(t, sink.statements, 1)
				require.Equal(t, truth.ID, sink.statements[0].StatementID)
				require.Equal(t, truth.SessionID, sink.statements[0].SessionID)
			})
		}
	}
}

// slowly is an authenticator that takes long for one call of a method, counted from 0.
type slowly struct {
	signer
	method string
	nth    int32
	takes  time.Duration
	seen   *atomic.Int32
}

func (a slowly) Authenticate(r *http.Request) error {
	if isCall(r, a.method) && a.seen.Add(1) == a.nth+1 {
		elsewhere(a.takes)
	}
	return a.signer.Authenticate(r)
}

func signingIn(method string, nth int32, takes time.Duration) func(string) auth.Authenticator {
	return func(token string) auth.Authenticator {
		return slowly{signer{token}, method, nth, takes, new(atomic.Int32)}
	}
}

// cancelAfter cancels a query that is polled for.
func cancelAfter(d time.Duration) func(context.Context, *sql.DB) error {
	return func(ctx context.Context, db *sql.DB) error {
		ctx, cancel := context.WithTimeout(ctx, d)
		defer cancel()
		_, err := drain(db.QueryContext(ctx, statement(sceneRows)))
		return err
	}
}

func TestSigningInToAskForTheStatusIsNotTheServersTime(t *testing.T) {
	for name, s := range map[string]scene{
		"first status call":  {signIn: signingIn("GetOperationStatus", 0, 20*time.Second)},
		"second status call": {signIn: signingIn("GetOperationStatus", 1, 20*time.Second)},
		"of an Exec":         {signIn: signingIn("GetOperationStatus", 1, 20*time.Second), reader: "exec"},
		"to cancel":          {signIn: signingIn("CancelOperation", 0, 20*time.Second), program: cancelAfter(500 * time.Millisecond)},
	} {
		t.Run(name, func(t *testing.T) {
			s.entry, s.opts, s.at = "NewConnector", working(polledPages, 1500*time.Millisecond), 18*time.Second
			if s.reader == "" {
				s.reader = "rows"
			}
			got := s.perform(t)
			for _, r := range []*telemetry.Statement{got.look, got.record} {
				v := explain.Of(r)
				require.Equal(t, telemetry.PartUnknown, v.Part, v.Sentence)
				require.LessOrEqual(t, r.Split[telemetry.PartServer], 2200*time.Millisecond)
				require.Zero(t, r.Split[telemetry.PartPoll])
				require.NotContains(t, v.Advice, "poll interval")
				require.NotContains(t, v.Advice, "larger warehouse")
				require.Contains(t, v.Advice, "identity provider")
				require.Equal(t, r.Total, r.Split.Total())
				require.Empty(t, checkCopy(r))
			}
		})
	}
}

func TestTheServerWorkedWhileTheDriverSignedInIfItStillRunsAfterwards(t *testing.T) {
	r, v := performed(t, scene{opts: working(polledPages, time.Minute), signIn: signingIn("GetOperationStatus", 1, 20*time.Second)})
	require.Equal(t, telemetry.PartServer, v.Part)
	require.Zero(t, r.Split[telemetry.PartUnknown])
	require.Equal(t, r.Total, r.Split[telemetry.PartServer])
}

// The statement runs for long, and then the driver signs in for a little less long.
func TestTheServersTimeIsNotExplainedByAStatusCallThatWasOverdue(t *testing.T) {
	_, v := performed(t, scene{opts: working(polledPages, 30500*time.Millisecond), signIn: signingIn("GetOperationStatus", 30, 25*time.Second)})
	require.Equal(t, telemetry.PartServer, v.Part)
	require.NotContains(t, v.Sentence, "before a status call noticed")
	require.NotContains(t, v.Advice, "poll interval")
}

func TestTheServersOwnTimeEndsBeforeAStatusCallThatWasOverdue(t *testing.T) {
	for works, server := range map[time.Duration]time.Duration{500 * time.Millisecond: 500 * time.Millisecond, 15 * time.Second: 15 * time.Second} {
		o := working(polledPages, works)
		o.ServerTimes = true
		r, v := performed(t, scene{opts: o, signIn: signingIn("GetOperationStatus", 0, 20*time.Second)})
		require.Equal(t, server, r.Split[telemetry.PartServer], v.Sentence)
		require.LessOrEqual(t, r.Split[telemetry.PartPoll], time.Second)
		require.Equal(t, r.Total, r.Split.Total())
	}
}

func TestSigningInForACallIsInTheDriverBetweenItsRequests(t *testing.T) {
	for name, s := range map[string]scene{
		"a description":       {opts: polledPages, signIn: signingIn("GetResultSetMetadata", 0, 20*time.Second)},
		"a page":              {opts: inlinePages, signIn: signingIn("FetchResults", 1, 20*time.Second)},
		"links of more files": {opts: asked(filesOfPages), reader: "driver rows", signIn: signingIn("FetchResults", 0, 20*time.Second)},
		"closing an Exec":     {opts: polledPages, reader: "exec", signIn: signingIn("CloseOperation", 0, 20*time.Second)},
		"closing rows early":  {opts: inlinePages, ending: closedEarly, signIn: signingIn("CloseOperation", 0, 20*time.Second)},
	} {
		t.Run(name, func(t *testing.T) {
			r, v := performed(t, s)
			require.GreaterOrEqual(t, v.Time, 20*time.Second)
			require.Contains(t, v.Sentence, "in the driver, between its requests")
			require.Equal(t, explain.Of(&telemetry.Statement{Total: 1, RPCs: []telemetry.RPC{}, Split: telemetry.Split{telemetry.PartNetwork: 1}}).Advice, v.Advice, "about signing in")
			require.Equal(t, r.Total, r.Split.Total())
		})
	}
}

// The driver pauses after an attempt that failed, and signs in again for the next one.
func TestSigningInToRepeatACallIsNotThePauseBeforeIt(t *testing.T) {
	const pause, late = 3 * time.Second, 5 * time.Second
	for name, c := range map[string]struct {
		method string
		fails  []workspace.Action
		retry  time.Duration // the attempt that fails, and the pause after it
	}{
		"a statement":                 {"ExecuteStatement", do(workspace.Status(503)), pause},
		"a statement, without a body": {"ExecuteStatement", do(workspace.Answer(503, "text/plain", "")), pause},
		"a status":                    {"GetOperationStatus", do(workspace.Reset()), pause},
		"a page":                      {"FetchResults", do(workspace.Status(429)), pause},
		"a page, asked to wait":       {"FetchResults", do(workspace.StatusRetryAfter(503, 9*time.Second)), 9 * time.Second},
		"a page, asked not to wait":   {"FetchResults", do(workspace.StatusRetryAfter(503, 0)), 0},
		"a page, slow to fail":        {"FetchResults", do(workspace.Latency(late), workspace.Status(503)), late + pause},
		"a page, slow to end":         {"FetchResults", do(workspace.SlowBody(late), workspace.Status(503)), late + pause},
	} {
		t.Run(name, func(t *testing.T) {
			s := scene{opts: polledPages, pause: pause, signIn: signingIn(c.method, 1, 20*time.Second)}
			for _, action := range c.fails {
				s.faults = append(s.faults, call(1, 0, c.method, action))
			}
			r, v := performed(t, s)
			require.Equal(t, telemetry.PartUnknown, v.Part, v.Sentence)
			require.InDelta(t, c.retry.Seconds(), r.Split[telemetry.PartRetry].Seconds(), 0.11)
			require.InDelta(t, 20, r.Split[telemetry.PartUnknown].Seconds(), 0.11)
			require.Contains(t, v.Advice, "identity provider")
			require.Equal(t, r.Total, r.Split.Total())
		})
	}
}

func do(actions ...workspace.Action) []workspace.Action { return actions }

// keyless is an authenticator that has no credential for the calls of a method, after some.
type keyless struct {
	signer
	method string
	after  int32
	how    func()
	seen   *atomic.Int32
}

func (a keyless) Authenticate(r *http.Request) error {
	if !isCall(r, a.method) || a.seen.Add(1) <= a.after {
		return a.signer.Authenticate(r)
	}
	elsewhere(20 * time.Second)
	a.how()
	return errors.New("the secret has expired")
}

// A call for which the driver cannot sign in is never sent, and no other call shows what it waited for.
func TestSigningInThatFailsIsNeitherDecodingNorAFileNorATransfer(t *testing.T) {
	for name, s := range map[string]scene{
		"to close, after the last row":   {opts: polledPages, reader: "driver rows"},
		"to close, after the last batch": {opts: polledPages, reader: "arrow"},
		"to close, before files":         {opts: asked(filesOfPages), reader: "driver rows"},
		"to close, before a transfer":    {opts: polledPages, reader: "exec", query: putStatement(t)},
		"to close, and panics":           {opts: polledPages, reader: "driver rows"},
		"for a page, and panics":         {opts: polledPages, reader: "arrow"},
		"for the description of rows":    {opts: polledPages, reader: "driver rows"},
	} {
		t.Run(name, func(t *testing.T) {
			a := keyless{method: "CloseOperation", how: func() {}, seen: new(atomic.Int32)}
			switch {
			case strings.HasPrefix(name, "for a page"):
				a.method, a.after = "FetchResults", 1
			case strings.HasPrefix(name, "for the description"):
				a.method = "GetResultSetMetadata"
			}
			if strings.HasSuffix(name, "panics") {
				a.how = func() { panic("no credential") }
			}
			s.signIn = func(token string) auth.Authenticator {
				a.signer = signer{token}
				return a
			}
			s.stop = sceneRows + 1
			reads := application{scene: s}
			s.program = func(ctx context.Context, db *sql.DB) (err error) {
				defer func() { _ = recover() }()
				reads.db = db
				return reads.run(ctx)
			}
			r, v := performed(t, s)
			require.Zero(t, r.Split[telemetry.PartDecode]+r.Split[telemetry.PartFile]+r.Split[telemetry.PartTransfer], v.Sentence)
			require.Contains(t, v.Advice, "identity provider")
			require.Equal(t, r.Total, r.Split.Total())
		})
	}
}

func TestAnArrowReaderThatEndsBecauseNoPageCouldBeRequestedHasFailed(t *testing.T) {
	for _, reader := range []string{"arrow", "ipc"} {
		r, v := performed(t, scene{opts: polledPages, reader: reader, stop: sceneRows, signIn: func(token string) auth.Authenticator {
			return keyless{signer{token}, "FetchResults", 1, func() {}, new(atomic.Int32)}
		}})
		require.Equal(t, telemetry.OutcomeFailed, r.Outcome)
		require.Equal(t, telemetry.CategoryAuth, r.Failure.Category)
		require.Contains(t, v.Advice, "look at the credential")
	}
}

// The statement has not been seen to run: nothing is known but that it was accepted.
func TestAStatementThatFailsBecauseTheDriverCannotSignInNeedsACredential(t *testing.T) {
	for _, method := range []string{"ExecuteStatement", "GetOperationStatus", "FetchResults"} {
		r, v := performed(t, scene{opts: working(polledPages, 1500*time.Millisecond), reader: "driver rows", signIn: func(token string) auth.Authenticator {
			return keyless{signer{token}, method, 0, func() {}, new(atomic.Int32)}
		}})
		require.Equal(t, telemetry.CategoryAuth, r.Failure.Category)
		require.Equal(t, "The request was not sent: look at the credential, at the identity provider, and at the credential of a proxy on the way.", v.Advice)
	}
}

// tokenEndpoint is an identity provider whose tokens live for a second. After some tokens, it answers otherwise.
type tokenEndpoint struct {
	token     string
	good      int
	otherwise func() (status int, body string)
}

func (p *tokenEndpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body := 200, `{"access_token":"`+p.token+`","expires_in":11}` // a token is renewed 10 s before its end
	if at := "https://" + r.URL.Host; strings.Contains(r.URL.Path, "well-known") {
		body = `{"issuer":"` + at + `/oidc","oidc_endpoint":"` + at + `/oidc","authorization_endpoint":"` + at + `/authorize","token_endpoint":"` + at + `/token"}`
	} else if p.good--; p.good < 0 {
		if status, body = p.otherwise(); status == 0 {
			return nil, os.ErrDeadlineExceeded
		}
	}
	h := http.Header{"Content-Type": {"application/json"}}
	return &http.Response{StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func TestATokenEndpointThatFails(t *testing.T) {
	const secret = "s3cr3t0facl1ent"
	type answer struct {
		status   int
		body     string
		takes    time.Duration
		category telemetry.Category
	}
	for name, a := range map[string]answer{
		"401":   {401, `{"error":"invalid_client","error_description":"no client has ` + secret + `"}`, 0, telemetry.CategoryAuth},
		"429":   {429, `{"error":"slow_down"}`, 0, telemetry.CategoryAuth},
		"503":   {503, "<html>" + secret + "</html>", 0, telemetry.CategoryAuth},
		"HTML":  {200, "<html>" + secret + "</html>", 0, telemetry.CategoryAuth},
		"hangs": {0, "", time.Minute, telemetry.CategoryTimeout},
	} {
		for _, good := range []int{0, 1} { // tokens: it fails for OpenSession, or for the second status call
			t.Run(fmt.Sprint(name, " after ", good), func(t *testing.T) {
				provider := &tokenEndpoint{good: good, otherwise: func() (int, string) {
					elsewhere(a.takes)
					return a.status, a.body
				}}
				network := http.DefaultTransport
				http.DefaultTransport = provider
				defer func() { http.DefaultTransport = network }()
				got := scene{entry: "NewConnector", reader: "driver rows", pause: 5 * time.Second, opts: working(polledPages, 1500*time.Millisecond), signIn: func(token string) auth.Authenticator {
					provider.token = token
					return m2m.NewAuthenticator("client", secret, "simulated.cloud.databricks.com")
				}}.perform(t)
				require.Error(t, got.err)
				require.Len(t, got.opened, 1)
				var written bytes.Buffer
				log, file := logsink.New(slog.New(slog.NewTextHandler(&written, nil)), slog.LevelDebug, 0), ndjson.New(&written)
				log.SessionOpened(got.opened[0])
				file.SessionOpened(got.opened[0])
				f := got.opened[0].Failure
				if good > 0 {
					r, v := got.record, explain.Of(got.record)
					log.StatementFinished(r)
					file.StatementFinished(r)
					f = r.Failure
					require.Equal(t, telemetry.PartUnknown, v.Part, v.Sentence)
					require.Contains(t, v.Advice, "identity provider")
				}
				require.Equal(t, a.category, f.Category)
				require.NotContains(t, written.String(), secret)
				require.NotContains(t, written.String(), provider.token)
			})
		}
	}
}
