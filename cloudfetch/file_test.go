package cloudfetch

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFilesAreTiedToTheirStatement(t *testing.T) {
	s := newStage(t, Options{})
	ctxA, a := traced()
	ctxB, b := traced()
	s.execute(ctxA, operationA)
	s.execute(ctxB, operationB)
	s.handOut(operationA, linkTo("a0"), linkTo("a1"))
	s.handOut(operationB, linkTo("b0"))
	s.handOut(operationA, linkTo("a2")) // fetched ahead
	for _, name := range []string{"a2", "b0", "a0", "a1"} {
		s.serve(linkTo(name), answer{code: 200, body: []byte("content of " + name)})
		got, err := s.get(context.Background(), linkTo(name))
		require.NoError(t, err)
		require.Equal(t, "content of "+name, string(got))
	}
	fa, fb := a.Finish(), b.Finish()
	require.Equal(t, 3, fa.Files.Downloaded)
	require.Equal(t, 3, fa.Files.Present)
	require.Equal(t, 1, fb.Files.Downloaded)
	require.EqualValues(t, 30, fa.Files.Rows)
	require.EqualValues(t, 300, fa.Files.Bytes)
	require.EqualValues(t, 3*len("content of a0"), fa.Files.Received)
	require.Equal(t, []int{0, 1, 2}, []int{fa.Files.List[0].Index, fa.Files.List[1].Index, fa.Files.List[2].Index})
	require.Equal(t, []int{0, 0, 1}, []int{fa.Files.List[0].Page, fa.Files.List[1].Page, fa.Files.List[2].Page})
	for _, f := range fa.Files.List {
		require.Equal(t, FileDownloaded, f.State)
		require.Equal(t, 1, f.Attempts)
		require.Zero(t, f.Status)
		require.False(t, f.Start.Before(f.Queued) || f.FirstByte.Before(f.Start) || f.End.Before(f.FirstByte))
		require.Equal(t, time.Unix(1700000000, 0), f.Expiry)
	}
	require.Zero(t, s.transport.registry.linked.Load())
	require.EqualValues(t, 4, s.transport.Stats().Files)
}

func TestFileTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, Options{})
		ctx, trace := traced()
		s.execute(ctx, operationA)
		s.handOut(operationA, linkTo("a"), linkTo("b"))
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
		f := trace.Finish()
		a := f.Files.List[0]
		require.Equal(t, 62*time.Second, a.Start.Sub(a.Queued))
		require.Equal(t, 2*time.Second, a.FirstByte.Sub(a.Start))
		require.Equal(t, 5*time.Second, a.Latency())
		require.Equal(t, 2*time.Second, f.Files.First)
		require.Equal(t, 5*time.Second, f.Files.Slowest)
		require.Equal(t, 7*time.Second, f.Files.Sum)
	})
}

func TestFileIsRetriedAndThenDownloaded(t *testing.T) {
	s := newStage(t, Options{})
	ctx, trace := traced()
	s.execute(ctx, operationA)
	s.handOut(operationA, linkTo("a"))
	s.serve(linkTo("a"), answer{code: 503}, answer{err: errReset}, answer{code: 200, body: []byte("half"), cut: errReset},
		answer{code: 200, body: []byte("whole")})
	for i, want := range []struct{ status, failed int }{{503, 1}, {0, 1}, {200, 1}, {200, 0}} {
		_, err := s.get(context.Background(), linkTo("a"))
		require.Equal(t, want.failed == 1, err != nil)
		f := trace.Facts()
		require.Equal(t, want.status, f.Files.List[0].Status, i)
		require.Equal(t, want.failed, f.Files.Failed, i)
		require.Equal(t, want.failed == 1, f.Files.FirstFailed.Known)
		sumsAdd(t, f.Files)
	}
	f := trace.Finish()
	require.Equal(t, FileDownloaded, f.Files.List[0].State)
	require.Equal(t, 4, f.Files.List[0].Attempts)
	require.EqualValues(t, 5, f.Files.List[0].Received)
	require.EqualValues(t, 4, f.Files.List[0].Wasted)
	require.Equal(t, 3, f.Files.Retries)
	require.EqualValues(t, 9, f.Files.Received)
}

