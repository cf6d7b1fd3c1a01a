package cloudfetch

import (
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
)

// download is one HTTP attempt for a CloudFetch file.
type download struct {
	counts  *Counters
	file    *file
	attempt uint32
	ctx     context.Context // of the request: cancelled when the reader gives up
	length  int64           // Content-Length; -1 unknown

	quiet atomic.Bool // over; reads go straight through

	mu    sync.Mutex // guards all below against a Close during a Read
	over  bool
	n     int64
	first time.Time
}

// failed takes an attempt that gave no usable response.
func (d *download) failed(code int) {
	state := FileFailed
	if code == 0 && d.ctx.Err() != nil {
		state = FileAbandoned
	}
	d.file.trace.endFile(d.file, d.attempt, state, code, 0, time.Time{}, time.Now())
}

// saw takes what one Read gave.
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
		d.finish(FileDownloaded)
	case d.ctx.Err() != nil:
		d.finish(FileAbandoned)
	default:
		d.finish(FileFailed)
	}
}

// closed takes the Close of the body.
func (d *download) closed() {
	d.mu.Lock()
	defer d.contain()
	switch {
	case d.over:
	case d.length >= 0 && d.n == d.length:
		d.finish(FileDownloaded)
	default:
		d.finish(FileAbandoned)
	}
}

func (d *download) finish(state FileState) {
	d.over = true
	d.quiet.Store(true)
	d.file.trace.endFile(d.file, d.attempt, state, http.StatusOK, d.n, d.first, time.Now())
	if state == FileDownloaded {
		d.counts.files.Add(1)
	}
}

// contain is as in exchange.
func (d *download) contain() {
	if v := recover(); v != nil {
		d.counts.contained.Panicked(contain.Wire, v)
		d.over = true
		d.quiet.Store(true)
		if d.file != nil {
			d.file.lose()
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
