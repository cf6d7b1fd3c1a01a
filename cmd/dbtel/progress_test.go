package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry/ndjson"
)

// slowReader takes its time for each Read.
type slowReader struct{ io.Reader }

func (r slowReader) Read(b []byte) (int, error) {
	time.Sleep(progressDelay/2 + time.Millisecond)
	return r.Reader.Read(b)
}

func TestProgressOfAPipeIsShownWhereReadingTakesLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out, stderr bytes.Buffer
		p := &progress{w: &stderr}
		in := &input{stdin: slowReader{iotest.OneByteReader(strings.NewReader("no\n"))}, lineErrors: &lineErrors{w: &stderr, progress: p}, progress: p, filter: &filter{}}
		require.NoError(t, in.each(t.Context(), nil, func(any) error { return nil }))
		out.WriteString("the table")
		show := func(text string) string { return "\r" + eraseLine + "reading standard input: " + text }
		erase := "\r" + eraseLine
		require.Equal(t, show("2 B")+show("3 B")+
			erase+"dbtel: standard input:1: not JSON: invalid character 'o' in literal null (expecting 'u')\n"+
			show("3 B")+erase, stderr.String(), "nothing before a second has passed, and nothing is left")

		stderr.Reset()
		in.follow = true
		in.stdin = slowReader{iotest.OneByteReader(strings.NewReader("\n\n\n\n"))}
		require.NoError(t, in.each(t.Context(), nil, func(any) error { return nil }))
		require.Empty(t, stderr.String(), "what is followed has no end")
	})
}

func TestProgressOfAFileIsAShareOfItsSize(t *testing.T) {
	name := filepath.Join(t.TempDir(), strings.Repeat("long", 50))
	require.NoError(t, os.WriteFile(name, make([]byte, 4000), 0o600))
	f, err := os.Open(name)
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	var stderr bytes.Buffer
	p := &progress{w: &stderr}
	r := p.reader("app.ndjson\x1b[2J", f).(*progressReader)
	r.next = time.Time{}
	_, err = io.ReadFull(r, make([]byte, 1000))
	require.NoError(t, err)
	require.Equal(t, "\r"+eraseLine+"reading app.ndjson [2J: 25 % of 4.0 kB", stderr.String())

	r = p.reader(name, f).(*progressReader)
	r.next = time.Time{}
	stderr.Reset()
	_, err = r.Read(make([]byte, 1))
	require.NoError(t, err)
	require.Equal(t, defaultWidth-1, textWidth(strings.TrimPrefix(stderr.String(), "\r"+eraseLine)), "a wider line could not be erased")

	p.end()
	stderr.Reset()
	r.next = time.Time{}
	_, err = r.Read(make([]byte, 1))
	require.NoError(t, err)
	p.interrupt(func() {})
	require.Empty(t, stderr.String())
}

// An editor's terminal would show control sequences as text.
func TestADumbTerminalGetsNoControlSequences(t *testing.T) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("this system has no pseudo-terminals: ", err)
	}
	defer func() { require.NoError(t, terminal.Close()) }()
	t.Setenv("NO_COLOR", "")
	for term, controls := range map[string]bool{"dumb": false, "xterm": true} {
		t.Setenv("TERM", term)
		s, err := newScreen(terminal, "auto")
		require.NoError(t, err)
		require.Equal(t, []bool{controls, controls, controls}, []bool{s.terminal, s.color, newProgress(terminal).w != nil}, term)
	}
}

func TestNoProgressWithoutATerminal(t *testing.T) {
	r := strings.NewReader("")
	require.Same(t, r, newProgress(io.Discard).reader("standard input", r))
	l := &lineErrors{w: io.Discard, progress: newProgress(io.Discard)}
	l.add("a", &ndjson.LineError{Line: 1, Err: io.ErrUnexpectedEOF})
	require.EqualValues(t, 1, l.n)
}
