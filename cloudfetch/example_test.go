package cloudfetch_test

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/cloudfetch"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// A transport goes under the driver, a trace into the context of a statement.
func Example() {
	transport := cloudfetch.New(cloudfetch.NewBase(nil), cloudfetch.Options{})
	// dbsql.NewConnector(..., dbsql.WithTransport(transport))
	_ = transport

	record := telemetry.Statement{Started: time.Now()}
	trace := cloudfetch.NewTrace(record.Started)
	ctx := cloudfetch.NewContext(context.Background(), trace)
	// rows, err := db.QueryContext(ctx, "SELECT ...") ... rows.Close()
	_ = ctx

	trace.Finish(&record, time.Now())
	fmt.Println(record.StatementID == "", record.CloudFetch == nil, len(record.RPCs))
	// Output: true true 0
}
