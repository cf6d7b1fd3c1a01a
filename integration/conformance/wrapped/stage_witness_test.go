package wrapped

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/databricks/databricks-sql-go/driverctx"
	dbsqlrows "github.com/databricks/databricks-sql-go/rows"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/testenv"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	show "github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// One stage of a statement takes far longer than all others together. A ledger has which one, and for how
// long. The record, its verdict and its picture must say the same, however the statement ends, and also
// while the stage lasts.

// slowStage is the stage that takes long.
type slowStage struct {
	name       string
	method     string // of the call that is delayed; empty for none
	where      string
	lane       string           // of the picture, where the stage is seen
	parts      []telemetry.Part // that the stage may count as
	unrepeated []telemetry.Part // or as this, where a request was not repeated
	kinds      []string         // of statements that have such a stage; empty: all that read rows
	files      bool             // it needs a result in files
	polled     bool             // or one that is polled for
	nth        int              // a request of the method, or of a file, from 0
}

// ledger is when the stage took place.
type ledger struct {
	slowStage
	mu       sync.Mutex
	from, to time.Time
	seen     int // requests that the stage may delay
	d        time.Duration
	looks    []look
	began    time.Time // of the statement
	amid     func()    // called when most of the stage has passed
	open     bool      // the stage is a pause, until the next request
	refuses  string    // method of calls after the stage that fail; empty for none
	cuts     bool      // their connections are cut; otherwise they are refused
}

// hold waits for the stage's time.
func (l *ledger) hold() {
	l.begin()
	elsewhere(l.d)
	l.ended()
}

func (l *ledger) begin() {
	l.mu.Lock()
	l.from = time.Now()
	l.mu.Unlock()
	time.AfterFunc(l.d-l.d/10, func() {
		for _, c := range telemetry.Default.Connectors() {
			for _, r := range c.Running() {
				if r.Started.Equal(l.began) {
					l.mu.Lock()
					l.looks = append(l.looks, look{time.Now(), r})
					l.mu.Unlock()
				}
			}
		}
		if l.amid != nil {
			l.amid()
		}
	})
}

func (l *ledger) ended() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.to.IsZero() {
		l.to = time.Now()
	}
}

// strikes reports whether a request is the one that is delayed.
func (l *ledger) strikes(r *http.Request) bool {
	switch {
	case l.began.IsZero():
		return false
	case l.method == "file" && !strings.HasPrefix(r.URL.Path, "/results/"):
		return false
	case l.method != "file" && (l.method == "" || !isCall(r, l.method)):
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen++
	return l.seen == l.nth+1
}

// slowBody holds before its second half.
type slowBody struct {
	first, second *bytes.Reader
	l             *ledger
}

func (b *slowBody) Read(p []byte) (int, error) {
	if b.first.Len() > 0 {
		return b.first.Read(p)
	}
	if b.l != nil {
		b.l.hold()
		b.l = nil
	}
	return b.second.Read(p)
}

func (*slowBody) Close() error { return nil }

// over delays the requests and answers that the stage delays on the wire.
func (l *ledger) over(base http.RoundTripper) http.RoundTripper {
	tr := base.(*http.Transport).Clone()
	dial, dials := tr.DialContext, false
	tr.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		l.mu.Lock()
		strikes := dials
		dials = false
		l.mu.Unlock()
		if strikes {
			l.hold()
		}
		return dial(ctx, network, address)
	}
	tr.DisableKeepAlives = l.where == "connection"
	refusal := func(r *http.Request) *http.Response {
		return &http.Response{StatusCode: 503, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Retry-After": {fmt.Sprint(int(l.d.Seconds()))}}, Body: http.NoBody, Request: r}
	}
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		l.mu.Lock()
		if l.open && (l.method == "file" && strings.HasPrefix(r.URL.Path, "/results/") || l.method != "file" && isCall(r, l.method)) {
			l.open, l.to = false, time.Now()
		}
		over := !l.to.IsZero()
		l.mu.Unlock()
		if !l.strikes(r) {
			switch {
			case !over || l.refuses == "" || !isCall(r, l.refuses) && (l.refuses != "file" || !strings.HasPrefix(r.URL.Path, "/results/")):
				return tr.RoundTrip(r)
			case l.cuts:
				return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
			}
			resp := refusal(r)
			resp.StatusCode = 403
			return resp, nil
		}
		switch l.where {
		case "head":
			l.hold()
		case "connection":
			l.mu.Lock()
			dials = true
			l.mu.Unlock()
		case "body":
			resp, err := tr.RoundTrip(r)
			if err != nil {
				return nil, err
			}
			b, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err != nil {
				return nil, err
			}
			resp.Body = &slowBody{bytes.NewReader(b[:len(b)/2]), bytes.NewReader(b[len(b)/2:]), l}
			return resp, nil
		case "attempt":
			l.hold()
			resp := refusal(r)
			resp.Header.Set("Retry-After", "0")
			return resp, nil
		case "broken attempt":
			l.hold()
			return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
		case "pause":
			l.mu.Lock()
			l.open = true
			l.mu.Unlock()
			l.begin()
			return refusal(r), nil
		case "redirect":
			l.hold()
			return &http.Response{StatusCode: 307, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Location": {r.URL.String() + "?again=1"}}, Body: http.NoBody, Request: r}, nil
		}
		return tr.RoundTrip(r)
	})
}

