package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkCommands reads a generated file of many records: the sample again and again.
func BenchmarkCommands(b *testing.B) {
	records, err := os.ReadFile(sample)
	require.NoError(b, err)
	records = bytes.Repeat(records, 300)
	file := filepath.Join(b.TempDir(), "app.ndjson")
	require.NoError(b, os.WriteFile(file, records, 0o600))
	for _, args := range [][]string{{"top"}, {"show", "slowest"}, {"summary"}, {"summary", "--by", "verdict"}} {
		b.Run(args[len(args)-1], func(b *testing.B) {
			b.SetBytes(int64(len(records)))
			for b.Loop() {
				require.Equal(b, exitOK, run(b.Context(), append(args, file), nil, io.Discard, io.Discard))
			}
		})
	}
}
