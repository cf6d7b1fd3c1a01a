package main

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestTheApplicationServesItsOrdersAndThePage(t *testing.T) {
	t.Setenv("DATABRICKS_DSN", "")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := run(ctx, "127.0.0.1:0", func(url string) {
		defer cancel()
		if got := get(t, url+"/orders?question=page"); got != "500 rows\n" {
			t.Errorf("the application answered %q", got)
		}
		for {
			page := get(t, url+"/debug/databricks/statements")
			if strings.Contains(page, "FROM range(500)") {
				return
			}
			if page == "" {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, url string) string {
	answer, err := http.Get(url)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Error(err)
	}
	return string(body)
}