// signIn is an authenticator that takes long.
type signIn struct {
	token string
	l     *ledger
}

func (a signIn) Authenticate(r *http.Request) error {
	if a.l.where == "signing in" && a.l.strikes(r) {
		a.l.hold()
	}
	r.Header.Set("Authorization", "Bearer "+a.token)
	return nil
}

func slowStages() (all []slowStage) {
	const (
		server, poll, retry, page, file = telemetry.PartServer, telemetry.PartPoll, telemetry.PartRetry, telemetry.PartPage, telemetry.PartFile
		network, closing, unknown       = telemetry.PartNetwork, telemetry.PartClose, telemetry.PartUnknown
	)
	type parts = []telemetry.Part
	for _, m := range []struct {
		method, lane      string
		head, body, conns parts
		signing           parts
		polled, files     bool
		kinds             []string
	}{
		{"ExecuteStatement", "execute", parts{server}, parts{page, network}, parts{network}, parts{network}, false, false, []string{"any"}},
		{"GetOperationStatus", "polls", parts{server}, parts{server}, parts{server}, parts{unknown}, true, false, []string{"any"}},
		{"GetResultSetMetadata", "metadata", parts{page}, parts{page}, parts{network}, parts{network, unknown}, true, false, []string{"any"}},
		{"FetchResults", "pages", parts{page}, parts{page}, parts{network}, parts{network, unknown}, false, false, nil},
		{"CloseOperation", "close", parts{closing}, parts{closing}, parts{network}, parts{closing, network, unknown}, true, false, []string{"any"}},
		{"CancelOperation", "cancel", parts{closing}, parts{closing}, parts{network}, parts{closing, network, unknown}, true, false, []string{"any"}},
		{"file", "files", parts{file}, parts{file}, parts{file}, nil, false, true, nil},
	} {
		repeats := parts{retry}
		if m.method == "GetOperationStatus" {
			repeats = parts{server}
		}
		for where, parts := range map[string]parts{"head": m.head, "body": m.body, "connection": m.conns, "signing in": m.signing, "attempt": repeats, "broken attempt": repeats, "pause": repeats, "redirect": m.head} {
			if parts != nil {
				all = append(all, slowStage{name: m.method + " " + where, method: m.method, where: where, lane: m.lane, parts: parts, unrepeated: m.head, polled: m.polled, files: m.files, kinds: m.kinds})
			}
		}
	}
	app := parts{telemetry.PartApplication}
	for _, where := range []string{"before", "between", "after", "left"} {
		all = append(all, slowStage{name: "application " + where, where: where, lane: "rows", parts: app})
	}
	slices.SortFunc(all, func(a, b slowStage) int { return strings.Compare(a.name, b.name) })
	return all
}

