package report

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
)

// Markdown is the report. Pictures are linked from the directory images beside it, raw
// results from raw, a path relative to it.
func (r *Results) Markdown(raw string) string {
	var d document
	d.linef("# Benchmarks")
	d.linef("")
	d.linef("What the wrapped driver costs, paired with the bare native one on the same simulated")
	d.linef("workspace. `make bench` writes this page from the [raw results](%s); no figure is typed by hand.", raw)
	d.linef("")
	r.verdictTable(&d)
	r.method(&d)
	r.variantTable(&d)
	d.linef("## Time and CPU time by workload")
	d.linef("")
	d.linef("![time as a ratio to the native driver](images/bench-time.svg)")
	d.linef("")
	d.linef("![CPU time as a ratio to the native driver](images/bench-cpu.svg)")
	d.linef("")
	for _, w := range r.Workloads {
		r.workload(&d, w)
	}
	r.shareTable(&d)
	r.again(&d, raw)
	return d.String()
}

// document is text that grows by lines.
type document struct{ strings.Builder }

func (d *document) linef(format string, args ...any) {
	fmt.Fprintf(d, format, args...)
	d.WriteByte('\n')
}

func (d *document) row(cells ...string) { d.linef("| %s |", strings.Join(cells, " | ")) }

// head writes the header row and its rule. Columns whose names begin with > are figures, aligned
// right.
func (d *document) head(cells ...string) {
	names, rule := make([]string, len(cells)), make([]string, len(cells))
	for i, cell := range cells {
		name, figure := strings.CutPrefix(cell, ">")
		names[i], rule[i] = name, "---"
		if figure {
			rule[i] = "--:"
		}
	}
	d.row(names...)
	d.linef("|%s|", strings.Join(rule, "|"))
}

// noisy is the largest noise with which a run can still judge bars of 1 %.
const noisy = 0.02

func (r *Results) verdictTable(d *document) {
	list := r.verdicts()
	if len(list) == 0 {
		return
	}
	d.linef("## Against the bars")
	d.linef("")
	d.linef("%s", tally(list))
	d.linef("A bar is met or missed where the confidence interval of the median, widened by the noise, lies")
	d.linef("on one side of it. The noise is how far the native driver strays from itself in the same figure.")
	d.linef("")
	if text := r.aboutNoise(); text != "" {
		d.linef("**Noise.**%s", text)
		d.linef("")
	}
	d.head("what", "workload", "variant", ">bar", ">median", ">95 % interval", ">noise", "verdict")
	for _, v := range list {
		w := Workload{Name: v.workload}
		d.row(v.what, w.title(), v.compared(), "≤ "+v.figure(v.limit), v.figure(v.Median), v.interval(), v.around(), v.word())
	}
	d.linef("")
}

// aboutNoise says how far the run as a whole can be trusted, or is empty if that is not known.
func (r *Results) aboutNoise() string {
	time, known := r.noise(wall)
	if !known {
		return ""
	}
	busy, _ := r.noise(cpu)
	text := fmt.Sprintf(" The native driver, compared with itself, comes out within %s of 1 in time and %s in CPU time.", percent(time), percent(busy))
	if time > noisy || busy > noisy {
		text += " That is too much for bars like these: the machine was unsteady. Counts hold, times are a hint at best."
	}
	return text
}

// compared names the variant, and the one it is compared with unless that is the native driver.
func (b bar) compared() string {
	if b.against == "" {
		return variantTitle(b.variant)
	}
	return variantTitle(b.variant) + ", against " + variantTitle(b.against)
}

// around is the noise on both sides of the figure, or empty if there is none.
func (v verdict) around() string {
	switch {
	case v.noise == 0:
		return ""
	case math.IsInf(v.noise, 0):
		return "–"
	}
	return "± " + v.figure(v.noise)
}

func (v verdict) interval() string {
	if !v.bounded() {
		return "–"
	}
	return v.figure(v.Low) + " to " + v.figure(v.High)
}

func (r *Results) method(d *document) {
	d.linef("## How it was measured")
	d.linef("")
	d.linef("%s", method)
	d.linef("")
	d.head("", "")
	for _, f := range r.Facts {
		value := f.Value
		if f.Name == "commands" || f.Name == "command" {
			value = "`" + value + "`"
		}
		d.row(strings.ReplaceAll(f.Name, "-", " "), value)
	}
	d.linef("")
}

func (r *Results) variantTable(d *document) {
	d.linef("## What was compared")
	d.linef("")
	d.head("variant", "")
	for _, v := range r.Variants {
		d.row(variantTitle(v), aboutVariants[v].text)
	}
	d.linef("")
}

