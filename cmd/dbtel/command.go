package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"syscall"
)

// What dbtel exits with.
const (
	exitOK          = 0
	exitFailed      = 1   // a file could not be read, or nothing was found
	exitUsage       = 2   // the command line makes no sense
	exitBroken      = 3   // all was shown, but some lines were no records
	exitInterrupted = 130 // by Ctrl-C, as shells count it
)

// command is one of dbtel's commands.
type command struct {
	name  string
	args  string // as help shows them
	does  string // in half a sentence
	about string // what help says below the flags, examples included
	// setup declares flags and returns what runs the command once they are parsed.
	setup func(*flag.FlagSet) func(context.Context, *call) error
}

func commands() []command { return []command{topCommand, showCommand, summaryCommand} }

// call is one run of a command.
type call struct {
	args   []string
	json   bool
	input  *input
	stdout io.Writer
	out    *bufio.Writer // to stdout
	screen screen        // what is known about it
}

// usageError is an error of the command line.
type usageError string

func (e usageError) Error() string { return string(e) }

// run is dbtel without a process.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		args = []string{"help"}
		if !isTerminal(stdin) {
			args = []string{"top"} // somebody pipes records into it
		}
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		return help(args[1:], stdout, stderr)
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(ctx, args[1:], stdin, stdout, stderr)
		}
	}
	complain(stderr, "dbtel: there is no command %q: it is one of %s; dbtel help says more", args[0], strings.Join(names(), ", "))
	return exitUsage
}

func (c *command) run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	run, colour, asJSON := c.flags(flags)
	positional, err := parse(flags, args)
	if errors.Is(err, flag.ErrHelp) {
		return help([]string{c.name}, stdout, stderr)
	}

	out := newOutput(stdout, *asJSON)
	in := &input{stdin: stdin, complaints: &complaints{w: stderr}, progress: newProgress(stderr)}
	call := &call{args: positional, json: *asJSON, input: in, stdout: stdout, out: out}
	if err != nil {
		err = usageError(err.Error())
	} else if call.screen, err = newScreen(stdout, *colour); err == nil {
		err = run(ctx, call)
	}
	in.progress.clear()
	if flushed := out.Flush(); err == nil {
		err = flushed
	}
	in.complaints.sum()
	var usage usageError
	switch {
	case errors.Is(err, syscall.EPIPE):
		return exitOK // whoever reads has seen enough
	case errors.As(err, &usage):
		complain(stderr, "dbtel %s: %v; dbtel help %s says more", c.name, err, c.name)
		return exitUsage
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case err != nil:
		complain(stderr, "dbtel %s: %v", c.name, err)
		return exitFailed
	case in.complaints.n > 0:
		return exitBroken
	}
	return exitOK
}

// newOutput is standard output, buffered and harmless.
func newOutput(stdout io.Writer, asDocuments bool) *bufio.Writer {
	instead := asText
	if asDocuments {
		instead = asJSON
	}
	return bufio.NewWriter(&harmless{to: stdout, instead: instead})
}

// flags declares those of the command, and what all commands have.
func (c *command) flags(flags *flag.FlagSet) (run func(context.Context, *call) error, colour *string, asJSON *bool) {
	colour = flags.String("color", "auto", "`when` to use colours: auto, always or never (auto)")
	asJSON = flags.Bool("json", false, "print JSON instead")
	return c.setup(flags), colour, asJSON
}

// parse lets flags stand anywhere, also behind files. What is behind -- are files.
func parse(flags *flag.FlagSet, args []string) (positional []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		rest := flags.Args()
		if n := len(args) - len(rest); len(rest) == 0 || n > 0 && args[n-1] == "--" {
			return append(positional, rest...), nil
		}
		positional, args = append(positional, rest[0]), rest[1:]
	}
}

func names() (all []string) {
	for _, c := range commands() {
		all = append(all, c.name)
	}
	return all
}

func help(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stdout, helpText)
		for _, c := range commands() {
			fmt.Fprintf(stdout, "  %-8s %s\n", c.name, c.does)
		}
		fmt.Fprint(stdout, helpMore)
		return exitOK
	}
	for _, c := range commands() {
		if c.name != args[0] {
			continue
		}
		fmt.Fprintf(stdout, "dbtel %s %s\n\n%s.\n\n", c.name, c.args, capital(c.does))
		flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
		c.flags(flags)
		flags.VisitAll(func(f *flag.Flag) {
			value, usage := flag.UnquoteUsage(f)
			dashes := "--"
			if len(f.Name) == 1 {
				dashes = "-"
			}
			fmt.Fprintf(stdout, "  %-14s %s\n", strings.TrimSpace(dashes+f.Name+" "+value), usage)
		})
		fmt.Fprintf(stdout, "\n%s", c.about)
		return exitOK
	}
	complain(stderr, "dbtel help: there is no command %q: it is one of %s", args[0], strings.Join(names(), ", "))
	return exitUsage
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

const helpText = `dbtel shows what databricks-telemetry recorded as NDJSON.

  dbtel <command> [flags] [file...]

`

const helpMore = `  help     say more about a command: dbtel help show

Without a file, or for the file -, records are read from standard input.
An application writes them with telemetry.Attach(ndjson.New(file)).

Exit codes: 0 all is well; 1 a file could not be read, or nothing was found;
2 the command line makes no sense; 3 all was shown, but some lines were no records.

Environment: NO_COLOR switches colours off, COLUMNS sets the width.
`
