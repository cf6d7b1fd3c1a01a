package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/integration/bench/internal/report"
)

func main() {
	args, in := os.Args[1:], io.Reader(os.Stdin)
	if isChild(args) {
		in = whileParented(in)
	}
	err := run(args, in, os.Stdout, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// isChild distinguishes the arguments that a parent gives from a user's.
func isChild(args []string) bool {
	return len(args) == 2 && (args[0] == "server" || args[0] == "client")
}

// run is the whole program, in the role that the arguments name.
func run(args []string, in io.Reader, out, progress io.Writer) error {
	switch {
	case !isChild(args):
		return lead(args, out, progress)
	case args[0] == "client":
		return runClient(args[1], in, out)
	}
	rows, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	return serve(rows, in, out)
}

// lead is the parent.
func lead(args []string, out, progress io.Writer) error {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(progress)
	short := f.Bool("short", false, "a minute; fail on allocations beyond their limits, write nothing")
	expression := f.String("run", "", "only workloads that match this regular expression; write nothing")
	names := f.String("variants", "", "only these variants, separated by commas, and native; write nothing")
	rounds := f.Int("rounds", 0, "rounds (default 24, with -short 6)")
	length := f.Duration("block", 0, "how long a block of the native driver takes (default 300ms, with -short 60ms)")
	seed := f.Uint64("seed", uint64(time.Now().UnixNano()), "seed of the order of the variants")
	again := f.Bool("report", false, "measure nothing; write the report of the raw results")
	raw := f.String("results", "results", "directory of the raw results")
	docs := f.String("o", filepath.Join("..", "..", "docs"), "directory for BENCHMARKS.md, and images within it; beside it is README.md, for some of the figures")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if *again {
		results, err := report.Read(*raw)
		if err != nil {
			return err
		}
		return write(results, *docs, *raw)
	}

	p := fullPlan
	if *short {
		p = shortPlan
	}
	p.seed = *seed
	if *rounds > 0 {
		p.rounds = *rounds
	}
	if *length > 0 {
		p.block = *length
	}
	p, err := p.choose(*expression, *names)
	if err != nil {
		return err
	}
	results, err := p.run(progress)
	if err != nil {
		return err
	}
	results.Summary(out)
	switch whole := *expression == "" && *names == ""; {
	case *short:
		return alarmed(results.Alarms())
	case !whole:
		return nil
	}
	if err := results.Write(*raw); err != nil {
		return err
	}
	return write(results, *docs, *raw)
}

func alarmed(alarms []string) error {
	errs := make([]error, len(alarms))
	for i, a := range alarms {
		errs[i] = errors.New(a)
	}
	return errors.Join(errs...)
}

// write puts the report and its pictures in place.
func write(results *report.Results, docs, raw string) error {
	images := filepath.Join(docs, "images")
	if err := os.MkdirAll(images, 0o755); err != nil {
		return err
	}
	link, err := relative(docs, raw)
	if err != nil {
		return err
	}
	for _, p := range results.Pictures() {
		if err := os.WriteFile(filepath.Join(images, p.Name), []byte(p.SVG), 0o644); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(docs, "BENCHMARKS.md"), []byte(results.Markdown(link)), 0o644); err != nil {
		return err
	}
	return writeReadme(results, filepath.Join(docs, "..", "README.md"))
}

// writeReadme puts figures into the README, if there is one.
func writeReadme(results *report.Results, name string) error {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	made, err := results.Readme(string(text))
	if err != nil {
		return err
	}
	return os.WriteFile(name, []byte(made), 0o644)
}

// relative is the path from one directory to another, as in a link.
func relative(from, to string) (string, error) {
	from, err := filepath.Abs(from)
	if err != nil {
		return "", err
	}
	if to, err = filepath.Abs(to); err != nil {
		return "", err
	}
	link, err := filepath.Rel(from, to)
	return filepath.ToSlash(link), err
}
