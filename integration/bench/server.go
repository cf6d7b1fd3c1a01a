package main

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

// files is the number of files of a result that is downloaded.
const files = 20

// requests counts what reached the server, by purpose.
type requests struct {
	Workspace int `json:"workspace"` // Thrift calls
	Storage   int `json:"storage"`   // downloads
	Telemetry int `json:"telemetry"` // telemetry uploads and requests for its flag
}

// slowness is how long a quick warehouse takes for a statement.
const slowness = 20 * time.Millisecond

// serve is the server's process. It has three workspaces: one to read from; one to write to,
// because a statement that writes empties the cache that makes reading cheap for the server; and a
// slow one.
func serve(rows int, in io.Reader, out io.Writer) error {
	debug.SetGCPercent(400) // the server's garbage collection is not measured
	reads, err := workspace.Start(workspace.Options{
		TelemetryFlag:   workspace.FlagOn,
		TelemetryUnread: true,
		ResultCache:     true,
		// Any result of that many rows is sent as files, unless the client cannot download.
		CloudFetchThreshold: int64(rows),
		FileRows:            int64(rows / files),
		LinksPerPage:        files,
	})
	if err != nil {
		return err
	}
	defer func() { _ = reads.Close() }()
	writes, err := workspace.Start(workspace.Options{TelemetryFlag: workspace.FlagOn, TelemetryUnread: true})
	if err != nil {
		return err
	}
	defer func() { _ = writes.Close() }()
	if err := writes.Exec(context.Background(), "CREATE TABLE counter (n BIGINT)", "INSERT INTO counter VALUES (0)"); err != nil {
		return err
	}
	slow, err := workspace.Start(workspace.Options{
		TelemetryFlag:    workspace.FlagOn,
		TelemetryUnread:  true,
		DirectResultWait: 100 * slowness, // so that nothing is polled
		ExecutionTime:    func(string) time.Duration { return slowness },
	})
	if err != nil {
		return err
	}
	defer func() { _ = slow.Close() }()
	all := []*workspace.Workspace{reads, writes, slow}
	return obey(in, out, func(o order) (a answer, err error) {
		switch o.Do {
		case "address":
			a.Target = target{Reads: reads.DSN(), Writes: writes.DSN(), Slow: slow.DSN(), Rows: rows}
		case "forget":
			for _, w := range all {
				w.Forget()
			}
		case "count":
			for _, w := range all {
				a.Requests.add(w)
			}
		default:
			err = fmt.Errorf("a server cannot %q", o.Do)
		}
		return a, err
	})
}

func (r *requests) add(w *workspace.Workspace) {
	for _, seen := range w.Requests() {
		switch {
		case seen.Listener == workspace.ListenerStorage:
			r.Storage++
		case seen.Path == w.HTTPPath():
			r.Workspace++
		default:
			r.Telemetry++
		}
	}
}
