package ndjson

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// MaxLine is the longest line that is read, in bytes. A longer one is a LineError.
const MaxLine = 16 << 20

// LineError says what is wrong with one line. Reading goes on behind it.
type LineError struct {
	Line int // from 1
	Err  error
}

// Error names the line.
func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns what is wrong. It is io.ErrUnexpectedEOF for a last line that was cut off,
// as that of a process that was killed, or is still writing.
func (e *LineError) Unwrap() error { return e.Err }

// Read reads the lines of a Sink. Each is a *telemetry.Statement, *telemetry.SessionOpened
// or *telemetry.SessionClosed, which the caller may keep and change, or a *LineError:
//
//	for record, err := range ndjson.Read(file) {
//		switch r := record.(type) {
//		case *telemetry.Statement:
//
// Keys and events it does not know are passed over: a newer version may write them. Any
// other error is that of the reader, and the last.
//
// A record says what its line said. The RPCs of a statement come back as the sums that were
// written: one entry without a method has the calls and bytes of all, and one per method
// the retries of that.
func Read(r io.Reader) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		lines := lines{r: bufio.NewReaderSize(r, 64<<10)}
		for {
			record, err := lines.record()
			if err == io.EOF {
				return
			}
			var broken *LineError
			goesOn := err == nil || errors.As(err, &broken)
			if (record != nil || err != nil) && !yield(record, err) || !goesOn {
				return
			}
		}
	}
}

// lines cuts a stream into lines. Of one that is too long it keeps nothing.
type lines struct {
	r     *bufio.Reader
	n     int  // number of the latest line
	ended bool // it had no end of its own: the stream ended
	long  []byte
}

// record reads the next line. It returns nil for an event that is not known.
func (l *lines) record() (any, error) {
	line, err := l.next()
	if err != nil {
		return nil, err
	}
	record, err := parse(line)
	switch {
	case err == nil:
		return record, nil
	case l.ended && !json.Valid(line):
		err = io.ErrUnexpectedEOF
	}
	return nil, &LineError{l.n, err}
}

// next returns the next line that is not blank, valid until the next call; io.EOF behind the
// last, a *LineError for one that is too long.
func (l *lines) next() ([]byte, error) {
	for {
		line, err := l.whole()
		if err != nil {
			return nil, err
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return line, nil
		}
	}
}

func (l *lines) whole() ([]byte, error) {
	l.n++
	l.long = l.long[:0]
	for size := 0; ; {
		part, err := l.r.ReadSlice('\n')
		size += len(part)
		l.ended = err == io.EOF
		switch {
		case l.ended && size == 0:
			return nil, io.EOF
		case err == nil || l.ended:
			if size > MaxLine {
				l.long = nil
				return nil, &LineError{l.n, fmt.Errorf("longer than %d bytes", MaxLine)}
			}
			if len(l.long) == 0 {
				return part, nil
			}
			l.long = append(l.long, part...)
			return l.long, nil
		case err != bufio.ErrBufferFull:
			return nil, err
		case size <= MaxLine:
			l.long = append(l.long, part...)
		}
	}
}

// errNoEvent is what is wrong with JSON that is somebody else's.
var errNoEvent = errors.New(`not a record: it has no "event"`)

// parse returns nil for an event it does not know.
func parse(line []byte) (record any, err error) {
	if !json.Valid(line) {
		return nil, fmt.Errorf("not JSON: %w", json.Unmarshal(line, &struct{}{})) // says where
	}
	if line[0] != '{' {
		return nil, errNoEvent
	}
	switch event(line) {
	case statementEvent:
		r := &telemetry.Statement{}
		err, record = statementKeys.set(r, line), r
		complete(r)
	case openedEvent:
		r := &telemetry.SessionOpened{}
		err, record = openedKeys.set(r, line), r
	case closedEvent:
		r := &telemetry.SessionClosed{}
		err, record = closedKeys.set(r, line), r
	case "":
		err = errNoEvent
	}
	if err != nil {
		return nil, err
	}
	return record, nil
}

func event(line []byte) (name string) {
	for key, value := range members(line) {
		if key == "event" {
			_ = json.Unmarshal(value, &name)
			break
		}
	}
	return name
}

// complete puts a record right that its keys leave incomplete.
func complete(s *telemetry.Statement) {
	if s.Failure == nil && (s.Outcome == telemetry.OutcomeFailed || s.Outcome == telemetry.OutcomeCanceled) {
		s.Failure = &telemetry.Failure{}
	}
}
