package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestArrowBatchesAreMeasured(t *testing.T) {
	t.Setenv("DATABRICKS_DSN", "")
	var out bytes.Buffer
	if err := run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"ids sum to 11249925000", "recorded: 150000 rows as EXTERNAL_LINKS, completed", "-bound: "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output does not say %q:\n%s", want, out.String())
		}
	}
}
