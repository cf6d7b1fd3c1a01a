package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// made returns results like those of a run, with figures that are easy to check: the cost of a round is that
// of the workload times that of the variant times a small variation per round.
func made(rounds int) *Results {
	r := &Results{Facts: []Fact{{"date", "2026-01-02 03:04 UTC"}, {"command", "go run ."}, {"cpu", "a model"}, {"load-before", "0.01"}}}
	work := []struct {
		Workload
		ops              int
		wall, allocs     float64
		calls, downloads float64
	}{
		{Workload{Name: "OneRow"}, 2000, 150_000, 400, 1, 0},
		{Workload{Name: "Warehouse20"}, 15, 20e6, 400, 1, 0},
		{Workload{Name: "Inline", Rows: 1_000_000}, 2, 160e6, 2e6, 11, 0},
		{Workload{Name: "CloudFetch20", Rows: 1_000_000}, 2, 150e6, 2e6, 3, 20},
		{Workload{Name: "Concurrent64"}, 2000, 140_000, 400, 1, 0},
		{Workload{Name: "NoNetwork"}, 8000, 40_000, 390, 0, 0},
	}
	cost := []struct {
		variant         string
		factor, allocs  float64
		uploads, ground float64
	}{
		{"native", 1, 0, 0, 0},
		{"native-again", 1.001, 0, 0, 0},
		{"native-telemetry", 2.2, 160, 1, 0},
		{"ours", 1.005, 12, 0.01, 0},
		{"ours-page", 1.02, 12, 0.01, 0},
		{"ours-local", 1.004, 10, 0, 0},
		{"ours-off", 1, 0, 0, 0},
		{"otelsql", 1.1, 30, 0, 0},
		{"sqlmw", 1.002, 3, 0, 0},
	}
	for round := range rounds {
		for _, w := range work {
			for i, c := range cost {
				wobble := 1 + 0.05*math.Sin(float64(round)) + 0.002*math.Sin(float64(7*round+3*i))
				r.Add(c.variant, w.Workload, Block{
					Ops: w.ops, Wall: math.Round(w.wall * c.factor * wobble), CPU: math.Round(0.9 * w.wall * c.factor * wobble),
					Bytes: w.allocs * 60, Allocs: w.allocs + c.allocs,
					Workspace: w.calls, Storage: w.downloads, Telemetry: c.uploads,
				})
			}
		}
	}
	for _, c := range []Share{
		{"ours-local", "request", 500, 0}, {"ours-local", "answer", 1_500, 0}, {"ours-local", "begin", 1_500, 1_000}, {"ours-local", "sqlmw", 500, 100}, {"native", "driver", 35_000, 11_000}, {"native", "runtime", 5_000, 0},
		{"ours-local", "driver", 34_000, 12_000}, {"ours-local", "driverwrap", 1_000, 600}, {"ours-local", "runtime", 5_500, 0},
	} {
		r.Share(c, 2)
		r.Share(c, 2)
	}
	return r
}

func golden(t *testing.T, name, got string) {
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "go test ./internal/report -update rewrites it")
}

func TestTheReportIsTheGoldenOne(t *testing.T) {
	golden(t, "report.md", made(12).Markdown("../results"))
	for _, p := range made(12).Pictures() {
		golden(t, p.Name, p.SVG)
	}
}

func TestTheReadmeGetsItsFigures(t *testing.T) {
	got, err := made(12).Readme("# A title\n<!-- generated: cost -->\nold\n<!-- end: cost -->\nThe rest.\n")
	require.NoError(t, err)
	golden(t, "readme.md", got)
	for _, text := range []string{"", "<!-- generated: cost -->\n"} {
		_, err := made(12).Readme(text)
		require.ErrorContains(t, err, "README.md has no")
	}
}

func TestPicturesAreWellFormed(t *testing.T) {
	for _, p := range made(12).Pictures() {
		d := xml.NewDecoder(strings.NewReader(p.SVG))
		for {
			_, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err, p.Name)
		}
	}
}

// A figure of the published report changes only through a measurement.
func TestThePublishedReportIsWhatItsRawResultsSay(t *testing.T) {
	bench, docs := filepath.Join("..", ".."), filepath.Join("..", "..", "..", "..", "docs")
	r, err := Read(filepath.Join(bench, "results"))
	require.NoError(t, err)
	files := map[string]string{filepath.Join(docs, "BENCHMARKS.md"): r.Markdown("../integration/bench/results")}
	for _, p := range r.Pictures() {
		files[filepath.Join(docs, "images", p.Name)] = p.SVG
	}
	readme := filepath.Join(docs, "..", "README.md")
	text, err := os.ReadFile(readme)
	require.NoError(t, err)
	files[readme], err = r.Readme(string(text))
	require.NoError(t, err)
	for name, want := range files {
		got, err := os.ReadFile(name)
		require.NoError(t, err)
		require.Equal(t, want, string(got), "%s: go run . -report writes it", name)
	}
}

