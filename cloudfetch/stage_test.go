package cloudfetch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

const endpoint = "https://workspace.example.com/sql/1.0/warehouses/abc"

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// response makes one whose body gives b, then err (io.EOF if nil).
func response(req *http.Request, code int, b []byte, err error) *http.Response {
	if err == nil {
		err = io.EOF
	}
	return &http.Response{
		StatusCode: code, Header: http.Header{}, Request: req, ContentLength: -1,
		Body: io.NopCloser(&script{b: b, err: err}),
	}
}

// redirect is an answer that sends a request elsewhere.
func redirect(req *http.Request, code int, to string) (*http.Response, error) {
	resp := response(req, code, nil, nil)
	resp.Header.Set("Location", to)
	return resp, nil
}

// script is a body that gives its bytes and then fails. It has no WriteTo.
type script struct {
	b   []byte
	err error
}

func (s *script) Read(p []byte) (int, error) {
	if len(s.b) == 0 {
		return 0, s.err
	}
	n := copy(p, s.b)
	s.b = s.b[n:]
	return n, nil
}

var errReset = errors.New("connection reset")

// stage is a scripted workspace and storage, and a driver in front of it.
type stage struct {
	t         *testing.T
	transport *Transport
	answers   []answer // one per Thrift request, in order
	files     map[string]func(*http.Request) (*http.Response, error)
	sent      [][]byte
}

type answer struct {
	code int
	body []byte
	err  error // of RoundTrip
	cut  error // of the body, after its bytes
}

func newStage(t *testing.T) *stage {
	s := &stage{t: t, files: map[string]func(*http.Request) (*http.Response, error){}}
	s.transport = New(WrapBase(roundTripFunc(s.roundTrip)), new(Counters))
	return s
}

func (s *stage) roundTrip(req *http.Request) (*http.Response, error) {
	if f := s.files[req.URL.String()]; f != nil {
		return f(req)
	}
	if req.Body != nil {
		b, err := io.ReadAll(req.Body)
		require.NoError(s.t, err)
		s.sent = append(s.sent, b)
	}
	require.NotEmpty(s.t, s.answers, "unexpected request %s %s", req.Method, req.URL)
	a := s.answers[0]
	s.answers = s.answers[1:]
	if a.err != nil {
		return nil, a.err
	}
	resp := response(req, a.code, a.body, a.cut)
	resp.Header.Set("X-Databricks-Org-Id", "1234567890")
	return resp, nil
}

func (s *stage) answer(bodies ...[]byte) *stage {
	for _, b := range bodies {
		s.answers = append(s.answers, answer{code: http.StatusOK, body: b})
	}
	return s
}

// rpc sends a request as the driver's Thrift client does, reads the answer in
// small reads, and stops at its end without waiting for EOF.
func (s *stage) rpc(ctx context.Context, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewBuffer(body))
	require.NoError(s.t, err)
	req.Header = http.Header{"Content-Type": {"application/x-thrift"}, "Authorization": {"Bearer x"}}
	resp, err := s.transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	var got []byte
	var end reader
	end.start(false)
	buf := make([]byte, 8)
	for i := 0; ; i++ {
		n, err := resp.Body.Read(buf[:1<<(i%4)])
		got = append(got, buf[:n]...)
		end.feed(buf[:n])
		if err != nil && err != io.EOF {
			return got, err
		}
		if err == io.EOF || resp.StatusCode == http.StatusOK && end.progress == complete {
			return got, nil
		}
	}
}

func (s *stage) mustRPC(ctx context.Context, body []byte) {
	s.t.Helper()
	_, err := s.rpc(ctx, body)
	require.NoError(s.t, err)
}

// execute runs a statement that answers with a handle only.
func (s *stage) execute(ctx context.Context, operation string) {
	s.t.Helper()
	s.answer(wireReply(executeStatement, 1, fStatus(okStatus), fHandle(2, operation)))
	s.mustRPC(ctx, executeRequest(1))
}

// sendLinks lets the server send links in a page.
func (s *stage) sendLinks(operation string, urls ...string) {
	s.t.Helper()
	var links [][]byte
	for i, u := range urls {
		links = append(links, wireLink(u, 1700000000, int64(10*i), 10, 100))
	}
	s.answer(fetchReply(5, false, 0, fList(1282, tStruct, links...)))
	s.mustRPC(context.Background(), operationRequest(fetchResults, 5, operation))
}

