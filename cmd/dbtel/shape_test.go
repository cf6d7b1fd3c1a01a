package main

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestStatementsThatDifferInLiteralsHaveTheSameShape(t *testing.T) {
	for shape, texts := range map[string][]string{
		"SELECT * FROM t WHERE id = ?":                      {"SELECT * FROM t WHERE id = 1", "SELECT *\n\tFROM t -- all\nWHERE id = 'it''s' ;", `SELECT * FROM t WHERE id = "a\"b"`, "SELECT * /* 1 */ FROM t WHERE id = 1.5e-3"},
		"SELECT a FROM t WHERE id IN (?)":                   {"SELECT a FROM t WHERE id IN (1)", "SELECT a FROM t WHERE id IN ( 1,2 , 'x' )"},
		"INSERT INTO t VALUES (?)":                          {"INSERT INTO t VALUES (1, 'a'), (2,'b'), (3, 'c')"},
		"SELECT t1.c2, x FROM `a 1`.`b``2` WHERE y = :name": {"SELECT t1.c2,x FROM `a 1`.`b``2` WHERE y = :name"},
		"SELECT ? - ?, - b + a.b":                           {"SELECT 1-2, -b + a.b", "SELECT -1 - 2, - b+a . b"},
		"SELECT ?":                                          {"SELECT 'never closed", "SELECT ?", "SELECT 10L", "SELECT /* never closed */ 1 /* 2", "SELECT r'\\'", "SELECT x'1F'", "SELECT /* 1 /* 2 */ 3 */ $$ 4 $$"},
		"":                                                  {"", " -- nothing", "/* nothing"},
	} {
		for _, text := range texts {
			require.Equal(t, shape, withoutLiterals(text), text)
		}
	}
}

func TestShapeOfStatementWithoutText(t *testing.T) {
	require.Equal(t, "ping", shapeOf(&telemetry.Statement{Internal: true, Query: "SELECT 1"}))
	require.Equal(t, "QUERY EXTERNAL_LINKS", shapeOf(&telemetry.Statement{Kind: telemetry.KindQuery, Result: telemetry.Result{Format: telemetry.FormatExternalLinks}}))
	require.Equal(t, "shape 0011223344556677", shapeOf(&telemetry.Statement{Kind: telemetry.KindQuery, Shape: "0011223344556677"}))
	require.Equal(t, "VOLUME PUT", shapeOf(&telemetry.Statement{Kind: telemetry.KindVolume, Volume: "PUT"}))
	require.Equal(t, "unknown", shapeOf(&telemetry.Statement{}))
	require.Equal(t, "shape 0011223344556677", shapeOf(&telemetry.Statement{Query: "-- nothing", Shape: "0011223344556677"}))
	require.Equal(t, "QUERY", shapeOf(&telemetry.Statement{Query: " ;", Kind: telemetry.KindQuery}))
}

// A shape is short, on one line, and its own shape unless it was truncated.
func FuzzWithoutLiterals(f *testing.F) {
	for _, text := range []string{
		"SELECT * FROM t WHERE id IN (1, 'a', \"b\") -- c\n AND `x``y` = 1e+5;", "'", "\"\\", "`", "--", "/*/", "1e+", "((", "?, ?", "\x00\xff\u202e…", "a'b'1.2.3", ";;", "1 , 2", "(1),(2)",
		strings.Repeat("e\u0301", maxShape), strings.Repeat("世", maxShape), strings.Repeat("a", maxShape), strings.Repeat("a", maxShape+1),
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		shape := withoutLiterals(text)
		require.LessOrEqual(t, textWidth(shape), maxShape)
		require.LessOrEqual(t, utf8.RuneCountInString(shape), maxShape)
		require.Equal(t, clean(shape), shape)
		if !strings.HasSuffix(shape, "…") {
			require.Equal(t, shape, withoutLiterals(shape))
		}
	})
}
