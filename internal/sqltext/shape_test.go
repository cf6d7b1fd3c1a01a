package sqltext_test

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/sqltext"
)

func TestStatementsThatDifferInLiteralsHaveTheSameShape(t *testing.T) {
	for shape, texts := range map[string][]string{
		"SELECT * FROM t WHERE id = ?":    {"SELECT * FROM t WHERE id = 1", "SELECT *\n\tFROM t -- all\nWHERE id = 'it''s' ;", `SELECT * FROM t WHERE id = "a\"b"`},
		"SELECT a FROM t WHERE id IN (?)": {"SELECT a FROM t WHERE id IN (1)", "SELECT a FROM t WHERE id IN ( 1,2 , 'x' )"},
		"INSERT INTO t VALUES (?)":        {"INSERT INTO t VALUES (1, 'a'), (2,'b'), (3, 'c')"},
		"SELECT ? FROM t":                 {"SELECT 1 -- one\rFROM t", "SELECT 1 -- one \\\n secret\nFROM t"},
		"":                                {"", " -- nothing", "/* nothing"},
	} {
		for _, text := range texts {
			require.Equal(t, shape, sqltext.Shape(text, 200))
		}
	}
	require.Equal(t, 201, utf8.RuneCountInString(sqltext.Shape(strings.Repeat("ä", 1000), 200)))
}

func TestASignOrADotBeforeANumberIsPartOfTheLiteral(t *testing.T) {
	for shape, texts := range map[string][]string{
		"SELECT ?":                      {"SELECT 1", "SELECT -1", "SELECT + 1", "SELECT .5e-3", "SELECT -1, +2, .3"},
		"? + ?":                         {"-1 + .5", "1--\n+\n-2", ".1++.2"},
		"a = ? AND b BETWEEN ? AND ?":   {"a=-1 AND b BETWEEN -5 AND -.5", "a = 1 AND b BETWEEN 2 AND 3"},
		"INSERT INTO t VALUES (?)":      {"INSERT INTO t VALUES (1, -2), (-3, .4), (+5, 6)"},
		"a[?] - f(?) - ? - :p - ?":      {"a[-1] - f(-1) - 'x' - :p - 1"},
		"a - ? + `b` - ? + ? - ? + t.?": {"a - 1 + `b`-1 + ?-1 + t.5"},
		"t.from - ? + offset - ?":       {"t.from - 1 + offset -1"},
		"a = - b + - ?":                 {"a = -b + -?"}, // of a parameter
	} {
		for _, text := range texts {
			require.Equal(t, shape, sqltext.WithoutLiterals(text, 200), text)
		}
	}
}

func TestSpacesOfAShapeDependOnItsTokensOnly(t *testing.T) {
	for shape, texts := range map[string][]string{
		"SELECT count(*), t.* FROM t":                  {"SELECT count ( * ),t . *FROM/**/t", "SELECT count(*) , t.* FROM t"},
		"a <=> ? AND b != ? OR c || d >= ? - :p":       {"a<=>1 AND b!=2 OR c||d>=3-:p", "a <=> 1 AND b != 2 OR c || d >= 3 - :p"},
		"INSERT INTO t(a, b) VALUES (?)":               {"INSERT INTO t (a,b) VALUES(1)", "INSERT INTO t(a, b)VALUES (1)"},
		"x::INT / y[?] * - z -> `q``r`.s; ${v} : :::p": {"x :: INT/y [ 0 ]*-z->`q``r` . s ;${ v }: :::p"},
	} {
		for _, text := range texts {
			require.Equal(t, shape, sqltext.WithoutLiterals(text, 200), text)
		}
	}
}

func TestWhatFollowsANameThatIsNeverClosedIsNotInAShape(t *testing.T) {
	require.Equal(t, "SELECT ?", sqltext.WithoutLiterals("SELECT `a FROM t WHERE pin = 'secret'", 200))
}

// Where the part of a text that is read ends must not decide on its shape.
func TestInsertsThatAreCutHaveOneShape(t *testing.T) {
	for _, row := range []string{"('abc', 1)", "(-1.5, x'00', r'a')", "(+.5, \"a\" , $$b$$ /* - */)"} {
		text := strings.Repeat(", "+row, sqltext.MaxShapeText/len(row))
		for i := range 2 * len(row) {
			require.Equal(t, "INSERT INTO t VALUES (?)", sqltext.Shape("INSERT INTO t VALUES ('"+strings.Repeat("x", i)+"')"+text, 200), "%s after %d bytes", row, i)
		}
	}
	require.Equal(t, "INSERT INTO t VALUES (?)", sqltext.Shape("INSERT INTO t VALUES (1, '"+strings.Repeat("x", sqltext.MaxShapeText)+"')", 200))
	require.Equal(t, "SELECT a", sqltext.Shape("SELECT a, "+strings.Repeat("b", sqltext.MaxShapeText), 200))
}

// A long list must not hide what follows it.
func TestListsOfAnyLengthHaveOneShape(t *testing.T) {
	require.Equal(t, "a IN (?) AND b = ?", sqltext.Shape("a IN (1"+strings.Repeat(", 2", 1000)+") AND b = 3", 20))
}

// A shape is its own shape, whatever white space is between its tokens, and has no literals.
func FuzzShape(f *testing.F) {
	for _, seed := range []string{"SELECT 1", "SELECT 'x", "\xff", "(?), (?)", "$$a$$ ; ", "a=-.5- -1", ": :: :a", "${a} / *", "t.in(1), (-2)", "- - 1", "<=>!=||->", "`a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		shape := sqltext.Shape(sql, 50)
		if !utf8.ValidString(shape) || utf8.RuneCountInString(shape) > 51 {
			t.Fatalf("%q has the shape %q", sql, shape)
		}
		var texts []string
		scanner := sqltext.NewScanner(sql)
		for token := scanner.Next(); token.Kind != sqltext.End; token = scanner.Next() {
			texts = append(texts, token.Text)
		}
		all := sqltext.WithoutLiterals(sql, math.MaxInt)
		require.Equal(t, all, sqltext.WithoutLiterals(strings.Join(texts, " "), math.MaxInt))
		require.Equal(t, all, sqltext.WithoutLiterals(all, math.MaxInt))
		scanner = sqltext.NewScanner(all)
		for token := scanner.Next(); token.Kind != sqltext.End; token = scanner.Next() {
			require.NotContains(t, []sqltext.Kind{sqltext.String, sqltext.Number, sqltext.UnclosedName}, token.Kind)
		}
	})
}
