package cloudfetch

import (
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Bounds on what is kept about files. Files beyond maxFiles count in the sums.
const (
	maxFiles = 256     // files of a statement that are listed
	maxLinks = 1 << 16 // links of a statement that are registered at once
)

// The states of telemetry.File.
const (
	fileWaiting     = "WAITING"     // not requested yet
	fileDownloading = "DOWNLOADING" // a request is running, or follows a redirect
	fileDownloaded  = "DOWNLOADED"  // the last attempt ended with status 200 and a body read to its end
	fileFailed      = "FAILED"      // the last attempt ended without a complete 200
	fileAbandoned   = "ABANDONED"   // the reader stopped before the last attempt ended, or before the first
)

// file follows one CloudFetch file.
type file struct {
	trace     *Trace      // immutable
	key       linkKey     // immutable
	untracked atomic.Bool // the download is unknown; set once, never unset

	// Guarded by the trace's lock.
	record      telemetry.File
	status      int           // HTTP status of the latest attempt that ended
	waited      time.Duration // how long the reader waited for the latest attempt
	redirecting bool          // the latest attempt was redirected and has not continued yet

	// Guarded by the registry's lock: the list of the trace's registered files.
	prev, next *file
}

// files are the files of one trace, whose lock guards them.
type files struct {
	sums   telemetry.CloudFetch // without what fill adds
	listed []*file              // the first maxFiles
	// incomplete holds the files whose latest attempt failed or was abandoned. There are few, and
	// mostly none.
	incomplete []*file

	untracked atomic.Bool // at least one of the files is
}

// failed counts the files whose latest attempt failed, and returns the first of them.
func (fs *files) failed() (n int64, first *file) {
	if fs == nil {
		return 0, nil
	}
	for _, f := range fs.incomplete {
		if f.record.State != fileFailed && !f.redirecting || f.untracked.Load() {
			continue
		}
		if n++; first == nil || f.record.Index < first.record.Index {
			first = f
		}
	}
	return n, first
}

// fill returns what is known about the files. Files that are incomplete when the trace is finished
// are abandoned.
func (fs *files) fill(final bool) *telemetry.CloudFetch {
	if fs == nil || fs.untracked.Load() {
		return nil
	}
	c := fs.sums
	failed, first := fs.failed()
	c.Failed, c.Abandoned = failed, int64(len(fs.incomplete))-failed
	if first != nil {
		c.FailedIndex = telemetry.Known(first.record.Index)
		if first.status != 0 {
			c.FailedStatus = telemetry.Known(int64(first.status))
		}
	}
	if final {
		c.Abandoned = c.Present - c.Downloaded - c.Failed
	}
	c.Files = make([]telemetry.File, len(fs.listed))
	for i, f := range fs.listed {
		c.Files[i] = f.record
		if f.redirecting {
			c.Files[i].State, c.Files[i].Status = fileFailed, f.status
		}
		if s := &c.Files[i].State; final && (*s == fileWaiting || *s == fileDownloading) {
			*s = fileAbandoned
		}
	}
	return &c
}

// addLinks adds the files of a page that is complete. The trace's lock is held.
func (t *Trace) addLinks(links []link, now time.Duration) {
	if len(links) == 0 {
		return
	}
	if t.files == nil {
		t.files = &files{}
	}
	sums, added := &t.files.sums, make([]file, len(links))
	for i := range links {
		l, f := &links[i], &added[i]
		f.trace, f.key = t, l.key
		f.record = telemetry.File{
			Index: sums.Present, Rows: l.rows, Bytes: l.bytes, State: fileWaiting, Queued: telemetry.Known(now),
		}
		if !l.canonical || t.reg == nil {
			f.markUntracked()
		}
		t.addSegment(segment{l.rows, f})
		sums.Present++
		if sums.Bytes += l.bytes; sums.Bytes < 0 {
			f.markUntracked() // the sum overflowed
		}
		if len(t.files.listed) < maxFiles {
			t.files.listed = append(t.files.listed, f)
		}
	}
	if t.reg != nil {
		t.reg.addLinks(added)
	}
}

// markUntracked notes that the file's download is unknown.
func (f *file) markUntracked() {
	f.untracked.Store(true)
	f.trace.files.untracked.Store(true)
}

// isOf reports whether a request began as one for the file. The application's transport may have rewritten it.
func (f *file) isOf(req *http.Request) bool {
	if req == nil {
		return false
	}
	key, ok := keyOf(firstRequest(req).URL)
	return ok && key == f.key
}

// begin notes a request for the file. It reports false when the request must pass unobserved. Of two
// requests at the same time, the second makes the file untracked, so what ends is the latest attempt.
func (f *file) begin(redirect bool, at time.Time) (ok bool) {
	t := f.trace
	t.mu.Lock()
	defer t.mu.Unlock()
	r := &f.record
	if t.done.Load() || f.untracked.Load() || r.State == fileDownloaded {
		return false
	}
	now := t.since(at)
	t.advance(now)
	t.fetches(f)
	if r.State == fileDownloading && !f.redirecting {
		// There are two requests at the same time: which one the reader will use is unknown.
		f.markUntracked()
		return false
	}
	t.files.incomplete = slices.DeleteFunc(t.files.incomplete, func(x *file) bool { return x == f })
	if !redirect || !f.redirecting {
		t.files.sums.Attempts++
		if r.Attempts++; r.Attempts > 1 {
			f.repeat()
		}
		r.Received = 0
		r.Latest, f.waited = now, 0
	}
	if _, asked := r.Start.Get(); !asked {
		r.Start = telemetry.Known(now)
	}
	r.State, r.FirstByte, r.End = fileDownloading, telemetry.Maybe[time.Duration]{}, telemetry.Maybe[time.Duration]{}
	f.redirecting = false
	return true
}

// repeat notes that the latest attempt did not deliver the file and another one begins. The time for
// which the reader waited for the latest attempt moves to PartRetry.
func (f *file) repeat() {
	t, r := f.trace, &f.record
	t.move(f.waited, telemetry.PartFile, telemetry.PartRetry)
	sums := &t.files.sums
	sums.Retries++
	if r.Attempts == 2 {
		sums.Retried++
	}
	sums.MostAttempts, sums.RetryStatus = max(sums.MostAttempts, r.Attempts), f.status
	if len(r.Retried) < maxRetried {
		r.Retried = append(r.Retried, telemetry.Attempt{Start: r.Latest, End: r.End.Or(r.Latest), Status: f.status})
	}
}

// redirect notes that an attempt was answered with a redirect. It counts as failed until it
// continues, because net/http does not follow every redirect, and not without limit.
func (f *file) redirect(code int) {
	f.trace.mu.Lock()
	defer f.trace.mu.Unlock()
	if !f.trace.done.Load() {
		f.redirecting, f.status = true, code
		f.trace.files.incomplete = append(f.trace.files.incomplete, f)
	}
}

// end notes how an attempt ended: state is fileDownloaded, fileFailed or fileAbandoned. firstByte is
// zero if no byte came.
func (f *file) end(state string, code int, received int64, firstByte, at time.Time) {
	t := f.trace
	t.mu.Lock()
	defer t.mu.Unlock()
	r := &f.record
	if t.done.Load() {
		return
	}
	t.advance(t.since(at))
	t.idle = 0 // the time until now was this file's
	if state == fileDownloaded {
		// First, so that the file can no longer become untracked.
		t.reg.dropLink(f)
	}
	if f.untracked.Load() {
		return
	}
	sums, now := &t.files.sums, t.since(at)
	r.State, r.End, r.Received = state, telemetry.Known(now), received
	if !firstByte.IsZero() {
		r.FirstByte = telemetry.Known(t.since(firstByte))
	}
	sums.Received += received
	if state != fileDownloaded {
		if f.status = code; state == fileFailed {
			r.Status = code
		}
		t.files.incomplete = append(t.files.incomplete, f)
		return
	}
	latency := now - r.Start.Or(now)
	if sums.Downloaded++; sums.Downloaded == 1 {
		sums.First = latency
	}
	sums.Slowest = max(sums.Slowest, latency)
	sums.Sum += latency
}
