package wrapped

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/testenv"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// A proxy that speaks HTTP/1.1 or HTTP/2 sits between the driver and the workspace, does to requests what
// networks do, and keeps a ledger of its own. It is below the driver's net/http, so the ledger also has
// what net/http hides.

// hostile is such a proxy.
type hostile struct {
	base  http.RoundTripper
	http2 bool
	ask   func(method string) trick // what happens to a request

	mu      sync.Mutex
	entries []*entry
	links   map[string]int
	w       *witness // nil for none
}

// entry is a request, as the proxy answered it.
type entry struct {
	method string // of a call; empty for a file
	seq    int32
	file   string // path of a file
	index  int    // of a file in the result
	trick  trick
	start  time.Time
	headed time.Time // when the head of the answer was sent
	end    time.Time
	follow bool // of a redirect
	status int  // 0: none was sent
	ok     bool // an answer that the driver can use was sent whole
	out    int64
	in     int64 // of the body, before any Content-Encoding
	seen   *seen
}

// trick is what a network does to a request.
type trick struct {
	name    string
	code    int
	header  http.Header
	after   time.Duration // before the head
	amid    time.Duration // before the second half of the body
	inform  int           // informational answers before
	gzip    bool
	chunked bool
	body    string
	cut     string // where the answer breaks off: "head", "body", or "whole" for an answer that pretends to be
}

// oneConn accepts one connection.
type oneConn struct{ c chan net.Conn }

func (l oneConn) Accept() (net.Conn, error) {
	select {
	case c := <-l.c:
		return c, nil
	default:
		return nil, net.ErrClosed
	}
}

func (oneConn) Close() error { return nil }

func (oneConn) Addr() net.Addr { return &net.TCPAddr{} }

// over is the transport of a client of the proxy.
func (h *hostile) over(base http.RoundTripper) http.RoundTripper {
	h.base = base
	var p http.Protocols
	p.SetHTTP1(!h.http2)
	p.SetUnencryptedHTTP2(h.http2)
	return &http.Transport{
		IdleConnTimeout: time.Minute, Protocols: &p,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			client, server := net.Pipe()
			l := oneConn{make(chan net.Conn, 1)}
			l.c <- server
			s := &http.Server{Handler: h, Protocols: &p, IdleTimeout: 2 * time.Minute}
			_ = s.Serve(l)
			return client, nil
		},
	}
}