var kinds = []string{"raw rows", "arrow", "ipc", "sql rows", "query row", "prepared", "raw rows", "arrow", "exec", "prepared exec", "ping", "PUT", "GET", "REMOVE"}

// staged is a scene in which a stage takes long.
type staged struct {
	l       *ledger
	kind    string
	ending  string // "", "canceled", "deadline", "early"
	tell    string
	opts    workspace.Options
	pages   int
	noise   map[int64]time.Duration
	file    string
	stop    int64
	threads int
}

func stagedOf(t *testing.T, seed uint64) *staged {
	r := rand.New(rand.NewPCG(seed, 91))
	all := slowStages()
	s := &staged{l: &ledger{slowStage: all[r.IntN(len(all))], d: time.Duration(8+r.IntN(20)) * time.Second}, pages: 2 + r.IntN(4), stop: -1, threads: 1 + r.IntN(3)}
	l := s.l
	for {
		s.kind = kinds[r.IntN(len(kinds))]
		reads := slices.Index(kinds, s.kind) < 6
		if reads || slices.Equal(l.kinds, []string{"any"}) {
			break
		}
	}
	fs := formats()
	for {
		f := fs[r.IntN(len(fs))]
		if l.files && !f.files || l.polled && !f.polled || (s.kind == "arrow" || s.kind == "ipc") && !f.arrow {
			continue
		}
		s.opts, s.tell = f.opts, f.name
		break
	}
	small := func() time.Duration { return time.Duration(r.IntN(30)) * time.Millisecond }
	ex := time.Millisecond + small()*5
	s.opts.ExecutionTime = func(string) time.Duration { return ex }
	if s.opts.LinksPerPage != 0 {
		s.opts.LinksPerPage = []int{1, 2, -1}[r.IntN(3)]
	}
	s.opts.ServerTimes = r.IntN(4) == 0
	l.nth = r.IntN(2)
	if l.method != "FetchResults" && l.method != "file" && l.method != "GetOperationStatus" {
		l.nth = 0
	}
	if l.method == "GetOperationStatus" && r.IntN(2) == 0 {
		ex = 2500 * time.Millisecond
	}
	s.noise = map[int64]time.Duration{}
	for range 3 {
		s.noise[int64(r.IntN(s.pages*pageRows+1))] = small()
	}
	switch n := r.IntN(5); {
	case l.method == "CancelOperation":
		s.ending = "canceled early"
	case n == 0 && (!slices.Contains([]string{"sql rows", "query row", "prepared"}, s.kind) || l.lane == "rows"): // fake time does not pass while database/sql waits for its lock
		s.ending = "canceled"
	case n == 1 && slices.Index(kinds, s.kind) < 4:
		s.ending, s.stop = "early", int64(pageRows+1+r.IntN((s.pages-1)*pageRows-1))
	}
	if s.ending == "" && r.IntN(2) == 0 {
		l.refuses, l.cuts = []string{"GetOperationStatus", "GetResultSetMetadata", "FetchResults", "CloseOperation", "file"}[r.IntN(5)], r.IntN(3) == 0
	}
	if l.where == "left" {
		s.ending, s.stop = "early", int64(1+r.IntN(s.pages*pageRows-1))
	}
	s.tell = fmt.Sprintf("%s: %s %s, %s, %v nth %d ending %q stop %d pages %d links %d threads %d times %v ex %v noise %v then %q cut %v", l.name, s.kind, s.tell, "delay", l.d, l.nth, s.ending, s.stop, s.pages, s.opts.LinksPerPage, s.threads, s.opts.ServerTimes, ex, s.noise, l.refuses, l.cuts)
	s.file = filepath.Join(t.TempDir(), "a.csv")
	require.NoError(t, os.WriteFile(s.file, []byte("1,2"), 0o600))
	return s
}

