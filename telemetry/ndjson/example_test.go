package ndjson_test

import (
	"errors"
	"fmt"
	"os"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/ndjson"
)

// Records that were written to a file are read back and explained.
func ExampleRead() {
	file, err := os.Open("testdata/records.ndjson")
	if err != nil {
		panic(err)
	}
	defer func() { _ = file.Close() }()

	for record, err := range ndjson.Read(file) {
		var line *ndjson.LineError
		switch {
		case errors.As(err, &line):
			fmt.Println("left out:", line) // the rest is read
			continue
		case err != nil:
			panic(err)
		}
		switch r := record.(type) {
		case *telemetry.Statement:
			fmt.Println(r.Kind, r.Outcome, explain.Of(r).Sentence)
		case *telemetry.SessionOpened:
			fmt.Println("session opened in", r.Latency)
		}
	}
	// Output:
	// session opened in 5ms
	// VOLUME failed file-bound: 50 % of 3.0 s waiting for 20 files; 1 file failed, last status 403; FetchResults failed, last without a complete answer
	//  completed
}
