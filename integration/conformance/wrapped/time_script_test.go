package wrapped

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	dbsqlrows "github.com/databricks/databricks-sql-go/rows"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

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

// look is a copy of a record at a moment.
type look struct {
	at     time.Time
	record *telemetry.Statement
}

// nap is time that the application spends on something else.
func (s *script) nap(d time.Duration) {
	from := time.Now()
	elsewhere(d)
	if d > 0 {
		s.w.mu.Lock()
		s.w.app = append(s.w.app, stretch{from: from, to: time.Now()})
		s.w.mu.Unlock()
	}
}

// fileOf is the file that a row is in; negative for none.
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

// run is the application's program: it reads as the scene says, and sleeps before some rows.
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
			ctx, cancel := s.limited(ctx)
			defer cancel()
			defer func() {
				s.w.mu.Lock()
				s.w.ended = time.Now()
				s.w.mu.Unlock()
			}()
			defer s.w.callReturned()
			if s.reader == "exec" {
				_, err := conn.(driver.ExecerContext).ExecContext(ctx, query, nil)
				return err
			}
			rows, err := conn.(driver.QueryerContext).QueryContext(ctx, query, nil)
			s.w.callReturned()
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

// limited is the context of the call, which ends at the script's time.
func (s *script) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if s.after > 0 && s.deadline {
		return context.WithTimeout(ctx, s.after)
	}
	within, cancel := context.WithCancel(ctx)
	if s.after > 0 {
		time.AfterFunc(s.after, cancel)
	}
	return within, cancel
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

// withLooks takes looks at the running record while the program runs.
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
				case <-time.After(time.Until(start.Add(at))):
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
