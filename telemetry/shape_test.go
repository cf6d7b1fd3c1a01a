package telemetry_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"unsafe"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestTextsThatDifferInLiteralsCommentsAndSpaceHaveOneShape(t *testing.T) {
	shape := telemetry.ShapeOf("SELECT * FROM t WHERE id IN (1, 2)")
	require.Equal(t, "829505c512fdbfd1", shape, "the same in every process, and in every version as far as possible: files of several are read together")
	for _, text := range []string{"SELECT * FROM t WHERE id IN ('it''s')", "SELECT *\n\tFROM t -- of alice\nWHERE id IN (7,8, 9 ) ;", "SELECT * FROM t WHERE id IN (?)"} {
		require.Equal(t, shape, telemetry.ShapeOf(text), text)
	}
	for _, text := range []string{"SELECT * FROM u WHERE id IN (1, 2)", "SELECT * FROM t", "-- nothing", "SELECT " + strings.Repeat("c, ", 100) + "1"} {
		require.NotEqual(t, shape, telemetry.ShapeOf(text), text)
		require.Regexp(t, "^[0-9a-f]{16}$", telemetry.ShapeOf(text))
	}
	require.NotEqual(t, telemetry.ShapeOf("SELECT "+strings.Repeat("c, ", 100)+"d"), telemetry.ShapeOf("SELECT "+strings.Repeat("c, ", 100)+"e"), "all of the text counts")
	require.Empty(t, telemetry.ShapeOf(""))
}

func TestNoLiteralIsInAShape(t *testing.T) {
	for _, texts := range [][2]string{
		{`SELECT $tag$alice 4711$tag$`, `SELECT $tag$bob$tag$`},
		{`SELECT $$alice$$ FROM t`, `SELECT $$bob$$ FROM t`},
		{`SELECT r'a''it\'s alice', 'x'`, `SELECT r'a''it\'s bob', 'y'`},
		{`SELECT a FROM p WHERE hiv = TRUE`, `SELECT a FROM p WHERE hiv = false`},
		{`INSERT INTO t VALUES (1, NULL)`, `INSERT INTO t VALUES (1, 2)`},
		{`INSERT INTO t VALUES (1, NULL), (NULL, 3)`, `INSERT INTO t VALUES (1, 2)`},
	} {
		require.Equal(t, telemetry.ShapeOf(texts[0]), telemetry.ShapeOf(texts[1]), texts)
	}
	for _, texts := range [][2]string{
		{`SELECT abs(1), (2) FROM t`, `SELECT abs(1) FROM t`},
		{`SELECT a FROM t WHERE a IS NULL`, `SELECT a FROM t WHERE a IS NOT NULL`},
		{`CREATE TABLE t (a INT NOT NULL)`, `CREATE TABLE t (a INT)`},
		{`SELECT t.true FROM t`, `SELECT t.false FROM t`},
	} {
		require.NotEqual(t, telemetry.ShapeOf(texts[0]), telemetry.ShapeOf(texts[1]), texts)
	}
}

func TestWhatIsBetweenTokensDoesNotChangeTheShape(t *testing.T) {
	for _, texts := range [][]string{
		{"SELECT a FROM t WHERE a=1", "SELECT a FROM t WHERE a = 1", "SELECT a FROM t WHERE a/* x */=1"},
		{"SELECT a, b FROM t", "SELECT a , b FROM t", "SELECT a,b -- all\rFROM t"},
		{"SELECT count(*) FROM t", "SELECT count ( * ) FROM t"},
		{"INSERT INTO t VALUES (1)", "INSERT INTO t VALUES(1)"},
	} {
		for _, text := range texts {
			require.Equal(t, telemetry.ShapeOf(texts[0]), telemetry.ShapeOf(text), text)
		}
	}
}

func TestNumbersWithASignOrALeadingDotAreLiterals(t *testing.T) {
	for _, texts := range [][2]string{
		{"SELECT a FROM t WHERE a = -1", "SELECT a FROM t WHERE a = 1"},
		{"INSERT INTO t VALUES (1, -2), (-3, 4)", "INSERT INTO t VALUES (1, 2), (3, 4)"},
		{"SELECT a FROM t WHERE a = .5", "SELECT a FROM t WHERE a = 0.5"},
	} {
		require.Equal(t, telemetry.ShapeOf(texts[1]), telemetry.ShapeOf(texts[0]), texts)
	}
	require.NotEqual(t, telemetry.ShapeOf("SELECT a - 1"), telemetry.ShapeOf("SELECT a + 1"))
}

