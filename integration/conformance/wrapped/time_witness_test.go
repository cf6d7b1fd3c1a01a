package wrapped

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	dbsqlrows "github.com/databricks/databricks-sql-go/rows"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	show "github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/ndjson"
)

// A witness sits between the wrapper and the network, and knows what the application does. From that, and with what
// came later, it says what a statement waited for at every instant: another way to the same times, without states.

// reused is how soon a connection is used again at least, where the wrapper need not ask whether one is opened.
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
}

type stretch struct {
	from, to time.Time
	file     int // of the row that is read; negative for none
}

var resultLink = regexp.MustCompile(`/results/[^?]+\.arrow`)

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

// redirected is the request that one goes on.
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

func within(at, from, to time.Time) bool {
	return !from.IsZero() && at.After(from) && (to.IsZero() || at.Before(to))
}

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
	works := func() bool { // by what answers before at said
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

// direct reports whether the answer brought rows or links: nothing was polled or it is long.
func (w *witness) direct(s *seen) bool {
	return bytes.Contains(s.body.Bytes(), []byte("/results/")) || s.body.Len() > 400
}

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

// script is a scene of several troubles, with a witness.
type script struct {
	scene
	w     *witness
	looks []time.Duration
	seen  []look

	describes map[int64]bool
	after     time.Duration // cancel; 0: never
	deadline  bool
	dial      string
}

type look struct {
	at     time.Time
	record *telemetry.Statement
}

func (s *script) nap(d time.Duration) {
	from := time.Now()
	elsewhere(d)
	if d > 0 {
		s.w.mu.Lock()
		s.w.app = append(s.w.app, stretch{from: from, to: time.Now()})
		s.w.mu.Unlock()
	}
}

func fileOf(row int64) int {
	if row < 0 {
		return int(row)
	}
	return int(row / pageRows)
}

// reading notes that the driver reads for a row.
func (s *script) reading(row int64, f func() error) error {
	s.w.mu.Lock()
	s.w.reads = append(s.w.reads, stretch{from: time.Now(), file: fileOf(row)})
	n := len(s.w.reads) - 1
	s.w.mu.Unlock()
	err := f()
	s.w.mu.Lock()
	s.w.reads[n].to = time.Now()
	s.w.mu.Unlock()
	return err
}

func (s *script) run(naps map[int64]time.Duration, last time.Duration, query string) func(context.Context, *sql.DB) error {
	return func(ctx context.Context, db *sql.DB) error {
		c, err := db.Conn(context.Background())
		if err != nil {
			return err
		}
		defer c.Close()
		return c.Raw(func(conn any) (err error) {
			s.w.mu.Lock()
			s.w.began = time.Now()
			s.w.mu.Unlock()
			if s.after > 0 {
				within, cancel := context.WithCancel(ctx)
				if s.deadline {
					within, cancel = context.WithTimeout(ctx, s.after)
				} else {
					time.AfterFunc(s.after, cancel)
				}
				ctx = within
				defer cancel()
			}
			defer func() {
				s.w.mu.Lock()
				s.w.ended = time.Now()
				s.w.mu.Unlock()
			}()
			if s.reader == "exec" {
				_, err := conn.(driver.ExecerContext).ExecContext(ctx, query, nil)
				return err
			}
			rows, err := conn.(driver.QueryerContext).QueryContext(ctx, query, nil)
			if err != nil {
				return err
			}
			defer func() {
				s.w.mu.Lock()
				s.w.close = time.Now()
				s.w.mu.Unlock()
				err = errors.Join(err, rows.Close())
			}()
			s.nap(naps[0])
			describe := func(row int64) {
				if s.describes[row] {
					_ = s.reading(-1, func() error { rows.Columns(); return nil })
				}
			}
			describe(0)
			var read func() (int64, error)
			var more func() bool
			switch s.reader {
			case "driver rows":
				dest := make([]driver.Value, 2)
				read = func() (int64, error) { return 1, rows.Next(dest) }
			case "arrow":
				it, err := rows.(dbsqlrows.Rows).GetArrowBatches(context.Background())
				if err != nil {
					return err
				}
				more = it.HasNext
				if s.describes[-1] {
					if err := s.reading(0, func() error { _, err := it.Schema(); return err }); err != nil {
						return err
					}
					s.nap(naps[-1000])
				}
				if s.describes[-2] {
					defer func() {
						_ = s.reading(-2, func() error { it.Close(); return nil })
						s.nap(naps[-1001])
					}()
				}
				read = func() (int64, error) {
					r, err := it.Next()
					if err != nil {
						return 0, err
					}
					defer r.Release()
					return r.NumRows(), nil
				}
			case "ipc":
				it, err := rows.(dbsqlrows.Rows).GetArrowIPCStreams(context.Background())
				if err != nil {
					return err
				}
				more = it.HasNext
				read = func() (int64, error) {
					r, err := it.Next()
					if err == nil {
						_, err = io.Copy(io.Discard, r)
					}
					return pageRows, err
				}
			}
			for row := int64(0); ; {
				if s.stop > 0 && row >= s.stop {
					s.nap(last)
					return nil
				}
				if more != nil {
					ok := false
					_ = s.reading(row, func() error { ok = more(); return nil })
					if !ok {
						s.nap(last)
						return nil
					}
					s.nap(naps[-row-1])
				}
				var n int64
				err := s.reading(row, func() (err error) { n, err = read(); return err })
				if err == io.EOF {
					s.nap(last)
					return nil
				}
				if err != nil {
					s.nap(last)
					return err
				}
				row += n
				describe(row)
				s.nap(naps[row])
			}
		})
	}
}

// composed makes a script of random troubles.
func composed(r *rand.Rand, kind string) (s *script, about string) {
	ms := func(n int) time.Duration { return time.Duration(1+r.IntN(n)) * time.Millisecond }
	all := formats()
	f := all[r.IntN(len(all))]
	s = &script{w: &witness{links: map[string]int{}}}
	s.entry, s.opts = "NewConnector", f.opts
	readers := []string{"driver rows", "arrow", "ipc"}
	if !f.arrow {
		readers = readers[:1]
	}
	s.reader = readers[r.IntN(len(readers))]
	if f.polled && r.IntN(6) == 0 {
		s.reader = "exec"
	}
	s.threads = 1 + r.IntN(4)
	if f.files {
		s.opts.LinksPerPage = []int{1, 2, 3, -1}[r.IntN(4)]
	}
	ex := ms(9000)
	s.opts.ExecutionTime = func(string) time.Duration { return ex }
	s.pause, s.poll = ms(5000), ms(3000)
	pages := 1 + r.IntN(6)
	if r.IntN(4) == 0 {
		s.stop = 1 + int64(r.IntN(pages*pageRows))
	}
	naps := map[int64]time.Duration{}
	for range r.IntN(4) {
		naps[int64(r.IntN(pages*pageRows+1))] = ms(6000)
	}
	for range r.IntN(4) {
		naps[int64(r.IntN(pages+1)*pageRows)] = ms(6000)
		naps[-int64(r.IntN(pages+1)*pageRows)-1] = ms(6000)
	}
	s.describes = map[int64]bool{}
	for range r.IntN(3) {
		s.describes[int64(r.IntN(2)*r.IntN(pages*pageRows+1))] = true
	}
	s.describes[-1], s.describes[-2] = r.IntN(3) == 0, r.IntN(3) == 0
	naps[-1000], naps[-1001] = time.Duration(r.IntN(2))*ms(3000), time.Duration(r.IntN(2))*ms(3000)
	if kind == "canceled" {
		s.after, s.deadline = ms(20000)+777*time.Microsecond, r.IntN(2) == 0
	}
	last := time.Duration(r.IntN(2)) * ms(6000)
	targets := []workspace.Target{
		workspace.Method("ExecuteStatement"), workspace.Method("GetOperationStatus"), workspace.Method("GetResultSetMetadata"),
		workspace.Method("FetchResults"), workspace.Method("CloseOperation"), workspace.ResultDownloads(), workspace.ResultDownloads(),
	}
	for range r.IntN(6) {
		f := workspace.Fault{On: targets[r.IntN(len(targets))], Skip: r.IntN(4), First: 1 + r.IntN(4)}
		for range 1 + r.IntN(2) {
			f.Do = []workspace.Action{
				workspace.Latency(ms(5000)), workspace.SlowBody(ms(5000)), workspace.StatusRetryAfter(503, ms(9000)), workspace.Status(503), workspace.Status(429),
				workspace.Status(403), workspace.Reset(), workspace.HalfBody(), workspace.DropResponse(), workspace.Latency(ms(800)), workspace.SlowBody(ms(400)),
			}[r.IntN(11)]
			s.faults = append(s.faults, f)
		}
	}
	for range 12 {
		s.looks = append(s.looks, ms(40000)+time.Duration(r.IntN(1000))*time.Microsecond)
	}
	slices.Sort(s.looks)
	s.through = s.w.over
	query := statement(pages * pageRows)
	if r.IntN(12) == 0 {
		query = []string{"SELECT * FROM nowhere", "SELEC 1", "SELECT 1 AS a, 'x' AS b FROM range(0)"}[r.IntN(3)]
	}
	s.opts.ServerTimes = r.IntN(4) == 0
	s.opts.FailuresByHandle = r.IntN(2) == 0
	s.opts.DirectResultWait = []time.Duration{0, -1, time.Second, time.Minute}[r.IntN(4)]
	if kind == "connecting" {
		took, idle := ms(1500), reused+ms(5000)
		if r.IntN(3) == 0 {
			idle = 0
		}
		s.dial = fmt.Sprint("dial ", took, " idle ", idle)
		through := dialing(took, idle)
		s.through = func(base http.RoundTripper) http.RoundTripper { return s.w.over(through(base)) }
	}
	if kind == "redirected" {
		seed := r.Uint64()
		s.through = func(base http.RoundTripper) http.RoundTripper {
			return s.w.over(redirecting(base, rand.New(rand.NewPCG(seed, 2))))
		}
	}
	if kind == "behind Wrap" {
		s.entry = "Wrap"
	}
	about = fmt.Sprintf("%s %s threads %d links %d ex %v pause %v poll %v pages %d stop %d naps %v last %v describes %v cancel %v %v", f.name, s.reader, s.threads, s.opts.LinksPerPage, ex, s.pause, s.poll, pages, s.stop, naps, last, s.describes, s.after, s.deadline)
	for _, f := range s.faults {
		about += fmt.Sprintf("\n  %v skip %d first %d %v", f.On, f.Skip, f.First, f.Do)
	}
	about += fmt.Sprintf("\n%s server times %v by handle %v wait %v %s %s", query, s.opts.ServerTimes, s.opts.FailuresByHandle, s.opts.DirectResultWait, s.dial, s.entry)
	s.program = s.run(naps, last, query)
	return s, about
}

// withLooks has the running record looked at while the program runs.
func (s *script) withLooks() scene {
	p, inner := s.scene, s.program
	p.program = func(ctx context.Context, db *sql.DB) error {
		done := make(chan struct{})
		var wg sync.WaitGroup
		start := time.Now()
		wg.Go(func() {
			for _, at := range s.looks {
				select {
				case <-done:
					return
				case <-time.After(start.Add(at).Sub(time.Now())):
				}
				for _, c := range telemetry.Default.Connectors() {
					for _, r := range c.Running() {
						if r.Started.Equal(s.w.began) {
							s.seen = append(s.seen, look{time.Now(), r})
						}
					}
				}
			}
		})
		err := inner(ctx, db)
		close(done)
		wg.Wait()
		return err
	}
	return p
}

// seeds is the number of scripts of each kind.
const seeds = 60

// Whatever goes wrong in a statement, its record, also of every instant while it runs, has the times that a witness
// below the wrapper finds, and its verdict says only what the witness saw.
func TestRecordsAgreeWithAWitness(t *testing.T) {
	for _, kind := range []string{"read", "canceled", "connecting", "redirected", "behind Wrap"} {
		for seed := range uint64(seeds) {
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

// refine divides the server's time by the time that the server says it took; false where attempts that were repeated
// make that more than is told here.
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

var (
	reRetries = regexp.MustCompile(`(\d+) retr(?:y|ies) of (\w+), last (status (\d+)|without a whole answer)`)
	reTook    = regexp.MustCompile(`(GetResultSetMetadata|CloseOperation|CancelOperation|a status call itself) took ([0-9.]+ \w+)( in)?`)
	reSlowest = regexp.MustCompile(`slowest (complete )?([0-9.]+ \w+)`)
	reOnWay   = regexp.MustCompile(`file (\d+) on its way for ([0-9.]+ \w+)`)
	reDone    = regexp.MustCompile(`, (\d+) complete`)
	reNeeded  = regexp.MustCompile(`(one file|(\d+) files) needed (up to )?(\d+) attempts( each)?, last (status (\d+)|without a whole answer)`)
	reFfailed = regexp.MustCompile(`(\d+) files? failed`)
	rePolls   = regexp.MustCompile(`\((\d+) status calls?\)`)
	rePause   = regexp.MustCompile(`repeated after pauses of ([0-9.]+ \w+) \((\d+) retr(?:y|ies), last (status (\d+)|without a whole answer)`)
	reNoByte  = regexp.MustCompile(`no byte of an answer to (\w+) for ([0-9.]+ \w+)`)
	reSeenAt  = regexp.MustCompile(`(?:still|last seen) (\w+) (at poll (\d+)|in the answer to ExecuteStatement)( or later)?`)
	rePages   = regexp.MustCompile(`waiting for (\d+) result pages?`)
)

// checkVerdict compares what a verdict says with what the witness saw until then.
func (w *witness) checkVerdict(r *telemetry.Statement, until time.Time) (wrong []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	v := explain.Of(r)
	bad := func(f string, args ...any) { wrong = append(wrong, fmt.Sprintf(f, args...)) }
	type call struct {
		attempts []*seen
	}
	calls := map[string][]*call{}
	files := map[int][]*seen{}
	for _, s := range w.all {
		if s.start.Before(w.began) || s.start.After(until) {
			continue
		}
		if s.method == "" {
			files[s.file] = append(files[s.file], s)
			continue
		}
		all := calls[s.method]
		if n := len(all); n > 0 && all[n-1].attempts[0].seq == s.seq {
			all[n-1].attempts = append(all[n-1].attempts, s)
		} else {
			calls[s.method] = append(all, &call{[]*seen{s}})
		}
	}
	end := func(s *seen) time.Time {
		if s.end.IsZero() || s.end.After(until) {
			return until
		}
		return s.end
	}
	ended := func(s *seen) bool { return !s.end.IsZero() && !s.end.After(until) }
	statusOf := func(s *seen) string {
		if s.status == 0 || s.status == 200 {
			return "without a whole answer"
		}
		return fmt.Sprintf("status %d", s.status)
	}
	text := strings.ReplaceAll(v.Sentence, ",0", "0")
	text = regexp.MustCompile(`(\d),(\d\d\d)`).ReplaceAllString(text, "$1$2")
	for _, m := range reRetries.FindAllStringSubmatch(text, -1) {
		n, last := 0, ""
		for _, c := range calls[m[2]] {
			n += len(c.attempts) - 1
			if k := len(c.attempts); k > 1 {
				last = statusOf(c.attempts[k-2])
			}
		}
		if fmt.Sprint(n) != m[1] || last != m[3] {
			bad("%s: truth %d, %s", m[0], n, last)
		}
	}
	for _, m := range reTook.FindAllStringSubmatch(text, -1) {
		method := m[1]
		if strings.HasPrefix(method, "a status") {
			method = "GetOperationStatus"
		}
		longest, sum := time.Duration(0), time.Duration(0)
		for _, c := range calls[method] {
			a := c.attempts[len(c.attempts)-1]
			longest = max(longest, end(a).Sub(a.start))
			sum += end(a).Sub(a.start)
		}
		if show.Duration(longest) != m[2] && show.Duration(min(longest, v.Time)) != m[2] && !(m[3] != "" && show.Duration(sum) == m[2]) {
			bad("%s: truth %s, sum %s", m[0], longest, sum)
		}
	}
	if m := reSlowest.FindStringSubmatch(text); m != nil {
		longest, complete := time.Duration(0), time.Duration(0)
		if v.Part == telemetry.PartFile {
			for _, f := range files {
				a := f[len(f)-1]
				longest = max(longest, end(a).Sub(a.start))
				if a.ok && ended(a) {
					complete = max(complete, end(a).Sub(a.start))
				}
			}
			if m[1] != "" {
				longest = complete
			}
			if show.Duration(complete) != m[2] || m[1] == "" && longest != complete {
				bad("%s: truth %s, complete %s", m[0], longest, complete)
			}
		} else {
			for _, c := range calls["FetchResults"] {
				a := c.attempts[len(c.attempts)-1]
				longest = max(longest, end(a).Sub(a.start))
			}
			if show.Duration(longest) != m[2] {
				bad("%s: truth %s", m[0], longest)
			}
		}
	}
	done := 0
	for _, f := range files {
		if a := f[len(f)-1]; a.ok && ended(a) {
			done++
		}
	}
	if m := reDone.FindStringSubmatch(text); m != nil && fmt.Sprint(done) != m[1] {
		bad("%s: truth %d", m[0], done)
	}
	if m := reOnWay.FindStringSubmatch(text); m != nil {
		ok := false
		for i, f := range files {
			a := f[len(f)-1]
			ok = ok || fmt.Sprint(i) == m[1] && !ended(a) && (show.Duration(until.Sub(f[0].start)) == m[2])
		}
		if !ok {
			bad("%s", m[0])
		}
	}
	if m := reNeeded.FindStringSubmatch(text); m != nil {
		n, most, least := 0, 0, 99
		for _, f := range files {
			if len(f) > 1 {
				n++
				most, least = max(most, len(f)), min(least, len(f))
			}
		}
		if m[2] == "" {
			m[2] = "1"
		}
		if fmt.Sprint(n) != m[2] || fmt.Sprint(most) != m[4] || m[5] != "" && least != most {
			bad("%s: truth %d files, %d", m[0], n, most)
		}
	}
	if m := reFfailed.FindStringSubmatch(text); m != nil {
		n := 0
		for _, f := range files {
			if a := f[len(f)-1]; !a.ok && ended(a) {
				n++
			}
		}
		if k, _ := strconv.Atoi(m[1]); k > n {
			bad("%s: truth %d (perhaps given up)", m[0], n)
		}
	}
	if m := rePolls.FindStringSubmatch(text); m != nil && fmt.Sprint(len(calls["GetOperationStatus"])) != m[1] {
		bad("%s: truth %d", m[0], len(calls["GetOperationStatus"]))
	}
	if m := rePause.FindStringSubmatch(text); m != nil {
		n, last, pauses := 0, "", time.Duration(0)
		for _, c := range calls["GetOperationStatus"] {
			for i, a := range c.attempts[1:] {
				n++
				last = statusOf(c.attempts[i])
				pauses += a.start.Sub(end(c.attempts[i]))
			}
		}
		if fmt.Sprint(n) != m[2] || last != m[3] || show.Duration(pauses) != m[1] {
			bad("%s: truth %d %s %s", m[0], n, last, pauses)
		}
	}
	if m := reNoByte.FindStringSubmatch(text); m != nil {
		all := calls[m[1]]
		c := all[len(all)-1]
		a := c.attempts[len(c.attempts)-1]
		if (!a.first.IsZero() && !a.first.After(until)) || show.Duration(end(a).Sub(a.start)) != m[2] {
			bad("%s: truth %+v", m[0], a)
		}
	}
	if m := reSeenAt.FindStringSubmatch(text); m != nil {
		n := 0
		for i, c := range calls["GetOperationStatus"] {
			if a := c.attempts[len(c.attempts)-1]; a.ok && ended(a) {
				n = i + 1
			}
		}
		if m[4] == "" && (m[3] != "" && fmt.Sprint(n) != m[3] || m[3] == "" && n > 0) {
			bad("%s: truth %d", m[0], n)
		}
	}
	if m := rePages.FindStringSubmatch(text); m != nil {
		n := 0
		for _, c := range calls["FetchResults"] {
			if a := c.attempts[len(c.attempts)-1]; a.ok && ended(a) {
				n++
			}
		}
		for _, c := range calls["ExecuteStatement"] {
			if a := c.attempts[len(c.attempts)-1]; a.ok && ended(a) && w.direct(a) {
				n++
			}
		}
		if fmt.Sprint(n) != m[1] {
			bad("%s: truth %d", m[0], n)
		}
	}
	// advice on a request must be about a status that was seen
	for phrase, is := range map[string]func(int) bool{
		"asked to slow down":    func(c int) bool { return c == 429 },
		"refused access":        func(c int) bool { return c == 403 || c == 401 },
		"answered with errors":  func(c int) bool { return c >= 500 },
		"No whole answer came":  func(c int) bool { return c == 0 },
		"Connections broke off": func(c int) bool { return c == 200 },
	} {
		for _, part := range strings.SplitAfter(v.Advice, ". ") {
			if !strings.Contains(part, phrase) {
				continue
			}
			found := false
			for _, all := range calls {
				for _, c := range all {
					for _, a := range c.attempts {
						found = found || ended(a) && !a.ok && is(a.status) && !strings.Contains(part, "storage")
					}
				}
			}
			for _, f := range files {
				for _, a := range f {
					found = found || ended(a) && !a.ok && is(a.status) && !strings.Contains(part, "workspace")
				}
			}
			if !found {
				bad("advice %q has no such request", part)
			}
		}
	}
	return wrong
}

// notesOf writes a timeline, with times in hundredths of a second.
func notesOf(t explain.Timeline) string {
	var b strings.Builder
	for _, l := range t.Lanes {
		fmt.Fprintf(&b, "%s:", l.Name)
		for _, x := range l.Bars {
			fmt.Fprintf(&b, " [%s %s %v-%v %q %v %v]", x.Kind, x.Label, x.Start.Round(10*time.Millisecond), x.End.Round(10*time.Millisecond), x.Note, x.Failed, x.Open)
		}
		b.WriteString("\n")
	}
	return b.String() + t.Missing
}

// checkCopy compares what is said of a record and of its copy in NDJSON.
func checkCopy(r *telemetry.Statement) (wrong []string) {
	var b bytes.Buffer
	ndjson.New(&b).StatementFinished(r)
	n := 0
	for x, err := range ndjson.Read(&b) {
		n++
		s, ok := x.(*telemetry.Statement)
		if err != nil || !ok {
			wrong = append(wrong, fmt.Sprint(err, x))
			continue
		}
		if a, b := explain.Of(r), explain.Of(s); a.Sentence != b.Sentence || a.Advice != b.Advice || a.Part != b.Part {
			wrong = append(wrong, fmt.Sprintf("NDJSON: %q\nbecame %q\nadvice %q\nbecame %q", a.Sentence, b.Sentence, a.Advice, b.Advice))
		}
		if a, b := notesOf(explain.TimelineOf(r)), notesOf(explain.TimelineOf(s)); a != b {
			wrong = append(wrong, "TIMELINE\n"+a+"\nbecame\n"+b)
		}
	}
	adv := strings.SplitAfter(explain.Of(r).Advice, ". ")
	for i, a := range adv {
		for _, b := range adv[:i] {
			if strings.TrimSpace(a) == strings.TrimSpace(b) {
				wrong = append(wrong, "twice: "+a)
			}
		}
	}
	if n != 1 {
		wrong = append(wrong, fmt.Sprint(n, " records"))
	}
	return wrong
}

// checkTimeline compares the bars with what the witness saw.
func (w *witness) checkTimeline(r *telemetry.Statement, until time.Time) (wrong []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := explain.TimelineOf(r)
	const slack = 2 * time.Microsecond
	for _, l := range t.Lanes {
		at := time.Duration(0)
		for _, b := range l.Bars {
			if b.Start < at || b.End < b.Start || b.End > t.Total {
				wrong = append(wrong, fmt.Sprintf("bar %+v of %v", b, t.Total))
			}
			at = b.End
			if b.Kind == explain.BarApplication {
				covered := time.Duration(0)
				for _, a := range w.app {
					from, to := max(b.Start, a.from.Sub(w.began)), a.to.Sub(w.began)
					covered += max(0, min(b.End, to)-from)
				}
				if b.Open {
					covered = b.End - b.Start
				}
				if b.End-b.Start-covered > slack {
					wrong = append(wrong, fmt.Sprintf("application bar %+v, the application had %v of it", b, covered))
				}
			}
			if b.Kind == explain.BarPause || b.Kind == explain.BarRetry || b.Kind == explain.BarExecute || b.Kind == explain.BarPoll || b.Kind == explain.BarPage || b.Kind == explain.BarFile {
				found := false
				for _, s := range w.all {
					start, end := s.start.Sub(w.began), s.end.Sub(w.began)
					if s.end.IsZero() || s.end.After(until) {
						end = t.Total
					}
					end = min(end, t.Total)
					if b.Kind == explain.BarPause {
						found = found || end-b.Start < slack && b.Start-end < slack
					} else {
						found = found || start-b.Start < slack && b.Start-start < slack && (end-b.End < slack && b.End-end < slack || strings.Contains(b.Note, "further"))
					}
				}
				if !found {
					wrong = append(wrong, fmt.Sprintf("bar %+v is of nothing", b))
				}
			}
		}
	}
	return wrong
}
