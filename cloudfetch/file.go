package cloudfetch

import (
	"slices"
	"sync/atomic"
	"time"
)

// maxLinks bounds the links of one statement that are registered at once.
const maxLinks = 1 << 16

// file follows one CloudFetch file.
type file struct {
	trace *Trace      // immutable
	key   linkKey     // immutable
	lost  atomic.Bool // it cannot be followed; set once, never unset

	// Guarded by the trace's lock.
	facts   File
	attempt uint32 // as in calling
	hopping bool   // the latest attempt was redirected and has not gone on yet
	settled bool   // downloaded: counted once, for good

	// Guarded by the registry's lock: the list of the trace's registered files.
	prev, next *file
}

// files are those of one trace. Its lock guards them.
type files struct {
	sums  Files   // without what snapshot adds
	first []*file // the first MaxFiles
	// stuck holds the files whose latest attempt failed or was abandoned: few,
	// and mostly none.
	stuck []*file

	unfollowed atomic.Int64 // files that were lost
}

// snapshot copies what is known of them. What is not finished when the trace is, is abandoned.
func (fs *files) snapshot(final bool) *Files {
	s := fs.sums
	s.Unknown = int(fs.unfollowed.Load())
	for _, x := range fs.stuck {
		switch {
		case x.lost.Load():
		case x.facts.State == FileAbandoned:
			s.Abandoned++
		default:
			s.Failed++
			if first := s.FirstFailed; !first.Known || x.facts.Index < first.V {
				s.FirstFailed = known(x.facts.Index)
			}
		}
	}
	rest := max(0, s.Present-s.Downloaded-s.Failed-s.Abandoned-s.Unknown)
	if final {
		s.Abandoned += rest
	} else {
		s.Waiting = rest
	}
	s.List = make([]File, len(fs.first))
	for i, x := range fs.first {
		s.List[i] = x.snapshot(final)
	}
	return &s
}

// lose marks a file as one of which nothing can be said.
func (f *file) lose() {
	if !f.lost.Swap(true) {
		f.trace.files.unfollowed.Add(1)
	}
}

func (f *file) snapshot(final bool) File {
	s := f.facts
	if f.lost.Load() {
		return File{
			Index: s.Index, Page: s.Page, Rows: s.Rows, Bytes: s.Bytes, Offset: s.Offset,
			Expiry: s.Expiry, Queued: s.Queued,
		}
	}
	if final && (s.State == FileWaiting || s.State == FileDownloading) {
		s.State = FileAbandoned
	}
	return s
}

// handOut registers the links of a page that is complete. The trace's lock is
// held.
func (t *Trace) handOut(links []handedLink, now time.Time) {
	if len(links) == 0 {
		return
	}
	if t.files == nil {
		t.files = &files{}
	}
	sums, handed := &t.files.sums, make([]file, len(links))
	for i := range links {
		l, f := &links[i], &handed[i]
		f.trace, f.key = t, l.key
		f.facts = File{
			Index: sums.Present, Page: t.facts.PageCount, Rows: l.rows, Bytes: l.bytes,
			Offset: l.offset, State: FileWaiting, Queued: now,
		}
		if l.expiry > 0 {
			f.facts.Expiry = time.Unix(l.expiry, 0)
		}
		if !l.certain {
			f.lose()
		}
		sums.Present++
		sums.Rows += l.rows
		sums.Bytes += l.bytes
		if len(t.files.first) < MaxFiles {
			t.files.first = append(t.files.first, f)
		}
	}
	if t.reg == nil {
		for i := range handed {
			handed[i].lose()
		}
		return
	}
	t.reg.addLinks(handed)
}

// beginFile notes a request for a file. It reports false when the request must
// pass unseen.
func (t *Trace) beginFile(f *file, redirect bool, now time.Time) (attempt uint32, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done.Load() || f.lost.Load() || f.settled {
		return 0, false
	}
	if f.facts.State == FileDownloading && !f.hopping {
		// Two at once: which one the reader will use cannot be told.
		f.lose()
		return 0, false
	}
	t.files.unstick(f)
	if !redirect || !f.hopping {
		sums := &t.files.sums
		sums.Attempts++
		if f.facts.Attempts++; f.facts.Attempts > 1 {
			sums.Retries++
		}
		f.facts.Wasted += f.facts.Received
		f.facts.Received = 0
	}
	if f.facts.Start.IsZero() {
		f.facts.Start = now
	}
	f.facts.State, f.facts.FirstByte, f.facts.End = FileDownloading, time.Time{}, time.Time{}
	f.hopping = false
	f.attempt++
	return f.attempt, true
}

// unstick takes a file out of the stuck ones before a new attempt.
func (fs *files) unstick(f *file) {
	if i := slices.Index(fs.stuck, f); i >= 0 {
		last := len(fs.stuck) - 1
		fs.stuck[i], fs.stuck[last] = fs.stuck[last], nil
		fs.stuck = fs.stuck[:last]
	}
}

// redirectFile notes that an attempt was answered with a redirect.
func (t *Trace) redirectFile(f *file, attempt uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f.attempt == attempt {
		f.hopping = true
	}
}

// endFile notes how an attempt ended: state is FileDownloaded, FileFailed or
// FileAbandoned.
func (t *Trace) endFile(f *file, attempt uint32, state FileState, code int, n int64, first, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done.Load() || f.attempt != attempt || f.facts.State != FileDownloading {
		return
	}
	if state == FileDownloaded && t.reg != nil {
		// First, so that nobody can lose it any more.
		t.reg.dropLink(f)
	}
	if f.lost.Load() {
		return
	}
	sums := &t.files.sums
	f.facts.State, f.facts.FirstByte, f.facts.End = state, first, now
	f.facts.Received = n
	sums.Received += n
	if state != FileDownloaded {
		if state == FileFailed {
			f.facts.Status = code
		}
		t.files.stuck = append(t.files.stuck, f)
		return
	}
	f.settled = true
	sums.Downloaded++
	latency := f.facts.Latency()
	if sums.Downloaded == 1 {
		sums.First = latency
	}
	sums.Slowest = max(sums.Slowest, latency)
	sums.Sum += latency
}
