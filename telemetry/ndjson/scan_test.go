package ndjson

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is split is what encoding/json splits.
func FuzzMembers(f *testing.F) {
	for _, text := range []string{
		`{}`, ` { } `, `{"a":1}`, "{ \"a\" :\t[ 1 , {\"b\" : \"]}\"} , [] ]\r\n, \"\\\"\\\\\" : \"\\\\\" , \"c\":null}", `{"\u0061":-1.5e+3,"a":{"x":[{}]},"":""}`,
		`[1]`, `"a"`, `{"a":"\\\\\""}`, "{\"\xff\":\"\xff\"}",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		text = bytes.TrimSpace(text)
		if !json.Valid(text) || text[0] != '{' {
			t.Skip()
		}
		d := json.NewDecoder(bytes.NewReader(text))
		_, err := d.Token()
		require.NoError(t, err)
		for key, value := range members(text) {
			wantKey, err := d.Token()
			require.NoError(t, err)
			var want json.RawMessage
			require.NoError(t, d.Decode(&want))
			require.Equal(t, wantKey, string([]rune(string(key))))
			require.Equal(t, string(want), string(value))
			if value[0] == '[' {
				requireElements(t, value)
			}
		}
		require.False(t, d.More())
	})
}

func requireElements(t *testing.T, array []byte) {
	var want []json.RawMessage
	require.NoError(t, json.Unmarshal(array, &want))
	var got []json.RawMessage
	for element := range elements(array) {
		got = append(got, element)
	}
	require.Len(t, got, len(want))
	for i := range want {
		require.Equal(t, string(want[i]), string(got[i]))
	}
}
