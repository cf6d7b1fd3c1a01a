package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
)

// The exit codes of dbtel.
const (
	exitOK          = 0
	exitFailed      = 1   // a file could not be read, or show found nothing
	exitUsage       = 2   // the command line is invalid
	exitLineErrors  = 3   // everything was shown, but some lines were not records
	exitInterrupted = 130 // by Ctrl-C, the convention of shells
)

// run runs dbtel and returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		args = []string{"help"}
		if !isTerminal(stdin) {
			args = []string{"top"} // top of the records in the pipe
		}
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		return help(args[1:], stdout, stderr)
	case "version", "-version", "--version":
		fmt.Fprintln(stdout, versionOf(debug.ReadBuildInfo()))
		return exitOK
	}
	c, err := commandNamed(args[0])
	if err != nil {
		printErrorf(stderr, "dbtel: %v; dbtel help says more", err)
		return exitUsage
	}
	return c.run(ctx, args[1:], stdin, stdout, stderr)
}

// command is one of dbtel's commands.
type command struct {
	name    string
	args    string // as help shows them
	summary string // a phrase without a capital letter and a full stop
	details string // shown by help below the flags; has examples
	// setup declares the flags and returns the function that runs the command once they are
	// parsed.
	setup func(*flag.FlagSet) func(context.Context, *invocation) error
}

var commands = []command{topCommand, showCommand, summaryCommand}

func commandNamed(name string) (*command, error) {
	var names []string
	for _, c := range commands {
		if c.name == name {
			return &c, nil
		}
		names = append(names, c.name)
	}
	return nil, fmt.Errorf("there is no command %q: it is one of %s", name, strings.Join(names, ", "))
}

// invocation is one run of a command.
type invocation struct {
	args   []string
	json   bool
	input  *input
	stdout io.Writer
	out    *bufio.Writer // stdout behind a controlFilter
	screen screen        // of stdout
}

// usageError is an error in the command line.
type usageError string

func (e usageError) Error() string { return string(e) }

func (c *command) run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	selected := &filter{}
	run, color, asJSON := c.flags(flags, selected)
	positional, err := parse(flags, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return help([]string{c.name}, stdout, stderr)
	case err != nil:
		err = usageError(err.Error())
	default:
		err = selected.parse(time.Now())
	}

	out := newOutput(stdout, *asJSON)
	progress := newProgress(stderr)
	in := &input{stdin: stdin, filter: selected, lineErrors: &lineErrors{w: stderr, progress: progress}, progress: progress}
	inv := &invocation{args: positional, json: *asJSON, input: in, stdout: stdout, out: out}
	if err == nil {
		inv.screen, err = newScreen(stdout, *color)
	}
	if err == nil {
		err = run(ctx, inv)
	}
	if flushed := out.Flush(); err == nil {
		err = flushed
	}
	in.lineErrors.printRest()
	var usage usageError
	switch {
	case errors.Is(err, syscall.EPIPE):
		return exitOK // the reader closed the pipe because it has seen enough
	case errors.As(err, &usage):
		printErrorf(stderr, "dbtel %s: %v; dbtel help %s says more", c.name, err, c.name)
		return exitUsage
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case err != nil:
		printErrorf(stderr, "dbtel %s: %v", c.name, err)
		return exitFailed
	case in.lineErrors.n > 0, in.lineErrors.damaged:
		return exitLineErrors
	}
	return exitOK
}

// flags declares the flags of the command and those of all commands.
func (c *command) flags(flags *flag.FlagSet, selected *filter) (run func(context.Context, *invocation) error, color *string, asJSON *bool) {
	color = flags.String("color", "auto", "`when` to use colors: auto, always or never (auto)")
	asJSON = flags.Bool("json", false, "print JSON instead")
	selected.flags(flags)
	return c.setup(flags), color, asJSON
}

// parse parses flags anywhere, also after files. Arguments after -- are files.
func parse(flags *flag.FlagSet, args []string) (positional []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		rest := flags.Args()
		n := len(args) - len(rest)
		ended := n > 0 && args[n-1] == "--" && flags.Parse(args[:n-1]) == nil // otherwise it is the value of a flag
		if len(rest) == 0 || ended {
			return append(positional, rest...), nil
		}
		positional, args = append(positional, rest[0]), rest[1:]
	}
}
