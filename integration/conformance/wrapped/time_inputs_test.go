package wrapped

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// Faults that an operator meets, and what must be said of them.
func TestWhatIsSaidOfFaultsThatOperatorsMeet(t *testing.T) {
	const inVolume = "/Volumes/main/default/v/a.csv"
	file := filepath.Join(t.TempDir(), "a.csv")
	require.NoError(t, os.WriteFile(file, []byte("1,2"), 0o600))
	inline := workspace.Options{CloudFetchThreshold: -1, PageRows: pageRows}
	polled := inline
	polled.NoDirectResults = true
	files := workspace.Options{CloudFetchThreshold: 1, FileRows: pageRows, LinksPerPage: -1}
	runs := func(o workspace.Options, d time.Duration) workspace.Options {
		o.ExecutionTime = func(string) time.Duration { return d }
		return o
	}
	download := func(first, skip int, do workspace.Action) workspace.Fault {
		return workspace.Fault{On: workspace.ResultDownloads(), First: first, Skip: skip, Do: do}
	}
	call := func(method string, do workspace.Action) []workspace.Fault {
		return []workspace.Fault{{On: workspace.Method(method), First: 1, Do: do}}
	}
	rows := func(n int) string { return statement(n) }
	single := files
	single.FileRows = 1
	for name, test := range map[string]struct {
		scene    scene
		part     telemetry.Part
		says     string
		category telemetry.Category
		running  bool // what is said while it runs
	}{
		"a SELECT of 1.5 s": {
			scene: scene{opts: runs(inline, 1500*time.Millisecond)}, part: telemetry.PartServer, says: "waiting for the server, as seen on the wire",
		},
		"storage answers 403 after 2 s": {
			scene: scene{opts: files, faults: []workspace.Fault{download(0, 0, workspace.Latency(2*time.Second)), download(0, 0, workspace.Status(403))}},
			part:  telemetry.PartFile, says: "1 file failed, last status 403", category: telemetry.CategoryChunkDownload,
		},
		"storage answers 503 for good": {
			scene: scene{opts: files, faults: []workspace.Fault{download(0, 0, workspace.Status(503))}},
			part:  telemetry.PartRetry, says: "one file needed 5 attempts, last status 503", category: telemetry.CategoryChunkDownload,
		},
		"storage breaks off for good": {
			scene: scene{opts: files, faults: []workspace.Fault{download(0, 0, workspace.HalfBody())}},
			part:  telemetry.PartRetry, says: "one file needed 5 attempts, last without a complete answer", category: telemetry.CategoryChunkDownload,
		},
		"storage resets for good": {
			scene: scene{opts: files, faults: []workspace.Fault{download(0, 0, workspace.Reset())}},
			part:  telemetry.PartRetry, says: "one file needed 5 attempts, last without a complete answer", category: telemetry.CategoryChunkDownload,
		},
		"one file needs 5 attempts": {
			scene: scene{opts: files, faults: []workspace.Fault{download(4, 1, workspace.Status(503))}},
			part:  telemetry.PartRetry, says: "one file needed 5 attempts, last status 503",
		},
		"running, waits for its first file": {
			scene: scene{opts: files, at: 20 * time.Second, faults: []workspace.Fault{download(1, 0, workspace.Latency(time.Minute))}},
			part:  telemetry.PartFile, says: "waiting for 3 files", running: true,
		},
		"running, waits for its second file": {
			scene: scene{opts: files, at: 20 * time.Second, faults: []workspace.Fault{download(1, 1, workspace.Latency(time.Minute))}},
			part:  telemetry.PartFile, says: "waiting for 3 files", running: true,
		},
		"no rows, and the application sleeps": {
			scene: scene{opts: inline, query: rows(0), sleeps: map[moment]time.Duration{beforeRows: time.Second}},
			part:  telemetry.PartApplication, says: "in the application, before it asked for rows or closed them",
		},
		"closed before the first row": {
			scene: scene{opts: inline, ending: closedEarly, stop: -1, sleeps: map[moment]time.Duration{leftOpenAtRow: time.Second}},
			part:  telemetry.PartApplication, says: "in the application, before it asked for rows or closed them",
		},
		"300 files of 40 ms": {
			scene: scene{opts: single, query: rows(300), faults: []workspace.Fault{download(0, 0, workspace.Latency(40*time.Millisecond))}},
			part:  telemetry.PartFile, says: "waiting for 300 files, slowest 40 ms",
		},
		"5 files of 600 ms behind Wrap": {
			scene: scene{entry: "Wrap", opts: files, query: rows(5 * pageRows), faults: []workspace.Fault{download(0, 0, workspace.Latency(600*time.Millisecond))}},
			part:  telemetry.PartUnknown, says: "behind driverwrap.Wrap, what the driver waits for cannot be told apart",
		},
		"the client gives up while the server works": {
			scene: scene{opts: runs(polled, time.Hour), reader: "driver rows", at: 4500 * time.Millisecond, cancel: true},
			part:  telemetry.PartServer, says: "which had not finished: last seen RUNNING at poll 4", category: telemetry.CategoryCanceled,
		},
		"running, three polls answered": {
			scene: scene{opts: runs(polled, time.Minute), at: 3500 * time.Millisecond},
			part:  telemetry.PartServer, says: "still RUNNING at poll 3", running: true,
		},
		"no byte of an answer for 14 min": { // the driver gives up after 15
			scene: scene{opts: inline, at: 14 * time.Minute, faults: call("ExecuteStatement", workspace.Latency(time.Hour))},
			part:  telemetry.PartServer, says: "no byte of an answer to ExecuteStatement for 14 min", running: true,
		},
		"1 of at least 3,000 rows read, then left open": {
			scene: scene{opts: workspace.Options{CloudFetchThreshold: -1}, query: rows(3000), ending: closedEarly, stop: 1, sleeps: map[moment]time.Duration{leftOpenAtRow: 8 * time.Second}},
			part:  telemetry.PartApplication, says: "1 of at least 3,000 rows read, then left open for 8.0 s",
		},
		"PUT, and storage takes 2 s": {
			scene: scene{
				opts: inline, reader: "exec", query: "PUT '" + file + "' INTO '" + inVolume + "' OVERWRITE",
				faults: []workspace.Fault{{On: workspace.VolumeTransfers(), Do: workspace.Latency(2 * time.Second)}},
			},
			part: telemetry.PartTransfer, says: "sending a file to the volume (PUT)",
		},
		"running, PUT": {
			scene: scene{
				opts: inline, reader: "exec", query: "PUT '" + file + "' INTO '" + inVolume + "' OVERWRITE", at: time.Second,
				faults: []workspace.Fault{{On: workspace.VolumeTransfers(), Do: workspace.SlowBody(2 * time.Second)}, {On: workspace.VolumeTransfers(), Do: workspace.Latency(2 * time.Second)}},
			},
			part: telemetry.PartTransfer, says: "sending a file to the volume (PUT)", running: true,
		},
		"PUT, and storage fails first": {
			scene: scene{
				opts: inline, reader: "exec", query: "PUT '" + file + "' INTO '" + inVolume + "' OVERWRITE",
				faults: []workspace.Fault{{On: workspace.VolumeTransfers(), First: 1, Do: workspace.Latency(2 * time.Second)}, {On: workspace.VolumeTransfers(), Do: workspace.Status(403)}},
			},
			part: telemetry.PartTransfer, says: "sending a file to the volume (PUT)", category: telemetry.CategoryStatementFailed,
		},
		"GET, and storage takes 2 s": {
			scene: scene{
				opts: inline, reader: "exec", query: "GET '" + inVolume + "' TO '" + file + ".1'", volume: map[string]string{inVolume: "content"},
				faults: []workspace.Fault{{On: workspace.VolumeTransfers(), Do: workspace.Latency(2 * time.Second)}},
			},
			part: telemetry.PartTransfer, says: "fetching a file from the volume (GET)",
		},
		"running, GET, and the file stalls": {
			scene: scene{
				opts: inline, reader: "exec", query: "GET '" + inVolume + "' TO '" + file + ".2'", volume: map[string]string{inVolume: "content"}, at: time.Second,
				faults: []workspace.Fault{{On: workspace.VolumeTransfers(), Do: workspace.SlowBody(2 * time.Second)}},
			},
			part: telemetry.PartTransfer, says: "fetching a file from the volume (GET)", running: true,
		},
		"GET, and storage answers 404": {
			scene: scene{
				opts: inline, reader: "exec", query: "GET '" + inVolume + "' TO '" + file + ".3'", volume: map[string]string{inVolume: "content"},
				faults: []workspace.Fault{{On: workspace.VolumeTransfers(), Do: workspace.Latency(2 * time.Second)}, {On: workspace.VolumeTransfers(), Do: workspace.Status(404)}},
			},
			part: telemetry.PartTransfer, says: "fetching a file from the volume (GET)", category: telemetry.CategoryStatementFailed,
		},
		"REMOVE, and storage takes 2 s": {
			scene: scene{
				opts: inline, reader: "exec", query: "REMOVE '" + inVolume + "'", volume: map[string]string{inVolume: "content"},
				faults: []workspace.Fault{{On: workspace.VolumeTransfers(), Do: workspace.Latency(2 * time.Second)}},
			},
			part: telemetry.PartTransfer, says: "deleting a file of the volume (REMOVE)",
		},
		"a status call of 6 s": {
			scene: scene{opts: polled, faults: call("GetOperationStatus", workspace.Latency(6*time.Second))},
			part:  telemetry.PartServer, says: "a status call itself took 6.0 s",
		},
		"a status call is told to wait, and the statement runs on": {
			scene: scene{opts: runs(polled, 5500*time.Millisecond), faults: call("GetOperationStatus", workspace.Status(429))},
			part:  telemetry.PartServer, says: "status calls failed and were repeated after pauses of 4.0 s (1 retry, last status 429)",
		},
		"the client gives up an attempt after two that failed": {
			scene: scene{opts: inline, reader: "driver rows", at: 13 * time.Second, cancel: true, faults: []workspace.Fault{
				{On: workspace.Method("ExecuteStatement"), Do: workspace.Latency(2 * time.Second)},
				{On: workspace.Method("ExecuteStatement"), First: 2, Do: workspace.Status(503)},
			}},
			part: telemetry.PartRetry, says: "2 retries of ExecuteStatement, last status 503", category: telemetry.CategoryCanceled,
		},
		"a CancelOperation of 1.3 s": {
			scene: scene{opts: runs(polled, time.Hour), reader: "driver rows", at: time.Second / 2, cancel: true, faults: call("CancelOperation", workspace.Latency(1300*time.Millisecond))},
			part:  telemetry.PartClose, says: "canceling the statement: CancelOperation took 1.3 s", category: telemetry.CategoryCanceled,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := test.scene
			s.entry, s.reader, s.pause = cmp.Or(s.entry, "NewConnector"), cmp.Or(s.reader, "rows"), 4*time.Second
			got := s.perform(t)
			r := got.record
			if test.running {
				r = got.look
			}
			require.NotNil(t, r, got.err)
			v := explain.Of(r)
			about := fmt.Sprintf("%s\n%v of %s\n%+v\n%v", v.Sentence, r.Split, r.Total, *r, got.err)
			requireConsistent(t, r, about)
			require.Equal(t, test.part, v.Part, about)
			require.Contains(t, v.Sentence, test.says, about)
			if test.category != "" {
				require.NotNil(t, r.Failure, about)
				require.Equal(t, test.category, r.Failure.Category, about)
			} else {
				require.Nil(t, r.Failure, about)
			}
		})
	}
}