func (h *hostile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	e := &entry{start: time.Now(), out: int64(len(body))}
	q := r.URL.Query()
	e.follow = q.Has("followed")
	q.Del("followed")
	r.URL.RawQuery = q.Encode()
	switch {
	case r.Method == http.MethodPost && strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-thrift"):
		n := int(binary.BigEndian.Uint32(body[4:8]))
		e.method, e.seq = string(body[8:8+n]), int32(binary.BigEndian.Uint32(body[8+n:]))
	case strings.HasPrefix(r.URL.Path, "/results/"):
		e.file = r.URL.Path
	}
	observed := e.method != "" || e.file != ""
	if observed {
		h.mu.Lock()
		e.trick, e.index = h.ask(e.method), h.links[e.file]
		h.entries = append(h.entries, e)
		h.witnessed(e)
		h.mu.Unlock()
	}
	t := e.trick
	done := func(ok bool) {
		h.mu.Lock()
		defer h.mu.Unlock()
		e.end, e.ok = time.Now(), ok
		if e.seen != nil {
			h.w.mu.Lock()
			if e.seen.end.IsZero() {
				e.seen.end = e.end
			}
			e.seen.ok = e.ok || e.file != "" && whole(e)
			h.w.mu.Unlock()
		}
	}
	defer func() {
		if e.end.IsZero() {
			done(false)
		}
	}()
	wait := func(d time.Duration) {
		if d <= 0 {
			return
		}
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
	}
	wait(t.after)
	for i := range t.inform {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader([]int{http.StatusProcessing, http.StatusEarlyHints}[i%2])
		w.Header().Del("Link")
	}
	code, answer, header := t.code, []byte(t.body), http.Header{}
	if code == 0 {
		out, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+r.Host+r.URL.RequestURI(), bytes.NewReader(body))
		if err != nil {
			panic(err)
		}
		out.Header = r.Header.Clone()
		resp, err := h.base.RoundTrip(out)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		answer, err = io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		code, header = resp.StatusCode, resp.Header
		header.Del("Content-Length")
		header.Del("Connection")
	}
	for name, values := range header {
		w.Header()[name] = values
	}
	for name, values := range t.header {
		w.Header()[name] = values
	}
	if w.Header().Get("Location") == "self" {
		u := *r.URL
		q := u.Query()
		q.Set("followed", "1")
		u.RawQuery, u.Scheme, u.Host = q.Encode(), "http", r.Host
		w.Header().Set("Location", u.String())
	}
	plain, text := int64(len(answer)), answer
	if at := bytes.Index(answer, []byte{12, 0, 3, 10, 0, 1}); at >= 0 && e.method != "" && resultLink.Match(answer) {
		start := int(binary.BigEndian.Uint64(answer[at+6:])) / pageRows
		h.mu.Lock()
		if h.links == nil {
			h.links = map[string]int{}
		}
		for i, path := range resultLink.FindAllString(string(answer), -1) {
			h.links[path] = start + i
		}
		h.mu.Unlock()
	}
	if t.gzip && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write(answer)
		_ = z.Close()
		answer = b.Bytes()
		w.Header().Set("Content-Encoding", "gzip")
	}
	if t.cut == "head" {
		if !h.http2 {
			c, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				panic(err)
			}
			_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Le"))
			_ = c.Close()
			return
		}
		panic(http.ErrAbortHandler)
	}
	set := func(code int) {
		h.mu.Lock()
		defer h.mu.Unlock()
		e.status, e.headed = code, time.Now()
		if e.seen != nil {
			h.w.mu.Lock()
			e.seen.status, e.seen.first = code, time.Now()
			if code == 200 {
				e.seen.body.Write(text)
			} else {
				e.seen.end = time.Now()
			}
			h.w.mu.Unlock()
		}
	}
	half := answer[:len(answer)/2]
	if t.cut == "whole" {
		answer = half
		if plain = int64(len(half)); w.Header().Get("Content-Encoding") != "" {
			plain = 0
		}
	}
	if !t.chunked {
		w.Header().Set("Content-Length", fmt.Sprint(len(answer)))
	}
	set(code)
	w.WriteHeader(code)
	_, err = w.Write(half)
	if err == nil {
		err = http.NewResponseController(w).Flush()
	}
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	wait(t.amid)
	if t.cut == "body" {
		panic(http.ErrAbortHandler)
	}
	if _, err = w.Write(answer[len(half):]); err != nil {
		panic(http.ErrAbortHandler)
	}
	h.mu.Lock()
	e.in = plain
	h.mu.Unlock()
	done(code == 200 && t.cut == "" && t.body == "")
}

// ledgerScenes is the number of random scenes of each test.
const ledgerScenes = 120

// trickOf draws what happens to a request.
func trickOf(r *rand.Rand) trick {
	ms := func(n int) time.Duration { return time.Duration(1+r.IntN(n)) * time.Millisecond }
	t := trick{}
	if r.IntN(3) == 0 {
		t.inform = 1 + r.IntN(3)
	}
	t.gzip, t.chunked = r.IntN(3) == 0, r.IntN(3) == 0
	if r.IntN(4) == 0 {
		t.after = ms(4000)
	}
	if r.IntN(4) == 0 {
		t.amid = ms(4000)
	}
	if r.IntN(3) > 0 {
		return t
	}
	retryAfter := []string{"1", "3", "0", "-5", "soon", "9223372036854775807", time.Now().Add(4 * time.Second).UTC().Format(http.TimeFormat), time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)}[r.IntN(8)]
	switch n := r.IntN(12); n {
	case 0, 1:
		t.name, t.code = "redirect", []int{307, 308, 301, 302, 303}[r.IntN(5)]
		t.header, t.amid = http.Header{"Location": {"self"}}, 0
	case 2, 3, 4:
		t.name, t.code = "later", []int{503, 429, 503}[n-2]
		t.header = http.Header{"Retry-After": {retryAfter}}
		t.body = "<html>later</html>"
	case 5:
		t.name, t.cut = "cut in the head", "head"
	case 6:
		t.name, t.cut = "cut in the body", "body"
	case 7:
		t.name, t.cut = "truncated", "whole"
	case 8:
		t.name, t.code, t.body = "html", 200, "<html><body>Sign in to the network</body></html>"
		t.header = http.Header{"Content-Type": {"text/html"}}
	default:
		t.name = "status"
		t.code = []int{400, 401, 403, 404, 408, 500, 502, 504, 425, 499, 520, 511, 421, 410, 206}[r.IntN(15)]
		t.body = "<?xml version=\"1.0\"?><Error><Code>X</Code></Error>"
	}
	return t
}

