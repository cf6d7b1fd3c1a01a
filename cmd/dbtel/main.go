// Command dbtel shows records of package ndjson in a terminal: which statements were slow,
// where the time of one went, and how groups of them compare.
//
//	go install github.com/seed-01322ee7/databricks-telemetry/cmd/dbtel@latest
//
//	dbtel top -f app.ndjson         a live table of the slowest statements
//	dbtel show slowest app.ndjson   one statement over time, and why it took so long
//	dbtel summary app.ndjson        percentiles by kind of statement
//
// dbtel help describes the commands. Without a file, records are read from standard input. dbtel only
// reads, makes no network connections, and needs memory only for what it shows, not for what it
// reads.
//
//	files, standard input ── input ── filter ── records ─┬─ top      ranking ─┐
//	                           │                         ├─ show     view    ─┼─ screen ── controlFilter ── standard output
//	                 line errors, progress               └─ summary  groups  ─┘
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // a reader that closes the pipe early is not a failure; see command.run
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
