package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/google/pprof/profile"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/seed-01322ee7/databricks-telemetry/integration/bench/internal/report"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

// TestMain lets the test binary play the server and the clients, which are this program
// started again.
func TestMain(m *testing.M) {
	if isChild(os.Args[1:]) {
		main()
		return
	}
	// The native driver leaves one of these behind with each session.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("net/http.setRequestCancel.func4"))
}

// Every workload with every variant, in real processes, once.
func TestARunMeasuresEverything(t *testing.T) {
	p, err := plan{rounds: 1, renew: 1, block: time.Millisecond, rows: 100, profiles: 1}.choose("", "")
	require.NoError(t, err)
	for i := range p.workloads {
		p.workloads[i].warm = 1 // there is nothing to measure here
	}
	var progress bytes.Buffer
	r, err := p.run(&progress)
	require.NoError(t, err)
	require.Contains(t, progress.String(), "round 1 of 1")
	require.Contains(t, progress.String(), "profile 1 of 1")

	require.Equal(t, "native", r.Variants[0])
	require.Len(t, r.Variants, len(variants))
	require.Len(t, r.Workloads, len(workloads))
	for _, v := range r.Variants {
		for _, w := range r.Workloads {
			blocks := r.Blocks(v, w.Name)
			require.Len(t, blocks, 1)
			b := blocks[0]
			require.Positive(t, b.Wall, "%s %s", v, w.Name)
			require.Positive(t, b.CPU, "%s %s", v, w.Name)
			require.Greater(t, b.Allocs, 100.0, "%s %s", v, w.Name)
			require.Equal(t, map[string]int{"CloudFetch20": files}[w.Name], int(b.Storage), "%s %s", v, w.Name)
			require.Equal(t, !strings.HasSuffix(w.Name, "NoNetwork"), b.Workspace >= 1, "%s %s", v, w.Name)
		}
		reports := map[string]bool{"native-telemetry": true, "ours": true, "ours-page": true, "ours-otel": true}[v]
		require.Equal(t, reports, r.Blocks(v, "OneRow")[0].Telemetry > 0, v)
	}

	for _, s := range r.Shares {
		require.Less(t, s.Memory, s.Time+1, "%+v", s)
	}

	dir := t.TempDir()
	raw, docs := filepath.Join(dir, "results"), filepath.Join(dir, "docs")
	require.NoError(t, r.Write(raw))
	require.NoError(t, run([]string{"-report", "-results", raw, "-o", docs}, nil, io.Discard, io.Discard))
	page, err := os.ReadFile(filepath.Join(docs, "BENCHMARKS.md"))
	require.NoError(t, err)
	require.Equal(t, r.Markdown("../results"), string(page))
	require.FileExists(t, filepath.Join(docs, "images", "bench-time.svg"))
}

