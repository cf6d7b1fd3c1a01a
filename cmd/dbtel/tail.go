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

const (
	// replacedFor is how long a file that was replaced is still read: an application goes on writing to it until it is
	// told of the rotation.
	replacedFor = 2 * time.Second
	// refusedFor is how long the file in its place may refuse to be opened: a rotation sets the owner last.
	refusedFor = 10 * time.Second
)

// tail reads a file as it grows. Read waits at the end of the file; io.EOF means that another
// file has replaced it (rotation), that it was truncated, or that ctx is done.
type tail struct {
	ctx      context.Context
	name     string
	file     *os.File
	offset   int64
	replaced time.Time // since when another file has the name; zero while none has
}

// openTail waits until there is a file with this name, and if it replaces another, until it may be read.
func openTail(ctx context.Context, name string, replaces bool) (*tail, error) {
	var refused time.Time
	for {
		f, err := os.Open(name)
		if err == nil {
			return &tail{ctx: ctx, name: name, file: f}, nil
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
			refused = time.Time{} // the next file may be refused for as long
		case !replaces || !errors.Is(err, fs.ErrPermission):
			return nil, err
		case refused.IsZero():
			refused = time.Now()
		case time.Since(refused) >= refusedFor:
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
		switch {
		case t.isTruncated():
			return 0, io.EOF
		case !t.isReplaced():
			t.replaced = time.Time{}
		case t.replaced.IsZero():
			t.replaced = time.Now()
		case time.Since(t.replaced) >= replacedFor:
			return 0, io.EOF
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
