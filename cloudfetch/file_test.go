package cloudfetch

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestFilesBelongToTheirStatement(t *testing.T) {
	s := newStage(t)
	ctxA, a := traced()
	ctxB, b := traced()
	s.execute(ctxA, operationA)
	s.execute(ctxB, operationB)
	s.sendLinks(operationA, linkTo("a0"), linkTo("a1"))
	s.sendLinks(operationB, linkTo("b0"))
	s.sendLinks(operationA, linkTo("a2")) // fetched ahead
	for _, name := range []string{"a2", "b0", "a0", "a1"} {
		s.serve(linkTo(name), answer{code: 200, body: []byte("content of " + name)})
		got, err := s.get(context.Background(), linkTo(name))
		require.NoError(t, err)
		require.Equal(t, "content of "+name, string(got))
	}
	fa, fb := finish(a), finish(b)
	require.EqualValues(t, 3, fa.CloudFetch.Downloaded)
	require.EqualValues(t, 3, fa.CloudFetch.Present)
	require.EqualValues(t, 1, fb.CloudFetch.Downloaded)
	require.EqualValues(t, 30, fa.Result.Rows.Or(-1))
	require.EqualValues(t, 300, fa.CloudFetch.Bytes)
	require.EqualValues(t, 3*len("content of a0"), fa.CloudFetch.Received)
	require.Equal(t, []int64{0, 1, 2}, []int64{fa.CloudFetch.Files[0].Index, fa.CloudFetch.Files[1].Index, fa.CloudFetch.Files[2].Index})
	for _, f := range fa.CloudFetch.Files {
		require.Equal(t, fileDownloaded, f.State)
		require.EqualValues(t, 1, f.Attempts)
		require.Equal(t, []int64{10, 100}, []int64{f.Rows, f.Bytes})
		require.Zero(t, f.Status)
		times := []time.Duration{f.Queued.Or(-1), f.Start.Or(-1), f.FirstByte.Or(-1), f.End.Or(-1)}
		require.True(t, slices.IsSorted(times) && times[0] >= 0, times)
	}
	require.Zero(t, s.transport.registry.linked.Load())
	require.EqualValues(t, 4, s.transport.counts.Stats().Files)
}

func TestFileTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		ctx, trace := traced()
		s.execute(ctx, operationA)
		s.sendLinks(operationA, linkTo("a"), linkTo("b"))
		slow := func(head, body time.Duration) func(*http.Request) (*http.Response, error) {
			return func(req *http.Request) (*http.Response, error) {
				time.Sleep(head)
				r, w := io.Pipe()
				go func() {
					_, _ = w.Write([]byte("x"))
					time.Sleep(body)
					_, _ = w.Write([]byte("y"))
					_ = w.Close()
				}()
				return &http.Response{StatusCode: 200, Body: r, ContentLength: -1, Request: req}, nil
			}
		}
		s.files[linkTo("a")] = slow(2*time.Second, 3*time.Second)
		s.files[linkTo("b")] = slow(time.Second, time.Second)
		time.Sleep(time.Minute)
		_, err := s.get(context.Background(), linkTo("b"))
		require.NoError(t, err)
		_, err = s.get(context.Background(), linkTo("a"))
		require.NoError(t, err)
		f := finish(trace)
		a := f.CloudFetch.Files[0]
		require.Equal(t, telemetry.Known(time.Duration(0)), a.Queued)
		require.Equal(t, telemetry.Known(62*time.Second), a.Start)
		require.Equal(t, telemetry.Known(64*time.Second), a.FirstByte)
		require.Equal(t, telemetry.Known(67*time.Second), a.End)
		require.Equal(t, 2*time.Second, f.CloudFetch.First)
		require.Equal(t, 5*time.Second, f.CloudFetch.Slowest)
		require.Equal(t, 7*time.Second, f.CloudFetch.Sum)
	})
}