// app delays the application before a row.
func (s *staged) app(row int64) {
	switch l := s.l; {
	case l.where == "before" && row == 0, l.where == "between" && row == int64(pageRows/2+l.nth*pageRows), l.where == "after" && row < 0, l.where == "left" && row == s.stop:
		l.hold()
	default:
		elsewhere(s.noise[row])
	}
}

func (s *staged) program(ctx context.Context, db *sql.DB) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if s.ending == "canceled" {
		s.l.amid = cancel
	}
	ctx = driverctx.NewContextWithStagingInfo(ctx, []string{"/"})
	c, err := db.Conn(context.Background())
	if err != nil {
		return err
	}
	defer c.Close()
	if s.ending == "canceled early" {
		time.AfterFunc(100*time.Millisecond, cancel)
	}
	s.l.began = time.Now()
	query := statement(s.pages * pageRows)
	exec := func(q string) error {
		_, err := c.ExecContext(ctx, q)
		return err
	}
	switch s.kind {
	case "PUT":
		return exec("PUT '" + s.file + "' INTO '/Volumes/main/default/v/b.csv' OVERWRITE")
	case "GET":
		return exec("GET '/Volumes/main/default/v/a.csv' TO '" + s.file + ".got'")
	case "REMOVE":
		return exec("REMOVE '/Volumes/main/default/v/a.csv'")
	case "exec":
		return exec(query)
	case "ping":
		return c.PingContext(ctx)
	case "prepared exec":
		st, err := c.PrepareContext(ctx, query)
		if err != nil {
			return err
		}
		defer st.Close()
		_, err = st.ExecContext(ctx)
		return err
	case "query row":
		rows, err := c.QueryContext(ctx, query)
		if err != nil {
			return err
		}
		s.app(0)
		rows.Next()
		s.app(pageRows / 2)
		s.app(-1)
		return rows.Close()
	case "sql rows", "prepared":
		var rows *sql.Rows
		if s.kind == "prepared" {
			st, err := c.PrepareContext(ctx, query)
			if err != nil {
				return err
			}
			defer st.Close()
			rows, err = st.QueryContext(ctx)
			if err != nil {
				return err
			}
		} else if rows, err = c.QueryContext(ctx, query); err != nil {
			return err
		}
		s.app(0)
		n := int64(0)
		for n != s.stop && rows.Next() {
			n++
			s.app(n)
		}
		s.app(-1)
		return errors.Join(rows.Err(), rows.Close())
	}
	return c.Raw(func(conn any) (err error) {
		rows, err := conn.(driver.QueryerContext).QueryContext(ctx, query, nil)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		s.app(0)
		n := int64(0)
		var next func() (int64, error)
		switch s.kind {
		case "raw rows":
			dest := make([]driver.Value, len(rows.Columns()))
			next = func() (int64, error) { return 1, rows.Next(dest) }
		case "arrow":
			it, err := rows.(dbsqlrows.Rows).GetArrowBatches(context.Background())
			if err != nil {
				return err
			}
			defer it.Close()
			next = func() (int64, error) {
				if !it.HasNext() {
					return 0, io.EOF
				}
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
			next = func() (int64, error) {
				if !it.HasNext() {
					return 0, io.EOF
				}
				r, err := it.Next()
				if err == nil {
					_, err = io.Copy(io.Discard, r)
				}
				return pageRows, err
			}
		}
		for s.stop < 0 || n < s.stop {
			m, err := next()
			if err != nil {
				s.app(-1)
				if err == io.EOF {
					return nil
				}
				return err
			}
			for range m {
				n++
				s.app(n)
			}
		}
		return nil
	})
}

