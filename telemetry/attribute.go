package telemetry

import (
	"context"
	"log/slog"
	"math"
	"slices"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/sqltext"
)

// Bounds on a context's attributes. Queues bound the number of records, not their size.
const (
	maxAttributes     = 32
	maxAttributeBytes = 256 // of a key, and of a text
	maxAttributeDepth = 8   // of groups in groups
)

type attributesKey struct{}

// WithAttributes returns a context whose statements carry the application's attributes: in
// Statement.Attributes, and on their spans, under the same keys. No attribute is sent to Databricks.
//
// An attribute replaces an earlier one with the same key. The attributes of a group are named
// group.key. WithAttributes resolves values at once: to strings, booleans, int64 and finite float64.
// Other kinds become text, as slog writes it, and times become RFC 3339. A context keeps at most 32
// attributes, and 256 bytes of each key and text; groups nested more than eight deep are left out.
func WithAttributes(ctx context.Context, attrs ...slog.Attr) context.Context {
	kept := slices.Clone(AttributesFromContext(ctx))
	for _, a := range attrs {
		kept = appendAttribute(kept, "", a, 0)
	}
	return context.WithValue(ctx, attributesKey{}, slices.Clip(kept)) // a sink that appends to them gets its own copy
}

// AttributesFromContext returns the attributes of [WithAttributes], or nil if there are none. The
// caller must not change them.
func AttributesFromContext(ctx context.Context) []slog.Attr {
	attrs, _ := ctx.Value(attributesKey{}).([]slog.Attr)
	return attrs
}

// appendAttribute adds an attribute, or those of a group, whose keys begin with prefix.
func appendAttribute(to []slog.Attr, prefix string, a slog.Attr, depth int) []slog.Attr {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "."
		}
		if depth == maxAttributeDepth {
			return to
		}
		for _, member := range v.Group() {
			to = appendAttribute(to, prefix, member, depth+1)
		}
		return to
	}
	if a.Key == "" {
		return to
	}
	a = slog.Attr{Key: sqltext.Bounded(prefix+a.Key, maxAttributeBytes), Value: plainValue(v)}
	switch i := slices.IndexFunc(to, func(earlier slog.Attr) bool { return earlier.Key == a.Key }); {
	case i >= 0:
		to[i] = a
	case len(to) < maxAttributes:
		to = append(to, a)
	}
	return to
}

// plainValue converts a value to one of the kinds that JSON can tell apart.
func plainValue(v slog.Value) slog.Value {
	switch v.Kind() {
	case slog.KindBool, slog.KindInt64:
		return v
	case slog.KindUint64:
		if n := v.Uint64(); n <= math.MaxInt64 {
			return slog.Int64Value(int64(n))
		}
	case slog.KindFloat64:
		if f := v.Float64(); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return v
		}
	case slog.KindTime:
		return slog.StringValue(v.Time().Format(time.RFC3339Nano))
	}
	return slog.StringValue(sqltext.Bounded(v.String(), maxAttributeBytes))
}
