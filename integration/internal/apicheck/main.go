// Command apicheck checks that the changelog names what a version changes: every exported name, and
// every other name that users rely on, that is gone or different since the last version must be in a
// migration table.
//
//	apicheck -write api/v0.2.0.txt            writes the listing of this version
//	apicheck -last api/v0.1.0.txt < notes     compares it with the last one and with the notes
//
// A line of a listing is a declaration, as in the api folder of the Go repository, a setting, a
// field of a record, an attribute of a span, or a metric:
//
//	telemetry: func Flush(context.Context) error
//	records: statement.total_ms
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "apicheck:", err)
		os.Exit(1)
	}
}

func run(args []string, stdin io.Reader, stdout io.Writer) error {
	flags := flag.NewFlagSet("apicheck", flag.ContinueOnError)
	repository := flags.String("repository", ".", "the repository's folder")
	write := flags.String("write", "", "write what is exported to this file")
	last := flags.String("last", "", "what the last version exported")
	if err := flags.Parse(args); err != nil {
		return err
	}
	now, err := listing(*repository)
	if err != nil {
		return err
	}
	if *write != "" {
		return os.WriteFile(*write, []byte(strings.Join(now, "\n")+"\n"), 0o644)
	}
	before, err := os.ReadFile(*last)
	if err != nil {
		return err
	}
	notes, err := io.ReadAll(stdin)
	if err != nil {
		return err
	}
	problems := check(strings.Split(strings.TrimSpace(string(before)), "\n"), now, string(notes))
	for _, problem := range problems {
		fmt.Fprintln(stdout, problem)
	}
	if len(problems) > 0 {
		return fmt.Errorf("%d problems in the notes on what changed since %s", len(problems), *last)
	}
	return nil
}

// listing lists the names of the main module's packages, of the simulated workspace, which is for
// users' tests, and of the documents.
func listing(repository string) (all []string, err error) {
	for _, folder := range []string{".", "integration/workspace"} {
		lines, err := exported(repository, folder)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		all = append(all, lines...)
	}
	lines, err := documented(repository)
	return append(all, lines...), err
}