// A database that is opened by a DSN uses the real network and real time: the delayed part is at least as
// long as the delay, and the largest unless the machine is busy for longer than the delay. A file's
// download begins before its rows are requested.
func TestADatabaseOpenedByDSNTellsTheSame(t *testing.T) {
	const d = 300 * time.Millisecond
	slow := func(on workspace.Target) []workspace.Fault {
		return []workspace.Fault{{On: on, First: 1, Do: workspace.Latency(d)}}
	}
	inline := workspace.Options{CloudFetchThreshold: -1, PageRows: pageRows}
	files := workspace.Options{CloudFetchThreshold: 1, FileRows: pageRows, LinksPerPage: 2}
	for name, test := range map[string]struct {
		scene scene
		part  telemetry.Part
	}{
		"FetchResults":   {scene{opts: inline, faults: slow(workspace.Method("FetchResults"))}, telemetry.PartPage},
		"CloseOperation": {scene{opts: inline, faults: slow(workspace.Method("CloseOperation"))}, telemetry.PartClose},
		"file":           {scene{opts: files, faults: slow(workspace.ResultDownloads())}, telemetry.PartFile},
		"application":    {scene{opts: files, sleeps: map[moment]time.Duration{beforeRows: d}}, telemetry.PartApplication},
		"server":         {scene{opts: inline, faults: slow(workspace.Method("ExecuteStatement"))}, telemetry.PartServer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for {
				ws, sink := workspace.New(t, test.scene.opts), &memory{}
				c, err := listening(sink).OpenConnector(ws.DSN())
				require.NoError(t, err)
				r := test.scene.inRealTime(t, ws, c, sink)
				delayed := r.Split[test.part]
				if test.part == telemetry.PartFile {
					delayed = r.CloudFetch.Slowest
				}
				require.GreaterOrEqual(t, delayed, d, "%v", r.Split)
				requireConsistent(t, r, fmt.Sprintf("%+v", *r))
				if explain.Of(r).Part == test.part {
					break
				}
			}
		})
	}
}