// witnessed tells the witness of a request. h.mu is held.
func (h *hostile) witnessed(e *entry) {
	if h.w == nil {
		return
	}
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	if e.follow {
		for _, before := range h.entries {
			if before != e && before.method == e.method && before.seq == e.seq && before.file == e.file {
				e.seen = before.seen
			}
		}
		e.seen.first, e.seen.end, e.seen.status = time.Time{}, time.Time{}, 0
		return
	}
	e.seen = &seen{method: e.method, seq: e.seq, file: -1, start: e.start}
	if e.file != "" {
		e.seen.file = e.index
	}
	h.w.all = append(h.w.all, e.seen)
}

// calls are the attempts of each method, by call; a redirect and what follows it are one attempt.
func (h *hostile) calls(since time.Time) (calls map[string][][]*entry, files map[string][]*entry, order []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	calls, files = map[string][][]*entry{}, map[string][]*entry{}
	for _, e := range h.entries {
		if e.start.Before(since) {
			continue
		}
		if e.file != "" {
			all := files[e.file]
			if all == nil {
				order = append(order, e.file)
			}
			if n := len(all); e.follow && n > 0 {
				all[n-1] = e
			} else {
				all = append(all, e)
			}
			files[e.file] = all
			continue
		}
		all := calls[e.method]
		if n := len(all); n > 0 && all[n-1][0].seq == e.seq {
			if last := len(all[n-1]) - 1; e.follow {
				e.out += all[n-1][last].out
				all[n-1][last] = e
			} else {
				all[n-1] = append(all[n-1], e)
			}
		} else {
			calls[e.method] = append(all, []*entry{e})
		}
	}
	return calls, files, order
}

func (h *hostile) String() string {
	var b strings.Builder
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.entries {
		fmt.Fprintf(&b, "  %s%s %d follow=%v %v-%v status %d ok %v %+v\n", e.method, e.file, e.seq, e.follow, e.start.Format("05.000"), e.end.Format("05.000"), e.status, e.ok, e.trick)
	}
	return b.String()
}

