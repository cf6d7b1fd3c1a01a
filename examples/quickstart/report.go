package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"text/tabwriter"
)

// journal is the writer the NDJSON sink writes to.
type journal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(p)
}

// record is one line of the journal.
type record map[string]any

// take returns the records written since the last call.
func (j *journal) take() []record {
	j.mu.Lock()
	defer j.mu.Unlock()
	var records []record
	for dec := json.NewDecoder(&j.buf); ; {
		var r record
		if dec.Decode(&r) != nil {
			break
		}
		records = append(records, r)
	}
	j.buf.Reset()
	return records
}

// report collects what the records say and prints it as tables.
type report struct {
	statements []string
	wire       []string
	notes      []string
}

func (r *report) skipped(s step) { r.notes = append(r.notes, "left out, it writes: "+s.title) }

func (r *report) step(s step, outcome string, records []record) {
	for _, rec := range records {
		if rec["event"] != "statement" {
			r.sessions([]record{rec})
			continue
		}
		r.statements = append(r.statements, line(s.title, rec.text("kind"), rec.result(),
			rec.ms("execute_ms"), rec.ms("first_row_ms"), rec.ms("consume_ms"), rec.ms("close_ms"),
			rec.number("rows_read"), rec.number("rows_affected"), rec.short("statement_id")))
		r.wire = append(r.wire, line(s.title, rec.text("result_format"),
			rec.number("pages"), rec.files(), rec.bytes(), rec.number("polls"), rec.number("rpcs"), rec.number("rpc_retries"),
			rec.ms("time_server_ms"), rec.ms("time_retry_ms"), rec.ms("time_page_ms"), rec.ms("time_file_ms"), rec.ms("time_decode_ms"), rec.ms("time_application_ms")))
		if outcome != "ok" {
			r.notes = append(r.notes, s.title+": the application got "+outcome)
		}
	}
}

func (r *report) sessions(records []record) {
	for _, rec := range records {
		switch rec["event"] {
		case "session_opened":
			r.notes = append(r.notes, fmt.Sprintf("session opened in %s ms on %s, driver %s, %s", rec.ms("open_ms"), rec.text("server"), rec.text("driver_version"), rec.text("auth_mech")))
		case "session_closed":
			r.notes = append(r.notes, fmt.Sprintf("session closed in %s ms after %s statements", rec.ms("close_ms"), rec.number("statements")))
		}
	}
}

func (r *report) print(w io.Writer) {
	table(w, "What the application saw",
		line("STATEMENT", "KIND", "OUTCOME", "EXECUTE ms", "FIRST ROW ms", "READING ms", "CLOSE ms", "ROWS READ", "AFFECTED", "STATEMENT ID"), r.statements)
	table(w, "What passed over the wire, and where the time went",
		line("STATEMENT", "FORMAT", "PAGES", "FILES", "KB IN", "POLLS", "CALLS", "RETRIES", "SERVER ms", "RETRY ms", "PAGE ms", "FILE ms", "DECODE ms", "APPLICATION ms"), r.wire)
	fmt.Fprintln(w)
	for _, l := range r.notes {
		fmt.Fprintln(w, l)
	}
	fmt.Fprintln(w, "\nEvery value above comes from the records of the NDJSON sink; docs/TELEMETRY.md describes each field.")
}

func table(w io.Writer, title, head string, lines []string) {
	fmt.Fprintf(w, "\n%s\n\n", title)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, l := range append([]string{head}, lines...) {
		fmt.Fprintln(t, l)
	}
	_ = t.Flush()
}

func line(cells ...string) string {
	for i, c := range cells {
		if c == "" {
			cells[i] = "-"
		}
	}
	return strings.Join(cells, "\t")
}

func (r record) text(key string) string {
	s, _ := r[key].(string)
	return s
}

// short returns enough of an id to recognize it.
func (r record) short(key string) string {
	if s := r.text(key); len(s) > 8 {
		return s[:8] + "…"
	}
	return ""
}

func (r record) result() string {
	out := r.text("outcome")
	if c := r.text("error_category"); c != "" {
		out += ": " + c
	}
	if s := r.text("sqlstate"); s != "" {
		out += " " + s
	}
	return out
}

func (r record) ms(key string) string {
	if v, ok := r[key].(float64); ok {
		return fmt.Sprintf("%.1f", v)
	}
	return "-"
}

func (r record) number(key string) string {
	if v, ok := r[key].(float64); ok {
		return fmt.Sprintf("%.0f", v)
	}
	return "-"
}

// files is how many of the files were downloaded.
func (r record) files() string {
	if _, ok := r["files"]; !ok {
		return "-"
	}
	return r.number("files_downloaded") + "/" + r.number("files")
}

// bytes is what came in over Thrift and as files, in kB.
func (r record) bytes() string {
	thrift, ok := r["bytes_in"].(float64)
	if !ok {
		return "-"
	}
	files, _ := r["file_bytes_received"].(float64)
	return fmt.Sprintf("%.1f", (thrift+files)/1000)
}
