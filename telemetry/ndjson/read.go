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

// maxLine is the longest line that is read, in bytes. A longer line is a LineError.
const maxLine = 16 << 20

// LineError is the error of one line. Reading continues with the next line.
type LineError struct {
	Line int   // from 1
	Err  error // what is wrong
}

// Error returns the number of the line and what is wrong.
func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns what is wrong. It is io.ErrUnexpectedEOF for an incomplete line, which is left by a
// process that was killed or is still writing. If another process appended a record to an incomplete
// line, or to another text without a newline, that record is read.
func (e *LineError) Unwrap() error { return e.Err }

// Read reads the lines of a Sink. Each yields a *telemetry.Statement, *telemetry.SessionOpened,
// *telemetry.SessionClosed, *telemetry.ServerReport or *telemetry.PoolSample, which the caller may
// keep and change, or a *LineError:
//
//	for record, err := range ndjson.Read(file) {
//		if err != nil {
//			log.Print(err)
//		}
//		if statement, ok := record.(*telemetry.Statement); ok {
//			fmt.Println(statement.StatementID, statement.Total)
//		}
//	}
//
// Unknown keys and events are skipped, because a newer version may have written them. Lines of more
// than 16 MiB are LineErrors. Any other error comes from r and ends the iteration.
//
// Lines of older versions do not list the RPCs of a statement. Its RPCs are then made of the sums in
// the line: an entry without a method has the calls and bytes of all methods, and an entry for each
// method has the retries of that method.
func Read(r io.Reader) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		lines := lines{r: bufio.NewReaderSize(r, 64<<10)}
		for {
			record, err := lines.record()
			if err == io.EOF {
				return
			}
			var broken *LineError
			last := err != nil && !errors.As(err, &broken)
			if (record != nil || err != nil) && !yield(record, err) || last {
				return
			}
		}
	}
}

// lines splits a stream into lines. A line that is too long is not kept in memory.
type lines struct {
	r     *bufio.Reader
	n     int    // number of the latest line
	ended bool   // the latest line has no newline: the stream ended
	err   error  // of r, after the latest line
	long  []byte // a line that is longer than the buffer of r
	after []byte // the record after an incomplete line or another text, without a newline between them
}

// record reads the next line. It returns nil for an unknown event.
func (l *lines) record() (any, error) {
	line, err := l.after, error(nil)
	if l.after = nil; line == nil {
		if line, err = l.next(); err != nil {
			return nil, err
		}
	}
	record, err := parse(line)
	if err != nil && !json.Valid(line) {
		if line, l.after = split(line); l.after != nil {
			record, err = parse(line)
		}
		if line[0] == '{' && (l.ended || l.after != nil) && !json.Valid(line) {
			err = io.ErrUnexpectedEOF
		}
	}
	if err != nil {
		return nil, &LineError{l.n, err}
	}
	return record, nil
}

// beginning is the beginning of every line of a Sink.
var beginning = []byte(`{"event":"`)

// split splits a line that a process left incomplete, or a text without its newline, from the record that another
// process appended to it. If newlines were lost, split separates the first record from the others. Quotes within a string
// are escaped, so only the attributes of a statement may look like a beginning.
func split(line []byte) (first, after []byte) {
	var whole json.RawMessage
	decoder := json.NewDecoder(bytes.NewReader(line))
	if decoder.Decode(&whole) == nil && bytes.HasPrefix(line[decoder.InputOffset():], beginning) {
		return line[:decoder.InputOffset()], line[decoder.InputOffset():]
	}
	const most = 4 // largest number of beginnings to try
	end := len(line)
	for range most {
		if end = bytes.LastIndex(line[:end], beginning); end <= 0 {
			break
		}
		if json.Valid(line[end:]) {
			return line[:end], line[end:]
		}
	}
	return line, nil
}

// byteOrderMark is what some tools write at the beginning of a text file.
var byteOrderMark = []byte("\xef\xbb\xbf")

// next returns the next line that is not blank, valid until the next call; io.EOF after the
// last, a *LineError for one that is too long.
func (l *lines) next() ([]byte, error) {
	for {
		line, err := l.whole()
		if err != nil {
			return nil, err
		}
		if line = bytes.TrimSpace(bytes.TrimPrefix(line, byteOrderMark)); len(line) > 0 {
			return line, nil
		}
	}
}

func (l *lines) whole() ([]byte, error) {
	if l.err != nil {
		return nil, l.err
	}
	l.n++
	l.long = l.long[:0]
	for size := 0; ; {
		part, err := l.r.ReadSlice('\n')
		if size == 0 {
			part = bytes.TrimLeft(part, "\x00") // a file that was truncated while it was being written begins with NULs
		}
		size += len(part)
		l.ended = err == io.EOF
		switch {
		case l.ended && size == 0:
			return nil, io.EOF
		case err == nil || l.ended:
			if size > maxLine {
				l.long = nil
				return nil, &LineError{l.n, fmt.Errorf("longer than %d bytes", maxLine)}
			}
			if len(l.long) == 0 {
				return part, nil
			}
			l.long = append(l.long, part...)
			return l.long, nil
		case err != bufio.ErrBufferFull:
			l.err = err
			last := append(l.long, part...)
			if size <= maxLine && bytes.HasPrefix(last, []byte("{")) && json.Valid(last) { // without its newline
				return last, nil
			}
			return nil, err
		case size <= maxLine:
			l.long = append(l.long, part...)
		}
	}
}

// parse returns nil for an unknown event.
func parse(line []byte) (record any, err error) {
	if !json.Valid(line) {
		return nil, fmt.Errorf("not JSON: %w", json.Unmarshal(line, &struct{}{})) // its error says where
	}
	switch event(line) {
	case statementEvent:
		r := &telemetry.Statement{}
		err, record = statementKeys.set(r, line), r
		if r.Failure == nil && (r.Outcome == telemetry.OutcomeFailed || r.Outcome == telemetry.OutcomeCanceled) {
			r.Failure = &telemetry.Failure{} // only the outcome in the line says that there was one
		}
	case openedEvent:
		r := &telemetry.SessionOpened{}
		err, record = openedKeys.set(r, line), r
	case closedEvent:
		r := &telemetry.SessionClosed{}
		err, record = closedKeys.set(r, line), r
	case reportEvent:
		r := &telemetry.ServerReport{}
		err, record = reportKeys.set(r, line), r
	case poolEvent:
		r := &telemetry.PoolSample{}
		err, record = poolKeys.set(r, line), r
	case "":
		err = errors.New(`not a record: it has no "event"`) // JSON that no Sink wrote
	}
	if err != nil {
		return nil, err
	}
	return record, nil
}

// event returns the event of a line, or "" if the line is not an object that has one.
func event(line []byte) (name string) {
	if line[0] != '{' {
		return ""
	}
	for key, value := range members(line) {
		if string(key) == "event" {
			_ = json.Unmarshal(value, &name)
			break
		}
	}
	return name
}
