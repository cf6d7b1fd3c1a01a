package explain_test

import (
	"fmt"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// A verdict needs a record and nothing else, so it can be had in a sink and from a line that
// ndjson.Read has decoded.
func ExampleOf() {
	v := explain.Of(&telemetry.Statement{
		Execute: 900 * time.Millisecond, Total: 4200 * time.Millisecond,
		CloudFetch: &telemetry.CloudFetch{Present: 20, Downloaded: 20, Slowest: 900 * time.Millisecond},
		Split: telemetry.Split{
			telemetry.PartServer:      800 * time.Millisecond,
			telemetry.PartFile:        2980 * time.Millisecond,
			telemetry.PartApplication: 420 * time.Millisecond,
		},
	})
	fmt.Println(v.Sentence)
	fmt.Println(v.Advice)
	// Output:
	// file-bound: 71 % of 4.2 s waiting for 20 files, slowest 900 ms
	// The storage or the network path to it is the limit, or MaxConnsPerHost of the application's own transport, if it has one: more download threads (maxDownloadThreads), a nearer region, a proxy out of the way, fewer columns.
}
