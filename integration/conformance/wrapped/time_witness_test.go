package wrapped

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/testenv"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// A witness sits between the wrapper and the network, and knows what the application does. From that,
// including later events, it derives what a statement waited for at every instant: another way to the same
// times, without states.

// reused is the least time for which idle connections stay open.
const reused = time.Second

// seen is one request that passed below the wrapper.
type seen struct {
	method string // of a call; empty for a file
	seq    int32
	file   int // index in the result
	start  time.Time
	first  time.Time // head of the answer; zero: none
	end    time.Time // zero: under way
	status int
	ok     bool // the answer came whole with 200
	body   bytes.Buffer
	dialed [2]time.Time
}

// witness records the requests and what the application did.
type witness struct {
	mu    sync.Mutex
	all   []*seen
	links map[string]int
	reads []stretch // the driver reads, for a row
	app   []stretch // the application sleeps
	began time.Time // the call
	ended time.Time // the rows are closed, or the call without them has returned
	close time.Time // closing began
	call  time.Time // the call has returned
}

// callReturned notes that the call has returned.
func (w *witness) callReturned() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.call.IsZero() {
		w.call = time.Now()
	}
}

// stretch is a time in which the driver read, or the application slept.
type stretch struct {
	from, to time.Time
	file     int // of the row that is read; negative for none
}

var resultLink = regexp.MustCompile(`/results/[^?]+\.arrow`)

// over records what passes through a transport.
func (w *witness) over(base http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		s := &seen{file: -1, start: time.Now()}
		if r.Method == http.MethodPost && r.GetBody != nil && strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-thrift") {
			b, _ := r.GetBody()
			body, _ := io.ReadAll(b)
			n := int(binary.BigEndian.Uint32(body[4:8]))
			s.method, s.seq = string(body[8:8+n]), int32(binary.BigEndian.Uint32(body[8+n:]))
		} else if strings.HasPrefix(r.URL.Path, "/results/") {
			w.mu.Lock()
			i, ok := w.links[r.URL.Path]
			w.mu.Unlock()
			if !ok {
				panic("unknown link")
			}
			s.file = i
		} else {
			return base.RoundTrip(r)
		}
		w.mu.Lock()
		if before := w.redirected(r); before != nil {
			s = before
			s.first, s.end, s.status, s.dialed = time.Time{}, time.Time{}, 0, [2]time.Time{}
		} else {
			w.all = append(w.all, s)
		}
		w.mu.Unlock()
		if s.method != "" {
			r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
				GetConn: func(string) { s.dialed[0] = time.Now() }, GotConn: func(httptrace.GotConnInfo) { s.dialed[1] = time.Now() },
			}))
		}
		resp, err := base.RoundTrip(r)
		w.mu.Lock()
		defer w.mu.Unlock()
		if err != nil {
			s.end = time.Now()
			return resp, err
		}
		s.first, s.status = time.Now(), resp.StatusCode
		if resp.StatusCode != 200 {
			s.end = time.Now()
			return resp, err
		}
		resp.Body = &seenBody{resp.Body, w, s, resp.ContentLength}
		return resp, err
	})
}

// redirected is the request that r continues after a redirect.
func (w *witness) redirected(r *http.Request) *seen {
	if r.Response == nil {
		return nil
	}
	for i := len(w.all) - 1; i >= 0; i-- {
		if s := w.all[i]; s.status >= 300 && s.status < 400 && (s.method == "" && s.file == w.links[r.URL.Path] && r.Method == "GET" || s.method != "" && r.Method == "POST") {
			return s
		}
	}
	panic("redirected from nowhere")
}

// redirecting answers some requests with a redirect, after a time.
func redirecting(base http.RoundTripper, r *rand.Rand) http.RoundTripper {
	var mu sync.Mutex
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		mu.Lock()
		redirect, d := r.IntN(5) == 0, time.Duration(r.IntN(3000))*time.Millisecond
		mu.Unlock()
		if req.Response != nil || !redirect || req.Method == "POST" && isCall(req, "OpenSession") {
			return base.RoundTrip(req)
		}
		elsewhere(d)
		u := *req.URL
		if u.RawQuery == "" {
			u.RawQuery = "again=1"
		}
		if req.Method == "POST" && req.Body != nil {
			_, _ = io.Copy(io.Discard, req.Body)
			_ = req.Body.Close()
		}
		h := http.Header{"Location": {u.String()}}
		return &http.Response{StatusCode: 307, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: h, Body: http.NoBody, Request: req}, nil
	})
}

type seenBody struct {
	io.ReadCloser
	w      *witness
	s      *seen
	length int64
}

