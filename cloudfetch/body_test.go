package cloudfetch

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// recorder is a body that writes down what is asked of it, and gives its bytes
// in its own rhythm.
type recorder struct {
	b    []byte
	err  error
	rng  *rand.Rand
	log  []string
	both bool // the error comes with the last bytes
}

func (r *recorder) Read(p []byte) (int, error) {
	n := 0
	if len(r.b) > 0 && len(p) > 0 {
		n = r.rng.IntN(min(len(p), len(r.b)) + 1) // a read may give nothing
		copy(p, r.b[:n])
		r.b = r.b[n:]
	}
	var err error
	if len(r.b) == 0 && (n == 0 || r.both) {
		err = r.err
	}
	r.log = append(r.log, fmt.Sprint(len(p), n, err))
	return n, err
}

func (r *recorder) Close() error {
	r.log = append(r.log, "close")
	return errReset
}

// TestBodiesPassUnchanged compares what a reader sees, with and without the transport: for a
// file read by read, with what the body is asked; for an answer, which is read ahead, the
// bytes, the error and the end.
func TestBodiesPassUnchanged(t *testing.T) {
	bodies := wireExamples()
	bodies["html"] = []byte("<html>")
	bodies["empty"] = nil
	bodies["big"] = fetchReply(6, true, 10, fList(1281, tStruct, wireBatch(strings.Repeat("x", 50_000), 20)))
	seeds := uint64(8)
	if raceEnabled || testing.Short() {
		seeds = 2
	}
	for name, b := range bodies {
		for seed := range seeds {
			for _, code := range []int{200, 503, 404} {
				for _, fault := range []error{io.EOF, errReset} {
					for _, link := range []bool{false, true} {
						play := func(through bool) (log, seen []string) {
							rec := &recorder{b: b, err: fault, rng: rand.New(rand.NewPCG(seed, 1)), both: seed%2 == 0}
							s := newStage(t)
							ctx, _ := traced()
							s.execute(ctx, operationA)
							s.sendLinks(operationA, linkTo("a"))
							base := roundTripFunc(func(req *http.Request) (*http.Response, error) {
								return &http.Response{StatusCode: code, Header: http.Header{}, Body: rec, Request: req, ContentLength: -1}, nil
							})
							var rt http.RoundTripper = base
							if through {
								s.transport.base = WrapBase(base)
								rt = clients{s.transport}
							}
							req, _ := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewBuffer(operationRequest(fetchResults, 6, operationA)))
							req.Header.Set("Content-Type", "application/x-thrift")
							if link {
								req, _ = http.NewRequest(http.MethodGet, linkTo("a"), nil)
							}
							resp, err := rt.RoundTrip(req)
							require.NoError(t, err)
							rng := rand.New(rand.NewPCG(seed, 2))
							var content []byte
							for range 1_000_000 {
								p := make([]byte, 1+rng.IntN(1<<rng.IntN(14)))
								n, err := resp.Body.Read(p)
								content = append(content, p[:n]...)
								seen = append(seen, fmt.Sprint(string(p[:n]), err))
								if err != nil && (!link || rng.IntN(3) == 0) {
									seen = append(seen, err.Error())
									break
								}
							}
							seen = append(seen, fmt.Sprint(resp.Body.Close(), resp.Body.Close()))
							require.Zero(t, s.transport.counts.Stats().Panics)
							if link {
								return rec.log, seen
							}
							return nil, append(seen[len(seen)-2:], string(content))
						}
						log, seen := play(false)
						gotLog, gotSeen := play(true)
						require.Equal(t, log, gotLog, name)
						require.Equal(t, seen, gotSeen, name)
					}
				}
			}
		}
	}
}

