package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/ndjson"
)

// input reads records from files: one file after the other, or all at the same time when following.
type input struct {
	stdin      io.Reader
	follow     bool
	filter     *filter
	lineErrors *lineErrors
	progress   *progress
}

// result is a record of a file, or an error.
type result struct {
	file   string
	record any // as ndjson.Read yields it
	err    error
}

// each calls f with every record that the filter selects, until there are no more records, f or a
// file fails, or ctx is done. Lines that are not records are reported and skipped.
func (in *input) each(ctx context.Context, files []string, f func(record any) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer in.progress.end() // before anything is printed
	results, err := in.open(ctx, files)
	if err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case r, more := <-results:
			if !more || ctx.Err() != nil { // interrupted: the line being read may be incomplete
				return ctx.Err()
			}
			if err := in.deliver(r, f); err != nil {
				return err
			}
		}
	}
}

// deliver calls f with the record of a result and, after a statement, with a report on it that came
// earlier. It does not call f if the filter leaves out the record, the line is not a record, or the
// rest of the file cannot be unpacked. An error ends the reading.
func (in *input) deliver(r result, f func(record any) error) error {
	var line *ndjson.LineError
	switch {
	case errors.As(r.err, &line):
		in.lineErrors.add(r.file, line)
		return nil
	case in.lineErrors.addDamage(r.file, r.err):
		return nil
	case r.err != nil || !in.filter.selects(r.record):
		return r.err
	}
	err := f(r.record)
	if s, ok := r.record.(*telemetry.Statement); ok && err == nil {
		if early := in.filter.early.take(s.StatementID); early != nil {
			err = f(early)
		}
	}
	return err
}

// open starts reading. Files are read on other goroutines, because a read that waits for a pipe
// cannot be interrupted. The goroutines end when the files end or ctx is done.
func (in *input) open(ctx context.Context, files []string) (<-chan result, error) {
	if len(files) == 0 {
		if isTerminal(in.stdin) {
			return nil, usageError("there is nothing to read: name a file, or pipe records into it")
		}
		files = []string{"-"}
	}
	results := make(chan result, 64)
	var readers sync.WaitGroup
	if in.follow {
		for _, f := range files {
			readers.Go(func() { in.followFile(ctx, f, results) })
		}
	} else {
		readers.Go(func() {
			for _, f := range files {
				in.readFile(ctx, f, results)
			}
		})
	}
	go func() {
		readers.Wait()
		close(results)
	}()
	return results, nil
}

func (in *input) readFile(ctx context.Context, name string, to chan<- result) {
	if name == "-" {
		in.read(ctx, "standard input", in.stdin, to)
		return
	}
	f, err := os.Open(name)
	if err != nil {
		send(ctx, to, result{file: name, err: err})
		return
	}
	defer func() { _ = f.Close() }()
	in.read(ctx, name, f, to)
}

// followFile reads a file as it grows, and each file that replaces it.
func (in *input) followFile(ctx context.Context, name string, to chan<- result) {
	if name == "-" {
		in.readFile(ctx, name, to)
		return
	}
	for replaces := false; ctx.Err() == nil; replaces = true {
		t, err := openTail(ctx, name, replaces)
		if err != nil {
			send(ctx, to, result{file: name, err: err})
			return
		}
		readable := in.read(ctx, name, t, to)
		_ = t.file.Close()
		if !readable {
			return
		}
	}
}

// read sends the records of r. It returns false where r is of another format.
func (in *input) read(ctx context.Context, name string, r io.Reader, to chan<- result) bool {
	if !in.follow {
		r = in.progress.reader(name, r)
	}
	r, err := in.uncompressed(r)
	if err != nil {
		send(ctx, to, result{file: name, err: fmt.Errorf("%s: %w", name, err)})
		return false
	}
	for record, err := range ndjson.Read(r) {
		if err != nil {
			err = fmt.Errorf("%s: %w", name, err)
		}
		if !send(ctx, to, result{name, record, err}) {
			break
		}
	}
	return true
}

// uncompressed returns the content of r, unpacked if r is gzip, as rotated files often are. It returns a formatError
// for a file that has to be converted first, or is gzip and followed.
func (in *input) uncompressed(r io.Reader) (io.Reader, error) {
	buffered := bufio.NewReader(r)
	begin, _ := buffered.Peek(2) // more bytes only if these do not begin a record, because a pipe may be slow
	for magic, text := range otherFormats {
		if !strings.HasPrefix(magic, string(begin)) {
			continue
		}
		if whole, _ := buffered.Peek(len(magic)); string(whole) == magic {
			return nil, text
		}
	}
	if string(begin) != "\x1f\x8b" {
		return buffered, nil
	}
	if in.follow {
		return nil, formatError("it is compressed with gzip and not followed: read it without -f")
	}
	unpacked, err := gzip.NewReader(buffered)
	if errors.Is(err, gzip.ErrHeader) {
		return nil, errNotGzip
	}
	return unpacked, err
}

// formatError is the error for a file of another format, of which no line can be read.
type formatError string

func (e formatError) Error() string { return string(e) }

// otherFormats are the beginnings of files that probably have records, but not as lines of UTF-8.
var otherFormats = map[string]formatError{
	"(\xb5/\xfd":   "it is compressed with zstd and not read: unpack it first, as with zstd -dc",
	"BZh":          "it is compressed with bzip2 and not read: unpack it first, as with bzip2 -dc",
	"\xfd7zXZ\x00": "it is compressed with xz and not read: unpack it first, as with xz -dc",
	"\x04\"M\x18":  "it is compressed with lz4 and not read: unpack it first, as with lz4 -dc",
	"PK\x03\x04":   "it is compressed with zip and not read: unpack it first, as with unzip -p",
	"\xff\xfe":     "it is UTF-16 and not read: convert it to UTF-8 first, as with iconv -f UTF-16 -t UTF-8",
	"\xfe\xff":     "it is UTF-16 and not read: convert it to UTF-8 first, as with iconv -f UTF-16 -t UTF-8",
}

// errNotGzip stands for gzip.ErrHeader at the beginning of a file, with no record before the damage.
var errNotGzip = errors.New(gzip.ErrHeader.Error())

func send(ctx context.Context, to chan<- result, r result) bool {
	select {
	case to <- r:
		return true
	case <-ctx.Done():
		return false
	}
}
