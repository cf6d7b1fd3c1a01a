package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// syncBuffer is a buffer that can be read while it is written to.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

// take returns what was written since the last call.
func (s *syncBuffer) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.buf.Reset()
	return s.buf.String()
}

func recordOf(id string) string {
	return fmt.Sprintf(`{"event":"statement","started":"2026-03-01T11:30:00Z","statement_id":%q,"kind":"QUERY","outcome":"completed","execute_ms":7,"total_ms":7}`+"\n", id)
}

func appendTo(t *testing.T, file, text string) {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	_, err = f.WriteString(text)
	require.NoError(t, err)
}

var ids = regexp.MustCompile(`id-\d`)

// followed is a dbtel top -f that runs.
type followed struct {
	out, stderr syncBuffer
	code        chan int
	cancel      context.CancelFunc
}

func follow(t *testing.T, args ...string) *followed {
	ctx, cancel := context.WithCancel(t.Context())
	f := &followed{code: make(chan int, 1), cancel: cancel}
	go func() {
		f.code <- run(ctx, append([]string{"top", "-f"}, args...), strings.NewReader(""), &f.out, &f.stderr)
	}()
	return f
}

// ids are those of the statements that were printed since the last call.
func (f *followed) ids() string { return strings.Join(ids.FindAllString(f.out.take(), -1), " ") }

// end interrupts the command and returns its exit code.
func (f *followed) end() int {
	f.cancel()
	return <-f.code
}

func TestFileIsFollowedThroughGrowthRotationAndTruncation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "app.ndjson")
		f := follow(t, file)
		expect := func(want string) {
			t.Helper()
			time.Sleep(3 * pollInterval)
			require.Equal(t, want, f.ids())
		}
		expect("") // the file does not exist yet

		appendTo(t, file, recordOf("id-1")+recordOf("id-2")[:50])
		expect("id-1") // half a line waits for the rest
		appendTo(t, file, recordOf("id-2")[50:])
		expect("id-2")

		require.NoError(t, os.Rename(file, file+".1"))
		appendTo(t, file+".1", recordOf("id-3")) // the application still writes to the old file
		expect("id-3")
		appendTo(t, file+".1", recordOf("id-4"))
		appendTo(t, file, recordOf("id-5"))
		expect("id-4")
		time.Sleep(replacedFor)
		expect("id-5")

		require.NoError(t, os.Truncate(file, 0))
		expect("")
		appendTo(t, file, recordOf("id-6"))
		expect("id-6")
		removed, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
		require.NoError(t, err)
		require.NoError(t, os.Remove(file))
		time.Sleep(2 * replacedFor)
		_, err = removed.WriteString(recordOf("id-7")) // the application still writes to it
		require.NoError(t, err)
		require.NoError(t, removed.Close())
		expect("id-7")
		appendTo(t, file, recordOf("id-8"))
		time.Sleep(replacedFor)
		expect("id-8")

		require.Equal(t, exitOK, f.end())
		require.Empty(t, f.stderr.take())
	})
}

func TestFollowingPrintsJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "app.ndjson")
		appendTo(t, file, recordOf("id-1")+"broken\n")
		f := follow(t, "--json", file)
		synctest.Wait()
		require.Contains(t, f.out.take(), `{"event":"statement","started":"2026-03-01T11:30:00Z","statement_id":"id-1"`)
		require.Equal(t, exitLineErrors, f.end())
		require.Contains(t, f.stderr.take(), file+":2: not JSON")
	})
}

func TestStandardInputIsFollowedToItsEnd(t *testing.T) {
	got := dbtel(t, recordOf("id-1")+recordOf("id-2"), "top", "-f")
	require.Equal(t, exitOK, got.code)
	require.Equal(t, "2026-03-01T11:30:00Z    7.0 ms  query  id-1  unknown: 100 % of 7.0 ms in parts that the record does not have\n"+
		"2026-03-01T11:30:00Z    7.0 ms  query  id-2  unknown: 100 % of 7.0 ms in parts that the record does not have\n", got.out)
}

