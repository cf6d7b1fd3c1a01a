// Command dbworkspace runs a simulated Databricks workspace on loopback until it is interrupted. It
// prints the data source name to give to databricks-sql-go and, when it stops, a summary of what it
// received.
//
//	dbworkspace
//	dbworkspace -port 8080 -token dapi-local -sql schema.sql
//	dbworkspace -tls
//	dbworkspace -warehouse small -warehouse large -stopped -start-time 20s
//	dbworkspace -cloudfetch-threshold 1 -latency 50ms
//
// Every run starts with an empty database; -sql fills it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "dbworkspace:", err)
		os.Exit(1)
	}
}

// settings are the flags that are not options of the workspace.
type settings struct {
	caFile    string
	sqlFile   string
	latency   time.Duration
	flag      string
	warehouse workspace.Warehouse // the settings of every warehouse
}

func run(ctx context.Context, args []string, out, errOut io.Writer) error {
	opts, set, err := parse(args, errOut)
	if err != nil {
		return err
	}
	opts.Keep = kept
	ws, err := workspace.Start(opts)
	if err != nil {
		return err
	}
	defer func() { _ = ws.Close() }()
	if set.latency > 0 {
		ws.Inject(workspace.Fault{Do: workspace.Latency(set.latency)})
	}
	if set.sqlFile != "" {
		script, err := os.ReadFile(set.sqlFile)
		if err != nil {
			return err
		}
		if err := ws.Exec(ctx, statements(string(script))...); err != nil {
			return fmt.Errorf("%s: %w", set.sqlFile, err)
		}
	}
	if opts.TLS {
		remove, err := writeAuthority(ws, &set)
		if err != nil {
			return err
		}
		defer remove()
	}
	welcome(out, ws, opts, set)
	<-ctx.Done()
	farewell(out, ws)
	return ws.Close()
}

// howToTrust says how to make programs on a system trust the authority in a file.
func howToTrust(system, file string) string {
	switch system {
	case "darwin", "ios", "windows":
		return "which Go programs trust once it is among the authorities that the system trusts. On this system they do\nnot read SSL_CERT_FILE.\n"
	}
	return "which Go programs trust, and many others, when they are started with\n  export SSL_CERT_FILE=" + file + "\n"
}

// writeAuthority writes the certificate to trust to the file that -ca names, or else to a
// temporary one that is removed at the end.
func writeAuthority(ws *workspace.Workspace, s *settings) (remove func(), err error) {
	if s.caFile != "" {
		return func() {}, os.WriteFile(s.caFile, ws.AuthorityPEM(), 0o600)
	}
	f, err := os.CreateTemp("", "dbworkspace-*.pem")
	if err != nil {
		return nil, err
	}
	s.caFile = f.Name()
	remove = func() { _ = os.Remove(f.Name()) }
	_, err = f.Write(ws.AuthorityPEM())
	if err = errors.Join(err, f.Close()); err != nil {
		remove()
		return nil, err
	}
	return remove, nil
}