func TestFileIsRetriedAndThenDownloaded(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.execute(ctx, operationA)
	s.sendLinks(operationA, linkTo("a"))
	s.serve(linkTo("a"), answer{code: 503}, answer{err: errReset}, answer{code: 200, body: []byte("half"), cut: errReset},
		answer{code: 200, body: []byte("whole")})
	for i, want := range []struct {
		status int
		failed int64
	}{{503, 1}, {0, 1}, {200, 1}, {200, 0}} {
		_, err := s.get(context.Background(), linkTo("a"))
		require.Equal(t, want.failed == 1, err != nil)
		f := soFar(trace)
		require.Equal(t, want.status, f.CloudFetch.Files[0].Status, i)
		require.Equal(t, want.failed, f.CloudFetch.Failed, i)
		_, failed := f.CloudFetch.FailedIndex.Get()
		require.Equal(t, want.failed == 1, failed)
		require.Equal(t, want.failed, trace.Fault().FailedFiles)
		require.EqualValues(t, want.status*int(want.failed), f.CloudFetch.FailedStatus.Or(0))
		sumsAdd(t, f)
	}
	f := finish(trace)
	require.Equal(t, fileDownloaded, f.CloudFetch.Files[0].State)
	require.EqualValues(t, 4, f.CloudFetch.Files[0].Attempts)
	require.EqualValues(t, 5, f.CloudFetch.Files[0].Received)
	require.EqualValues(t, 3, f.CloudFetch.Retries)
	require.EqualValues(t, 9, f.CloudFetch.Received)
}

func TestFailedAndAbandonedFilesAreReported(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.execute(ctx, operationA)
	s.sendLinks(operationA, linkTo("ok"), linkTo("missing"), linkTo("reset"), linkTo("cancelled"), linkTo("closed"), linkTo("never"), linkTo("early"))
	s.serve(linkTo("ok"), answer{code: 200, body: []byte("x")})
	s.serve(linkTo("missing"), answer{code: 404})
	s.serve(linkTo("reset"), answer{code: 200, body: []byte("x"), cut: errReset})
	s.serve(linkTo("closed"), answer{code: 200, body: []byte("xyz")})
	canceled, cancel := context.WithCancel(context.Background())
	s.files[linkTo("cancelled")] = func(req *http.Request) (*http.Response, error) {
		cancel()
		return nil, req.Context().Err()
	}
	s.files[linkTo("early")] = func(req *http.Request) (*http.Response, error) {
		resp := response(req, 200, []byte("xyz"), errReset)
		resp.ContentLength = 3
		return resp, nil
	}
	for _, name := range []string{"ok", "reset", "missing"} {
		_, _ = s.get(context.Background(), linkTo(name))
	}
	_, err := s.get(canceled, linkTo("cancelled"))
	require.ErrorIs(t, err, context.Canceled)
	for _, name := range []string{"closed", "early"} {
		req, _ := http.NewRequest(http.MethodGet, linkTo(name), nil)
		resp, err := s.transport.Downloads().RoundTrip(req)
		require.NoError(t, err)
		_, _ = io.ReadFull(resp.Body, make([]byte, map[string]int{"closed": 1, "early": 3}[name]))
		require.NoError(t, resp.Body.Close())
		require.NoError(t, resp.Body.Close())
	}
	before := soFar(trace)
	require.Equal(t, fileAbandoned, before.CloudFetch.Files[4].State)
	require.Equal(t, fileWaiting, before.CloudFetch.Files[5].State)
	sumsAdd(t, before)
	f := finish(trace)
	sumsAdd(t, f)
	want := []string{fileDownloaded, fileFailed, fileFailed, fileAbandoned, fileAbandoned, fileAbandoned, fileDownloaded}
	for i, state := range want {
		require.Equal(t, state, f.CloudFetch.Files[i].State, i)
	}
	require.EqualValues(t, 2, f.CloudFetch.Downloaded)
	require.EqualValues(t, 2, f.CloudFetch.Failed)
	require.EqualValues(t, 3, f.CloudFetch.Abandoned)
	require.Equal(t, telemetry.Known(int64(1)), f.CloudFetch.FailedIndex)
	require.Equal(t, telemetry.Known(int64(404)), f.CloudFetch.FailedStatus)
	require.Equal(t, 404, f.CloudFetch.Files[1].Status)
}

func TestRedirectedDownloadIsOneAttempt(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.execute(ctx, operationA)
	s.sendLinks(operationA, linkTo("a"))
	s.files[linkTo("a")] = func(req *http.Request) (*http.Response, error) {
		return redirect(req, http.StatusTemporaryRedirect, "https://elsewhere.example.com/a")
	}
	s.serve("https://elsewhere.example.com/a", answer{code: 200, body: []byte("content")})
	got, err := s.get(context.Background(), linkTo("a"))
	require.NoError(t, err)
	require.Equal(t, "content", string(got))
	f := finish(trace)
	require.Equal(t, fileDownloaded, f.CloudFetch.Files[0].State)
	require.EqualValues(t, 1, f.CloudFetch.Attempts)
	require.Zero(t, f.CloudFetch.Retries)
}