// Whatever a network does to a statement, its record has the proxy's counts.
func TestRecordsAgreeWithTheLedgerOfAProxy(t *testing.T) {
	for seed := range testenv.Scenes(ledgerScenes) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 77))
			s, about := composed(r, []string{"read", "canceled"}[r.IntN(2)])
			s.faults = nil
			h := &hostile{http2: r.IntN(2) == 0}
			tricks := rand.New(rand.NewPCG(seed, 78))
			h.ask = func(method string) trick {
				if method == "OpenSession" {
					return trick{}
				}
				return trickOf(tricks)
			}
			s.through = h.over
			h.w = s.w
			got := s.withLooks().perform(t)
			about += fmt.Sprintf("\nHTTP/2 %v\n%s", h.http2, h)
			require.NotNil(t, got.record, about)
			requireConsistent(t, got.record, about)
			if h.tied(s) {
				return
			}
			v := explain.Of(got.record)
			about += fmt.Sprintf("%s %+v %v\n%s\n%s", got.record.Outcome, got.record.Failure, got.err, v.Sentence, v.Advice)
			for _, w := range append(h.check(got.record), checkCopy(got.record)...) {
				t.Error(w)
			}
			if want := h.category(got.record); want != "" && want != got.record.Failure.Category {
				t.Errorf("category %s; ledger %s", got.record.Failure.Category, want)
			}
			for _, l := range s.seen {
				requireConsistent(t, l.record, about)
				for _, w := range checkCopy(l.record) {
					t.Error("look: ", w)
				}
				if h.misled() {
					continue
				}
				for _, w := range s.w.checkVerdict(l.record, l.at) {
					t.Error("look: ", l.at.Format("05.000"), w, " truth of ", explain.Of(l.record).Sentence)
				}
				if want, _ := s.w.expectedSplit(l.at); refine(l.record, &want) && want != l.record.Split && (got.record.Failure == nil || got.record.Failure.SQLState == "") {
					t.Errorf("look at %v split %s; ledger", l.at.Sub(s.w.began), differing(l.record.Split, want))
				}
			}
			if f := got.record.Failure; !h.misled() && (f == nil || f.SQLState == "") {
				for _, w := range s.w.checkVerdict(got.record, s.w.ended) {
					t.Error(w)
				}
				if want, _ := s.w.expectedSplit(s.w.ended); refine(got.record, &want) && want != got.record.Split {
					t.Errorf("split %s", differing(got.record.Split, want))
				}
			}
			if t.Failed() {
				t.Log(about)
			}
		})
	}
}

// whole reports whether a file came with 200 and its announced length.
func whole(e *entry) bool { return e.status == 200 && e.trick.cut != "body" && e.in > 0 }

// misled reports whether an answer pretended to be what the driver asked for, of which the witness knows nothing.
func (h *hostile) misled() bool {
	return slices.ContainsFunc(h.entries, func(e *entry) bool { return e.trick.name == "html" || e.trick.name == "truncated" })
}

// tied reports whether an answer began or ended in the very instant in which the context of the statement was done, as
// where the server ends a statement that the client has given up. Either may have come first.
func (h *hostile) tied(s *script) bool {
	gaveUp := s.w.began.Add(s.after)
	return s.after > 0 && slices.ContainsFunc(h.entries, func(e *entry) bool { return e.headed.Equal(gaveUp) || e.ok && e.end.Equal(gaveUp) })
}

// differing names the parts that differ.
func differing(got, want telemetry.Split) (text string) {
	for _, p := range telemetry.Parts {
		if got[p] != want[p] {
			text += fmt.Sprintf("; %s %v: want %v", p, got[p], want[p])
		}
	}
	return text
}

// The record of a connection that could not be opened, or that took several attempts, says how often the
// workspace was asked and what it answered last, however the caller's context ended.
func TestOpenedSessionsAgreeWithTheLedgerOfAProxy(t *testing.T) {
	for seed := range testenv.Scenes(ledgerScenes) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 79))
			h := &hostile{http2: r.IntN(2) == 0}
			storm := trick{name: "later", code: 429, body: "later"}
			stormy, limit := r.IntN(3) == 0, time.Duration(r.IntN(3))*time.Duration(1+r.IntN(20000))*time.Millisecond
			h.ask = func(method string) trick {
				if stormy && method == "OpenSession" {
					return storm
				}
				return trickOf(r)
			}
			sink := &memory{}
			var openErr error
			expired := false
			synctest.Test(t, func(t *testing.T) {
				ws, err := workspace.Start(workspace.Options{InMemory: true})
				require.NoError(t, err)
				transport := ws.Transport()
				c := scene{pause: time.Duration(1+r.IntN(5000)) * time.Millisecond}.connector(t, ws, h.over(transport), sink)
				ctx, cancel := context.WithTimeout(t.Context(), cmp.Or(limit, time.Hour)+777*time.Microsecond)
				conn, err := c.Connect(ctx)
				expired = ctx.Err() != nil
				cancel()
				if openErr = err; err == nil {
					_ = conn.Close()
				}
				if c, ok := c.(io.Closer); ok {
					require.NoError(t, c.Close())
				}
				transport.CloseIdleConnections()
				require.NoError(t, ws.Close())
				time.Sleep(time.Hour)
			})
			require.Len(t, sink.opened, 1)
			got, about := sink.opened[0], fmt.Sprintf("limit %v HTTP/2 %v\n%s%+v", limit, h.http2, h, openErr)
			calls, _, _ := h.calls(time.Time{})
			attempts, status := int64(0), 0
			for _, c := range calls["OpenSession"] {
				for _, e := range c {
					attempts++
					if e.failed() {
						status = e.status
					}
				}
			}
			require.Len(t, calls["OpenSession"], 1, about)
			require.Equal(t, openErr != nil, got.Failed(), about)
			if n := got.Retries.Or(0); n != attempts || !expired { // the last may not have been sent
				require.Equal(t, attempts-1, n, about)
			}
			require.Equal(t, status, got.FailedStatus, about)
			for _, closed := range sink.closed {
				n := int64(-1)
				for _, c := range calls["CloseSession"] {
					n += int64(len(c))
				}
				require.Equal(t, telemetry.Known(n), closed.Retries, about)
			}
			if got.Failed() {
				last := calls["OpenSession"][0][attempts-1]
				want := categoryOf(last)
				if expired {
					want = telemetry.CategoryTimeout
				}
				require.Equal(t, want, got.Failure.Category, about)
			}
		})
	}
}