func parse(args []string, errOut io.Writer) (workspace.Options, settings, error) {
	var o workspace.Options
	var s settings
	f := flag.NewFlagSet("dbworkspace", flag.ContinueOnError)
	f.SetOutput(errOut)
	f.IntVar(&o.Port, "port", 0, "port of the workspace (default any free port)")
	f.IntVar(&o.StoragePort, "storage-port", 0, "port of the object storage (default any free port)")
	f.BoolVar(&o.TLS, "tls", false, "serve TLS with HTTP/2")
	f.StringVar(&s.caFile, "ca", "", "with -tls: write the certificate to trust to this file (default a temporary one)")
	f.StringVar(&o.Hostname, "hostname", "", "with -tls: one more name the certificate is valid for")
	f.StringVar(&o.Token, "token", "", "personal access token (default random)")
	f.Func("warehouse", "id of a warehouse; may be repeated (default one with a random id)", func(id string) error {
		o.Warehouses = append(o.Warehouses, workspace.Warehouse{ID: id})
		return nil
	})
	f.BoolVar(&s.warehouse.Stopped, "stopped", false, "begin with warehouses that do not run: the first statement starts one")
	f.DurationVar(&s.warehouse.StartTime, "start-time", 0, "how long a warehouse takes to start")
	f.IntVar(&s.warehouse.Capacity, "capacity", 0, "statements a warehouse runs at once (default any number)")
	f.BoolVar(&o.ServerTimes, "server-times", false, "send operationStarted and operationCompleted, which Databricks does not")
	f.DurationVar(&o.SessionTimeout, "session-timeout", 15*time.Minute, "end sessions that have been idle so long")
	f.DurationVar(&o.HistoryDelay, "history-delay", 0, "make the query history final so long after a statement's end")
	f.StringVar(&s.sqlFile, "sql", "", "run the statements of this file first; they end with ; at the end of a line")
	f.DurationVar(&s.latency, "latency", 0, "delay every request by this much")
	f.DurationVar(&o.DirectResultWait, "direct-result-wait", 5*time.Second, "wait this long before a client must poll")
	f.BoolVar(&o.NoDirectResults, "no-direct-results", false, "make clients poll and fetch every time")
	f.Int64Var(&o.CloudFetchThreshold, "cloudfetch-threshold", 4<<20, "results above so many bytes go through object storage; -1 for none")
	f.Int64Var(&o.FileBytes, "cloudfetch-file", 2<<20, "bytes per CloudFetch file")
	f.BoolVar(&o.ResultCache, "result-cache", false, "answer repeated queries from a cache")
	f.StringVar(&s.flag, "telemetry-flag", "absent", "feature flag of driver telemetry: on, off or absent")
	protocol := f.Int("protocol", 42248, "Thrift protocol version of the server")
	if err := f.Parse(args); err != nil {
		return o, s, err
	}
	if f.NArg() > 0 {
		return o, s, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if err := check(f, o, s); err != nil {
		return o, s, err
	}
	// An option of 0 means its default, but a flag of 0 means 0.
	if o.DirectResultWait == 0 {
		o.DirectResultWait = -1
	}
	if o.CloudFetchThreshold == 0 {
		o.CloudFetchThreshold = 1 // no result is smaller
	}
	o.ProtocolVersion = int32(*protocol)
	if len(o.Warehouses) == 0 {
		o.Warehouses = []workspace.Warehouse{{}}
	}
	for i := range o.Warehouses {
		id := o.Warehouses[i].ID
		o.Warehouses[i] = s.warehouse
		o.Warehouses[i].ID = id
	}
	switch s.flag {
	case "on":
		o.TelemetryFlag = workspace.FlagOn
	case "off":
		o.TelemetryFlag = workspace.FlagOff
	case "absent":
	default:
		return o, s, fmt.Errorf("-telemetry-flag is on, off or absent, not %q", s.flag)
	}
	return o, s, nil
}

// check rejects flags that would have no effect, or a different one than they say.
func check(f *flag.FlagSet, o workspace.Options, s settings) (err error) {
	f.Visit(func(given *flag.Flag) {
		switch name, value := given.Name, given.Value.String(); {
		case (name == "ca" || name == "hostname") && !o.TLS:
			err = fmt.Errorf("-%s needs -tls", name)
		case name != "cloudfetch-threshold" && strings.HasPrefix(value, "-"):
			err = fmt.Errorf("-%s is never negative", name)
		case (name == "session-timeout" || name == "cloudfetch-file") && (value == "0" || value == "0s"):
			err = fmt.Errorf("-%s is never 0", name)
		case name == "start-time" && !s.warehouse.Stopped:
			err = errors.New("-start-time needs -stopped")
		}
	})
	seen := map[string]bool{}
	for _, w := range o.Warehouses {
		if w.ID == "" || seen[w.ID] {
			return fmt.Errorf("-warehouse %q is empty or given twice", w.ID)
		}
		seen[w.ID] = true
	}
	return err
}

// statements splits a script at semicolons that end a line. The last part may contain only
// comments.
func statements(script string) []string {
	var list []string
	var statement strings.Builder
	empty := true
	end := func() {
		if !empty {
			list = append(list, strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(statement.String()), ";")))
		}
		statement.Reset()
		empty = true
	}
	for line := range strings.Lines(strings.ReplaceAll(script, "\r\n", "\n")) {
		statement.WriteString(line)
		text := strings.TrimSpace(line)
		comment := strings.HasPrefix(text, "--")
		empty = empty && (comment || text == "" || text == ";")
		if !comment && strings.HasSuffix(text, ";") {
			end()
		}
	}
	end()
	return list
}

func welcome(out io.Writer, ws *workspace.Workspace, o workspace.Options, s settings) {
	fmt.Fprintf(out, `A simulated Databricks workspace is running.

  DSN        %s
  host       %s
  port       %d
  HTTP path  %s
  token      %s
  storage    %s
  workspace  %d
`, ws.DSN(), ws.Host(), ws.Port(), ws.HTTPPath(), ws.Token(), ws.StorageURL(), ws.WorkspaceID())
	for _, id := range ws.Warehouses()[1:] {
		fmt.Fprintf(out, "  and        /sql/1.0/warehouses/%s\n", id)
	}
	if o.TLS {
		fmt.Fprintf(out, "\nIts certificate is signed by the authority in\n  %s\n%s", s.caFile, howToTrust(runtime.GOOS, s.caFile))
	}
	fmt.Fprintf(out, `
Next:
  db, err := sql.Open("databricks", %q)

The database is in memory and goes when this command stops (Ctrl-C).
`, ws.DSN())
}

// kept is how many facts of each kind the workspace keeps: the default of workspace.Options.Keep.
const kept = 10_000

func farewell(out io.Writer, ws *workspace.Workspace) {
	failed, rows := 0, int64(0)
	all := ws.Statements()
	for _, f := range all {
		rows += f.RowsSent
		if f.State == "ERROR" || f.State == "TIMEDOUT" {
			failed++
		}
	}
	fmt.Fprintf(out, "\nStopped after %d requests, %d sessions, %d statements (%d failed), %d rows, %d telemetry events.\n",
		ws.Count(), len(ws.Sessions()), len(all), failed, rows, len(ws.Telemetry()))
	if ws.Count() >= kept {
		fmt.Fprintf(out, "Counted are the latest %d of each.\n", kept)
	}
}