func TestResultsComeBackAsTheyWereWritten(t *testing.T) {
	dir := t.TempDir()
	want := made(7)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "99-forgotten.txt"), []byte("variant: forgotten\n"), 0o600))
	require.NoError(t, want.Write(dir))
	got, err := Read(dir)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestRoundsThatCannotBePairedAreRefused(t *testing.T) {
	r := made(2)
	r.Add("ours", r.Workloads[0], Block{Ops: 1})
	require.ErrorContains(t, r.Write(t.TempDir()), "3 blocks of OneRow with ours, 2 of the first: rounds cannot be paired")
	_, err := Read(t.TempDir())
	require.ErrorContains(t, err, "no results")
}

func TestSharesOfUnknownPartsAreRefused(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, made(7).Write(dir))
	for want, text := range map[string]string{
		`profile.csv, line 2: there is no part "kernel"`: "variant,part,ns,ns-allocating\nours,kernel,1,0\n",
		"invalid syntax":         "variant,part,ns,ns-allocating\nours,driver,much,0\n",
		"wrong number of fields": "variant,part,ns,ns-allocating\nours,driver\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "profile.csv"), []byte(text), 0o600))
		_, err := Read(dir)
		require.ErrorContains(t, err, want)
	}
}

func TestWhatIsNoResultIsRefused(t *testing.T) {
	const line = "1 1 ns/op 1 cpu-ns/op 1 B/op 1 allocs/op 1 workspace-req/op 1 storage-req/op 1 telemetry-req/op\n"
	for want, text := range map[string]string{
		"no variant is named":                     "BenchmarkX-1 " + line,
		"no cpu-ns/op":                            "variant: v\nBenchmarkX-1 1 1 ns/op\n",
		"what number of rows is that?":            "variant: v\nBenchmarkX/rows=many-1 " + line,
		"parsing iteration count: invalid syntax": "variant: v\nBenchmarkX-1 z 1 ns/op\n",
	} {
		require.ErrorContains(t, (&Results{}).read(strings.NewReader(text), "x.txt"), want)
	}
}

func FuzzRead(f *testing.F) {
	var file bytes.Buffer
	require.NoError(f, made(1).writeVariant(&file, "ours"))
	f.Add(file.String())
	f.Add("variant: v\nBenchmarkX/rows=3-1 1 1 ns/op")
	f.Add("variant: v\n\nBenchmarkX-1 0 NaN ns/op 1 cpu-ns/op 1 B/op 1 allocs/op 1 workspace-req/op 1 storage-req/op 1 telemetry-req/op")
	f.Fuzz(func(t *testing.T, text string) {
		r := &Results{}
		if r.read(strings.NewReader(text), "x.txt") != nil || r.check() != nil {
			return
		}
		r.Markdown("raw")
		r.Pictures()
	})
}

func TestVerdictsSayHowMuchAndHowSurely(t *testing.T) {
	times := bar{limit: 1.01, unit: "×"}
	per := bar{limit: 3000, unit: "ns"}
	rows := bar{limit: 0, slack: 0.005, exact: true}
	few := estimate([]float64{1, 1, 1})
	for name, test := range map[string]struct {
		verdict
		want string
	}{
		"within": {verdict{times, Estimate{1.005, 1.001, 1.009}, 0}, "met"},
		"within, with noise that does not matter": {verdict{times, Estimate{1.005, 1.001, 1.007}, 0.002}, "met"},
		"within, with noise that does":            {verdict{times, Estimate{1.005, 1.001, 1.009}, 0.002}, "not shown"},
		"the interval has the bar in it":          {verdict{times, Estimate{1.005, 1.001, 1.02}, 0}, "not shown"},
		"beyond":                                  {verdict{times, Estimate{1.03, 1.02, 1.04}, 0}, "**missed** by 2.0 %"},
		"beyond, by more than the noise":          {verdict{times, Estimate{1.1, 1.09, 1.2}, 0.07}, "**missed** by 9.0 %"},
		"beyond, by less than the noise":          {verdict{times, Estimate{1.1, 1.09, 1.2}, 0.08}, "not shown"},
		"beyond, on average":                      {verdict{times, Estimate{1.02, 1.00, 1.04}, 0}, "not shown"},
		"a duration":                              {verdict{per, Estimate{4234, 4000, 4400}, 100}, "**missed** by 1,234 ns"},
		"a count":                                 {verdict{rows, Estimate{0.25, 0.25, 0.25}, 0}, "**missed** by 0.25"},
		"a count, nearly":                         {verdict{rows, Estimate{0.001, 0.001, 0.001}, 0}, "met"},
		"three rounds are no proof":               {verdict{times, few, 0}, "not shown"},
		"unless the figure is exact":              {verdict{bar{limit: 1, exact: true}, few, 0}, "met"},
		"noise of three rounds":                   {verdict{times, Estimate{1, 1, 1}, math.Inf(1)}, "not shown"},
	} {
		require.Equal(t, test.want, test.word(), name)
	}
	require.Equal(t, "1 of 3 bars are met and 1 missed; for the other 1 this run is inconclusive.", tally([]verdict{
		{times, Estimate{1.005, 1.001, 1.009}, 0}, {times, Estimate{1.03, 1.02, 1.04}, 0}, {times, few, 0},
	}))
}

