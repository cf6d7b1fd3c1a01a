package main

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

// files is the number of files of a result that is downloaded.
const files = 20

// requests is what reached the server, by what it was for.
type requests struct {
	Workspace int `json:"workspace"` // Thrift calls
	Storage   int `json:"storage"`   // downloads
	Telemetry int `json:"telemetry"` // uploads of telemetry and questions for its flag
}

// serve is the server's process: two workspaces, because a statement that writes empties the
// cache that makes reading cheap for the server.
func serve(rows int, in io.Reader, out io.Writer) error {
	debug.SetGCPercent(400) // its garbage is not what is measured
	reads, err := workspace.Start(workspace.Options{
		TelemetryFlag:   workspace.FlagOn,
		TelemetryUnread: true,
		ResultCache:     true,
		// Any result of that many rows is worth files, unless the client cannot download.
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
	both := []*workspace.Workspace{reads, writes}
	return obey(in, out, func(o order) (a answer, err error) {
		switch o.Do {
		case "address":
			a.Target = target{Reads: reads.DSN(), Writes: writes.DSN(), Rows: rows}
		case "forget":
			for _, w := range both {
				w.Forget()
			}
		case "count":
			for _, w := range both {
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