func TestARedirectAfterTheEndIsIgnored(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.execute(ctx, operationA)
	s.sendLinks(operationA, linkTo("a"))
	var ended *telemetry.Statement
	s.files[linkTo("a")] = func(req *http.Request) (*http.Response, error) {
		ended = finish(trace)
		return redirect(req, http.StatusTemporaryRedirect, "https://elsewhere.example.com/a")
	}
	s.serve("https://elsewhere.example.com/a", answer{code: 200, body: []byte("content")})
	_, err := s.get(context.Background(), linkTo("a"))
	require.NoError(t, err)
	require.Equal(t, fileAbandoned, ended.CloudFetch.Files[0].State)
	require.Equal(t, ended, soFar(trace))
}

func TestLateDownloadPassesUnobserved(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.execute(ctx, operationA)
	s.sendLinks(operationA, linkTo("a"), linkTo("b"))
	s.serve(linkTo("a"), answer{code: 200, body: []byte("x")})
	s.serve(linkTo("b"), answer{code: 200, body: []byte("x")})
	req, _ := http.NewRequest(http.MethodGet, linkTo("a"), nil)
	resp, err := s.transport.Downloads().RoundTrip(req)
	require.NoError(t, err)
	f := finish(trace)
	require.EqualValues(t, 2, f.CloudFetch.Abandoned)
	_, err = io.ReadAll(resp.Body)
	require.NoError(t, err)
	_, err = s.get(context.Background(), linkTo("b"))
	require.NoError(t, err)
	require.Equal(t, f, soFar(trace))
}

func TestLinkSentTwiceIsUntracked(t *testing.T) {
	s := newStage(t)
	ctxA, a := traced()
	ctxB, b := traced()
	s.execute(ctxA, operationA)
	s.execute(ctxB, operationB)
	s.serve(linkTo("shared"), answer{code: 503}, answer{code: 200, body: []byte("x")})
	s.serve(linkTo("own"), answer{code: 200, body: []byte("x")})
	s.sendLinks(operationA, linkTo("shared"), linkTo("own"))
	_, err := s.get(context.Background(), linkTo("shared"))
	require.Error(t, err)
	s.sendLinks(operationB, linkTo("shared"))
	for _, name := range []string{"shared", "shared", "own"} {
		_, err := s.get(context.Background(), linkTo(name))
		require.NoError(t, err)
	}
	require.Zero(t, a.Fault().FailedFiles, "its last attempt is not known")
	require.Nil(t, finish(a).CloudFetch)
	require.Nil(t, finish(b).CloudFetch)
	require.EqualValues(t, 1, s.transport.counts.Stats().Files, "the link that was sent once is followed")
	require.Zero(t, s.transport.registry.linked.Load())
}

func TestManyFilesAreSummedAndTheFirstDetailed(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.execute(ctx, operationA)
	var urls []string
	for i := range maxFiles + 50 {
		u := linkTo(fmt.Sprint(i))
		urls = append(urls, u)
		s.serve(u, answer{code: 200, body: []byte("abc")})
	}
	s.serve(urls[maxFiles+7], answer{code: 403})
	s.sendLinks(operationA, urls...)
	for _, u := range urls {
		_, _ = s.get(context.Background(), u)
	}
	f := finish(trace)
	require.Len(t, f.CloudFetch.Files, maxFiles)
	require.EqualValues(t, maxFiles+49, f.CloudFetch.Downloaded)
	require.Equal(t, telemetry.Known(int64(maxFiles+7)), f.CloudFetch.FailedIndex)
	sumsAdd(t, f)
}

func TestLinksBeyondTheBoundAreUntracked(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.execute(ctx, operationA)
	trace.registered = maxLinks - 1
	s.sendLinks(operationA, linkTo("a"), linkTo("b"))
	trace.registered -= maxLinks - 1
	require.Len(t, s.transport.registry.links, 1)
	f := finish(trace)
	require.Nil(t, f.CloudFetch)
	require.EqualValues(t, 20, f.Result.Rows.Or(-1), "what the pages say is known")
}