func TestTerminalIsRedrawnAndRestored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		t.Chdir(dir)
		appendTo(t, "app.ndjson", recordOf("id-1"))
		var out, stderr syncBuffer
		inv := &invocation{
			args: []string{"app.ndjson"}, stdout: &out, out: newOutput(&out, false), screen: screen{terminal: true, width: 80, height: 12},
			input: &input{follow: true, filter: &filter{}, lineErrors: &lineErrors{w: &stderr, progress: &progress{}}, progress: &progress{}},
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- inv.live(ctx, &ranking{order: orders["slowest"], limit: 10, filter: inv.input.filter}) }()

		time.Sleep(redrawInterval + time.Millisecond)
		first := out.take()
		require.True(t, strings.HasPrefix(first, enterFullView+cursorHome), "%q", first)
		require.True(t, strings.HasSuffix(first, eraseBelow), "%q", first)
		require.Contains(t, first, "1 statement ")
		require.Contains(t, first, "id-1")

		time.Sleep(10 * redrawInterval)
		require.Empty(t, out.take(), "nothing is drawn while nothing changes")

		appendTo(t, "app.ndjson", recordOf("id-2")+"broken\n")
		time.Sleep(2 * redrawInterval)
		second := out.take()
		require.Contains(t, second, "2 statements")
		require.Contains(t, second, "1 broken line skipped")

		for range 30 {
			appendTo(t, "app.ndjson", recordOf("id-3"))
		}
		time.Sleep(2 * redrawInterval)
		require.Equal(t, 11, strings.Count(out.take(), "\n"), "the cursor stays on the screen")

		cancel()
		require.NoError(t, <-done)
		require.NoError(t, inv.out.Flush())
		last := out.take()
		require.True(t, strings.HasPrefix(last, leaveFullView+"32 statements"), "%q", last)
		require.Empty(t, stderr.take(), "the terminal shows the table")
	})
}

func TestRankingKeepsNoMoreThanItShows(t *testing.T) {
	list := &ranking{order: orders["slowest"], limit: 2, filter: &filter{}}
	for i, total := range []time.Duration{3, 1, 4, 1, 5} {
		require.NoError(t, list.add(&telemetry.Statement{StatementID: fmt.Sprint(i), Total: total}))
	}
	require.NoError(t, list.add(&telemetry.SessionOpened{}))
	require.Len(t, list.statements, 2)
	require.Equal(t, "4", list.statements[0].StatementID)
	require.Equal(t, "2", list.statements[1].StatementID)
	require.EqualValues(t, 5, list.times.n)
}

func TestAReportStaysWithAStatementThatWasReadTwice(t *testing.T) {
	list := &ranking{order: orders["slowest"], limit: 2, filter: &filter{}}
	slow, quick := &telemetry.Statement{StatementID: "slow", Total: 2}, &telemetry.Statement{StatementID: "quick", Total: 1}
	report := &telemetry.ServerReport{StatementID: "quick"}
	for _, r := range []any{quick, quick, report, slow} { // which leaves one of the two
		require.NoError(t, list.add(r))
	}
	require.Equal(t, map[string]*telemetry.ServerReport{"quick": report}, list.reports)
	require.Equal(t, map[string]int{"slow": 1, "quick": 1}, list.ids)

	require.NoError(t, list.add(&telemetry.Statement{StatementID: "slowest", Total: 3}))
	require.Empty(t, list.reports)
	require.Equal(t, map[string]int{"slowest": 1, "slow": 1}, list.ids)
}

func TestARecordIsOneLineWhileFilesAreFollowed(t *testing.T) {
	got := dbtel(t, `{"event":"statement","started":"2026-03-01T11:30:00Z","statement_id":"a","outcome":"completed","execute_ms":5000,"total_ms":5000,"time_retry_ms":5000,"rpcs_by_method":[{"method":"X\n2026-03-01T11:30:00Z    5.0 s  query  b","calls":1,"retries":2}]}`+"\n", "top", "-f")
	require.Equal(t, 1, strings.Count(got.out, "\n"), got.out)
}

// Rotation renames the file and makes a new one at once; the application writes to the old one until it is told.
func TestWhatIsWrittenToARotatedFileBeforeTheApplicationChangesIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "app.ndjson")
		f := follow(t, file)
		appendTo(t, file, recordOf("id-1")+recordOf("id-2")[:50])
		time.Sleep(2 * pollInterval)
		require.NoError(t, os.Rename(file, file+".1"))
		appendTo(t, file, "")
		time.Sleep(2 * pollInterval)
		appendTo(t, file+".1", recordOf("id-2")[50:])
		time.Sleep(2 * pollInterval)
		appendTo(t, file+".1", recordOf("id-3"))
		appendTo(t, file, recordOf("id-4"))
		time.Sleep(2 * replacedFor)
		require.Equal(t, "id-1 id-2 id-3 id-4", f.ids())
		require.Equal(t, exitOK, f.end())
		require.Empty(t, f.stderr.take())
	})
}

// The file that replaces another is made before it may be read, as by a rotation that sets its owner last.
func TestAFileThatMayNotBeReadYetIsFollowed(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("the superuser may read every file")
	}
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "app.ndjson")
		appendTo(t, file, recordOf("id-1"))
		f := follow(t, file)
		time.Sleep(2 * pollInterval)
		require.NoError(t, os.Rename(file, file+".1"))
		appendTo(t, file, recordOf("id-2"))
		require.NoError(t, os.Chmod(file, 0))
		time.Sleep(replacedFor + 3*pollInterval)
		require.NoError(t, os.Chmod(file, 0o600))
		time.Sleep(2 * pollInterval)
		require.Equal(t, "id-1 id-2", f.ids())

		require.NoError(t, os.Rename(file, file+".3"))
		appendTo(t, file, "")
		require.NoError(t, os.Chmod(file, 0))
		time.Sleep(replacedFor + 3*pollInterval)
		require.NoError(t, os.Remove(file)) // before it could be read
		time.Sleep(time.Minute)
		appendTo(t, file, recordOf("id-4"))
		require.NoError(t, os.Chmod(file, 0))
		time.Sleep(3 * pollInterval)
		require.NoError(t, os.Chmod(file, 0o600))
		time.Sleep(3 * pollInterval)
		require.Equal(t, "id-4", f.ids(), "it has its own time to become readable")

		require.NoError(t, os.Rename(file, file+".2"))
		appendTo(t, file, recordOf("id-3"))
		require.NoError(t, os.Chmod(file, 0))
		time.Sleep(time.Minute)
		require.Equal(t, exitFailed, <-f.code, "it is not waited for forever")
		require.Contains(t, f.stderr.take(), "permission denied")
	})
}

// What cannot be read as lines is named, and the other files are followed.
func TestAFileOfAnotherFormatIsNotFollowed(t *testing.T) {
	for begin, says := range map[string]string{
		"\x1f\x8b\x08\n":      "compressed with gzip and not followed: read it without -f",
		"\xff\xfe{\x00\n\x00": "UTF-16 and not read: convert it to UTF-8 first, as with iconv -f UTF-16 -t UTF-8",
	} {
		synctest.Test(t, func(t *testing.T) {
			dir := t.TempDir()
			packed, file := filepath.Join(dir, "app.ndjson.1"), filepath.Join(dir, "app.ndjson")
			appendTo(t, packed, begin)
			f := follow(t, packed, file)
			time.Sleep(time.Minute)
			appendTo(t, file, recordOf("id-1"))
			time.Sleep(time.Minute)
			require.Contains(t, f.out.take(), "id-1")
			require.Equal(t, "dbtel: "+packed+": it is "+says+"\n", f.stderr.take())
			require.Equal(t, exitLineErrors, f.end())
		})
	}
}

// Under the live table there is no room for a message; it follows the table.
func TestDamageIsNamedAfterTheLiveTable(t *testing.T) {
	var stderr syncBuffer
	l := &lineErrors{w: &stderr, progress: &progress{}, quiet: true}
	require.True(t, l.addDamage("app.ndjson", otherFormats["\xff\xfe"]))
	require.Empty(t, stderr.take())
	l.printRest()
	require.Equal(t, "dbtel: app.ndjson: it is UTF-16 and not read: convert it to UTF-8 first, as with iconv -f UTF-16 -t UTF-8\n", stderr.take())
}

func TestAFileThatHasItsNameAgainIsNotReadTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "app.ndjson")
		appendTo(t, file, recordOf("id-1"))
		f := follow(t, file)
		time.Sleep(2 * pollInterval)
		require.NoError(t, os.Rename(file, file+".1"))
		appendTo(t, file, "")
		time.Sleep(2 * pollInterval)
		require.NoError(t, os.Rename(file+".1", file))
		time.Sleep(2 * replacedFor)
		require.Equal(t, "id-1", f.ids())
		require.Equal(t, exitOK, f.end())
	})
}
