package export

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func FuzzFlagResponse(f *testing.F) {
	for _, seed := range []string{
		`{"flags":[{"name":"` + flagName + `","value":"true"}],"ttl_seconds":900}`,
		`{"flags":[{"name":"` + flagName + `","value":"false"}],"ttlSeconds":60}`,
		`{"flags":[],"ttl_seconds":1e300}`, `{"flags":[],"ttl_seconds":-1}`, `{"ttl_seconds":"900"}`, `{}`, `[]`, `null`, ``, `<html>`,
		`{"flags":null}`, `{"flags":[null]}`, `{"flags":[{"name":1}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		enabled, ttl, ok := parseFlag(body)
		if !ok {
			require.False(t, enabled)
			return
		}
		require.True(t, json.Valid(body))
		require.GreaterOrEqual(t, ttl, minFlagTTL)
		require.LessOrEqual(t, ttl, maxFlagTTL)
	})
}

func FuzzUploadResponse(f *testing.F) {
	for _, seed := range []string{
		`{"errors":[],"numSuccess":1,"numProtoSuccess":1,"numRealtimeSuccess":0}`, `{"errors":["a",{"b":1}],"numProtoSuccess":0}`,
		`{"numSuccess":-1}`, `{"numSuccess":9223372036854775807}`, `{"numSuccess":1e3}`, `{"errors":{}}`, `{}`, `null`, ``, `<html>`, `{"numSuccess":1`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		a, ok := parseUploadResponse(body)
		if ok {
			require.True(t, json.Valid(body))
			require.GreaterOrEqual(t, a.accepted, 0)
		}
	})
}

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"", "0", "7", " 7 ", "86400", "99999999999999999999", "-1", "1.5", "Sat, 01 Jan 2000 00:00:20 GMT", "Saturday, 01-Jan-00 00:00:20 GMT", "soon"} {
		f.Add(seed)
	}
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, header string) {
		d := parseRetryAfter(header, now)
		require.GreaterOrEqual(t, d, time.Duration(0))
		require.LessOrEqual(t, d, maxRetryAfter)
	})
}

func FuzzQuote(f *testing.F) {
	for _, seed := range []string{"", "plain", `"\`, "\x00\n\x7f", "ü€😀", "\xff\xfe", "\u2028"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var back string
		require.NoError(t, json.Unmarshal([]byte(unescape(string(appendText(nil, s)))), &back))
		require.Equal(t, string([]rune(s)), back) // each invalid byte is U+FFFD
	})
}

func TestRetryAfterIsReadInBothForms(t *testing.T) {
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, "3600": maxRetryAfter, "-1": 0, "soon": 0,
		"Sat, 01 Jan 2000 00:00:20 GMT": 20 * time.Second, "Fri, 31 Dec 1999 00:00:00 GMT": 0, "Sun, 01 Jan 2040 00:00:00 GMT": maxRetryAfter,
	} {
		require.Equal(t, want, parseRetryAfter(header, now), header)
	}
}

func TestThePauseDoublesWithJitterUpToItsBound(t *testing.T) {
	for _, test := range []struct{ first, bound time.Duration }{{500 * time.Millisecond, 10 * time.Second}, {time.Minute, time.Minute}} {
		for attempt := range 70 {
			base := test.bound
			if attempt < 5 {
				base = min(test.first<<attempt, test.bound)
			}
			seen := map[time.Duration]bool{}
			for range 100 {
				d := backoff(test.first, attempt)
				require.GreaterOrEqual(t, d, min(base+base/10, test.bound))
				require.LessOrEqual(t, d, min(base+3*base/10, test.bound+test.bound/10))
				seen[d] = true
			}
			require.Greater(t, len(seen), 10, "processes that fail together must not retry together")
		}
	}
	require.Zero(t, backoff(0, 3)/time.Microsecond)
}

func TestOnlyHarmlessNamesAreShared(t *testing.T) {
	for entry, name := range map[string]string{
		"billing/1.2": "billing", "billing/v1.2.3": "billing", "dbt-databricks/v1.9.0": "dbt-databricks", "dbt-databricks": "dbt-databricks", "Tableau+desktop/2024.1": "Tableau+desktop", "tableau+prep": "tableau+prep",
		"Jane+Doe": "", "Jane+Doe/1.0": "", "jane-doe/1.0": "", "jane_doe/1.0": "", "acme+tool/1.0.3": "", "acme+My_Tool": "", "acme+AKIAIOSFODNN7EXAMPLE": "", "tableau+AKIAIOSFODNN7EXAMPLE": "", "tableau+jane+doe": "",
		"glpat-abcDEFghiJKLmnoPQRst/1.0": "", "glpat-abcdefghij/1.0": "", "sk-abcdefghijk/1.0": "", "dapiabcdefgh/1.0": "", "abc123/1.0": "", "qXzVbNmWkJ/1.0": "", "billing": "", "billing/1": "", "billing/1.2.3.4": "", "billing/20240131.1": "", "Bılling/1.2": "",
		"supercalifragilisticexpialidocious/1.0": "", "billing/1.2 (jane)": "", "billing/1.2\n": "",
		"": "", "hunter2": "", "main.finance/1.0": "", "alice/10.0.0.1": "", "a b": "", "alice@example.com": "", "dapi0123": "", "x/y": "", "k3y9f8a7s6d5": "", "id12345678": "", "/home/alice": "", "10.0.0.1": "", "DROP TABLE x": "",
	} {
		_, got := productName(entry)
		require.Equal(t, name, got, entry)
	}
}
