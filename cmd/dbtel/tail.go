package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
)

// lookAgain is how often a file that is followed is looked at.
const lookAgain = 200 * time.Millisecond

// tail is a file that is read as it grows. Read waits at its end; io.EOF means that another
// file has taken its place (it was rotated), that it was cut short, or that ctx is done.
type tail struct {
	ctx  context.Context
	name string
	file *os.File
	at   int64
	last bool // another file has its name; what is left of this one is still to be read
}

// openTail waits until there is a file of that name.
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
		t.at += int64(n)
		if n > 0 || err != nil && err != io.EOF {
			return n, err
		}
		if t.last || t.cutShort() {
			return 0, io.EOF
		}
		if t.last = t.replaced(); t.last {
			continue // once more: it may have grown before it was replaced
		}
		if !pause(t.ctx) {
			return 0, io.EOF
		}
	}
}

func (t *tail) cutShort() bool {
	info, err := t.file.Stat()
	return err == nil && info.Mode().IsRegular() && info.Size() < t.at
}

// replaced reports whether the name leads to another file. One that is gone without another
// in its place may still be written to.
func (t *tail) replaced() bool {
	now, err := os.Stat(t.name)
	if err != nil {
		return false
	}
	mine, err := t.file.Stat()
	return err == nil && !os.SameFile(now, mine)
}

// pause returns false when ctx is done.
func pause(ctx context.Context) bool {
	timer := time.NewTimer(lookAgain)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