func TestFailedAndAbandonedFilesAreTold(t *testing.T) {
	s := newStage(t, Options{})
	ctx, trace := traced()
	s.execute(ctx, operationA)
	s.handOut(operationA, linkTo("ok"), linkTo("missing"), linkTo("reset"), linkTo("cancelled"), linkTo("closed"), linkTo("never"), linkTo("early"))
	s.serve(linkTo("ok"), answer{code: 200, body: []byte("x")})
	s.serve(linkTo("missing"), answer{code: 404})
	s.serve(linkTo("reset"), answer{code: 200, body: []byte("x"), cut: errReset})
	s.serve(linkTo("closed"), answer{code: 200, body: []byte("x")})
	gone, cancel := context.WithCancel(context.Background())
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
	_, err := s.get(gone, linkTo("cancelled"))
	require.ErrorIs(t, err, context.Canceled)
	for _, name := range []string{"closed", "early"} {
		req, _ := http.NewRequest(http.MethodGet, linkTo(name), nil)
		resp, err := s.transport.RoundTrip(req)
		require.NoError(t, err)
		_, _ = io.ReadFull(resp.Body, make([]byte, map[string]int{"closed": 1, "early": 3}[name]))
		require.NoError(t, resp.Body.Close())
		require.NoError(t, resp.Body.Close())
	}
	before := trace.Facts()
	require.Equal(t, 1, before.Files.Waiting)
	sumsAdd(t, before.Files)
	f := trace.Finish()
	sumsAdd(t, f.Files)
	want := []FileState{FileDownloaded, FileFailed, FileFailed, FileAbandoned, FileAbandoned, FileAbandoned, FileDownloaded}
	for i, state := range want {
		require.Equal(t, state, f.Files.List[i].State, i)
	}
	require.Equal(t, 2, f.Files.Downloaded)
	require.Equal(t, 2, f.Files.Failed)
	require.Equal(t, 3, f.Files.Abandoned)
	require.Equal(t, known(1), f.Files.FirstFailed)
	require.Equal(t, 404, f.Files.List[1].Status)
}

func TestRedirectedDownloadIsOneAttempt(t *testing.T) {
	s := newStage(t, Options{})
	ctx, trace := traced()
	s.execute(ctx, operationA)
	s.handOut(operationA, linkTo("a"))
	s.files[linkTo("a")] = func(req *http.Request) (*http.Response, error) {
		resp := response(req, http.StatusTemporaryRedirect, nil, nil)
		resp.Header.Set("Location", "https://elsewhere.example.com/a")
		return resp, nil
	}
	s.serve("https://elsewhere.example.com/a", answer{code: 200, body: []byte("content")})
	got, err := s.get(context.Background(), linkTo("a"))
	require.NoError(t, err)
	require.Equal(t, "content", string(got))
	f := trace.Finish()
	require.Equal(t, FileDownloaded, f.Files.List[0].State)
	require.Equal(t, 1, f.Files.Attempts)
	require.Zero(t, f.Files.Retries)
}

func TestLateDownloadPassesUnseen(t *testing.T) {
	s := newStage(t, Options{})
	ctx, trace := traced()
	s.execute(ctx, operationA)
	s.handOut(operationA, linkTo("a"), linkTo("b"))
	s.serve(linkTo("a"), answer{code: 200, body: []byte("x")})
	s.serve(linkTo("b"), answer{code: 200, body: []byte("x")})
	req, _ := http.NewRequest(http.MethodGet, linkTo("a"), nil)
	resp, err := s.transport.RoundTrip(req)
	require.NoError(t, err)
	f := trace.Finish()
	require.Equal(t, 2, f.Files.Abandoned)
	_, err = io.ReadAll(resp.Body)
	require.NoError(t, err)
	_, err = s.get(context.Background(), linkTo("b"))
	require.NoError(t, err)
	require.Equal(t, f, trace.Facts())
}

func TestLinkHandedOutTwiceIsUnknown(t *testing.T) {
	s := newStage(t, Options{})
	ctxA, a := traced()
	ctxB, b := traced()
	s.execute(ctxA, operationA)
	s.execute(ctxB, operationB)
	s.handOut(operationA, linkTo("shared"), linkTo("own"))
	s.handOut(operationB, linkTo("shared"))
	s.serve(linkTo("shared"), answer{code: 200, body: []byte("x")})
	s.serve(linkTo("own"), answer{code: 200, body: []byte("x")})
	for _, name := range []string{"shared", "shared", "own"} {
		_, err := s.get(context.Background(), linkTo(name))
		require.NoError(t, err)
	}
	fa, fb := a.Finish(), b.Finish()
	require.Equal(t, 1, fa.Files.Unknown)
	require.Equal(t, 1, fa.Files.Downloaded)
	require.Equal(t, 1, fb.Files.Unknown)
	require.True(t, fa.Gaps.Has(GapFiles) && fb.Gaps.Has(GapFiles))
	sumsAdd(t, fa.Files)
	sumsAdd(t, fb.Files)
	require.Zero(t, s.transport.registry.linked.Load())
}