// TestRequestsPassUnchanged compares what the base transport gets: the request itself, or, where it is
// asked for its connection, a copy with another context.
func TestRequestsPassUnchanged(t *testing.T) {
	ctx, _ := traced()
	var got *http.Request
	transport := New(WrapBase(roundTripFunc(func(req *http.Request) (*http.Response, error) {
		got = req
		return nil, errReset
	})), new(Counters))
	for _, contentType := range []string{"application/x-thrift", "text/plain", ""} {
		body := bytes.NewBuffer(executeRequest(1))
		req, _ := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, body)
		req.Header.Set("Content-Type", contentType)
		before, header := *req, req.Header.Clone()
		resp, err := transport.RoundTrip(req)
		require.Nil(t, resp)
		require.Same(t, errReset, err) // the very error
		if contentType == "application/x-thrift" {
			require.Same(t, ctx.Value(traceKey{}), got.Context().Value(traceKey{}))
			require.NotNil(t, httptrace.ContextClientTrace(got.Context()))
			want := req.WithContext(got.Context())
			want.GetBody, got.GetBody = nil, nil // functions cannot be compared
			require.Equal(t, want, got)
		} else {
			require.Same(t, req, got)
		}
		require.Equal(t, before.Body, got.Body)
		require.Equal(t, header, got.Header)
		require.Equal(t, len(executeRequest(1)), body.Len(), "the body was touched")
	}
}

func TestResponsesThatAreNotForReadingPassUntouched(t *testing.T) {
	ctx, _ := traced()
	for _, resp := range []*http.Response{
		nil,
		{StatusCode: 200},
		{StatusCode: http.StatusSwitchingProtocols, Body: io.NopCloser(strings.NewReader(""))},
	} {
		var body io.ReadCloser
		if resp != nil {
			body = resp.Body
		}
		transport := New(WrapBase(roundTripFunc(func(*http.Request) (*http.Response, error) { return resp, nil })), new(Counters))
		req, _ := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewBuffer(executeRequest(1)))
		req.Header.Set("Content-Type", "application/x-thrift")
		got, err := transport.RoundTrip(req)
		require.NoError(t, err)
		require.Same(t, resp, got)
		if resp != nil {
			require.Equal(t, body, got.Body)
		}
		require.Zero(t, transport.counts.Stats().Panics)
	}
}

func TestBodyWithWrongReadCounts(t *testing.T) {
	for _, n := range []int{-1, 100} {
		for _, size := range []int{4, aheadSize} {
			count := n * aheadSize
			b := &exchangeBody{ReadCloser: io.NopCloser(wrongCount(count))}
			got, err := b.Read(make([]byte, size))
			require.Equal(t, count, got)
			require.ErrorIs(t, err, errReset)
		}
		d := &downloadBody{ReadCloser: io.NopCloser(wrongCount(n)), download: download{counts: new(Counters)}}
		got, _ := d.Read(make([]byte, 4))
		require.Equal(t, n, got)
	}
}

type wrongCount int

func (c wrongCount) Read([]byte) (int, error) { return int(c), errReset }

func TestCloseDuringRead(t *testing.T) {
	for _, link := range []bool{false, true} {
		for range 50 {
			s := newStage(t)
			ctx, trace := traced()
			s.execute(ctx, operationA)
			s.sendLinks(operationA, linkTo("a"))
			r, w := io.Pipe()
			s.transport.base = WrapBase(roundTripFunc(func(req *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: 200, Header: http.Header{}, Body: r, Request: req, ContentLength: -1}, nil
			}))
			go func() { _, _ = w.Write(bytes.Repeat([]byte("x"), 1000)) }()
			req, _ := http.NewRequest(http.MethodPost, endpoint, bytes.NewBuffer(operationRequest(fetchResults, 6, operationA)))
			req.Header.Set("Content-Type", "application/x-thrift")
			if link {
				req, _ = http.NewRequest(http.MethodGet, linkTo("a"), nil)
			}
			resp, err := clients{s.transport}.RoundTrip(req)
			require.NoError(t, err)
			var wg sync.WaitGroup
			wg.Add(2)
			go func() { defer wg.Done(); _, _ = io.ReadAll(resp.Body) }()
			go func() { defer wg.Done(); _ = resp.Body.Close() }()
			wg.Wait()
			finish(trace)
			require.Zero(t, trace.files.sums.Downloaded)
			require.Zero(t, s.transport.counts.Stats().Panics)
		}
	}
}

