package cloudfetch

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// download is one HTTP attempt for a CloudFetch file.
type download struct {
	counts *Counters
	file   *file
	ctx    context.Context // of the request; canceled when the reader stops
	length int64           // Content-Length; -1 unknown

	quiet atomic.Bool // nothing is left to observe; set under mu once the driver has the body

	mu       sync.Mutex // guards all below against a Close during a Read
	received int64
	first    time.Time
}

// begin notes that the request is sent. It reports false if the request must pass unobserved.
func (d *download) begin(redirect bool) (observed bool) {
	defer d.contain()
	return d.file.begin(redirect, time.Now())
}

// failed notes an attempt without a usable response.
func (d *download) failed(code int) {
	state := fileFailed
	if code == 0 && d.stopped() {
		state = fileAbandoned
	}
	d.file.end(state, code, 0, time.Time{}, time.Now())
}

// stopped reports whether the reader stopped. A deadline does not count, because it is that of
// http.Client's Timeout.
func (d *download) stopped() bool { return errors.Is(d.ctx.Err(), context.Canceled) }

// saw observes the bytes and the error of one Read.
func (d *download) saw(p []byte, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	defer d.contain()
	if d.quiet.Load() {
		return
	}
	if len(p) > 0 && d.received == 0 {
		d.first = time.Now()
	}
	d.received += int64(len(p))
	switch {
	case err == nil:
	case err == io.EOF:
		if d.length >= 0 && d.received != d.length {
			d.file.markUntracked() // the application's transport changed the body or lost its end
		}
		d.finish(fileDownloaded)
	case d.stopped():
		d.finish(fileAbandoned)
	default:
		d.finish(fileFailed)
	}
}

// closed notes that the body is closed.
func (d *download) closed() {
	d.mu.Lock()
	defer d.mu.Unlock()
	defer d.contain()
	switch {
	case d.quiet.Load():
	case d.received == d.length:
		d.finish(fileDownloaded)
	default:
		d.finish(fileAbandoned)
	}
}

func (d *download) finish(state string) {
	d.quiet.Store(true)
	d.file.end(state, http.StatusOK, d.received, d.first, time.Now())
	if state == fileDownloaded {
		d.counts.files.Add(1)
	}
}

// contain contains a panic of the function that defers it. What is known about the file may be wrong
// then.
func (d *download) contain() {
	if v := recover(); v != nil {
		d.counts.panicked(v)
		d.quiet.Store(true)
		d.file.markUntracked()
	}
}

// downloadBody passes on the content of a file, read by read.
type downloadBody struct {
	io.ReadCloser
	download
}

// answer takes the response and wraps its body.
func (b *downloadBody) answer(resp *http.Response, err error) {
	defer b.contain()
	switch {
	case err != nil || resp == nil || resp.Body == nil:
		b.failed(0)
	case isRedirect(resp) && !b.file.isOf(resp.Request):
		b.file.markUntracked() // the request that continues the download cannot be recognized
	case isRedirect(resp):
		b.file.redirect(resp.StatusCode)
	case resp.StatusCode != http.StatusOK:
		b.failed(resp.StatusCode)
	default:
		b.length = resp.ContentLength
		b.ReadCloser = resp.Body
		resp.Body = b
	}
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
