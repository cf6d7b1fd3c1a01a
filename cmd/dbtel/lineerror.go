package main

import (
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/ndjson"
)

// lineErrors prints the first lines that are not records, and counts the rest.
type lineErrors struct {
	w        io.Writer
	progress *progress // shown on the same terminal
	quiet    bool      // only count errors and withhold messages, while the terminal shows the live table
	n        int64
	damaged  bool     // a file was not read to its end
	withheld []string // the messages that a live table had no room for
}

const maxPrintedLines = 3

func (l *lineErrors) add(file string, e *ndjson.LineError) {
	l.n++
	if l.n > maxPrintedLines || l.quiet {
		return
	}
	text := e.Err.Error()
	if errors.Is(e.Err, io.ErrUnexpectedEOF) {
		text = "the line is incomplete: the application is still writing it, or was killed"
	}
	l.progress.interrupt(func() { printErrorf(l.w, "dbtel: %s:%d: %s", file, e.Line, text) })
}

// addDamage notes that a compressed file has no end, or that a file or its rest cannot be unpacked. It reports
// whether err is such an error.
func (l *lineErrors) addDamage(file string, err error) bool {
	var corrupt flate.CorruptInputError
	var other formatError
	text := ""
	switch {
	case errors.As(err, &other):
		text = other.Error()
	case errors.Is(err, io.ErrUnexpectedEOF):
		text = "the file is cut off: it is still being written, or was not copied whole; what it has was read"
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt):
		text = "the rest of the file is damaged and not read"
	default:
		return false
	}
	l.damaged = true
	text = fmt.Sprintf("dbtel: %s: %s", file, text)
	if l.quiet {
		l.withheld = append(l.withheld, text) // once per file
	} else {
		l.progress.interrupt(func() { printErrorf(l.w, "%s", text) })
	}
	return true
}

// printRest prints what was withheld, and how many lines were skipped, unless all of them have been printed.
func (l *lineErrors) printRest() {
	for _, text := range l.withheld {
		printErrorf(l.w, "%s", text)
	}
	if l.n > maxPrintedLines || l.n > 0 && l.quiet {
		printErrorf(l.w, "dbtel: %s skipped: not records", format.Plural(l.n, "line"))
	}
}
