package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/examples/internal/demo"
)

// questions are the application's queries, by their names in its URL.
var questions = map[string]string{
	"one":     "SELECT 42 AS answer",
	"page":    "SELECT id, id * 2 AS price FROM range(500)",
	"slow":    "SELECT " + demo.Slow + " count(*) AS orders FROM range(1000)",
	"export":  "SELECT id, id * 2 AS price, 'a line of text for every order there is' AS note FROM range(100000)",
	"missing": "SELECT * FROM orders_of_last_year",
}

// orders answers GET /orders?question=page with the number of rows.
type orders struct{ db *sql.DB }

func (o orders) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, known := questions[r.FormValue("question")]
	if !known {
		http.Error(w, "no such question", http.StatusBadRequest)
		return
	}
	n, err := o.count(r.Context(), text)
	if err != nil {
		http.Error(w, "the warehouse did not answer", http.StatusBadGateway)
		return
	}
	_, _ = fmt.Fprintln(w, n, "rows")
}

func (o orders) count(ctx context.Context, text string) (n int, err error) {
	rows, err := o.db.QueryContext(ctx, text)
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		n++
	}
	return n, rows.Err()
}

// load sends the requests of users, a few at a time, until ctx is done.
func load(ctx context.Context, url string) {
	often := []string{"one", "one", "one", "page", "page", "page", "slow", "export", "missing"}
	var users sync.WaitGroup
	for range 6 {
		users.Go(func() {
			for ctx.Err() == nil {
				ask(ctx, url+"/orders?question="+often[rand.IntN(len(often))])
				select {
				case <-ctx.Done():
				case <-time.After(time.Duration(rand.IntN(1500)) * time.Millisecond):
				}
			}
		})
	}
	users.Wait()
}

// ask sends a request and ignores the answer: the page shows what happened.
func ask(ctx context.Context, url string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
}
