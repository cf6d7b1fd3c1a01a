package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
)

// pollInterval is how often a followed file is checked for new data.
const pollInterval = 200 * time.Millisecond

// tail reads a file as it grows. Read waits at the end of the file; io.EOF means that another
// file has replaced it (rotation), that it was truncated, or that ctx is done.
type tail struct {
	ctx      context.Context
	name     string
	file     *os.File
	offset   int64
	replaced bool // another file has the name now; the rest of this one is still read
}

// openTail waits until there is a file with this name.
func openTail(ctx context.Context, name string) (*tail, error) {
	for {
		f, err := os.Open(name)
		if err == nil {
			return &tail{ctx: ctx, name: name, file: f}, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if !pause(ctx) {
			return nil, ctx.Err()
		}
	}
}

func (t *tail) Read(p []byte) (int, error) {
	for {
		n, err := t.file.Read(p)
		t.offset += int64(n)
		if n > 0 || err != nil && err != io.EOF {
			return n, err
		}
		if t.replaced || t.isTruncated() {
			return 0, io.EOF
		}
		if t.replaced = t.isReplaced(); t.replaced {
			continue // the file may have grown before it was replaced
		}
		if !pause(t.ctx) {
			return 0, io.EOF
		}
	}
}

func (t *tail) isTruncated() bool {
	info, err := t.file.Stat()
	return err == nil && info.Mode().IsRegular() && info.Size() < t.offset
}

// isReplaced reports whether the name now belongs to another file. A file that was removed but not
// replaced may still be written to.
func (t *tail) isReplaced() bool {
	named, err := os.Stat(t.name)
	if err != nil {
		return false
	}
	opened, err := t.file.Stat()
	return err == nil && !os.SameFile(named, opened)
}

// pause waits for pollInterval. It returns false when ctx is done.
func pause(ctx context.Context) bool {
	select {
	case <-time.After(pollInterval):
		return true
	case <-ctx.Done():
		return false
	}
}
