package report

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// Results is what a run measured: one block for each variant, workload and round.
type Results struct {
	// Facts about the run that hold for all of it, in order: machine, versions, date.
	Facts []Fact
	// Variants in the order of the report. The others are compared with the first.
	Variants []string
	// Workloads in the order of the report.
	Workloads []Workload

	// Shares say what the time of a statement was spent on.
	Shares []Share

	blocks map[series][]Block
}

// Share is how much of a statement's time one part of a program took, by a CPU profile.
type Share struct {
	Variant, Part string
	Time          float64 // nanoseconds
	Memory        float64 // nanoseconds of Time for allocating
}

// Share adds what one of several profiles found.
func (r *Results) Share(s Share, profiles int) {
	i := r.shareIndex(s.Variant, s.Part)
	if i < 0 {
		i = len(r.Shares)
		r.Shares = append(r.Shares, Share{Variant: s.Variant, Part: s.Part})
	}
	r.Shares[i].Time += s.Time / float64(profiles)
	r.Shares[i].Memory += s.Memory / float64(profiles)
	slices.SortStableFunc(r.Shares, func(a, b Share) int {
		return cmp.Or(slices.Index(r.Variants, a.Variant)-slices.Index(r.Variants, b.Variant), partIndex(a.Part)-partIndex(b.Part))
	})
}

func (r *Results) shareIndex(variant, part string) int {
	return slices.IndexFunc(r.Shares, func(s Share) bool { return s.Variant == variant && s.Part == part })
}

func partIndex(name string) int {
	return slices.IndexFunc(aboutParts, func(a account) bool { return a.title == name })
}

// Fact is something that held during a run. Its name is lower case without spaces.
type Fact struct{ Name, Value string }

// Workload names one kind of work.
type Workload struct {
	Name string
	// Rows is the number of rows an operation reads; 0 when reading is not the point.
	Rows int
}

// Block is what one variant did in one round, per operation.
type Block struct {
	Ops       int
	Wall      float64 // nanoseconds
	CPU       float64 // nanoseconds of the client's process
	Bytes     float64 // allocated
	Allocs    float64
	Workspace float64 // requests
	Storage   float64 // requests
	Telemetry float64 // requests
}

// units of the raw files, and which field of a Block they are.
var units = []struct {
	name  string
	value func(*Block) *float64
}{
	{"ns/op", func(b *Block) *float64 { return &b.Wall }},
	{"cpu-ns/op", func(b *Block) *float64 { return &b.CPU }},
	{"B/op", func(b *Block) *float64 { return &b.Bytes }},
	{"allocs/op", func(b *Block) *float64 { return &b.Allocs }},
	{"workspace-req/op", func(b *Block) *float64 { return &b.Workspace }},
	{"storage-req/op", func(b *Block) *float64 { return &b.Storage }},
	{"telemetry-req/op", func(b *Block) *float64 { return &b.Telemetry }},
}

type series struct{ variant, workload string }

// Add appends the block of the next round.
func (r *Results) Add(variant string, w Workload, b Block) {
	if !slices.Contains(r.Variants, variant) {
		r.Variants = append(r.Variants, variant)
	}
	if !slices.Contains(r.Workloads, w) {
		r.Workloads = append(r.Workloads, w)
	}
	if r.blocks == nil {
		r.blocks = map[series][]Block{}
	}
	key := series{variant, w.Name}
	r.blocks[key] = append(r.blocks[key], b)
}

// Blocks returns the blocks of a variant in the order of their rounds.
func (r *Results) Blocks(variant, workload string) []Block {
	return r.blocks[series{variant, workload}]
}

