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

// take returns what was written since the last time.
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

// report collects lines and prints them as tables.
type report struct {
	lines  []string
	footer []string
	notes  []string
}

func (r *report) skipped(s step) { r.notes = append(r.notes, "left out, it writes: "+s.title) }

func (r *report) step(s step, outcome string, records []record) {
	for _, rec := range records {
		switch rec["event"] {
		case "statement":
			r.lines = append(r.lines, strings.Join([]string{
				s.title, rec.text("kind"), rec.result(),
				rec.ms("execute_ms"), rec.ms("first_row_ms"), rec.ms("consume_ms"), rec.ms("close_ms"),
				rec.number("rows_read"), rec.number("rows_affected"), rec.short("statement_id"),
			}, "\t"))
			if outcome != "ok" {
				r.notes = append(r.notes, s.title+": the application got "+outcome)
			}
		default:
			r.sessions([]record{rec})
		}
	}
}

func (r *report) sessions(records []record) {
	for _, rec := range records {
		switch rec["event"] {
		case "session_opened":
			r.footer = append(r.footer, fmt.Sprintf("session opened in %s ms on %s, driver %s, %s", rec.ms("open_ms"), rec.text("server"), rec.text("driver_version"), rec.text("auth_mech")))
		case "session_closed":
			r.footer = append(r.footer, fmt.Sprintf("session closed in %s ms after %s statements", rec.ms("close_ms"), rec.number("statements")))
		}
	}
}

func (r *report) print(w io.Writer) {
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "STATEMENT\tKIND\tOUTCOME\tEXECUTE ms\tFIRST ROW ms\tREADING ms\tCLOSE ms\tROWS READ\tAFFECTED\tSTATEMENT ID")
	for _, l := range r.lines {
		fmt.Fprintln(table, l)
	}
	_ = table.Flush()
	fmt.Fprintln(w)
	for _, l := range append(r.footer, r.notes...) {
		fmt.Fprintln(w, l)
	}
	fmt.Fprintln(w, "\nEvery value above comes from the records of the NDJSON sink; docs/TELEMETRY.md describes each field.")
}

func (r record) text(key string) string {
	s, _ := r[key].(string)
	return s
}

// short is enough of an id to recognise it.
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
