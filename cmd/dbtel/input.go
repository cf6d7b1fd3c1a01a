package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/ndjson"
)

// input is where records come from: files, one after the other, or all at once while they
// are followed.
type input struct {
	stdin      io.Reader
	follow     bool
	complaints *complaints
	progress   *progress
}

// message is what a file has to say: a record, or why there is none.
type message struct {
	file   string
	record any // *telemetry.Statement, *telemetry.SessionOpened or *telemetry.SessionClosed
	err    error
}

// each calls take with every record, until there are no more, take or a file fails, or ctx is
// done. Broken lines become complaints.
func (in *input) each(ctx context.Context, files []string, take func(record any) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	messages, err := in.open(ctx, files)
	if err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case m, more := <-messages:
			if !more || ctx.Err() != nil { // interrupted: what was being read may be cut off
				return ctx.Err()
			}
			record, err := in.accept(m)
			if err == nil && record != nil {
				err = take(record)
			}
			if err != nil {
				return err
			}
		}
	}
}

// accept sorts a message: a record, nothing, or an error that ends the reading.
func (in *input) accept(m message) (record any, err error) {
	var line *ndjson.LineError
	if errors.As(m.err, &line) {
		in.complaints.add(m.file, line)
		return nil, nil
	}
	return m.record, m.err
}

// open starts reading. Reading happens on goroutines of its own, because nothing interrupts
// one that waits for a pipe; they end when the files do, or ctx is done.
func (in *input) open(ctx context.Context, files []string) (<-chan message, error) {
	if len(files) == 0 {
		if isTerminal(in.stdin) {
			return nil, usageError("there is nothing to read: name a file, or pipe records into it")
		}
		files = []string{"-"}
	}
	messages := make(chan message, 64)
	var readers sync.WaitGroup
	if in.follow {
		for _, f := range files {
			readers.Go(func() { in.followFile(ctx, f, messages) })
		}
	} else {
		readers.Go(func() {
			for _, f := range files {
				in.readFile(ctx, f, messages)
			}
		})
	}
	go func() {
		readers.Wait()
		close(messages)
	}()
	return messages, nil
}

func (in *input) readFile(ctx context.Context, name string, to chan<- message) {
	if name == "-" {
		read(ctx, "standard input", in.stdin, to)
		return
	}
	f, err := os.Open(name)
	if err != nil {
		send(ctx, to, message{file: name, err: err})
		return
	}
	defer func() { _ = f.Close() }()
	read(ctx, name, in.progress.of(f), to)
}

// followFile reads a file as it grows, and the one that takes its place.
func (in *input) followFile(ctx context.Context, name string, to chan<- message) {
	if name == "-" {
		in.readFile(ctx, name, to)
		return
	}
	for ctx.Err() == nil {
		t, err := openTail(ctx, name)
		if err != nil {
			send(ctx, to, message{file: name, err: err})
			return
		}
		read(ctx, name, t, to)
		_ = t.file.Close()
	}
}

func read(ctx context.Context, name string, r io.Reader, to chan<- message) {
	for record, err := range ndjson.Read(r) {
		var line *ndjson.LineError
		if err != nil && !errors.As(err, &line) {
			err = fmt.Errorf("%s: %w", name, err)
		}
		if !send(ctx, to, message{name, record, err}) {
			return
		}
	}
}

func send(ctx context.Context, to chan<- message, m message) bool {
	select {
	case to <- m:
		return true
	case <-ctx.Done():
		return false
	}
}

// complaints names the first lines that are no records, and counts the rest.
type complaints struct {
	w    io.Writer
	hush bool // only count: the terminal shows something else
	n    int64
}

const namedLines = 3

func (c *complaints) add(file string, e *ndjson.LineError) {
	c.n++
	if c.n > namedLines || c.hush {
		return
	}
	what := e.Err.Error()
	if errors.Is(e.Err, io.ErrUnexpectedEOF) {
		what = "the last line is cut off: the application is still writing it, or was killed"
	}
	complain(c.w, "dbtel: %s:%d: %s", file, e.Line, what)
}

func (c *complaints) sum() {
	if c.n > namedLines || c.n > 0 && c.hush {
		complain(c.w, "dbtel: %s left out: no records", format.Plural(c.n, "line"))
	}
}

// progress tells people who wait for a large file how far it is. It is used by the one
// goroutine that reads files in turn.
type progress struct {
	w     io.Writer // nil: nobody looks
	mu    sync.Mutex
	shown bool // guarded by mu
}

// large is a file that takes long enough to wonder.
const large = 64 << 20

func newProgress(stderr io.Writer) *progress {
	if !isTerminal(stderr) {
		return &progress{}
	}
	return &progress{w: stderr}
}

// of returns a reader of the file that tells.
func (p *progress) of(f *os.File) io.Reader {
	info, err := f.Stat()
	if p.w == nil || err != nil || info.Size() < large {
		return f
	}
	return &told{f: f, size: info.Size(), to: p, next: time.Now().Add(time.Second)}
}

type told struct {
	f          *os.File
	read, size int64
	to         *progress
	next       time.Time
}

func (t *told) Read(b []byte) (int, error) {
	n, err := t.f.Read(b)
	t.read += int64(n)
	if now := time.Now(); now.After(t.next) {
		t.next = now.Add(200 * time.Millisecond)
		share := format.Percent(float64(t.read) / float64(max(t.read, t.size)))
		t.to.say(fmt.Sprintf("reading %s: %s of %s", t.f.Name(), share, format.Bytes(t.size)))
	}
	return n, err
}

func (p *progress) say(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shown = true
	fmt.Fprint(p.w, "\r"+eraseLine+clean(text))
}

// clear takes the line away again, for what comes after it.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		p.shown = false
		fmt.Fprint(p.w, "\r"+eraseLine)
	}
}
