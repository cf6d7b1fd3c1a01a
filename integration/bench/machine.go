package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/integration/bench/internal/report"
)

// facts are the conditions that the figures depend on.
func (m *parent) facts() []report.Fact {
	pinned := "server and clients on a CPU each"
	if m.serverCPU < 0 {
		pinned = "processes not kept on a CPU"
	}
	facts := []report.Fact{
		{Name: "date", Value: m.begun.UTC().Format("2006-01-02 15:04 UTC")},
		{Name: "commit", Value: commit()},
		{Name: "command", Value: command()},
		{Name: "rounds", Value: fmt.Sprintf("%d, in fresh processes every %d; measured for %s", m.rounds, m.renew, time.Since(m.begun).Round(time.Second))},
		{Name: "seed", Value: strconv.FormatUint(m.seed, 10)},
		{Name: "cpu", Value: processor()},
		{Name: "cpus", Value: fmt.Sprintf("%d, %s", runtime.NumCPU(), pinned)},
		{Name: "load-before", Value: m.loadBefore},
		{Name: "os", Value: strings.TrimSpace(runtime.GOOS + "/" + runtime.GOARCH + " " + kernel())},
		{Name: "go", Value: runtime.Version()},
	}
	for _, m := range []struct{ name, path string }{
		{"databricks-sql-go", "github.com/databricks/databricks-sql-go"},
		{"otelsql", "github.com/XSAM/otelsql"},
		{"opentelemetry", "go.opentelemetry.io/otel/sdk"},
	} {
		facts = append(facts, report.Fact{Name: m.name, Value: moduleVersion(m.path)})
	}
	return facts
}

// command is the command line that repeats this run.
func command() string {
	return strings.Join(append([]string{"go run ."}, os.Args[1:]...), " ")
}

// commit is the commit that was measured. The results and report of the previous run do not count
// as changes.
func commit() string {
	out, err := exec.Command("git", "rev-parse", "--short=12", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	id := strings.TrimSpace(string(out))
	own := []string{":(top)", ":(top,exclude)integration/bench/results", ":(top,exclude)docs"}
	status := append([]string{"status", "--porcelain", "--untracked-files=no", "--"}, own...)
	if changes, err := exec.Command("git", status...).Output(); err == nil && len(changes) > 0 {
		id += ", with changes"
	}
	return id
}

// processor is the model, where the system says it.
func processor() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func kernel() string {
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return ""
	}
	version, _, _ := strings.Cut(strings.TrimSpace(string(release)), "-")
	return version
}

// load is the load average of the last minute, read before a run: what else the machine was doing.
func load() string {
	averages, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	minute, _, _ := strings.Cut(string(averages), " ")
	return minute
}

func moduleVersion(path string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == path {
				return m.Version
			}
		}
	}
	return "unknown"
}
