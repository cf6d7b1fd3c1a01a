package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"
)

var total = regexp.MustCompile(`\btotal_ms=(\S+)`)

func TestOnlySlowAndFailedStatementsAreLogged(t *testing.T) {
	t.Setenv("DATABRICKS_DSN", "")
	var out bytes.Buffer
	if err := run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	var reasons []string
	for line := range strings.Lines(out.String()) {
		if !strings.HasPrefix(line, "level=") {
			continue
		}
		reason, _, _ := strings.Cut(line[strings.Index(line, "databricks statement "):], ": ")
		reasons = append(reasons, reason)
		took, err := time.ParseDuration(total.FindStringSubmatch(line)[1] + "ms")
		if err != nil {
			t.Error(err)
		}
		if strings.Contains(reason, "was slow") && took < slow {
			t.Errorf("%v is not slow: %s", took, line)
		}
	}
	got := strings.Join(reasons, "\n")
	for _, want := range []string{`was slow" verdict="server-bound`, `was slow" verdict="application-bound`, `failed" verdict="server-bound`} {
		if !strings.Contains(got, want) {
			t.Errorf("no line says %s:\n%s", want, out.String())
		}
	}
	if len(reasons) < 4 { // more only where the machine makes the fast statement slow
		t.Errorf("there are %d lines, not 4:\n%s", len(reasons), out.String())
	}
}