func TestNothingIsWrappedWithoutATrace(t *testing.T) {
	body := io.NopCloser(strings.NewReader("x"))
	transport := New(WrapBase(roundTripFunc(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: body, Request: req}, nil
	})), new(Counters))
	for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodPut, http.MethodHead} {
		req, _ := http.NewRequestWithContext(context.Background(), method, endpoint, strings.NewReader("x"))
		req.Header.Set("Content-Type", "application/x-thrift")
		resp, err := transport.RoundTrip(req)
		require.NoError(t, err)
		require.Equal(t, body, resp.Body)
	}
}

// trickle gives one byte per read, as a slow line does, and notes how much was asked for.
type trickle struct {
	b     []byte
	asked []int
}

func (t *trickle) Read(p []byte) (int, error) {
	t.asked = append(t.asked, len(p))
	if len(t.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, t.b[:1])
	t.b = t.b[n:]
	return n, nil
}

func (t *trickle) Close() error { return nil }

// answered returns the body the driver gets for an answer.
func answerThrough(t *testing.T, inner io.ReadCloser) (io.ReadCloser, *Trace) {
	s := newStage(t)
	ctx, trace := traced()
	s.execute(ctx, operationA)
	s.transport.base = WrapBase(roundTripFunc(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: inner, Request: req, ContentLength: -1}, nil
	}))
	req, _ := http.NewRequest(http.MethodPost, endpoint, bytes.NewBuffer(operationRequest(fetchResults, 6, operationA)))
	req.Header.Set("Content-Type", "application/x-thrift")
	resp, err := s.transport.RoundTrip(req)
	require.NoError(t, err)
	return resp.Body, trace
}

func TestReadingAheadWaitsForNoMoreThanTheDriverAsked(t *testing.T) {
	content := fetchReply(6, false, 10)
	line := &trickle{b: content}
	body, _ := answerThrough(t, line)
	p := make([]byte, 1)
	for i := range content {
		n, err := body.Read(p)
		require.NoError(t, err)
		require.Equal(t, content[i:i+n], p[:n])
		require.Len(t, line.asked, i+1, "one read of the line for each byte that came, and none beyond")
	}
}

func TestLargeReadsAreNotCopied(t *testing.T) {
	content := fetchReply(6, true, 10, fList(1281, tStruct, wireBatch(strings.Repeat("x", 50_000), 20)))
	line := &recorder{b: content, err: io.EOF, rng: rand.New(rand.NewPCG(1, 1))}
	body, _ := answerThrough(t, line)
	p := make([]byte, 8*aheadSize)
	n, err := body.Read(p)
	require.NoError(t, err)
	require.Equal(t, []string{fmt.Sprint(len(p), n, nil)}, line.log)
}

func TestNothingIsDeliveredAfterClose(t *testing.T) {
	content := fetchReply(6, false, 10)
	body, _ := answerThrough(t, &closable{Reader: bytes.NewReader(content)})
	_, err := body.Read(make([]byte, 1))
	require.NoError(t, err)
	require.NoError(t, body.Close())
	_, err = body.Read(make([]byte, 1))
	require.ErrorIs(t, err, http.ErrBodyReadAfterClose, "what the network's body says after Close")
}

// closable refuses to be read once it is closed, as net/http's bodies do.
type closable struct {
	io.Reader
	closed bool
}

func (c *closable) Read(p []byte) (int, error) {
	if c.closed {
		return 0, http.ErrBodyReadAfterClose
	}
	return c.Reader.Read(p)
}

func (c *closable) Close() error { c.closed = true; return nil }
