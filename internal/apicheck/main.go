// Command apicheck compares what the packages of this module export with what they exported in
// the last version, and that with the notes of the changelog.
//
//	apicheck -write api/v0.2.0.txt            writes what is exported
//	apicheck -last api/v0.1.0.txt < notes     fails if something is gone or different and not in the notes
//
// A line of the listing is a declaration, as in the api folder of the Go repository:
//
//	telemetry: func Flush(context.Context) error
package main

import (
	"flag"
	"fmt"
	"io"
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
	module := flags.String("module", ".", "the module's folder")
	write := flags.String("write", "", "write what is exported to this file")
	last := flags.String("last", "", "what the last version exported")
	if err := flags.Parse(args); err != nil {
		return err
	}
	now, err := exported(*module)
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
	breaks := breaking(strings.Split(strings.TrimSpace(string(before)), "\n"), now)
	missing := unmentioned(breaks, string(notes))
	for _, line := range missing {
		fmt.Fprintln(stdout, line)
	}
	if len(missing) > 0 {
		return fmt.Errorf("of %d declarations that are gone or different, the notes do not name these %d", len(breaks), len(missing))
	}
	return nil
}
