package registry

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"math"
	"strconv"
	"time"
)

// AppendJSON appends a value of a field: durations in milliseconds, times as RFC 3339 in UTC, groups as
// objects.
func AppendJSON(b []byte, v slog.Value) []byte {
	switch v.Kind() {
	case slog.KindInt64:
		return strconv.AppendInt(b, v.Int64(), 10)
	case slog.KindFloat64:
		return appendFloat(b, v.Float64())
	case slog.KindBool:
		return strconv.AppendBool(b, v.Bool())
	case slog.KindDuration:
		d := v.Duration()
		if d > 0 {
			d = max(d, time.Microsecond) // a short time must not become zero
		}
		return strconv.AppendFloat(b, float64(d.Microseconds())/1000, 'f', -1, 64)
	case slog.KindTime:
		b = append(b, '"')
		b = v.Time().UTC().AppendFormat(b, time.RFC3339Nano)
		return append(b, '"')
	case slog.KindGroup:
		b = append(b, '{')
		for i, a := range v.Group() {
			if i > 0 {
				b = append(b, ',')
			}
			b = AppendJSON(append(AppendJSONString(b, a.Key), ':'), a.Value)
		}
		return append(b, '}')
	default:
		return AppendJSONString(b, v.String())
	}
}

// appendFloat writes a number so that it is read as a float again. Numbers that JSON does not have
// are written as text.
func appendFloat(b []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return AppendJSONString(b, strconv.FormatFloat(f, 'g', -1, 64))
	}
	n := len(b)
	if b = strconv.AppendFloat(b, f, 'g', -1, 64); !bytes.ContainsAny(b[n:], ".e") {
		b = append(b, ".0"...)
	}
	return b
}

// AppendJSONString appends a text, quoted as by encoding/json, but without escaping <, > and &,
// because lines are searched with grep and the placeholders of package sanitize have angle brackets.
func AppendJSONString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted := bytes.NewBuffer(b)
			enc := json.NewEncoder(quoted)
			enc.SetEscapeHTML(false)
			_ = enc.Encode(s) // a string always encodes
			return bytes.TrimSuffix(quoted.Bytes(), []byte("\n"))
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
