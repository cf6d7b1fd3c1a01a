package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

const maxSlowestFiles = 10

// files prints a table of the slowest files, or of all files.
func (v *view) files() {
	if v.statement.CloudFetch == nil || len(v.statement.CloudFetch.Files) == 0 {
		return
	}
	files := slices.Clone(v.statement.CloudFetch.Files)
	title := "FILES"
	if !v.allFiles && len(files) > maxSlowestFiles {
		title = fmt.Sprintf("FILES: THE SLOWEST %d OF %d (--files LISTS ALL)", maxSlowestFiles, len(files))
		if v.statement.CloudFetch.Present > int64(len(files)) {
			title = fmt.Sprintf("FILES: %d SLOWEST OF %d LISTED (--files: ALL)", maxSlowestFiles, len(files))
		}
		slices.SortStableFunc(files, func(a, b telemetry.File) int { return cmp.Compare(fileDuration(b), fileDuration(a)) })
		files = files[:maxSlowestFiles]
	}
	v.heading(title)
	t := table{columns: []column{
		{title: "FILE", right: true}, {title: "STATE"}, {title: "ROWS", right: true, rank: 4}, {title: "SIZE", right: true, rank: 2},
		{title: "REQUESTED", right: true, rank: 1}, {title: "FIRST BYTE", right: true, rank: 3}, {title: "TOOK", right: true}, {title: "SPEED", right: true, rank: 6},
		{title: "ATTEMPTS", right: true, rank: 5}, {title: "HTTP", right: true, rank: 5},
	}}
	for _, f := range files {
		took := fileDuration(f)
		state := cell{text: strings.ToLower(clean(f.State))}
		if f.State == "FAILED" {
			state.style = red
		}
		status := cell{}
		if f.Status != 0 {
			status = cell{fmt.Sprint(f.Status), red}
		}
		total := cell{"-", bold}
		if took > 0 {
			total.text = format.Duration(took)
		}
		start, requested := f.Start.Get()
		first, answered := f.FirstByte.Get()
		t.add(number(f.Index), state, number(f.Rows), cell{text: format.Bytes(f.Bytes)},
			cellIf(requested, duration(millis(start))), cellIf(answered, duration(millis(first-start))),
			total, cell{text: speed(f)}, number(f.Attempts), status)
	}
	t.print(v.w, v.screen)
}

// speed returns the speed of the attempt that received the file; empty if it is not known.
func speed(f telemetry.File) string {
	took := fileDuration(f)
	if f.Attempts > 1 {
		if f.Latest == 0 {
			return "" // a record of an older version
		}
		took = f.End.Or(0) - f.Latest
	}
	if f.Received == 0 || took <= 0 {
		return ""
	}
	return format.Bytes(int64(float64(f.Received)/took.Seconds())) + "/s"
}

// fileDuration returns the time from the first request of a file to its end, or 0 if unknown.
func fileDuration(f telemetry.File) time.Duration {
	start, started := f.Start.Get()
	end, ended := f.End.Get()
	if !started || !ended {
		return 0
	}
	return end - start
}