// failed reports whether an attempt has failed, other than because the client gave it up before an answer.
// An answer that the driver cannot read counts as an answer.
func (e *entry) failed() bool {
	return !e.ok && e.trick.name != "html" && (e.status != 0 || e.trick.cut != "")
}

// categoryOf is the category of a call that failed with an attempt.
func categoryOf(e *entry) telemetry.Category {
	switch e.status {
	case 0, 502, 503:
		return telemetry.CategoryConnection
	case 400, 410, 421, 425, 499:
		return telemetry.CategoryInvalidRequest
	case 401:
		return telemetry.CategoryAuth
	case 403:
		return telemetry.CategoryPermission
	case 404:
		return telemetry.CategoryNotFound
	case 408, 504:
		return telemetry.CategoryTimeout
	case 429:
		return telemetry.CategoryRateLimit
	case 200:
		if e.trick.cut == "body" || e.trick.cut == "whole" && e.trick.gzip { // an early end of the compression is that of the answer
			return telemetry.CategoryConnection
		}
	}
	return telemetry.CategoryStatementFailed
}

// category is that of a statement's failure; empty where the ledger does not tell.
func (h *hostile) category(r *telemetry.Statement) telemetry.Category {
	if r.Failure == nil || r.Outcome == telemetry.OutcomeCanceled || r.Failure.SQLState != "" {
		return ""
	}
	calls, files, _ := h.calls(r.Started)
	for _, m := range []string{"ExecuteStatement", "GetOperationStatus", "FetchResults", "GetResultSetMetadata"} {
		for i, c := range calls[m] {
			last := c[len(c)-1]
			switch got := categoryOf(last); {
			case last.ok, m == "GetResultSetMetadata" && i < len(calls[m])-1: // it is asked for again where it is needed
			case m == "GetResultSetMetadata" && r.Failure.Category != got && len(files) > 0:
				return "" // the application may have asked, and have got no error for it
			case got == telemetry.CategoryStatementFailed && (len(calls["FetchResults"]) > 0 || r.Result.Pages.Or(0) > 0):
				return telemetry.CategoryResultSet
			default:
				return got
			}
		}
	}
	download := telemetry.Category("")
	for _, f := range files {
		switch last := f[len(f)-1]; {
		case last.trick.name == "html", last.trick.cut == "whole":
			return "" // it came whole, or another file failed: the result depends on which was read first
		case !whole(last):
			download = telemetry.CategoryChunkDownload
		}
	}
	return download
}