func (b *seenBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.w.mu.Lock()
	defer b.w.mu.Unlock()
	b.s.body.Write(p[:n])
	if b.s.end.IsZero() {
		switch {
		case err == io.EOF || b.s.method != "" && int64(b.s.body.Len()) == b.length:
			b.s.end, b.s.ok = time.Now(), true
			if at := bytes.Index(b.s.body.Bytes(), []byte{12, 0, 3, 10, 0, 1}); at >= 0 && b.s.file < 0 {
				start := int(binary.BigEndian.Uint64(b.s.body.Bytes()[at+6:])) / pageRows
				for i, path := range resultLink.FindAllString(b.s.body.String(), -1) {
					b.w.links[path] = start + i
				}
			}
		case err != nil:
			b.s.end = time.Now()
		}
	}
	return n, err
}

func (b *seenBody) Close() error {
	err := b.ReadCloser.Close()
	b.w.mu.Lock()
	defer b.w.mu.Unlock()
	if b.s.end.IsZero() {
		b.s.end = time.Now()
	}
	return err
}

// state is the operationState of an answer to GetOperationStatus; -1 for none.
func (s *seen) state() int {
	i := bytes.Index(s.body.Bytes(), []byte{8, 0, 2, 0, 0, 0})
	if !s.ok || i < 0 || i+6 >= s.body.Len() {
		return -1
	}
	return int(s.body.Bytes()[i+6])
}

// expectedSplit attributes every microsecond between the call and until, from what had happened by then.
func (w *witness) expectedSplit(until time.Time) (split telemetry.Split, why string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var marks []time.Time
	mark := func(at time.Time) {
		if !at.IsZero() && !at.Before(w.began) && !at.After(until) {
			marks = append(marks, at)
		}
	}
	mark(w.began)
	mark(until)
	mark(w.close)
	var all []*seen
	for _, s := range w.all {
		if s.start.Before(w.began) || s.start.After(until) || s.method == "OpenSession" || s.method == "CloseSession" {
			continue
		}
		all = append(all, s)
		mark(s.start)
		mark(s.first)
		mark(s.end)
		mark(s.dialed[0])
		mark(s.dialed[1])
	}
	for _, a := range slices.Concat(w.app, w.reads) {
		mark(a.from)
		mark(a.to)
	}
	slices.SortFunc(marks, time.Time.Compare)
	var told strings.Builder
	for i := 0; i+1 < len(marks); i++ {
		from, to := marks[i], marks[i+1]
		d := to.Sub(from)
		if d <= 0 {
			continue
		}
		p := w.partAt(from.Add(d/2), until, all)
		split[p] += d
		fmt.Fprintf(&told, "%v-%v %s\n", from.Sub(w.began), to.Sub(w.began), p)
	}
	return split, told.String()
}

// within reports whether a moment is in a stretch, which may not have ended.
func within(at, from, to time.Time) bool {
	return !from.IsZero() && at.After(from) && (to.IsZero() || at.Before(to))
}

// partAt is what the statement waited for at a moment, as far as requests that began before until tell.
func (w *witness) partAt(at, until time.Time, all []*seen) telemetry.Part {
	for _, a := range w.app {
		if within(at, a.from, a.to) {
			return telemetry.PartApplication
		}
	}
	ended := func(s *seen) bool { return !s.end.IsZero() && !s.end.After(until) }
	// The latest call that had begun.
	var last *seen
	n := -1
	for i, s := range all {
		if s.method != "" && s.start.Before(at) {
			last, n = s, i
		}
	}
	if last == nil {
		return telemetry.PartNetwork
	}
	// repeated reports whether the call is repeated by the next one, as known by until.
	repeatedBy := func(s *seen, from int) (*seen, int) {
		for j := from + 1; j < len(all); j++ {
			if all[j].method == s.method && all[j].seq == s.seq {
				return all[j], j
			}
			if all[j].method != "" {
				return nil, 0
			}
		}
		return nil, 0
	}
	works := func() bool { // by the answers received before at
		state := -1
		for _, s := range all {
			if s.method == "GetOperationStatus" && s.ok && s.end.Before(at) {
				state = s.state()
			}
		}
		if state >= 0 {
			return state != 2 && state <= 2 || state == 7
		}
		for _, s := range all {
			if s.method == "ExecuteStatement" && s.ok && s.end.Before(at) {
				return !w.direct(s)
			}
		}
		return false
	}
	under := !ended(last) || last.end.After(at)
	closing := !w.close.IsZero() && at.After(w.close)
	next, j := repeatedBy(last, n)
	if last.method == "GetOperationStatus" && (under || !last.ok) {
		// Until a status call says that it has ended, the server works on it.
		if next == nil {
			if under || last.status == 0 || last.status >= 500 || last.status == 429 {
				if !under {
					return telemetry.PartRetry
				}
				return telemetry.PartServer
			}
			return telemetry.PartServer
		}
		for next != nil {
			last, n = next, j
			next, j = repeatedBy(last, n)
		}
		if ended(last) && last.ok && (last.state() == 0 || last.state() == 1 || last.state() == 7) {
			return telemetry.PartServer
		}
		return telemetry.PartRetry
	}
	if next != nil && (under || at.Before(next.start)) {
		return telemetry.PartRetry
	}
	if under && within(at, last.dialed[0], last.dialed[1]) {
		return telemetry.PartNetwork
	}
	if under {
		switch last.method {
		case "ExecuteStatement":
			if last.first.IsZero() || last.first.After(until) || at.Before(last.first) {
				return telemetry.PartServer
			}
			if ended(last) && last.ok && w.direct(last) {
				return telemetry.PartPage
			}
			return telemetry.PartNetwork
		case "FetchResults", "GetResultSetMetadata":
			return telemetry.PartPage
		default:
			return telemetry.PartClose
		}
	}
	pausing := !last.ok && (last.status == 0 || last.status == 429 || last.status >= 500 || last.status == 200)
	if closing {
		if pausing && !last.start.Before(w.close) {
			return telemetry.PartRetry
		}
		return telemetry.PartClose
	}
	for _, r := range w.reads {
		if !within(at, r.from, r.to) {
			continue
		}
		asked := false // for the file, since the call
		for _, x := range all[n+1:] {
			asked = asked || x.file == r.file && x.start.Before(at)
		}
		if pausing && !last.start.Before(r.from) && (last.method != "CloseOperation" || !asked) {
			return telemetry.PartRetry
		}
		if r.file < 0 {
			return telemetry.PartNetwork
		}
		return w.fileAt(r.file, at, until, all)
	}
	if pausing {
		return telemetry.PartRetry
	}
	if works() {
		return telemetry.PartServer
	}
	return telemetry.PartNetwork
}

