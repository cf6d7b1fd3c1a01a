package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
)

// progress shows on standard error how much has been read, if standard error is a terminal and
// reading takes more than a second. Only the goroutine that reads files in turn uses it, except that
// others may call interrupt and end.
type progress struct {
	w io.Writer // nil if standard error does not understand control sequences

	mu           sync.Mutex // guards all below, and the line on w
	shown, ended bool
}

const (
	progressDelay    = time.Second
	progressInterval = 200 * time.Millisecond
)

func newProgress(stderr io.Writer) *progress {
	if !obeysControls(stderr) {
		return &progress{}
	}
	return &progress{w: stderr}
}

// reader returns a reader of r, a file or a pipe, that shows progress.
func (p *progress) reader(name string, r io.Reader) io.Reader {
	if p.w == nil {
		return r
	}
	reader := &progressReader{Reader: r, name: name, progress: p, next: time.Now().Add(progressDelay)}
	if f, ok := r.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			reader.size = info.Size()
		}
	}
	return reader
}

// interrupt calls f, which may write to the terminal, while no progress is shown.
func (p *progress) interrupt(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	f()
}

// end erases the progress. No progress is shown afterwards.
func (p *progress) end() { p.interrupt(func() { p.ended = true }) }

// erase is called with mu held.
func (p *progress) erase() {
	if p.shown {
		p.shown = false
		_, _ = io.WriteString(p.w, "\r"+eraseLine)
	}
}

func (p *progress) show(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return
	}
	p.shown = true
	width, _ := terminalSize(p.w)
	text = truncate(clean(text), cmp.Or(width, defaultWidth)-1) // a wider line could not be erased
	_, _ = io.WriteString(p.w, "\r"+eraseLine+text)
}

type progressReader struct {
	io.Reader
	name       string
	read, size int64 // size is 0 if unknown, as for a pipe
	progress   *progress
	next       time.Time
}

func (r *progressReader) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	r.read += int64(n)
	if now := time.Now(); now.After(r.next) {
		r.next = now.Add(progressInterval)
		text := format.Bytes(r.read)
		if r.size > 0 {
			text = format.Percent(float64(r.read)/float64(max(r.read, r.size))) + " of " + format.Bytes(max(r.read, r.size))
		}
		r.progress.show(fmt.Sprintf("reading %s: %s", r.name, text))
	}
	return n, err
}