// serve lets storage answer a URL with the given responses, in order; the last
// one stays.
func (s *stage) serve(url string, answers ...answer) {
	s.files[url] = func(req *http.Request) (*http.Response, error) {
		a := answers[0]
		if len(answers) > 1 {
			answers = answers[1:]
		}
		if a.err != nil {
			return nil, a.err
		}
		resp := response(req, a.code, a.body, a.cut)
		if a.cut == nil {
			resp.ContentLength = int64(len(a.body))
		}
		return resp, nil
	}
}

// get downloads as the driver does.
func (s *stage) get(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	require.NoError(s.t, err)
	resp, err := (&http.Client{Transport: s.transport.Downloads()}).Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(resp.Status)
	}
	return b, err
}

// soFar is the record of a statement that runs, finish that of one that is over.
func soFar(trace *Trace) *telemetry.Statement {
	r := &telemetry.Statement{}
	trace.Fill(r, time.Now())
	return r
}

func finish(trace *Trace) *telemetry.Statement {
	r := &telemetry.Statement{}
	trace.Finish(r, time.Now())
	return r
}

// rpcOf is what a record says of a method; zero where the method was not called.
func rpcOf(r *telemetry.Statement, m method) telemetry.RPC {
	for _, rpc := range r.RPCs {
		if rpc.Method == m.String() {
			return rpc
		}
	}
	return telemetry.RPC{}
}

// requireCounted and requireUncounted say whether a record has the counts that are known only
// when everything was seen and understood.
func requireCounted(t *testing.T, r *telemetry.Statement) {
	t.Helper()
	_, polls := r.Polling.Get()
	_, pages := r.Result.Pages.Get()
	_, rows := r.Result.Rows.Get()
	require.True(t, polls && pages && rows, "%+v", r)
}

func requireUncounted(t *testing.T, r *telemetry.Statement) {
	t.Helper()
	_, polls := r.Polling.Get()
	_, pages := r.Result.Pages.Get()
	_, rows := r.Result.Rows.Get()
	require.False(t, polls || pages || rows || r.CloudFetch != nil, "%+v", r)
}

func traced() (context.Context, *Trace) {
	trace := newTrace()
	return contextOf(context.Background(), trace), trace
}

func linkTo(name string) string {
	return "https://bucket.s3.amazonaws.com/results/" + name + "?X-Amz-Signature=" + strings.Repeat("ab", 32)
}

// sumsAdd checks that every file of a finished statement is counted once, and of one that runs
// at most once.
func sumsAdd(t *testing.T, r *telemetry.Statement) {
	t.Helper()
	c := r.CloudFetch
	if c == nil {
		return
	}
	ended := c.Downloaded + c.Failed + c.Abandoned
	listed := map[string]int64{}
	for _, f := range c.Files {
		listed[f.State]++
	}
	if len(c.Files) < maxFiles {
		require.Equal(t, c.Present-ended, listed[fileWaiting]+listed[fileDownloading], "%+v", c)
		require.Equal(t, []int64{c.Downloaded, c.Failed, c.Abandoned}, []int64{listed[fileDownloaded], listed[fileFailed], listed[fileAbandoned]})
	}
	require.GreaterOrEqual(t, c.Present, ended, "%+v", c)
}

// thrift makes req what the driver sends.
func thrift(req *http.Request, body []byte) {
	req.Header.Set("Content-Type", "application/x-thrift")
	req.ContentLength = int64(len(body))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	req.Body, _ = req.GetBody()
}

func newTrace() *Trace {
	t := &Trace{}
	t.Start(time.Now(), true)
	return t
}

// tracedContext carries a trace, as the contexts of package driverwrap do.
type tracedContext struct {
	context.Context
	trace *Trace
}

func (c tracedContext) Value(key any) any {
	if v := c.trace.Value(key); v != nil {
		return v
	}
	return c.Context.Value(key)
}

func contextOf(ctx context.Context, t *Trace) context.Context { return tracedContext{ctx, t} }

// clients sends a request as the driver does: a download with one of its clients, all else with the other.
type clients struct{ of *Transport }

func (c clients) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodGet {
		return c.of.Downloads().RoundTrip(req)
	}
	return c.of.RoundTrip(req)
}
