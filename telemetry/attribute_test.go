package telemetry_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestAttributesTravelWithTheContext(t *testing.T) {
	require.Nil(t, telemetry.AttributesFromContext(t.Context()))
	outer := telemetry.WithAttributes(t.Context(), slog.String("job", "nightly"), slog.Int("attempt", 1))
	inner := telemetry.WithAttributes(outer, slog.Int("attempt", 2), slog.Bool("dry", true))
	require.Equal(t, []slog.Attr{slog.String("job", "nightly"), slog.Int64("attempt", 1)}, telemetry.AttributesFromContext(outer))
	require.Equal(t, []slog.Attr{slog.String("job", "nightly"), slog.Int64("attempt", 2), slog.Bool("dry", true)}, telemetry.AttributesFromContext(inner))
}

// level is a value that resolves itself.
type level int

func (l level) LogValue() slog.Value { return slog.StringValue(fmt.Sprint("level ", int(l))) }

// endless resolves to a group of itself.
type endless struct{}

func (endless) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("n", 1), slog.Any("", endless{}))
}

// Sinks share a record, and one that writes its attributes with some of its own appends to them.
func TestWhatOneSinkAppendsToTheAttributesNoOtherSees(t *testing.T) {
	attrs := telemetry.AttributesFromContext(telemetry.WithAttributes(t.Context(), slog.Int("a", 1), slog.Int("b", 2), slog.Int("c", 3)))
	first := append(attrs, slog.String("sink", "first"))
	second := append(attrs, slog.String("sink", "second"))
	require.Equal(t, "first", first[3].Value.String())
	require.Equal(t, "second", second[3].Value.String())
}

func TestAttributesAreReducedToPlainValues(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 30, 0, 5, time.FixedZone("CET", 3600))
	for name, test := range map[string]struct {
		value any
		want  slog.Value
	}{
		"string":        {"x", slog.StringValue("x")},
		"int":           {-3, slog.Int64Value(-3)},
		"uint":          {uint64(7), slog.Int64Value(7)},
		"large uint":    {uint64(math.MaxUint64), slog.StringValue("18446744073709551615")},
		"float":         {2.0, slog.Float64Value(2)},
		"infinite":      {math.Inf(1), slog.StringValue("+Inf")},
		"no number":     {math.NaN(), slog.StringValue("NaN")},
		"bool":          {false, slog.BoolValue(false)},
		"duration":      {1500 * time.Millisecond, slog.StringValue("1.5s")},
		"time":          {at, slog.StringValue("2026-03-01T12:30:00.000000005+01:00")},
		"error":         {errors.New("no"), slog.StringValue("no")},
		"nil":           {nil, slog.StringValue("<nil>")},
		"resolved":      {level(3), slog.StringValue("level 3")},
		"long":          {strings.Repeat("x", 300), slog.StringValue(strings.Repeat("x", 256))},
		"of characters": {strings.Repeat("x", 255) + "ü", slog.StringValue(strings.Repeat("x", 255))},
		"no characters": {strings.Repeat("a\xff", 200), slog.StringValue(strings.Repeat("a\uFFFD", 64))},
		"no text":       {"a\xff", slog.StringValue("a\uFFFD")},
		"a type of its": {telemetry.KindQuery, slog.StringValue("QUERY")},
	} {
		t.Run(name, func(t *testing.T) {
			attrs := telemetry.AttributesFromContext(telemetry.WithAttributes(context.Background(), slog.Any("k", test.value)))
			require.Len(t, attrs, 1)
			require.True(t, test.want.Equal(attrs[0].Value), "%v", attrs[0].Value)
		})
	}
}

func TestGroupsBecomeKeys(t *testing.T) {
	ctx := telemetry.WithAttributes(t.Context(),
		slog.Group("http", slog.String("route", "/orders"), slog.Group("peer", slog.Int("port", 80))),
		slog.Group("", slog.String("user", "u")), slog.String("", "unnamed"))
	require.Equal(t, []slog.Attr{slog.String("http.route", "/orders"), slog.Int64("http.peer.port", 80), slog.String("user", "u")}, telemetry.AttributesFromContext(ctx))
	require.Len(t, telemetry.AttributesFromContext(telemetry.WithAttributes(t.Context(), slog.Any("self", endless{}))), 1)
}

func TestAttributesAreBounded(t *testing.T) {
	ctx := t.Context()
	for i := range 100 {
		ctx = telemetry.WithAttributes(ctx, slog.Int(fmt.Sprint("k", i)+strings.Repeat("ü", 200), i)) //nolint:fatcontext // few
	}
	attrs := telemetry.AttributesFromContext(ctx)
	require.Len(t, attrs, 32)
	for i, a := range attrs {
		require.True(t, strings.HasPrefix(a.Key, fmt.Sprint("k", i, "ü")), a.Key)
		require.LessOrEqual(t, len(a.Key), 256)
		require.True(t, utf8.ValidString(a.Key))
	}
	replaced := telemetry.AttributesFromContext(telemetry.WithAttributes(ctx, slog.Int(attrs[31].Key, -1)))
	require.Equal(t, int64(-1), replaced[31].Value.Int64(), "a value may change when there is no room for more")
}

// Records wait in queues that are bounded by their number: 256 bytes of a text must not keep all of it.
func TestAnAttributeDoesNotKeepALongTextInMemory(t *testing.T) {
	long := strings.Repeat("x", 10<<20)
	kept := telemetry.AttributesFromContext(telemetry.WithAttributes(t.Context(), slog.String("body", long)))[0].Value.String()
	require.Len(t, kept, 256)
	require.NotSame(t, unsafe.StringData(long), unsafe.StringData(kept))
}