func TestLinkKeyOfRequestIsThatOfTheLink(t *testing.T) {
	for link, canonical := range map[string]bool{
		"https://bucket.s3.us-west-2.amazonaws.com/a/b.arrow?X-Amz-Date=1&X-Amz-Signature=ff%2F+": true,
		"https://account.blob.core.windows.net/c/d%20e.lz4?sv=2021&sig=a%2Bb%3D":                  true,
		"https://storage.googleapis.com/b/o!$&'()*+,;=:@[x]~-._?x=y?z=/ ^|{}":                     true,
		"http://127.0.0.1:8080/files/1?token=a":                                                   true,
		"http://h":                                                                                true,
		"http://h?q":                                                                              true,
		"http://h/?":                                                                              true,
		"http://h/a%2Fb%2fc":                                                                      true,
		"http://h/é?x":                                                                            false, "http://h/a b": false, "http://h/a?b#c": false, "HTTP://h/a": false, "http://h:/a": false,
		"http://u@h/a": false, "http://[::1]/a": false, "http://h/{a}": false, "http://h/%zz": false, "http://h/%2": false,
		"http:///a": false, "": false, "https:/": false, "ftp://h/a": false, "http://h:12a/": false,
		"http://h\x00/": false, "http://h/\x7f": false, "http://h/?\x01": true, // refused by net/url
	} {
		require.Equal(t, canonical, isCanonical([]byte(link)), link)
		checkKey(t, link, rand.New(rand.NewPCG(3, 4)))
	}
}

// checkKey checks that a canonical link has the key of its request, in pieces of any size.
func checkKey(t *testing.T, link string, rng *rand.Rand) {
	read := readPieces(false, cut(fetchReply(1, false, 0, fList(1282, tStruct, wireLink(link, 1, 2, 3, 4))), rng)...)
	if link == "" {
		require.Equal(t, undecodable, read.progress)
		return
	}
	require.Equal(t, len(link) <= maxLink && isCanonical([]byte(link)), read.links[0].canonical)
	req, err := http.NewRequest(http.MethodGet, link, nil)
	if err != nil || !read.links[0].canonical {
		return
	}
	key, ok := keyOf(req.URL)
	require.True(t, ok, link)
	require.Equal(t, read.links[0].key, key, "%q is written %q", link, req.URL.String())
}

func TestKeyOfOtherURLs(t *testing.T) {
	for _, u := range []*url.URL{nil, {}, {Opaque: "x"}, {Host: "h", Fragment: "f"}, {Host: "h", User: url.User("u")}} {
		_, ok := keyOf(u)
		require.False(t, ok)
	}
}

func TestConcurrentStatements(t *testing.T) {
	storage := roundTripFunc(func(req *http.Request) (*http.Response, error) {
		if req.URL.Query().Get("fail") != "" {
			return response(req, 404, nil, nil), nil
		}
		return response(req, 200, []byte(req.URL.Path), nil), nil
	})
	transport := New(WrapBase(storage), new(Counters))
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for j := range 20 {
				id := fmt.Sprintf("op-%05d-%06d-x", i, j)[:16]
				// Its own workspace, the same registry.
				s := newStage(t)
				s.transport.registry = transport.registry
				ctx, trace := traced()
				s.execute(ctx, id)
				urls := []string{linkTo(id + "a"), linkTo(id + "b"), linkTo(id+"c") + "&fail=1", linkTo(id + "d")}
				s.sendLinks(id, urls...)
				var files sync.WaitGroup
				for _, u := range urls[:3] {
					files.Add(1)
					go func() {
						defer files.Done()
						resp, err := (&http.Client{Transport: transport.Downloads()}).Get(u)
						if err == nil {
							_, _ = io.ReadAll(resp.Body)
							_ = resp.Body.Close()
						}
						_ = soFar(trace)
					}()
				}
				files.Wait()
				f := finish(trace)
				if f.CloudFetch.Downloaded != 2 || f.CloudFetch.Failed != 1 || f.CloudFetch.Abandoned != 1 || f.CloudFetch.FailedIndex != telemetry.Known(int64(2)) {
					t.Errorf("%+v", f.CloudFetch)
				}
			}
		}()
	}
	wg.Wait()
	require.Zero(t, transport.registry.busy.Load())
	require.Zero(t, transport.registry.linked.Load())
	require.Zero(t, transport.counts.Stats().Panics)
}

