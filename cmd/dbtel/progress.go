package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
)

// progress shows on standard error how much of a large file has been read. It serves the one
// goroutine that reads files in turn; clear may be called from another.
type progress struct {
	w     io.Writer // nil: standard error is no terminal
	mu    sync.Mutex
	shown bool // guarded by mu
}

// largeFile is the size from which reading takes long enough to show progress.
const largeFile = 64 << 20

func newProgress(stderr io.Writer) *progress {
	if !isTerminal(stderr) {
		return &progress{}
	}
	return &progress{w: stderr}
}

// reader returns a reader of the file that shows progress.
func (p *progress) reader(f *os.File) io.Reader {
	info, err := f.Stat()
	if p.w == nil || err != nil || info.Size() < largeFile {
		return f
	}
	return &progressReader{f: f, size: info.Size(), progress: p, next: time.Now().Add(time.Second)}
}

// clear erases the line, for what is printed next.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		p.shown = false
		fmt.Fprint(p.w, "\r"+eraseLine)
	}
}

func (p *progress) show(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shown = true
	fmt.Fprint(p.w, "\r"+eraseLine+clean(text))
}

type progressReader struct {
	f          *os.File
	read, size int64
	progress   *progress
	next       time.Time
}

func (r *progressReader) Read(b []byte) (int, error) {
	n, err := r.f.Read(b)
	r.read += int64(n)
	if now := time.Now(); now.After(r.next) {
		r.next = now.Add(200 * time.Millisecond)
		share := format.Percent(float64(r.read) / float64(max(r.read, r.size)))
		r.progress.show(fmt.Sprintf("reading %s: %s of %s", r.f.Name(), share, format.Bytes(r.size)))
	}
	return n, err
}
