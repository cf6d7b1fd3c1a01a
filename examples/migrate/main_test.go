package main

import (
	"testing"
)

func TestTheExampleRunsAgainstItsOwnWorkspace(t *testing.T) {
	t.Setenv("DATABRICKS_DSN", "")
	if err := run(t.Context()); err != nil {
		t.Fatal(err)
	}
}