// check compares a record with the ledger.
func (h *hostile) check(r *telemetry.Statement) (wrong []string) {
	bad := func(f string, args ...any) { wrong = append(wrong, fmt.Sprintf(f, args...)) }
	calls, files, order := h.calls(r.Started)
	unread := false // an answer could not be read, so the links of files may be incomplete
	for _, rpc := range r.RPCs {
		all := calls[rpc.Method]
		if len(all) == 0 && rpc.Calls == 1 && rpc.Retries == 0 && rpc.LastStatus == 0 {
			continue // the context was done before it was sent
		}
		attempts, out, failedStatus := 0, int64(0), 0
		for _, c := range all {
			attempts += len(c)
			for _, e := range c {
				out += e.out
				unread = unread || e.trick.name == "html"
				if e.failed() {
					failedStatus = e.status
				}
			}
		}
		if rpc.Calls != int64(len(all)) || rpc.Retries != int64(attempts-len(all)) {
			bad("%s: %d calls %d retries; ledger %d, %d", rpc.Method, rpc.Calls, rpc.Retries, len(all), attempts-len(all))
			continue
		}
		if rpc.BytesOut != out && rpc.LastStatus != 0 {
			bad("%s: %d bytes out; ledger %d", rpc.Method, rpc.BytesOut, out)
		}
		if n := len(all); n > 0 {
			last := all[n-1][len(all[n-1])-1]
			if rpc.LastStatus == 0 && last.status >= 300 && last.status < 400 {
				continue // the context was done before it went on
			}
			if rpc.LastStatus != last.status {
				bad("%s: last status %d; ledger %d", rpc.Method, rpc.LastStatus, last.status)
			}
		}
		if rpc.FailedStatus != failedStatus {
			bad("%s: failed status %d; ledger %d", rpc.Method, rpc.FailedStatus, failedStatus)
		}
	}
	for m := range calls {
		found := m == "OpenSession" || m == "CloseSession"
		for _, rpc := range r.RPCs {
			found = found || rpc.Method == m
		}
		if !found {
			bad("%s is not in the record", m)
		}
	}
	if c := r.CloudFetch; c != nil {
		attempts, downloaded, failed := 0, 0, 0
		for _, f := range files {
			attempts += len(f)
			if whole(f[len(f)-1]) {
				downloaded++
			} else {
				failed++
			}
		}
		for _, f := range c.Files {
			var all []*entry
			for _, path := range order {
				if files[path][0].index == int(f.Index) {
					all = files[path]
				}
			}
			if len(all) == 0 && f.State == "ABANDONED" {
				attempts += int(f.Attempts) // the context was done before it was sent
				continue
			}
			if int64(len(all)) != f.Attempts {
				bad("file %d: %d attempts; ledger %d", f.Index, f.Attempts, len(all))
			}
			status := 0
			for _, e := range all {
				if !whole(e) && (f.State != "ABANDONED" || e != all[len(all)-1]) {
					status = e.status
				}
			}
			if status != f.Status {
				bad("file %d %s: status %d; ledger %d", f.Index, f.State, f.Status, status)
			}
			if f.State == "ABANDONED" && c.Failed > 0 && whole(all[len(all)-1]) {
				downloaded-- // the failure of another file stopped the reader in the same instant
				continue
			}
			if n := len(all); n > 0 && whole(all[n-1]) && f.Received != all[n-1].in {
				bad("file %d: received %d; ledger %d", f.Index, f.Received, all[n-1].in)
			}
			if n := len(all); n > 0 && whole(all[n-1]) != (f.State == "DOWNLOADED") {
				bad("file %d: state %s; ledger %v", f.Index, f.State, whole(all[n-1]))
			}
		}
		if c.Attempts != int64(attempts) || c.Attempts-c.Retries != int64(attempts)-c.Retries || c.Downloaded != int64(downloaded) {
			bad("files: attempts %d retries %d downloaded %d failed %d abandoned %d; ledger %d, %d, %d, %d", c.Attempts, c.Retries, c.Downloaded, c.Failed, c.Abandoned, attempts, attempts-len(files), downloaded, failed)
		}
	} else if len(files) > 0 && !unread {
		bad("no files in the record; ledger %d", len(files))
	}
	return wrong
}