// Fact returns a fact by its name, or "".
func (r *Results) Fact(name string) string {
	for _, f := range r.Facts {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// Rounds is the number of blocks each variant has of each workload.
func (r *Results) Rounds() int {
	if len(r.Variants) == 0 || len(r.Workloads) == 0 {
		return 0
	}
	return len(r.Blocks(r.Variants[0], r.Workloads[0].Name))
}

// check reports results that are not one block per variant, workload and round.
func (r *Results) check() error {
	if r.Rounds() == 0 {
		return errors.New("no results")
	}
	for _, v := range r.Variants {
		for _, w := range r.Workloads {
			if n := len(r.Blocks(v, w.Name)); n != r.Rounds() {
				return fmt.Errorf("%d blocks of %s with %s, %d of the first: rounds cannot be paired", n, w.Name, v, r.Rounds())
			}
		}
	}
	return nil
}

// Write replaces the raw results in a directory: a file per variant, numbered in the order
// of the report.
func (r *Results) Write(dir string) error {
	if err := r.check(); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return err
	}
	for _, name := range old {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	for i, v := range r.Variants {
		var text strings.Builder
		if err := r.writeVariant(&text, v); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%02d-%s.txt", i+1, v)), []byte(text.String()), 0o644); err != nil {
			return err
		}
	}
	return r.writeShares(dir)
}

func (r *Results) writeVariant(to io.Writer, variant string) error {
	out := benchfmt.NewWriter(to)
	config := []benchfmt.Config{{Key: "variant", Value: []byte(variant), File: true}}
	for _, f := range r.Facts {
		config = append(config, benchfmt.Config{Key: f.Name, Value: []byte(f.Value), File: true})
	}
	for round := range r.Rounds() {
		for _, w := range r.Workloads {
			b := r.Blocks(variant, w.Name)[round]
			line := &benchfmt.Result{Config: config, Name: benchfmt.Name(w.benchmark()), Iters: b.Ops}
			for _, u := range units {
				line.Values = append(line.Values, benchfmt.Value{Value: *u.value(&b), Unit: u.name})
			}
			if err := out.Write(line); err != nil {
				return err
			}
		}
	}
	return nil
}

// benchmark is the workload as the name of a Go benchmark. The client has one CPU.
func (w Workload) benchmark() string {
	if w.Rows > 0 {
		return fmt.Sprintf("%s/rows=%d-1", w.Name, w.Rows)
	}
	return w.Name + "-1"
}

// Read reads what Write has written.
func Read(dir string) (*Results, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return nil, err
	}
	r := &Results{}
	for _, name := range names {
		if err := r.readFile(name); err != nil {
			return nil, err
		}
	}
	if err := r.readShares(dir); err != nil {
		return nil, err
	}
	return r, r.check()
}

func (r *Results) readFile(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return r.read(f, filepath.Base(name))
}

func (r *Results) read(from io.Reader, name string) error {
	in := benchfmt.NewReader(from, name)
	for in.Scan() {
		switch line := in.Result().(type) {
		case *benchfmt.Result:
			if err := r.readLine(line); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		case *benchfmt.SyntaxError:
			return line
		}
	}
	return in.Err()
}

func (r *Results) readLine(line *benchfmt.Result) error {
	variant := line.GetConfig("variant")
	if variant == "" {
		return errors.New("no variant is named")
	}
	if r.Facts == nil {
		for _, c := range line.Config {
			if c.Key != "variant" && c.File {
				r.Facts = append(r.Facts, Fact{Name: c.Key, Value: string(c.Value)})
			}
		}
	}
	base, parts := line.Name.Parts()
	w := Workload{Name: string(base)}
	for _, part := range parts {
		if rows, ok := strings.CutPrefix(string(part), "/rows="); ok {
			n, err := strconv.Atoi(rows)
			if err != nil || n <= 0 {
				return fmt.Errorf("%s: what number of rows is that?", line.Name)
			}
			w.Rows = n
		}
	}
	b := Block{Ops: line.Iters}
	for _, u := range units {
		v, ok := original(line, u.name)
		if !ok {
			return fmt.Errorf("%s: no %s", line.Name, u.name)
		}
		*u.value(&b) = v
	}
	r.Add(variant, w, b)
	return nil
}

// original returns a value in the unit in which it was written: the reader converts nanoseconds to
// seconds.
func original(line *benchfmt.Result, unit string) (float64, bool) {
	for _, v := range line.Values {
		switch unit {
		case v.OrigUnit:
			return v.OrigValue, true
		case v.Unit:
			return v.Value, true
		}
	}
	return 0, false
}