// Coordinates, balances, changes: an INSERT of numbers with signs must not have a shape of its own each time.
func TestInsertsHaveOneShapeWhateverTheirSignsAndTheirLength(t *testing.T) {
	shapes := map[string]bool{telemetry.ShapeOf("INSERT INTO t VALUES (1)"): true}
	for i := range 256 {
		row := func(bit int) string { return fmt.Sprintf("(%d)", 1-2*(i>>bit&1)) }
		text := "INSERT INTO t VALUES " + row(0)
		for bit := range 7 {
			text += ", " + row(bit+1)
		}
		shapes[telemetry.ShapeOf(text)] = true
	}
	for i := range 20 {
		shapes[telemetry.ShapeOf("INSERT INTO t VALUES ('"+strings.Repeat("x", i)+"', 1)"+strings.Repeat(", ('abc', 1)", 10_000))] = true
	}
	require.Len(t, shapes, 1)
}

// viewer is a sink that writes all it can of a record, and keeps it.
type viewer struct {
	written []string
	record  *telemetry.Statement
}

func (v *viewer) StatementFinished(s *telemetry.Statement) {
	all, err := json.Marshal(s)
	var deep message
	assert.Equal(&deep, &telemetry.Statement{}, s)
	v.written = append(v.written, fmt.Sprintf("%+v %#v %v", s, s, *s), string(deep), fmt.Sprint(string(all), err))
	v.record = s
}

// message is what testify writes when values differ: all that their pointers lead to, that of fields
// that are not exported, too.
type message string

func (m *message) Errorf(format string, args ...any) { *m += message(fmt.Sprintf(format, args...)) }

func TestSinksGetTheShapeOfAStatementAndNothingThatLeadsToItsText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const secret = "alice_4711"
		text := strings.Clone("SELECT * FROM " + secret)
		memory := weak.Make(unsafe.StringData(text))
		var f [2]telemetry.Fanout
		viewers := make([]*viewer, 8)
		for i := range viewers {
			viewers[i] = &viewer{}
			f[i%2].Attach(viewers[i])
		}
		p := &telemetry.PendingStatement{Statement: telemetry.Statement{StatementID: "q-1"}}
		p.SetText(text)
		f[0].PendingStatement(p)
		f[1].PendingStatement(p)
		require.NoError(t, f[0].Flush(t.Context()))
		require.NoError(t, f[1].Flush(t.Context()))
		for _, v := range viewers {
			require.Same(t, &p.Statement, v.record)
			require.Equal(t, telemetry.ShapeOf("SELECT * FROM "+secret), v.record.Shape)
			for _, written := range v.written {
				require.Contains(t, written, "q-1")
				require.NotContains(t, written, secret)
			}
		}
		runtime.GC()
		require.Nil(t, memory.Value(), "a record that is kept does not keep the text in memory")
		runtime.KeepAlive(p)
	})
}

// Records wait with the text of their statements. A sink that blocks must not make them keep the
// megabytes of an INSERT each.
func TestALongTextIsNotKeptWhileItsRecordWaits(t *testing.T) {
	p := &telemetry.PendingStatement{}
	shape, memory := func() (string, weak.Pointer[byte]) { // so that no variable here keeps the text
		text := "INSERT INTO t VALUES " + strings.Repeat("('alice_4711'), ", 1<<20)
		p.SetText(text)
		return telemetry.ShapeOf(text), weak.Make(unsafe.StringData(text))
	}()
	runtime.GC()
	require.Nil(t, memory.Value())
	var f telemetry.Fanout
	v := &viewer{}
	f.Attach(v)
	f.PendingStatement(p)
	require.NoError(t, f.Flush(t.Context()))
	require.Equal(t, shape, v.record.Shape)
}

func FuzzShapeOf(f *testing.F) {
	for _, seed := range []string{"SELECT 1", "SELECT 'x", "\xff", "(?), (?), (1)", "$$a$$ ; ", "1, 2 , 'a'", "`a\nb`"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		shape := telemetry.ShapeOf(text)
		require.Equal(t, text == "", shape == "")
		require.Equal(t, shape, telemetry.ShapeOf(strings.Clone(text)))
	})
}

func BenchmarkShapeOf(b *testing.B) {
	for name, text := range map[string]string{
		"short": "SELECT 1",
		"usual": "SELECT o.id, o.placed, c.name, sum(l.price * l.quantity) AS total FROM shop.orders o JOIN shop.customers c ON c.id = o.customer JOIN shop.lines l ON l.of = o.id WHERE o.placed >= '2026-01-01' AND c.country IN ('DE', 'FR') GROUP BY ALL ORDER BY total DESC LIMIT 100",
		"64KiB": "INSERT INTO t VALUES (1, 'a')" + strings.Repeat(", (1, 'a')", 6400),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				telemetry.ShapeOf(text)
			}
		})
	}
}
