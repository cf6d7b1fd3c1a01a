package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/ndjson"
)

// controls matches characters that a terminal interprets or hides.
const controls = "[\x00-\x09\x0b-\x1f\x7f\u0080-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0001-\U000e007f]"

// hostile is text that would control the terminal.
const hostile = "\x1b[2J\x1b]0;title\x07\x9b2J\u009b31m\u202eevil\u2066\u200b\u2028\x7f\r\b\t\U000e0041x"

func hostileRecords() string {
	var b bytes.Buffer
	sink := ndjson.New(&b)
	s := &telemetry.Statement{
		StatementID: hostile, SessionID: hostile, Server: hostile, WorkspaceID: hostile, Query: "SELECT '" + hostile + "'\nFROM\tt", Outcome: hostile, Kind: hostile,
		Failure: &telemetry.Failure{Category: hostile, SQLState: hostile, Message: hostile}, Total: time.Second,
		Result:     telemetry.Result{Format: hostile, Cache: hostile},
		RPCs:       []telemetry.RPC{{Method: hostile, Calls: 1}},
		Calls:      []telemetry.Call{{Method: hostile, End: telemetry.Known(time.Second)}},
		CloudFetch: &telemetry.CloudFetch{Present: 1, Files: []telemetry.File{{State: hostile}}},
	}
	sink.StatementFinished(s)
	sink.ServerReported(&telemetry.ServerReport{StatementID: s.StatementID, Status: hostile, Executing: telemetry.Known(time.Second)})
	again := *s
	again.StatementID += "2"
	sink.StatementFinished(&again)
	return b.String()
}

func TestRecordsCannotControlTheTerminal(t *testing.T) {
	for _, args := range [][]string{
		{"top"}, {"show", "last"}, {"show", "last", "--files"}, {"show", hostile}, {"show", hostile[:4]}, {"summary"}, {"summary", "--by", "server"}, {"summary", "--by", "error"}, {"summary", "--by", "kind"},
		{"summary", "--by", "format"}, {"summary", "--by", "shape"}, {"summary", "--by", "verdict"}, {"top", "-f"},
		{"top", "--json"}, {"top", "-f", "--json"}, {"show", "last", "--json"}, {"summary", "--json", "--by", "server"},
	} {
		got := dbtel(t, hostileRecords(), args...)
		require.NotRegexp(t, controls, got.out, "dbtel %q", args)
		require.NotRegexp(t, controls, got.err, "dbtel %q", args)
		colored := dbtel(t, hostileRecords(), append(args, "--color", "always")...)
		require.NotRegexp(t, controls, regexp.MustCompile("\x1b\\[[0-9]+m").ReplaceAllString(colored.out, ""), "dbtel %q", args)
		require.NotContains(t, colored.out, "[2J\x1b")
	}
}

func TestJSONKeepsControlCharactersAsEscapes(t *testing.T) {
	var s struct {
		StatementID string `json:"statement_id"`
	}
	require.NoError(t, json.NewDecoder(strings.NewReader(dbtel(t, hostileRecords(), "top", "--json").out)).Decode(&s))
	require.Equal(t, strings.ToValidUTF8(hostile, "\uFFFD"), strings.TrimSuffix(s.StatementID, "2"))
}

func TestArgumentsCannotControlTheTerminal(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	name := "a\x1b[2J\n\u202eb"
	require.NoError(t, os.WriteFile(name, []byte("no record\n"), 0o600))
	for _, args := range [][]string{
		{hostile}, {"help", hostile}, {"top", "--" + hostile}, {"top", "--by", hostile}, {"top", "-n", hostile}, {"top", "--color", hostile}, {"summary", "--by", hostile},
		{"show", hostile}, {"top", "no" + hostile}, {"top", name}, {"top", "-f", "--", name}, {"show", hostile, name}, {"top", "--", hostile},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		var out, err bytes.Buffer
		_ = run(ctx, args, strings.NewReader(""), &out, &err)
		cancel()
		require.NotRegexp(t, controls, out.String(), "dbtel %q", args)
		require.NotRegexp(t, controls, err.String(), "dbtel %q", args)
		for line := range strings.Lines(err.String()) {
			require.True(t, strings.HasPrefix(line, "dbtel"), "a file name started a line: %q", line)
		}
	}
}

func TestTheFilterOfControlsNeedsNoWholeWrites(t *testing.T) {
	text := "é\x1b[2J" + control("\x1b[1m\r") + "€\x1b\r" + control("\r\x1b[0m") + "\xe2\x82 end\x1b\n"
	for size := 1; size <= len(text); size++ {
		var out bytes.Buffer
		filter := &controlFilter{w: &out, replace: func(rune) string { return " " }}
		for rest := []byte(text); len(rest) > 0; rest = rest[min(size, len(rest)):] {
			_, err := filter.Write(rest[:min(size, len(rest))])
			require.NoError(t, err)
		}
		require.Equal(t, "é [2J\x1b[1m\r€  \r\x1b[0m   end \n", out.String(), size)
	}
}

func FuzzControlFilter(f *testing.F) {
	f.Add(hostile, 3)
	f.Add("plain\n\x1b[31mred\x1b[0m\xff\xe2\x80", 5)
	f.Fuzz(func(t *testing.T, text string, at int) {
		text = strings.ReplaceAll(text, controlMark, "")
		at = max(0, min(at, len(text)))
		var out bytes.Buffer
		filter := &controlFilter{w: &out, replace: func(rune) string { return " " }}
		for _, part := range []string{text[:at], control("\x1b[1m"), text[at:], control("\x1b[0m") + "end\n"} {
			n, err := filter.Write([]byte(part))
			require.NoError(t, err)
			require.Equal(t, len(part), n)
		}
		require.True(t, strings.HasSuffix(out.String(), "\x1b[0mend\n"))
		require.Equal(t, 2, strings.Count(out.String(), "\x1b"))
		require.NotRegexp(t, controls, strings.ReplaceAll(out.String(), "\x1b", ""))
	})
}