func TestAPartOfARunPrintsAndWritesNothing(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	args := []string{"-run", "^Churn$", "-variants", "ours-off", "-rounds", "1", "-block", "1ms", "-results", dir, "-o", dir}
	require.NoError(t, run(args, nil, &out, io.Discard))
	require.Contains(t, out.String(), "ours, off")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestEveryVariantHasAStoryInTheReport(t *testing.T) {
	r := &report.Results{}
	for _, v := range variants {
		for _, w := range workloads {
			r.Add(v.name, report.Workload{Name: w.name}, report.Block{Ops: 1, Wall: 1, CPU: 1})
		}
	}
	text := r.Markdown("raw")
	for _, v := range variants {
		require.NotContains(t, text, "| "+v.name+" |  |", "no words about it")
	}
	for _, w := range workloads {
		require.NotContains(t, text, "## "+w.name+"\n\n1 statement", "no words about it")
	}
}

func TestTheOrderIsRandomRepeatableAndThenBackwards(t *testing.T) {
	p, err := plan{rounds: 8, renew: 1, block: 1, rows: files, seed: 7}.choose("", "")
	require.NoError(t, err)
	names := func(round, workload int) (list []string) {
		for _, v := range p.order(round, workload) {
			list = append(list, v.name)
		}
		return list
	}
	seen := map[string]bool{}
	for round := 0; round < 8; round += 2 {
		for w := range p.workloads {
			there, back := names(round, w), names(round+1, w)
			require.ElementsMatch(t, names(0, 0), there)
			require.Equal(t, there, names(round, w))
			slices.Reverse(back)
			require.Equal(t, there, back)
			seen[strings.Join(there, " ")] = true
		}
	}
	require.Greater(t, len(seen), 20)
}

func TestAPlanIsChosenByNames(t *testing.T) {
	p, err := shortPlan.choose("^OneRow$|Exec", "ours,ours-off")
	require.NoError(t, err)
	require.Equal(t, 6*2*3, p.blocks(), "the native driver is always there")
	for want, choice := range map[string][2]string{
		`no workload matches "TwoRows"`: {"TwoRows", ""},
		`there is no variant "others"`:  {"", "ours,others"},
		"missing closing ]":             {"[", ""},
	} {
		_, err := shortPlan.choose(choice[0], choice[1])
		require.ErrorContains(t, err, want)
	}
	p = shortPlan
	p.rows = 30
	_, err = p.choose("", "")
	require.ErrorContains(t, err, "30 rows cannot be shared among 20 files")
}

func TestABlockTakesAsLongAsItShould(t *testing.T) {
	p := plan{block: 300 * time.Millisecond}
	require.Equal(t, 2000, p.opsFor(100, 15*time.Millisecond))
	require.Equal(t, 2, p.opsFor(1, 160*time.Millisecond))
	require.Equal(t, 1, p.opsFor(1, 10*time.Second))
	require.Positive(t, p.opsFor(0, 0))
}

func TestChildrenDoNotInheritSettingsThatChangeTheMeasurement(t *testing.T) {
	require.Equal(t, []string{"GOMAXPROCS=1", "HOME=/h", "PATH=/p"}, environment([]string{
		"HOME=/h", "DATABRICKS_TELEMETRY_ENABLED=false", "DO_NOT_TRACK=1", "OTEL_SDK_DISABLED=true",
		"GOGC=off", "GOMAXPROCS=8", "PATH=/p",
	}))
}

func TestAMistakeIsExplained(t *testing.T) {
	for want, args := range map[string][]string{
		`unexpected argument "x"`: {"x"},
		"no results":              {"-report", "-results", t.TempDir()},
		"invalid syntax":          {"server", "many"},
		"there is no variant":     {"client", "others"},
	} {
		require.ErrorContains(t, run(args, strings.NewReader(""), io.Discard, io.Discard), want)
	}
	var out bytes.Buffer
	require.NoError(t, run([]string{"client", "ours"}, strings.NewReader(`{"do":"dance"}`), &out, io.Discard))
	require.JSONEq(t, `{"error":"a client cannot \"dance\""}`, out.String())
}

// A statement without a network must still be a statement: with a new id each time, and exactly the answers
// of the workspace.
func TestCannedAnswersAreThoseOfTheWorkspace(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	c, err := can(t.Context(), ws.DSN())
	require.NoError(t, err)
	recorded := ws.Count()
	options, err := optionsOf(ws.DSN())
	require.NoError(t, err)
	db, err := openOptions(append(options, dbsql.WithTransport(c)))
	require.NoError(t, err)
	for range 3 {
		require.NoError(t, oneRow(t.Context(), db, target{}))
	}
	require.NoError(t, db.Close())
	require.EqualValues(t, 3, c.served.Load())
	require.Equal(t, recorded, ws.Count(), "nothing reached the workspace")
}

// A sample belongs to the innermost function that is not part of Go itself.
func TestAProfileTellsThePartsApart(t *testing.T) {
	for _, c := range []struct {
		part      string
		allocates bool
		stack     []string // innermost first
	}{
		{"answer", false, []string{"runtime.memmove", inCloudfetch + "(*reader).feed", inCloudfetch + "(*exchangeBody).Read", "github.com/apache/thrift/lib/go/thrift.(*THttpClient).Read"}},
		{"request", false, []string{inCloudfetch + "(*reader).feed", inCloudfetch + "readRequest", inCloudfetch + "(*Transport).RoundTrip"}},
		{"cloudfetch", true, []string{"runtime.mallocgc", inCloudfetch + "(*Transport).own", inCloudfetch + "(*Transport).RoundTrip"}},
		{"begin", true, []string{"runtime.memclrNoHeapPointers", "runtime.mallocgcSmallScanHeader", "runtime.mallocgc", "runtime.newobject", inDriverwrap + "beginStatement", inDriverwrap + "queryer.QueryContext", "main.oneRow"}},
		{"finish", false, []string{inCloudfetch + "(*Trace).fill", inCloudfetch + "(*Trace).Finish", inDriverwrap + "(*statement).finish", inDriverwrap + "(*rows).Close"}},
		{"finish", false, []string{inDriverwrap + "applyWire", inDriverwrap + "(*statement).finish", inDriverwrap + "(*rows).Close"}},
		{"driverwrap", false, []string{"time.Now", inDriverwrap + "(*rows).nextPart"}},
		{"driver", false, []string{"net/http.Header.Clone", "github.com/hashicorp/go-retryablehttp.(*Client).Do", "github.com/ngrok/sqlmw.wrappedConn.QueryContext", inDriverwrap + "queryer.QueryContext"}},
		{"driver", true, []string{"runtime.mallocgc", "database/sql.(*DB).QueryContext", "main.oneRow"}},
		{"sqlmw", false, []string{"context.WithValue", "github.com/ngrok/sqlmw.wrappedConn.QueryContext"}},
		{"telemetry", false, []string{"sync.(*Mutex).Lock", inModule + "telemetry.(*queue).put", inDriverwrap + "(*statement).finish"}},
		{"export", false, []string{inModule + "internal/export.(*plan).appendObject"}},
		{"runtime", false, []string{"runtime.scanObject", "runtime.gcBgMarkWorker"}},
	} {
		s := &profile.Sample{}
		for _, name := range c.stack {
			s.Location = append(s.Location, &profile.Location{Line: []profile.Line{{Function: &profile.Function{Name: name}}}})
		}
		part, allocates := partOf(s)
		require.Equal(t, c.part, part, c.stack)
		require.Equal(t, c.allocates, allocates, c.stack)
	}
}

func FuzzHeader(f *testing.F) {
	f.Add([]byte("\x80\x01\x00\x01\x00\x00\x00\x01m\x00\x00\x00\x07"))
	f.Add([]byte("\x80\x01\x00\x01\xff\xff\xff\xff"))
	f.Add([]byte(`{"uploadTime":1}`))
	f.Fuzz(func(t *testing.T, message []byte) {
		if method, at, ok := header(message); ok {
			require.Equal(t, 8+len(method), at)
			require.LessOrEqual(t, at+4, len(message))
		}
	})
}
