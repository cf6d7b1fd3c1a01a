package cloudfetch

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// canned answers each request with the same bytes, with as little as possible.
type canned struct {
	resp http.Response
	body cannedBody
}

type cannedBody struct{ bytes.Reader }

func (*cannedBody) Close() error { return nil }

type plainBody struct {
	io.Reader
	io.Closer
}

func (c *canned) answer(b []byte) {
	c.body.Reset(b)
	c.resp = http.Response{StatusCode: 200, ContentLength: int64(len(b)), Header: http.Header{}}
	c.resp.Body = plainBody{struct{ io.Reader }{&c.body}, &c.body}
}

func (c *canned) RoundTrip(*http.Request) (*http.Response, error) { return &c.resp, nil }

// observation is a transport with a statement that is under way.
func observation(tb testing.TB) (*Transport, *canned, *Trace) {
	tb.Helper()
	base := &canned{}
	transport := New(Base{Workspace: base, Storage: base, reports: maxConnections}, new(Counters))
	ctx, trace := traced()
	base.answer(wireReply(executeStatement, 1, fStatus(okStatus), fHandle(2, operationA)))
	req := thriftRequest(ctx, executeRequest(1))
	resp, err := transport.RoundTrip(req)
	require.NoError(tb, err)
	_, err = io.ReadAll(resp.Body)
	require.NoError(tb, err)
	require.NotEmpty(tb, soFar(trace).StatementID)
	return transport, base, trace
}

func thriftRequest(ctx context.Context, body []byte) *http.Request {
	req, _ := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewBuffer(body))
	req.Header = http.Header{"Content-Type": {"application/x-thrift"}, "Authorization": {"Bearer x"}}
	return req
}

// roundTrip is one RPC through rt, read to its end.
func roundTrip(rt http.RoundTripper, req *http.Request, buf []byte) {
	resp, _ := rt.RoundTrip(req)
	for {
		if _, err := resp.Body.Read(buf); err != nil {
			break
		}
	}
	_ = resp.Body.Close()
}

// TestAllocations holds the cost of one RPC, request and answer, to what it is.
func TestAllocations(t *testing.T) {
	links := make([][]byte, 20)
	buf := make([]byte, 4096)
	sequence := 0
	for name, c := range map[string]struct {
		request, answer func() []byte
		limit           float64
		without         bool // the context of the statement
	}{
		"status": {
			func() []byte { return operationRequest(getOperationStatus, 2, operationA) },
			func() []byte { return statusReply(2, 1) }, 4, false,
		},
		"close": {
			func() []byte { return operationRequest(closeOperation, 2, operationA) },
			func() []byte { return wireReply(closeOperation, 2, fStatus(okStatus)) }, 6, true,
		},
		"page of batches": {
			func() []byte { return operationRequest(fetchResults, 2, operationA) },
			func() []byte {
				return fetchReply(2, true, 0, fList(1281, tStruct, wireBatch(strings.Repeat("x", 1<<16), 3)))
			}, 4, false,
		},
		"page of 20 links": {
			func() []byte { return operationRequest(fetchResults, 2, operationA) },
			func() []byte {
				for i := range links {
					sequence++
					links[i] = wireLink(linkTo(fmt.Sprint(sequence)), 1, 2, 3, 4)
				}
				return fetchReply(2, true, 0, fList(1282, tStruct, links...))
			}, 6, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if raceEnabled {
				t.Skip("the race detector allocates")
			}
			transport, base, trace := observation(t)
			ctx := context.Background()
			if !c.without {
				ctx = context.WithValue(ctx, traceKey{}, trace)
			}
			const runs = 50
			requests, answers := make([]*http.Request, runs+1), make([][]byte, runs+1)
			measure := func(rt http.RoundTripper) float64 {
				for i := range requests {
					requests[i], answers[i] = thriftRequest(ctx, c.request()), c.answer()
				}
				i := 0
				return testing.AllocsPerRun(runs, func() {
					base.answer(answers[i])
					roundTrip(rt, requests[i], buf)
					i++
				})
			}
			bare, seen := measure(base), measure(transport)
			t.Logf("%v allocations, %v without", seen, bare)
			require.LessOrEqual(t, seen-bare, c.limit)
		})
	}
}

func TestUnobservedRequestsAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	transport, base, _ := observation(t)
	base.answer(nil)
	for name, req := range map[string]*http.Request{
		"get":             mustRequest(http.MethodGet, linkTo("unknown")),
		"post":            mustRequest(http.MethodPost, "https://h/x"),
		"other operation": thriftRequest(context.Background(), operationRequest(fetchResults, 2, operationB)),
	} {
		limit := 0.0
		if req.GetBody != nil {
			limit = 3 // the second reader of the body, and its interface
		}
		require.LessOrEqual(t, testing.AllocsPerRun(100, func() { _, _ = clients{transport}.RoundTrip(req) }), limit, name)
	}
}

func mustRequest(method, url string) *http.Request {
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		panic(err)
	}
	return req
}

func BenchmarkReaderInline(b *testing.B) {
	batches := make([][]byte, 64)
	for i := range batches {
		batches[i] = wireBatch(strings.Repeat("x", 256<<10), 1000)
	}
	message := fetchReply(1, true, 0, fList(1281, tStruct, batches...))
	for _, size := range []int{4 << 10, 32 << 10, 64 << 10} {
		b.Run(fmt.Sprintf("reads=%dK", size>>10), func(b *testing.B) {
			b.SetBytes(int64(len(message)))
			b.ReportAllocs()
			var r reader
			for b.Loop() {
				r.start(false)
				for m := message; len(m) > 0; {
					n := min(size, len(m))
					r.feed(m[:n])
					m = m[n:]
				}
			}
			if r.progress != complete || r.msg.rows != int64(1000*len(batches)) {
				b.Fatal(r.progress)
			}
		})
	}
}

// columnar is a page of string columns.
func columnar(columns, rows int) []byte {
	cols := make([][]byte, columns)
	for i := range cols {
		values := make([][]byte, rows)
		for j := range values {
			values[j] = text(fmt.Sprintf("value %d", j))
		}
		cols[i] = structOf(fStruct(7, fList(1, tString, values...), fString(2, "")))
	}
	return fetchReply(1, true, 0, fList(3, tStruct, cols...))
}

func BenchmarkReaderColumns(b *testing.B) {
	message := columnar(10, 10_000)
	for _, size := range []int{4, 32 << 10} {
		b.Run(fmt.Sprintf("reads=%d", size), func(b *testing.B) {
			b.SetBytes(int64(len(message)))
			var r reader
			for b.Loop() {
				r.start(false)
				for m := message; len(m) > 0; {
					n := min(size, len(m))
					r.feed(m[:n])
					m = m[n:]
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*((len(message)+size-1)/size)), "ns/read")
			if r.progress != complete {
				b.Fatal(r.progress)
			}
		})
	}
}

// clientReads cuts a message as the Thrift client reads it: value by value.
func clientReads(message []byte) (pieces [][]byte) {
	var r reader
	r.start(false)
	for len(message) > 0 {
		n := int(r.need)
		if r.phase >= inSkip {
			n = int(r.pending)
		}
		r.feed(message[:n])
		pieces, message = append(pieces, message[:n]), message[n:]
	}
	return pieces
}

// BenchmarkReaderAhead reads answers in the pieces they are read ahead in.
func BenchmarkReaderAhead(b *testing.B) {
	for name, message := range map[string][]byte{
		"columns": columnar(10, 1000),
		"direct":  directReply(1, true, fList(1281, tStruct, wireBatch("x", 5))),
	} {
		b.Run(name, func(b *testing.B) {
			var r reader
			for b.Loop() {
				r.start(false)
				for p := range slices.Chunk(message, aheadSize) {
					r.feed(p)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(clientReads(message))), "ns/value")
			if r.progress != complete {
				b.Fatal(r.progress)
			}
		})
	}
}