// perform runs the scene.
func (s *staged) perform(t *testing.T) (record *telemetry.Statement, told error) {
	synctest.Test(t, func(t *testing.T) {
		s.opts.InMemory = true
		if s.ending == "canceled early" {
			s.opts.ExecutionTime = func(string) time.Duration { return time.Second }
		}
		ws, err := workspace.Start(s.opts)
		require.NoError(t, err)
		transport := ws.Transport()
		defer func() {
			transport.CloseIdleConnections()
			require.NoError(t, ws.Close())
			time.Sleep(time.Hour)
		}()
		ws.SetVolume("/Volumes/main/default/v/a.csv", []byte("1,2"))
		storage := ws.StorageURL()[len("http://"):]
		inMemory.Store(storage, transport)
		defer inMemory.Delete(storage)
		sink := &memory{}
		over := s.l.over(transport)
		c, err := listening(sink).NewConnector(append(options(ws), dbsql.WithTransport(over), dbsql.WithRetries(4, 10*time.Millisecond, time.Hour), dbsql.WithMaxDownloadThreads(s.threads),
			dbsql.WithAuthenticator(signIn{ws.Token(), s.l}))...)
		require.NoError(t, err)
		db := sql.OpenDB(c)
		db.SetMaxIdleConns(0)
		told = s.program(context.Background(), db)
		require.NoError(t, db.Close())
		time.Sleep(time.Minute)
		sink.mu.Lock()
		defer sink.mu.Unlock()
		for _, r := range sink.statements {
			if r.Started.Equal(s.l.began) {
				record = r
			}
		}
	})
	return record, told
}

// methods are those of a statement.
var methods = []string{"ExecuteStatement", "GetOperationStatus", "GetResultSetMetadata", "FetchResults", "CloseOperation", "CancelOperation"}

var reDuration = regexp.MustCompile(`\d[\d,.]* (?:µs|ms|s|min|h)\b`)

// otherDurations returns the durations that a sentence says, except the total at its beginning and those that are
// about as long as took, or longer by at most more.
func otherDurations(sentence string, total, took, more time.Duration) (others []string) {
	for i, text := range reDuration.FindAllString(sentence, -1) {
		known := i == 0 && text == show.Duration(total)
		for d := took - 50*time.Millisecond; d <= took+more && !known; d += 5 * time.Millisecond {
			known = text == show.Duration(d)
		}
		if !known {
			others = append(others, text)
		}
	}
	return others
}