// The noise of a bar is that of its own figure: a disturbed workload says nothing about other workloads.
func TestTheNoiseOfABarIsThatOfItsFigure(t *testing.T) {
	r := &Results{}
	for range 12 {
		for _, w := range []string{"OneRow", "Inline"} {
			stray := map[string]float64{"Inline": 30}[w]
			r.Add("native", Workload{Name: w}, Block{Ops: 1, Wall: 100, CPU: 100})
			r.Add(itself, Workload{Name: w}, Block{Ops: 1, Wall: 100 - stray, CPU: 100})
			r.Add("otelsql", Workload{Name: w}, Block{Ops: 1, Wall: 100, CPU: 102})
			r.Add("ours", Workload{Name: w}, Block{Ops: 1, Wall: 120, CPU: 101})
		}
	}
	words := map[string]string{}
	for _, v := range r.verdicts() {
		if v.unit == "×" && v.against != "" {
			words[v.what+" of "+v.workload] = v.word() + " " + v.around()
		}
	}
	require.Equal(t, map[string]string{
		"time of OneRow":     "**missed** by 20.0 % ",
		"time of Inline":     "not shown ± 0.300",
		"CPU time of OneRow": "met ",
		"CPU time of Inline": "met ",
	}, words)
}

func TestARatioIsTakenWithinARound(t *testing.T) {
	r := &Results{}
	for _, slow := range []float64{1, 3, 2, 9, 1, 4, 2, 8} { // as on a shared machine
		r.Add("native", Workload{Name: "OneRow"}, Block{Ops: 1, Wall: 100 * slow})
		r.Add("ours", Workload{Name: "OneRow"}, Block{Ops: 1, Wall: 101 * slow})
	}
	e := estimate(r.ratios(wall, "ours", "native", "OneRow"))
	require.InDelta(t, 1.01, e.Median, 1e-9)
	require.InDelta(t, 1.01, e.Low, 1e-9)
	require.InDelta(t, 1.01, e.High, 1e-9)
	require.Greater(t, r.p(wall, "ours", "OneRow"), 0.5, "benchstat, which knows no rounds, sees nothing")
}

func TestAlarmsAreForWhatAShortRunCanTell(t *testing.T) {
	require.Empty(t, made(6).Alarms())
	r := made(0)
	for range 6 {
		for _, w := range []string{"OneRow", "Inline"} {
			r.Add("native", Workload{Name: w, Rows: 100}, Block{Ops: 1, Wall: 100, CPU: 100, Allocs: 10})
			r.Add("ours", Workload{Name: w, Rows: 100}, Block{Ops: 1, Wall: 160, CPU: 104, Allocs: 40})
			r.Add("ours-local", Workload{Name: w, Rows: 100}, Block{Ops: 1, Wall: 100, CPU: 100, Allocs: 36})
		}
	}
	require.Equal(t, []string{
		"allocations per statement, measured of OneRow with ours-local: 26.0, and the limit is 12.0",
		"allocations per row of Inline with ours: 0.30, and the limit is 0",
	}, r.Alarms())
}

func TestANoisyRunSaysSo(t *testing.T) {
	quiet, loud := made(12), made(12)
	require.NotContains(t, quiet.Markdown("raw"), "too much for bars")
	for i := range loud.blocks[series{itself, "OneRow"}] {
		loud.blocks[series{itself, "OneRow"}][i].Wall *= 1.2
	}
	require.Contains(t, loud.Markdown("raw"), "too much for bars")
}

func TestFiguresAreWrittenToBeRead(t *testing.T) {
	for want, x := range map[string]float64{"0": 0, "0.012": 0.0123, "1.23": 1.234, "12.3": 12.34, "123": 123.4, "1,234": 1234.4, "-1,234,567": -1234567} {
		require.Equal(t, want, plain(x))
	}
	for want, ns := range map[string]float64{"40 ns": 40, "1.5 µs": 1500, "152 µs": 152_400, "1.5 ms": 1_500_000, "161 ms": 161e6, "2.50 s": 2.5e9} {
		require.Equal(t, want, duration(ns))
	}
	for want, x := range map[string]float64{"0.0": -0.04, "+0.1": 0.06, "-0.1": -0.06, "+12.0": 12} {
		require.Equal(t, want, signed(x, 1))
	}
	require.NotEmpty(t, fmt.Sprint(made(1).Fact("date")))
}