// workload writes the section of one workload.
func (r *Results) workload(d *document, w Workload) {
	d.linef("## %s", w.title())
	d.linef("")
	if text := aboutWorkloads[w.Name].text; text != "" {
		d.linef("%s", text)
	}
	ops := r.Blocks(r.first(), w.Name)[0].Ops
	if w.Rows > 0 {
		d.linef("%s rows per statement, %s per block.", grouped(fmt.Sprint(w.Rows)), format.Plural(int64(ops), "statement"))
	} else {
		d.linef("%s per block.", format.Plural(int64(ops), "statement"))
	}
	d.linef("")
	head := []string{"variant", ">time", ">ratio", ">p", ">CPU time", ">ratio", ">allocations", ">bytes", ">requests", ">for telemetry"}
	if w.Rows > 0 {
		head = append(head, ">added per row")
	}
	d.head(head...)
	for _, v := range r.Variants {
		d.row(r.figures(v, w)...)
	}
	d.linef("")
	d.linef("Requests are per 1,000 statements, those for telemetry apart.")
	if ops < 100 { // fewer than fill an upload
		d.linef("Each block ends with a flush, so these few statements have more uploads than they would have in an application.")
	}
	d.linef("")
}

// figures is a variant's row.
func (r *Results) figures(variant string, w Workload) []string {
	base := variant == r.first()
	ratio := func(m metric) string {
		if base {
			return "1"
		}
		e := estimate(r.ratios(m, variant, r.first(), w.Name))
		return fmt.Sprintf("%.3f %s", e.Median, e.within())
	}
	p := ""
	if !base {
		p = fmt.Sprintf("%.3f", r.p(wall, variant, w.Name))
	}
	time, busy := r.median(wall, variant, w.Name), r.median(cpu, variant, w.Name)
	thousand := func(m metric) string { return plain(1000 * r.median(m, variant, w.Name).Median) }
	cells := []string{
		variantTitle(variant),
		duration(time.Median) + " " + time.around(), ratio(wall), p,
		duration(busy.Median) + " " + busy.around(), ratio(cpu),
		plain(r.median(allocs, variant, w.Name).Median), plain(r.median(allocated, variant, w.Name).Median),
		thousand(service), thousand(telemetry),
	}
	switch added := estimate(excessPerRow(wall)(r, bar{variant: variant, workload: w.Name})); {
	case w.Rows > 0 && base:
		cells = append(cells, "")
	case w.Rows > 0:
		cells = append(cells, plain(added.Median)+" ns")
	}
	return cells
}

func (r *Results) again(d *document, raw string) {
	d.linef("## Again")
	d.linef("")
	d.linef("```")
	d.linef("make bench                                    # all of it")
	d.linef("cd integration/bench")
	d.linef("go run . -short                               # a minute; what CI runs")
	d.linef("go run . -run OneRow -variants native,ours    # some of it; prints only")
	d.linef("go run . -report                              # this page, from the raw results")
	d.linef("benchstat -col variant -ignore .file results/*.txt")
	d.linef("```")
	d.linef("")
	d.linef("The raw results, one file per variant and one line per block, are in [%s](%s).", strings.TrimPrefix(raw, "../"), raw)
}

// Summary is a few lines for a terminal.
func (r *Results) Summary(to io.Writer) {
	for _, w := range r.Workloads {
		fmt.Fprintf(to, "\n%s\n", w.title())
		for _, v := range r.Variants {
			t, c := estimate(r.ratios(wall, v, r.first(), w.Name)), estimate(r.ratios(cpu, v, r.first(), w.Name))
			fmt.Fprintf(to, "  %-20s %10s   time %5.3f %s   CPU %5.3f %s   %s allocs\n", variantTitle(v),
				duration(r.median(wall, v, w.Name).Median), t.Median, t.within(), c.Median, c.within(),
				plain(r.median(allocs, v, w.Name).Median))
		}
	}
	for i, s := range r.Shares {
		if i == 0 || s.Variant != r.Shares[i-1].Variant {
			fmt.Fprintf(to, "\n%s\n", variantTitle(s.Variant))
		}
		fmt.Fprintf(to, "  %-20s %10s   memory %10s\n", s.Part, microseconds(s.Time), microseconds(s.Memory))
	}
	fmt.Fprintln(to)
	for _, v := range r.verdicts() {
		fmt.Fprintf(to, "  %-50s %-14s %-10s ≤ %-10s %-10s %s\n", v.what, v.workload, v.variant, v.figure(v.limit), v.figure(v.Median), strings.ReplaceAll(v.word(), "**", ""))
	}
}

// duration writes nanoseconds with three digits.
func duration(ns float64) string {
	d := time.Duration(ns)
	switch {
	case d >= time.Second:
		return fmt.Sprintf("%.2f s", d.Seconds())
	case d >= 100*time.Millisecond:
		return fmt.Sprintf("%.0f ms", ns/1e6)
	case d >= time.Millisecond:
		return fmt.Sprintf("%.1f ms", ns/1e6)
	case d >= 100*time.Microsecond:
		return fmt.Sprintf("%.0f µs", ns/1e3)
	case d >= time.Microsecond:
		return fmt.Sprintf("%.1f µs", ns/1e3)
	}
	return fmt.Sprintf("%.0f ns", ns)
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }
