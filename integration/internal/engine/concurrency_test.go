package engine

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
)

func TestManySessionsReadAndWriteAtOnce(t *testing.T) {
	d := newDatabase(t)
	setup := newSession(t, d)
	run1(t, setup, "CREATE TABLE acc (who INT, n INT)")
	run1(t, setup, "INSERT INTO acc SELECT int(id), 0 FROM range(8)")
	const sessions, rounds = 64, 3
	var wg sync.WaitGroup
	for i := range sessions {
		wg.Add(1)
		go func() {
			defer wg.Done()
			s := newSession(t, d)
			own := fmt.Sprintf("own_%d", i)
			_, err := s.Execute(t.Context(), "CREATE TABLE "+own+" AS SELECT id FROM range(10)", nil)
			assert.NoError(t, err)
			for r := range rounds {
				_, err := s.Execute(t.Context(), fmt.Sprintf("UPDATE acc SET n = n + 1 WHERE who = %d", (i+r)%8), nil)
				assert.NoError(t, err)
				res, err := s.Execute(t.Context(), "SELECT count(*), sum(o.id) FROM acc a CROSS JOIN "+own+" o", nil)
				if assert.NoError(t, err) {
					assert.Equal(t, []string{"80|360"}, cells(res))
				}
				_, err = s.Execute(t.Context(), "SELECT count(*) FROM range(1000)", nil)
				assert.NoError(t, err)
			}
			_, err = s.Execute(t.Context(), "DROP TABLE "+own, nil)
			assert.NoError(t, err)
			assert.NoError(t, s.Close())
		}()
	}
	wg.Wait()
	assert.Equal(t, []string{fmt.Sprint(sessions * rounds)}, cells(run1(t, setup, "SELECT sum(n) FROM acc")))
	assert.Equal(t, []string{"default|acc|false"}, cells(run1(t, setup, "SHOW TABLES")))
}

func TestOneSessionMayBeUsedConcurrently(t *testing.T) {
	s := newSession(t, newDatabase(t))
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for _, sql := range []string{
				fmt.Sprintf("CREATE OR REPLACE TEMP VIEW v%d AS SELECT %d AS x", i, i),
				fmt.Sprintf("SELECT * FROM v%d", i), fmt.Sprintf("SET k%d = 1", i), "SET", "USE default", "SHOW TABLES",
			} {
				_, err := s.Execute(t.Context(), sql, nil)
				assert.NoError(t, err, sql)
			}
		}()
	}
	wg.Wait()
}

// Each of these statements would take hours.
func TestCancelEndsAStatementSoon(t *testing.T) {
	d := newDatabase(t)
	s := newSession(t, d)
	run1(t, s, "CREATE TABLE big AS SELECT id FROM range(2000)")
	for _, sql := range []string{
		"SELECT sleep(6000)",
		"SELECT count(*) FROM range(100000000000)",
		"SELECT 1 AS a UNION ALL SELECT count(*) FROM range(100000000000)", // slow behind its first row
		"SELECT count(*) FROM big a, big b, big c",
		"INSERT INTO big SELECT a.id FROM big a, big b, big c",
		"UPDATE big SET id = id + sleep(6000)",
		"SELECT id FROM range(100000000000)",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Millisecond)
		_, err := s.Execute(ctx, sql, nil)
		cancel()
		assert.ErrorIs(t, err, context.DeadlineExceeded, sql)
	}
	assert.Equal(t, []string{"2000|1999000"}, cells(run1(t, s, "SELECT count(*), sum(id) FROM big")), "cancelled changes are undone")
}

func TestSleepingDelaysNoOtherSession(t *testing.T) {
	d := newDatabase(t)
	s := newSession(t, d)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := s.Execute(ctx, "SELECT sleep(6000)", nil)
		ended <- err
	}()
	other := newSession(t, d)
	run1(t, other, "CREATE TABLE quick AS SELECT 1 AS x")
	assert.Equal(t, []string{"1"}, cells(run1(t, other, "SELECT x FROM quick")))
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
}

func TestTheGateLetsWaitersGiveUp(t *testing.T) {
	var g gate
	require.NoError(t, g.enter(t.Context(), false))
	ctx, cancel := context.WithCancel(t.Context())
	writer := make(chan error, 1)
	go func() { writer <- g.enter(ctx, true) }()
	eventually.True(t, func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return len(g.queue) == 1
	})
	reader := make(chan error, 1)
	go func() { reader <- g.enter(t.Context(), false) }() // behind the writer
	cancel()
	require.ErrorIs(t, <-writer, context.Canceled)
	require.NoError(t, <-reader)
	g.leave(false)
	g.leave(false)
	require.NoError(t, g.enter(t.Context(), true))
	g.leave(true)
}

func TestAClosedDatabaseRefusesStatements(t *testing.T) {
	d, err := New()
	require.NoError(t, err)
	s := newSession(t, d)
	require.NoError(t, d.Close())
	require.NoError(t, d.Close())
	fails(t, s, "INVALID_HANDLE.SESSION_CLOSED", "SELECT 1")
	_, err = d.NewSession("", "", nil)
	require.Error(t, err)
}

func TestLargeResultsAreTyped(t *testing.T) {
	const rows = 20_000 // SQLite is slow under the race detector; BenchmarkMillionRows measures
	s := newSession(t, newDatabase(t))
	res := run1(t, s, fmt.Sprintf("SELECT id, id*2 AS d, concat('row ', id) AS s, nullif(id %% 2, 0) AS h FROM range(%d)", rows))
	require.Equal(t, rows, res.Rows)
	assert.Equal(t, "BIGINT|BIGINT|STRING|BIGINT", typesOf(res))
	assert.EqualValues(t, 2*rows-2, res.Columns[1].Ints[rows-1])
	assert.Equal(t, "row 19999", res.Columns[2].Strings[rows-1])
	assert.Equal(t, []bool{true, false, true}, res.Columns[3].Nulls[:3])
	assert.Nil(t, res.Columns[0].Nulls)
}

func BenchmarkMillionRows(b *testing.B) {
	s := newSession(b, newDatabase(b))
	for b.Loop() {
		run1(b, s, "SELECT id, id*2 AS d, concat('row ', id) AS s FROM range(1000000)")
	}
}

func BenchmarkOneRow(b *testing.B) {
	s := newSession(b, newDatabase(b))
	for b.Loop() {
		run1(b, s, "SELECT 1")
	}
}

func BenchmarkTenMillionRange(b *testing.B) {
	s := newSession(b, newDatabase(b))
	for b.Loop() {
		run1(b, s, "SELECT id FROM range(10000000)")
	}
}