// direct reports whether an answer brought rows or links: nothing was polled, or it is long.
func (w *witness) direct(s *seen) bool {
	return bytes.Contains(s.body.Bytes(), []byte("/results/")) || s.body.Len() > 400
}

// fileAt is partAt while a row of a file is awaited.
func (w *witness) fileAt(file int, at, until time.Time, all []*seen) telemetry.Part {
	var before *seen
	for _, s := range all {
		if s.method != "" || s.file != file {
			continue
		}
		if s.start.Before(at) {
			before = s
			continue
		}
		return func() telemetry.Part { // a later attempt is known
			if before == nil {
				return telemetry.PartFile // not requested yet
			}
			return telemetry.PartRetry
		}()
	}
	if before == nil {
		return telemetry.PartFile
	}
	if !before.end.IsZero() && before.end.Before(at) && !before.ok {
		return telemetry.PartRetry
	}
	return telemetry.PartFile
}

// scripts is the number of scripts of each kind.
const scripts = 40

// Whatever goes wrong in a statement, its record, both final and at every instant while it runs, has the
// times that a witness below the wrapper finds, and its verdict says only what the witness saw.
func TestRecordsAgreeWithAWitness(t *testing.T) {
	for _, kind := range []string{"read", "canceled", "connecting", "redirected", "behind Wrap"} {
		for seed := range testenv.Scenes(scripts) {
			t.Run(fmt.Sprint(kind, " ", seed), func(t *testing.T) {
				s, about := composed(rand.New(rand.NewPCG(seed, uint64(len(kind)))), kind)
				got := s.withLooks().perform(t)
				require.NotNil(t, got.record, about)
				for _, l := range append(s.seen, look{s.w.ended, got.record}) {
					s.check(t, l, about)
				}
			})
		}
	}
}

// check compares one look with the witness's record.
func (s *script) check(t *testing.T, l look, about string) {
	r, v := l.record, explain.Of(l.record)
	about = fmt.Sprintf("%s %s at %s: %s\n%s\n%v of %s", about, r.Outcome, l.at.Sub(s.w.began), v.Sentence, v.Advice, r.Split, r.Total)
	requireConsistent(t, r, about)
	require.Empty(t, s.w.checkTimeline(r, l.at), about)
	require.Empty(t, s.w.checkVerdict(r, l.at), about)
	require.Empty(t, checkCopy(r), about)
	if s.entry == "Wrap" {
		return
	}
	want, story := s.w.expectedSplit(l.at)
	if refine(r, &want) {
		require.Equal(t, want, r.Split, about+"\n"+story)
	}
}

// refine divides the server's time by the time that the server says it took; it returns false if
// ExecuteStatement was repeated, which it does not cover.
func refine(rec *telemetry.Statement, want *telemetry.Split) bool {
	worked, ok := rec.ServerTime.Get()
	if !ok {
		return true
	}
	var e time.Duration
	for i := range rec.RPCs {
		if x := &rec.RPCs[i]; x.Method == "ExecuteStatement" {
			if x.Retries > 0 {
				return false
			}
			if at, ok := rec.Calls[0].FirstByte.Get(); ok {
				e = at - rec.Calls[0].Start - x.Connecting
			}
		}
	}
	p := want[telemetry.PartServer] - e
	if worked < e {
		want[telemetry.PartServer] -= e - worked
		want[telemetry.PartNetwork] += e - worked
	}
	if late := p - max(0, worked-e); late > 0 {
		want[telemetry.PartServer] -= late
		want[telemetry.PartPoll] += late
	}
	return true
}