func TestManyFilesAreSummedAndTheFirstDetailed(t *testing.T) {
	s := newStage(t, Options{})
	ctx, trace := traced()
	s.execute(ctx, operationA)
	var urls []string
	for i := range MaxFiles + 50 {
		u := linkTo(fmt.Sprint(i))
		urls = append(urls, u)
		s.serve(u, answer{code: 200, body: []byte("abc")})
	}
	s.serve(urls[MaxFiles+7], answer{code: 403})
	s.handOut(operationA, urls...)
	for _, u := range urls {
		_, _ = s.get(context.Background(), u)
	}
	f := trace.Finish()
	require.Len(t, f.Files.List, MaxFiles)
	require.Equal(t, MaxFiles+49, f.Files.Downloaded)
	require.Equal(t, known(MaxFiles+7), f.Files.FirstFailed)
	sumsAdd(t, f.Files)
}

func TestLinksBeyondTheBoundAreUnknown(t *testing.T) {
	s := newStage(t, Options{})
	ctx, trace := traced()
	s.execute(ctx, operationA)
	trace.registered = maxLinks - 1
	s.handOut(operationA, linkTo("a"), linkTo("b"))
	trace.registered -= maxLinks - 1
	f := trace.Finish()
	require.Equal(t, 1, f.Files.Unknown)
	require.True(t, f.Gaps.Has(GapFiles))
	sumsAdd(t, f.Files)
}

func TestLinkKeyOfRequestIsThatOfTheLink(t *testing.T) {
	for link, certain := range map[string]bool{
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
		var spelling linkSpelling
		spelling.write([]byte(link))
		require.Equal(t, certain, spelling.certain(), link)
		checkKey(t, link, rand.New(rand.NewPCG(3, 4)))
	}
}

// checkKey checks that a link whose spelling is certain has the key of its
// request, in pieces of any size.
func checkKey(t *testing.T, link string, rng *rand.Rand) {
	var hash linkHash
	var spelling linkSpelling
	hash.reset()
	for _, p := range cut([]byte(link), rng) {
		hash.write(p)
		spelling.write(p)
	}
	var whole linkSpelling
	whole.write([]byte(link))
	require.Equal(t, whole, spelling)
	req, err := http.NewRequest(http.MethodGet, link, nil)
	if err != nil || !spelling.certain() {
		return
	}
	key, ok := keyOf(req.URL)
	require.True(t, ok, link)
	require.Equal(t, hash.key(), key, "%q is spelled %q", link, req.URL.String())
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
	transport := New(WrapBase(storage), Options{})
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for j := range 20 {
				id := fmt.Sprintf("op-%05d-%06d-x", i, j)[:16]
				// Its own workspace, the same registry.
				s := newStage(t, Options{})
				s.transport.registry = transport.registry
				ctx, trace := traced()
				s.execute(ctx, id)
				urls := []string{linkTo(id + "a"), linkTo(id + "b"), linkTo(id+"c") + "&fail=1", linkTo(id + "d")}
				s.handOut(id, urls...)
				var files sync.WaitGroup
				for _, u := range urls[:3] {
					files.Add(1)
					go func() {
						defer files.Done()
						resp, err := (&http.Client{Transport: transport}).Get(u)
						if err == nil {
							_, _ = io.ReadAll(resp.Body)
							_ = resp.Body.Close()
						}
						_ = trace.Facts()
					}()
				}
				files.Wait()
				f := trace.Finish()
				if f.Files.Downloaded != 2 || f.Files.Failed != 1 || f.Files.Abandoned != 1 || f.Files.FirstFailed != known(2) {
					t.Errorf("%+v", f.Files)
				}
			}
		}()
	}
	wg.Wait()
	require.Zero(t, transport.registry.busy.Load())
	require.Zero(t, transport.registry.linked.Load())
	require.Zero(t, transport.Stats().Panics)
}