// BenchmarkTransport is paired: each case with a base that does nothing, and
// with the transport over it.
func BenchmarkTransport(b *testing.B) {
	links := make([][]byte, 20)
	for i := range links {
		links[i] = wireLink(linkTo(fmt.Sprint(i))+strings.Repeat("x", 1000), 1, 2, 3, 4)
	}
	for _, c := range []struct {
		name    string
		request []byte
		answer  []byte
		read    int
	}{
		{"status", operationRequest(getOperationStatus, 2, operationA), statusReply(2, 1), 4},
		{"inline=1M", operationRequest(fetchResults, 2, operationA), fetchReply(2, true, 0, fList(1281, tStruct, wireBatch(strings.Repeat("x", 1<<20), 3))), 32 << 10},
		{"links=20", operationRequest(fetchResults, 2, operationA), fetchReply(2, true, 0, fList(1282, tStruct, links...)), 512},
		{"columns", operationRequest(fetchResults, 2, operationA), columnar(10, 1000), 4},
		{"other", operationRequest(fetchResults, 2, operationB), statusReply(2, 1), 4},
	} {
		for _, seen := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/seen=%t", c.name, seen), func(b *testing.B) {
				transport, base, trace := observation(b)
				var rt http.RoundTripper = base
				if seen {
					rt = transport
				}
				buf := make([]byte, c.read)
				b.ReportAllocs()
				for b.Loop() {
					base.answer(c.answer)
					roundTrip(rt, thriftRequest(context.Background(), c.request), buf)
					if trace.registered > 0 {
						transport.registry.dropStatement(trace)
						transport.registry.addStatement(trace.id, trace)
						trace.files = nil
					}
				}
			})
		}
	}
}

// BenchmarkStatement is a whole traced statement with direct results, and the
// same without trace and transport.
func BenchmarkStatement(b *testing.B) {
	request, answer := executeRequest(1), directReply(1, true, fList(1281, tStruct, wireBatch("x", 5)))
	for _, seen := range []bool{false, true} {
		b.Run(fmt.Sprintf("seen=%t", seen), func(b *testing.B) {
			base := &canned{}
			transport := New(WrapBase(base), new(Counters))
			buf := make([]byte, 8)
			b.ReportAllocs()
			for b.Loop() {
				base.answer(answer)
				if !seen {
					roundTrip(base, thriftRequest(context.Background(), request), buf)
					continue
				}
				ctx, trace := traced()
				roundTrip(transport, thriftRequest(ctx, request), buf)
				r := &struct { // with room, as driverwrap makes it
					telemetry.Statement
					rpc  [1]telemetry.RPC
					call [2]telemetry.Call
				}{}
				r.RPCs, r.Calls = r.rpc[:0], r.call[:0]
				trace.Finish(&r.Statement, time.Now())
			}
		})
	}
}

// BenchmarkHTTP is paired, over a real connection, with the reads of the Thrift
// client: what the observation costs beside what it observes.
func BenchmarkHTTP(b *testing.B) {
	for _, c := range []struct {
		name   string
		answer []byte
	}{
		{"status", statusReply(2, 1)},
		{"direct", directReply(2, true, fList(1281, tStruct, wireBatch("x", 5)))},
		{"inline=1M", fetchReply(2, true, 0, fList(1281, tStruct, wireBatch(strings.Repeat("x", 1<<20), 3)))},
		{"columns", columnar(10, 1000)},
	} {
		reads := clientReads(c.answer)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = w.Write(c.answer)
		}))
		for _, seen := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/seen=%t", c.name, seen), func(b *testing.B) {
				base := NewBase(nil)
				transport := New(base, new(Counters))
				client := &http.Client{Transport: base.Workspace}
				if seen {
					client.Transport = transport
				}
				trace := newTrace()
				require.True(b, trace.tie(guid([]byte(operationA)), transport.registry))
				request := operationRequest(fetchResults, 2, operationA)
				if c.name == "status" {
					request = operationRequest(getOperationStatus, 2, operationA)
				}
				buf := make([]byte, 32<<10)
				b.ReportAllocs()
				for b.Loop() {
					req, _ := http.NewRequest(http.MethodPost, server.URL, bytes.NewBuffer(request))
					req.Header.Set("Content-Type", "application/x-thrift")
					resp, err := client.Do(req)
					if err != nil {
						b.Fatal(err)
					}
					for _, piece := range reads {
						for n := len(piece); n > 0; {
							got, err := resp.Body.Read(buf[:min(n, len(buf))])
							if n -= got; err != nil && n > 0 {
								b.Fatal(err)
							}
						}
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
				transport.CloseIdleConnections()
			})
		}
		server.Close()
	}
}