// check compares a record with the ledger; until is when the record was made.
func (l *ledger) check(r *telemetry.Statement, until time.Time) (wrong []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	bad := func(f string, args ...any) { wrong = append(wrong, fmt.Sprintf(f, args...)) }
	from, to := l.from.Sub(r.Started), l.to
	if to.IsZero() || to.After(until) {
		to = until
	}
	took := to.Sub(l.from)
	if r.Split.Total() != r.Total {
		bad("the parts add up to %v of %v", r.Split.Total(), r.Total)
	}
	took = min(took, r.Total-from)
	if took < r.Total*3/4 {
		return append(wrong, checkCopy(r)...) // the stage outlasted the statement, or something else took long
	}
	v := explain.Of(r)
	repeated := false
	for _, rpc := range r.RPCs {
		repeated = repeated || rpc.Method == l.method && rpc.Retries > 0
	}
	repeated = repeated || l.method == "file" && r.CloudFetch.Retries > 0
	allowed := slices.Clone(l.parts)
	if _, reported := r.ServerTime.Get(); reported && l.method == "ExecuteStatement" {
		allowed = append(allowed, telemetry.PartNetwork) // the server says that it did not work that long
	}
	if volume := r.Kind == telemetry.KindVolume; volume && l.method == "CloseOperation" && !repeated {
		allowed = append(allowed, telemetry.PartUnknown) // the driver may have given up and be transferring the file
	}
	if l.method == "GetOperationStatus" && (r.State == "FINISHED" || l.where != "head") {
		allowed = append(allowed, telemetry.PartPoll, telemetry.PartRetry) // the server may have been at work, or not
	}
	if strings.Contains(l.where, "attempt") && !repeated { // it is under way, or was the last
		allowed = append(allowed, l.unrepeated...)
	}
	if l.refuses == l.method {
		allowed = append(allowed, telemetry.PartRetry) // what follows a redirect is repeated with it
	}
	if refused503 := l.where == "attempt"; refused503 && repeated && l.refuses != "" && l.refuses != l.method && v.Part == telemetry.PartRetry && !strings.HasPrefix(v.Advice, "The workspace answered with errors") && l.method != "file" && r.Failure == nil {
		bad("advice on another method: %s", v.Advice)
	}
	if !slices.Contains(allowed, v.Part) {
		bad("part %s, the stage is %v", v.Part, allowed)
	}
	if d := v.Time - took; d > 4*time.Second || d < -3*time.Second { // status calls and the server's work may fall into the stage
		bad("part of %v, the stage took %v", v.Time, took)
	}
	refusesToo := v.Part == telemetry.PartRetry && l.refuses != "" // the verdict names the repeated calls of all methods
	for _, m := range methods {
		said := strings.ReplaceAll(v.Sentence, "; "+l.refuses+" failed, last", "")
		if m != l.method && strings.Contains(said, m) && (!refusesToo || m != l.refuses) {
			bad("blames %s", m)
		}
	}
	if l.refuses == l.method {
		return wrong
	}
	if l.method != "" && l.method != "file" && l.where != "body" && l.where != "connection" && l.where != "signing in" &&
		v.Part != telemetry.PartUnknown && !strings.Contains(v.Sentence, l.method) && l.method != "GetOperationStatus" && l.method != "ExecuteStatement" && l.method != "FetchResults" {
		bad("does not name %s", l.method)
	}
	for _, text := range otherDurations(v.Sentence, r.Total, took, 1500*time.Millisecond) {
		bad("says %s: the stage took %v of %v", text, took, r.Total)
	}
	found := false
	for _, lane := range explain.TimelineOf(r).Lanes {
		covered := time.Duration(0)
		for _, b := range lane.Bars {
			covered += max(0, min(b.End, from+took)-max(b.Start, from))
		}
		within := lane.Name == l.lane || strings.HasPrefix(lane.Name, l.lane+" ")
		if l.where == "signing in" {
			within = lane.Name == "call" || lane.Name == "rows"
		}
		found = found || within && covered > took*9/10
		if !within && lane.Name != "call" && lane.Name != "rows" && lane.Name != "server" && covered > took/2 {
			bad("a bar of lane %s is over the stage", lane.Name)
		}
	}
	inPause := l.where == "pause" && !repeated // of a file, or where the driver may go on without the answer, that is not certain
	if inPause && (l.method == "file" || l.method == "GetResultSetMetadata" || l.method == "CloseOperation") || v.Part == telemetry.PartUnknown {
		return append(wrong, checkCopy(r)...)
	}
	if !found {
		bad("no bar of lane %s is over the stage %v-%v: %+v", l.lane, from, from+took, explain.TimelineOf(r).Lanes)
	}
	return append(wrong, checkCopy(r)...)
}

func TestTheStageThatTookLongIsBlamed(t *testing.T) {
	for seed := range testenv.Scenes(150) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := stagedOf(t, seed)
			r, told := s.perform(t)
			if s.l.from.IsZero() {
				t.Log("no such stage: ", s.tell)
				return
			}
			require.NotNil(t, r, s.tell)
			about := s.tell + fmt.Sprintf("\n%v\n", told)
			seen := append(slices.Clone(s.l.looks), look{r.Started.Add(r.Total), r})
			for _, l := range seen {
				v := explain.Of(l.record)
				for _, w := range s.l.check(l.record, l.at) {
					t.Errorf("%s: %s", l.record.Outcome, w)
				}
				about += fmt.Sprintf("%s %+v: %s\n  %s\n  %+v\n", l.record.Outcome, l.record.Failure, v.Sentence, v.Advice, l.record.Split)
			}
			if t.Failed() {
				t.Log(about)
			}
		})
	}
}
