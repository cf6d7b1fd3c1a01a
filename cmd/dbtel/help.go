package main

import (
	"flag"
	"fmt"
	"io"
	"strings"
)

const helpHead = `dbtel shows what databricks-telemetry recorded as NDJSON.

  dbtel <command> [flags] [file...]

`

const helpTail = `  help     describe a command: dbtel help show
  version  print the version, as --version does

Without a file, or for the file -, records are read from standard input.
An application writes them with telemetry.Attach(ndjson.New(file)).

Exit codes: 0 success; 1 a file could not be read, or show found nothing;
2 invalid command line; 3 everything was shown, but some lines were not records
or a file is cut off, damaged or in another format; 130 interrupted.

Environment: NO_COLOR switches colors off, COLUMNS sets the width.
`

// help prints the description of dbtel, or of the command that args name.
func help(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stdout, helpHead)
		for _, c := range commands {
			fmt.Fprintf(stdout, "  %-8s %s\n", c.name, c.summary)
		}
		fmt.Fprint(stdout, helpTail)
		return exitOK
	}
	c, err := commandNamed(args[0])
	if err != nil {
		printErrorf(stderr, "dbtel help: %v", err)
		return exitUsage
	}
	fmt.Fprintf(stdout, "dbtel %s %s\n\n%s.\n\n", c.name, c.args, strings.ToUpper(c.summary[:1])+c.summary[1:])
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	c.flags(flags, &filter{})
	flags.VisitAll(func(f *flag.Flag) {
		value, usage := flag.UnquoteUsage(f)
		dashes := "--"
		if len(f.Name) == 1 {
			dashes = "-"
		}
		fmt.Fprintf(stdout, "  %-21s %s\n", strings.TrimSpace(dashes+f.Name+" "+value), usage)
	})
	fmt.Fprintf(stdout, "\n%s", c.details)
	return exitOK
}
