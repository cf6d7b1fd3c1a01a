package cloudfetch_test

import (
	"context"
	"fmt"

	"github.com/seed-01322ee7/databricks-telemetry/cloudfetch"
)

// A transport goes under the driver, a trace into the context of a statement.
func Example() {
	transport := cloudfetch.New(cloudfetch.NewBase(nil), cloudfetch.Options{})
	// dbsql.NewConnector(..., dbsql.WithTransport(transport))
	_ = transport

	trace := cloudfetch.NewTrace()
	ctx := cloudfetch.NewContext(context.Background(), trace)
	// rows, err := db.QueryContext(ctx, "SELECT ...") ... rows.Close()
	_ = ctx

	facts := trace.Finish()
	fmt.Println(facts.StatementID == (cloudfetch.ID{}), facts.Files == nil, facts.Cache == cloudfetch.CacheUnknown)
	// Output: true true true
}
