package main

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v12/arrow"
)

// Arrow v12 finds out the time zone of a type at its first use, without a lock, and the native
// driver asks for it at every statement. So it has been used before statements run side by side.
var _, _ = arrow.FixedWidthTypes.Timestamp_us.(*arrow.TimestampType).GetZone()

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
