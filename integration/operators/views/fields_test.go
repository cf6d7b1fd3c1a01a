package views

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fields are those of a line, or of an object on a page.
type fields map[string]any

func (f fields) text(key string) string { s, _ := f[key].(string); return s }

func (f fields) number(key string) float64 { n, _ := f[key].(float64); return n }

// whole is a number without a fraction.
func (f fields) whole(key string) int { return int(f.number(key)) }

func (f fields) has(key string) bool { return f[key] != nil }

func (f fields) list(key string) (all []fields) {
	list, _ := f[key].([]any)
	for _, e := range list {
		all = append(all, e.(map[string]any))
	}
	return all
}

func (f fields) object(key string) fields { o, _ := f[key].(map[string]any); return o }

func (f fields) failed() bool { return f.has("error_category") }

func (f fields) started(t *testing.T) time.Time {
	at, err := time.Parse(time.RFC3339Nano, f.text("started"))
	require.NoError(t, err)
	return at
}

// bound is the name at the beginning of a verdict.
func (f fields) bound() string {
	bound, _, _ := strings.Cut(f.text("verdict"), ": ")
	return bound
}

// shape is the group of a statement by shape.
func (f fields) shape() string {
	switch {
	case f["internal"] == true:
		return "ping"
	case f.has("query_shape"):
		return f.text("query_shape")
	}
	return strings.Join(strings.Fields(f.text("kind")+" "+f.text("volume_operation")+" "+f.text("result_format")), " ")
}

// received are the bytes of answers and files, unknown where nothing is known of the wire.
func (f fields) received() (n float64) {
	for _, r := range f.list("rpcs_by_method") {
		n += r.number("bytes_in")
	}
	return n + f.number("file_bytes_received")
}

// pick returns the fields that have one of the names.
func (f fields) pick(names ...string) fields {
	some := fields{}
	for _, n := range names {
		if f.has(n) {
			some[n] = f[n]
		}
	}
	return some
}

func decode(t *testing.T, lines string) (all []fields) {
	for line := range strings.Lines(lines) {
		var f fields
		require.NoError(t, json.Unmarshal([]byte(line), &f), line)
		all = append(all, f)
	}
	return all
}

func (l *ledger) of(event string) (all []fields) {
	for _, f := range l.records {
		if f.text("event") == event {
			all = append(all, f)
		}
	}
	return all
}

func count(all []fields, is func(fields) bool) (n int) {
	for _, f := range all {
		if is(f) {
			n++
		}
	}
	return n
}

// isQuantile checks a quantile of totals to within a share.
func (l *ledger) isQuantile(q, got, within float64, of []fields) {
	l.t.Helper()
	var all []float64
	for _, f := range of {
		all = append(all, f.number("total_ms"))
	}
	slices.Sort(all)
	exact := all[max(0, int(math.Ceil(q*float64(len(all))))-1)]
	if exact <= 0.1 {
		require.LessOrEqual(l.t, got, 0.101)
		return
	}
	require.InDelta(l.t, exact, got, exact*within+0.002, "%v of %v", q, all)
}

func sumOf(all []fields, key string) (sum float64) {
	for _, f := range all {
		sum += f.number(key)
	}
	return sum
}

func most(all []fields, key string) (n float64) {
	for _, f := range all {
		n = max(n, f.number(key))
	}
	return n
}

// rowsOf are the rows that a statement read or, if none are, changed.
func rowsOf(f fields) float64 {
	if f.has("rows_read") {
		return f.number("rows_read")
	}
	return f.number("rows_affected")
}

func groups(all []fields, of func(fields) string) map[string][]fields {
	by := map[string][]fields{}
	for _, f := range all {
		by[of(f)] = append(by[of(f)], f)
	}
	return by
}