// A proxy that wants a cookie redirects a download for ever: net/http gives up after ten hops.
func TestADownloadThatIsRedirectedForEverHasFailed(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.execute(ctx, operationA)
	s.sendLinks(operationA, linkTo("b"), linkTo("a"))
	s.serve(linkTo("a"), answer{code: 200, body: []byte("whole")})
	s.files[linkTo("b")] = func(req *http.Request) (*http.Response, error) {
		return redirect(req, http.StatusFound, linkTo("b"))
	}
	_, err := s.get(context.Background(), linkTo("a"))
	require.NoError(t, err)
	for attempts := int64(1); attempts <= 2; attempts++ {
		_, err = s.get(context.Background(), linkTo("b"))
		require.ErrorContains(t, err, "stopped after 10 redirects")
		require.EqualValues(t, 1, trace.Fault().FailedFiles)
		require.Equal(t, attempts, soFar(trace).CloudFetch.Files[0].Attempts)
	}
	f := finish(trace)
	sumsAdd(t, f)
	require.Equal(t, fileFailed, f.CloudFetch.Files[0].State)
	require.EqualValues(t, 1, f.CloudFetch.Failed)
	require.Equal(t, telemetry.Known(int64(0)), f.CloudFetch.FailedIndex)
}

// The application's http.DefaultClient has a Timeout, which ends the driver's download; the reader has not
// stopped.
func TestADownloadThatTimesOutHasFailed(t *testing.T) {
	for name, body := range map[string]bool{"before its head": false, "in its body": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t)
				ctx, trace := traced()
				s.execute(ctx, operationA)
				s.sendLinks(operationA, linkTo("a"))
				s.files[linkTo("a")] = func(req *http.Request) (*http.Response, error) {
					if !body {
						<-req.Context().Done()
						return nil, req.Context().Err()
					}
					return &http.Response{StatusCode: 200, ContentLength: -1, Request: req, Body: io.NopCloser(readFunc(func([]byte) (int, error) {
						<-req.Context().Done()
						return 0, req.Context().Err()
					}))}, nil
				}
				client := &http.Client{Transport: s.transport.Downloads(), Timeout: 30 * time.Second}
				resp, err := client.Get(linkTo("a"))
				if err == nil {
					_, err = io.ReadAll(resp.Body)
					_ = resp.Body.Close()
				}
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.EqualValues(t, 1, trace.Fault().FailedFiles)
				f := finish(trace)
				require.Equal(t, fileFailed, f.CloudFetch.Files[0].State)
				require.Equal(t, telemetry.Known(int64(0)), f.CloudFetch.FailedIndex)
			})
		})
	}
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

// A transport of the application's need not say which request a response answers.
func TestARedirectWithoutItsRequestIsUnknown(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.execute(ctx, operationA)
	s.sendLinks(operationA, linkTo("a"))
	s.files[linkTo("a")] = func(req *http.Request) (*http.Response, error) {
		return redirect(nil, http.StatusTemporaryRedirect, "https://elsewhere.example.com/a")
	}
	s.serve("https://elsewhere.example.com/a", answer{code: 200, body: []byte("content")})
	got, err := s.get(context.Background(), linkTo("a"))
	require.NoError(t, err)
	require.Equal(t, "content", string(got))
	require.Nil(t, finish(trace).CloudFetch, "the file was downloaded, or it is unknown")
}

// A transport of the application's that sends requests through a gateway returns the rewritten ones with its
// responses. A redirect continues from there.
func TestARedirectOfARequestThatWasRewrittenIsUnknown(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.execute(ctx, operationA)
	s.sendLinks(operationA, linkTo("a"))
	s.files[linkTo("a")] = func(req *http.Request) (*http.Response, error) {
		rewritten := req.Clone(req.Context())
		rewritten.URL.Host = "gateway.example.com"
		return redirect(rewritten, http.StatusTemporaryRedirect, "https://elsewhere.example.com/a")
	}
	s.serve("https://elsewhere.example.com/a", answer{code: 200, body: []byte("content")})
	got, err := s.get(context.Background(), linkTo("a"))
	require.NoError(t, err)
	require.Equal(t, "content", string(got))
	require.Zero(t, trace.Fault().FailedFiles)
	require.Nil(t, finish(trace).CloudFetch, "the file was downloaded, or it is unknown")
}

// A transport of the application's, such as a cache, may end a body before its length, without an error.
func TestAFileThatEndsBeforeItsLengthIsUnknown(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.execute(ctx, operationA)
	s.sendLinks(operationA, linkTo("a"))
	s.files[linkTo("a")] = func(req *http.Request) (*http.Response, error) {
		resp := response(req, 200, []byte("half"), nil)
		resp.ContentLength = 8
		return resp, nil
	}
	_, _ = s.get(context.Background(), linkTo("a"))
	require.Zero(t, trace.Fault().FailedFiles)
	require.Empty(t, trace.Fault().Complete)
	require.Nil(t, finish(trace).CloudFetch)
}

