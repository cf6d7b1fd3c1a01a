package driverwrap

import (
	"context"
	"maps"
	"slices"

	"github.com/databricks/databricks-sql-go/driverctx"

	"github.com/seed-01322ee7/databricks-telemetry/internal/sqltext"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Bounds on the texts that a record keeps from the context of a call.
const (
	maxTags     = 32
	maxTagBytes = 256 // of a key, a value or a correlation id
)

// addContext adds to a record the values that the native driver reads from the context of the call.
func addContext(ctx context.Context, r *telemetry.Statement) {
	r.CorrelationID = sqltext.Bounded(driverctx.CorrelationIdFromContext(ctx), maxTagBytes)
	r.QueryTags = keptTags(driverctx.QueryTagsFromContext(ctx))
}

// keptTags copies tags for a record, because the map belongs to the application.
func keptTags(tags map[string]string) map[string]string {
	if len(tags) == 0 {
		return nil
	}
	kept := make(map[string]string, min(len(tags), maxTags))
	keep := func(key string) { kept[sqltext.Bounded(key, maxTagBytes)] = sqltext.Bounded(tags[key], maxTagBytes) }
	if len(tags) > maxTags {
		for _, key := range slices.Sorted(maps.Keys(tags))[:maxTags] {
			keep(key)
		}
		return kept
	}
	for key := range tags {
		keep(key)
	}
	return kept
}
