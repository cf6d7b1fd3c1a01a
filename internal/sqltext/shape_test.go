package sqltext_test

import (
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
		"":                                {"", " -- nothing", "/* nothing"},
	} {
		for _, text := range texts {
			require.Equal(t, shape, sqltext.Shape(text, 200))
		}
	}
	require.Equal(t, 201, utf8.RuneCountInString(sqltext.Shape(strings.Repeat("ä", 1000), 200)))
}

func FuzzShape(f *testing.F) {
	for _, seed := range []string{"SELECT 1", "SELECT 'x", "\xff", "(?), (?)", "$$a$$ ; "} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		shape := sqltext.Shape(sql, 50)
		if !utf8.ValidString(shape) || utf8.RuneCountInString(shape) > 51 {
			t.Fatalf("%q has the shape %q", sql, shape)
		}
	})
}