// The driver does not request a link that has expired. The rows of that file did not arrive.
func TestRowsOfAFileThatWasNotRequestedAreNotComplete(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.execute(ctx, operationA)
	s.sendLinks(operationA, linkTo("a"), linkTo("b"))
	s.serve(linkTo("a"), answer{code: 200, body: []byte("x")})
	trace.CallReturned(time.Now())
	trace.ReadBegun(0, time.Now())
	_, err := s.get(context.Background(), linkTo("a"))
	require.NoError(t, err)
	require.NotEmpty(t, trace.Fault().Complete)
	require.EqualValues(t, 10, trace.RowReturned(1, time.Now()))
	trace.ReadBegun(10, time.Now())
	require.Empty(t, trace.Fault().Complete)
}

func TestHugeFilesAreUnknown(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.execute(ctx, operationA)
	s.answer(fetchReply(2, false, 0, fList(1282, tStruct, wireLink(linkTo("a"), 1, 0, 7, math.MaxInt64), wireLink(linkTo("b"), 1, 7, 7, math.MaxInt64))))
	s.mustRPC(ctx, operationRequest(fetchResults, 2, operationA))
	if c := finish(trace).CloudFetch; c != nil {
		require.GreaterOrEqual(t, c.Bytes, int64(0))
	}
}

// A result from the cache may have the links of the statement that filled the cache.
func TestALinkIsFreeOnceItsFileHasArrived(t *testing.T) {
	s := newStage(t)
	s.serve(linkTo("a"), answer{code: 200, body: []byte("x")})
	for _, operation := range []string{operationA, operationB} {
		ctx, trace := traced()
		defer func() { finish(trace) }() // the rows of both are open
		s.execute(ctx, operation)
		s.sendLinks(operation, linkTo("a"))
		_, err := s.get(context.Background(), linkTo("a"))
		require.NoError(t, err)
		require.NotNil(t, soFar(trace).CloudFetch)
		require.EqualValues(t, 1, soFar(trace).CloudFetch.Downloaded)
	}
}

// net/http may send the request for such a link with another spelling.
func TestFilesOfALinkThatIsNotCanonicalAreUnknown(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.execute(ctx, operationA)
	s.sendLinks(operationA, "http://h/a b")
	require.Nil(t, finish(trace).CloudFetch)
}

func TestAnAttemptUnderWayHasReceivedNothingOfTheOneBefore(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.execute(ctx, operationA)
	s.sendLinks(operationA, linkTo("a"))
	s.serve(linkTo("a"), answer{code: 200, body: []byte("half"), cut: errReset})
	_, err := s.get(context.Background(), linkTo("a"))
	require.ErrorIs(t, err, errReset)
	require.EqualValues(t, 4, soFar(trace).CloudFetch.Files[0].Received)
	s.files[linkTo("a")] = func(req *http.Request) (*http.Response, error) {
		require.Zero(t, soFar(trace).CloudFetch.Files[0].Received)
		return response(req, http.StatusOK, nil, nil), nil
	}
	_, err = s.get(context.Background(), linkTo("a"))
	require.NoError(t, err)
	require.EqualValues(t, 4, finish(trace).CloudFetch.Received)
}

// Only a redirect continues from the request of the response.
func TestAFileOfARequestThatWasRewrittenIsCounted(t *testing.T) {
	s := newStage(t)
	ctx, trace := traced()
	s.execute(ctx, operationA)
	s.sendLinks(operationA, linkTo("a"))
	s.files[linkTo("a")] = func(*http.Request) (*http.Response, error) {
		rewritten, _ := http.NewRequest(http.MethodGet, "http://gateway.example.com/a", nil)
		return response(rewritten, http.StatusOK, []byte("x"), nil), nil
	}
	_, err := s.get(context.Background(), linkTo("a"))
	require.NoError(t, err)
	require.EqualValues(t, 1, finish(trace).CloudFetch.Downloaded)
}

// net/http's client takes a response without a body as an empty one.
func TestAFileWithoutABodyIsAsWithoutTheTransport(t *testing.T) {
	s := newStage(t)
	ctx, _ := traced()
	s.execute(ctx, operationA)
	s.sendLinks(operationA, linkTo("a"))
	s.files[linkTo("a")] = func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Request: req}, nil
	}
	content, err := s.get(context.Background(), linkTo("a"))
	require.NoError(t, err)
	require.Empty(t, content)
}
