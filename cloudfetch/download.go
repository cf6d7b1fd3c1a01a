package cloudfetch

import (
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// download is one HTTP attempt for a CloudFetch file.
type download struct {
	counts  *Counters
	file    *file
	attempt uint32
	ctx     context.Context // of the request: canceled when the reader stops
	length  int64           // Content-Length; -1 unknown

	quiet atomic.Bool // ended; reads are passed on unobserved

	mu    sync.Mutex // guards all below against a Close during a Read
	over  bool
	n     int64
	first time.Time
}

// failed notes an attempt without a usable response.
func (d *download) failed(code int) {
	state := fileFailed
	if code == 0 && d.ctx.Err() != nil {
		state = fileAbandoned
	}
	d.file.end(d.attempt, state, code, 0, time.Time{}, time.Now())
}

// saw takes the bytes and the error of one Read.
func (d *download) saw(p []byte, err error) {
	d.mu.Lock()
	defer d.contain()
	if d.over {
		return
	}
	if len(p) > 0 && d.n == 0 {
		d.first = time.Now()
	}
	d.n += int64(len(p))
	switch {
	case err == nil:
	case err == io.EOF:
		d.finish(fileDownloaded)
	case d.ctx.Err() != nil:
		d.finish(fileAbandoned)
	default:
		d.finish(fileFailed)
	}
}

// closed notes that the body is closed.
func (d *download) closed() {
	d.mu.Lock()
	defer d.contain()
	switch {
	case d.over:
	case d.length >= 0 && d.n == d.length:
		d.finish(fileDownloaded)
	default:
		d.finish(fileAbandoned)
	}
}

func (d *download) finish(state string) {
	d.over = true
	d.quiet.Store(true)
	d.file.end(d.attempt, state, http.StatusOK, d.n, d.first, time.Now())
	if state == fileDownloaded {
		d.counts.files.Add(1)
	}
}

// contain is as in exchange.
func (d *download) contain() {
	if v := recover(); v != nil {
		d.counts.panicked(v)
		d.over = true
		d.quiet.Store(true)
		if d.file != nil {
			d.file.markUntracked()
		}
	}
	d.mu.Unlock()
}

// downloadBody passes a file on, read by read.
type downloadBody struct {
	io.ReadCloser
	download
}

func (b *downloadBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if !b.quiet.Load() && (n > 0 || err != nil) && n >= 0 && n <= len(p) {
		b.saw(p[:n], err)
	}
	return n, err
}

func (b *downloadBody) Close() error {
	err := b.ReadCloser.Close()
	if !b.quiet.Load() {
		b.closed()
	}
	return err
}
